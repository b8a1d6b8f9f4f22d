package expr

import (
	"bytes"
	"encoding/binary"
	"math"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/flightd/flightd/internal/base"
	"github.com/flightd/flightd/kernels"
	"github.com/flightd/flightd/plan/expr"
)

func stringRows() map[string]row {
	return map[string]row{
		"upper":           strict(func(f *frame) error { return mapCases(f, 'a', 'z', upperText) }),
		"lower":           strict(func(f *frame) error { return mapCases(f, 'A', 'Z', lowerText) }),
		"length":          strict(textLength),
		"octet_length":    strict(byteLength),
		"bit_length":      strict(func(f *frame) error { return countText(f, func(s []byte) int { return 8 * len(s) }) }),
		"ascii":           strict(func(f *frame) error { return countText(f, firstRune) }),
		"reverse":         {makeReverse},
		"initcap":         textMap(initCap),
		"trim":            strict(func(f *frame) error { return trimText(f, true, true) }),
		"btrim":           strict(func(f *frame) error { return trimText(f, true, true) }),
		"ltrim":           strict(func(f *frame) error { return trimText(f, true, false) }),
		"rtrim":           strict(func(f *frame) error { return trimText(f, false, true) }),
		"lpad":            strict(func(f *frame) error { return padText(f, true) }),
		"rpad":            strict(func(f *frame) error { return padText(f, false) }),
		"repeat":          strict(repeatText),
		"space":           strict(spaceText),
		"chr":             strict(chrText),
		"replace":         strict(replaceText),
		"translate":       strict(translateText),
		"left":            strict(leftText),
		"right":           strict(rightText),
		"substring":       strict(substring),
		"substring_index": strict(substringIndex),
		"overlay":         strict(overlay),
		"contains":        textTest(kernels.ContainsText, bytes.Contains),
		"startswith":      textTest(kernels.PrefixText, bytes.HasPrefix),
		"endswith":        textTest(kernels.SuffixText, bytes.HasSuffix),
		"instr":           strict(func(f *frame) error { return locate(f, 0, 1, -1) }),
		"locate":          lenient(func(f *frame) error { return locate(f, 1, 0, 2) }),
		"find_in_set":     strict(findInSet),
		"levenshtein":     strict(levenshtein),
		"soundex":         textMap(soundex),
		"quote":           textMap(func(dst, s []byte) []byte { return quoteText(dst, s) }),
		"luhn_check":      strict(luhnCheck),
		"mask":            lenient(mask),
		"split_part":      strict(splitPart),
		"elt":             lenient(elt),
		"concat_ws":       lenient(concatWS),
	}
}

// textMap is the row of a function from a text to a text; fn appends.
func textMap(fn func(dst, s []byte) []byte) row {
	return strict(func(f *frame) error {
		a := f.text(0)
		return f.write(func(i int, dst []byte) ([]byte, error) { return fn(dst, a.at(i)), nil })
	})
}

// textTest is the row of a test of a text with another, of one row and of a column with
// one text.
func textTest(column func(dst []byte, off []int32, data, want []byte), test func(s, part []byte) bool) row {
	return strict(func(f *frame) error {
		if testWhole(f, column) {
			return nil
		}
		dst, a, b := f.bits(), f.text(0), f.text(1)
		f.each(func(i int) {
			if test(a.at(i), b.at(i)) {
				kernels.SetBit(dst, i)
			}
		})
		return nil
	})
}

func countText(f *frame, count func(s []byte) int) error {
	dst, a := results[int32](f), f.text(0)
	f.each(func(i int) { dst[i] = int32(count(a.at(i))) })
	return nil
}

func byteLength(f *frame) error {
	if off, _, ok := f.whole(0); ok {
		kernels.Lengths(results[int32](f), off)
		return nil
	}
	return countText(f, func(s []byte) int { return len(s) })
}

func textLength(f *frame) error {
	if f.args[0].Type.Kind == expr.KindBinary {
		return byteLength(f)
	}
	if off, _, ok := f.wholeASCII(0); ok {
		kernels.Lengths(results[int32](f), off)
		return nil
	}
	return countText(f, runes)
}

// runes counts code points; bytes that are no UTF-8 count as Spark counts them, by
// what their first byte announces.
func runes(s []byte) int {
	n, i := 0, 0
	for ; i+8 <= len(s) && binary.LittleEndian.Uint64(s[i:])&0x8080808080808080 == 0; i += 8 {
		n += 8
	}
	for ; i < len(s); n++ {
		i += runeLen(s[i:])
	}
	return n
}

func runeLen(s []byte) int {
	switch c := s[0]; {
	case c < 0xc0:
		return 1
	case c < 0xe0:
		return min(2, len(s))
	case c < 0xf0:
		return min(3, len(s))
	case c < 0xf8:
		return min(4, len(s))
	}
	return 1
}

// skip returns the byte offset of code point n of s.
func skip(s []byte, n int) int {
	i := 0
	for ; n > 0 && i < len(s); n-- {
		i += runeLen(s[i:])
	}
	return i
}

func mapCase(dst, s []byte, lo, hi byte, slow func(string) string) []byte {
	at := len(dst)
	dst = append(dst, s...)
	for i, c := range dst[at:] {
		if c >= 0x80 {
			return append(dst[:at], slow(string(s))...)
		}
		if c >= lo && c <= hi {
			dst[at+i] = c ^ 0x20
		}
	}
	return dst
}

// upperText maps the letters whose capitals are more than one.
func upperText(s string) string { return strings.ToUpper(capitals.Replace(s)) }

var capitals = strings.NewReplacer("ß", "SS", "ﬀ", "FF", "ﬁ", "FI", "ﬂ", "FL", "ﬃ", "FFI", "ﬄ", "FFL", "ﬅ", "ST", "ﬆ", "ST", "ŉ", "ʼN", "ǰ", "J̌", "և", "ԵՒ")

// lowerText maps a final capital sigma, and a capital I with a dot, as Java does.
func lowerText(s string) string {
	s = strings.ReplaceAll(s, "İ", "i\u0307")
	l := strings.ToLower(s)
	if !strings.Contains(s, "Σ") {
		return l
	}
	rs, out := []rune(s), []rune(l)
	if len(rs) != len(out) {
		return l
	}
	for i, r := range rs {
		if r == 'Σ' && i > 0 && unicode.IsLetter(rs[i-1]) && (i+1 == len(rs) || !unicode.IsLetter(rs[i+1])) {
			out[i] = 'ς'
		}
	}
	return string(out)
}

func firstRune(s []byte) int {
	if len(s) == 0 {
		return 0
	}
	r, _ := utf8.DecodeRune(s)
	return int(r)
}

func initCap(dst, s []byte) []byte {
	start := true
	for len(s) > 0 {
		r, n := utf8.DecodeRune(s)
		switch {
		case r == utf8.RuneError && n == 1:
			dst = append(dst, s[0])
		case start:
			if up := capitals.Replace(string(r)); len(up) != n || up[0] < 0x80 && r >= 0x80 {
				first, k := utf8.DecodeRuneInString(up)
				dst = append(utf8.AppendRune(dst, first), strings.ToLower(up[k:])...)
			} else {
				dst = utf8.AppendRune(dst, unicode.ToTitle(r))
			}
		default:
			dst = utf8.AppendRune(dst, unicode.ToLower(r))
		}
		start = r == ' '
		s = s[n:]
	}
	return dst
}

func makeReverse(c *expr.Call, args []Evaluator, env *Env) (Evaluator, error) {
	switch c.Args[0].Type().Kind {
	case expr.KindArray:
		return newFunction(c, args, env, reverseArray), nil
	case expr.KindBinary:
		return newFunction(c, args, env, func(f *frame) error {
			a := f.text(0)
			return f.write(func(i int, dst []byte) ([]byte, error) {
				s := a.at(i)
				for k := len(s) - 1; k >= 0; k-- {
					dst = append(dst, s[k])
				}
				return dst, nil
			})
		}), nil
	}
	return newFunction(c, args, env, func(f *frame) error {
		if reverseWhole(f) {
			return nil
		}
		a := f.text(0)
		return f.write(func(i int, dst []byte) ([]byte, error) {
			s := a.at(i)
			at := len(dst)
			dst = append(dst, s...)
			out := dst[at:]
			for k := 0; k < len(s); {
				n := runeLen(s[k:])
				copy(out[len(s)-k-n:], s[k:k+n])
				k += n
			}
			return dst, nil
		})
	}), nil
}

// trimText removes spaces, or the characters of a second argument.
func trimText(f *frame, left, right bool) error {
	a := f.text(0)
	set := func(int) []byte { return []byte{' '} }
	if len(f.args) > 1 {
		// trim(chars, text), but btrim(text, chars).
		if set = f.text(1).at; f.call.Fn != "btrim" {
			a, set = f.text(1), f.text(0).at
		}
	}
	return f.write(func(i int, dst []byte) ([]byte, error) {
		s, chars := a.at(i), set(i)
		in := func(c []byte) bool { return bytes.Contains(chars, c) }
		for left && len(s) > 0 {
			n := runeLen(s)
			if !in(s[:n]) {
				break
			}
			s = s[n:]
		}
		for right && len(s) > 0 {
			n := 1
			for n < 4 && n < len(s) && s[len(s)-n]&0xc0 == 0x80 {
				n++
			}
			if !in(s[len(s)-n:]) {
				break
			}
			s = s[:len(s)-n]
		}
		return append(dst, s...), nil
	})
}

func padText(f *frame, left bool) error {
	a, width := f.text(0), ints(f, 1, nil)
	binary := f.args[0].Type.Kind == expr.KindBinary
	fill := func(int) []byte { return []byte{' '} }
	if binary {
		fill = func(int) []byte { return []byte{0} }
	}
	if len(f.args) > 2 {
		fill = f.text(2).at
	}
	length, cut := runes, skip
	if binary {
		length, cut = func(s []byte) int { return len(s) }, func(s []byte, n int) int { return min(n, len(s)) }
	}
	return f.write(func(i int, dst []byte) ([]byte, error) {
		s, p, n := a.at(i), fill(i), int(max(width[i], 0))
		have := length(s)
		if have >= n || len(p) == 0 {
			return append(dst, s[:cut(s, n)]...), nil
		}
		if err := f.room(int64(n - have)); err != nil {
			return dst, err
		}
		if !left {
			dst = append(dst, s...)
		}
		plen := length(p)
		for k := n - have; k > 0; k -= plen {
			if len(dst) > math.MaxInt32 {
				break
			}
			dst = append(dst, p[:cut(p, k)]...)
		}
		if left {
			dst = append(dst, s...)
		}
		return dst, nil
	})
}

func repeatText(f *frame) error {
	a, n := f.text(0), ints(f, 1, nil)
	return f.write(func(i int, dst []byte) ([]byte, error) {
		s := a.at(i)
		if len(s) > 0 && n[i] > int64(math.MaxInt32/len(s)) {
			return dst, tooLong(f)
		}
		if len(s) == 0 || n[i] <= 0 {
			return dst, nil
		}
		if err := f.room(product(n[i], int64(len(s)))); err != nil {
			return dst, err
		}
		for range n[i] {
			dst = append(dst, s...)
		}
		return dst, nil
	})
}

func tooLong(f *frame) error {
	return base.Errorf(base.CodeExhausted, "%s: a text of more than %d bytes", f.call.Fn, math.MaxInt32).At(f.call.At)
}

func spaceText(f *frame) error {
	n := ints(f, 0, nil)
	return f.write(func(i int, dst []byte) ([]byte, error) {
		if err := f.room(n[i]); err != nil {
			return dst, err
		}
		for range max(n[i], 0) {
			dst = append(dst, ' ')
		}
		return dst, nil
	})
}

func chrText(f *frame) error {
	n := argument[int64](f, 0)
	return f.write(func(i int, dst []byte) ([]byte, error) {
		if n.at(i) < 0 {
			return dst, nil
		}
		return utf8.AppendRune(dst, rune(n.at(i)&0xff)), nil
	})
}

func replaceText(f *frame) error {
	a, from := f.text(0), f.text(1)
	to := func(int) []byte { return nil }
	if len(f.args) > 2 {
		to = f.text(2).at
	}
	return f.write(func(i int, dst []byte) ([]byte, error) {
		s, old, repl := a.at(i), from.at(i), to(i)
		if len(old) == 0 {
			return append(dst, s...), nil
		}
		for {
			k := bytes.Index(s, old)
			if k < 0 {
				return append(dst, s...), nil
			}
			dst = append(append(dst, s[:k]...), repl...)
			s = s[k+len(old):]
		}
	})
}

func translateText(f *frame) error {
	a, from, to := f.text(0), f.text(1), f.text(2)
	return f.write(func(i int, dst []byte) ([]byte, error) {
		table := map[rune]rune{}
		repl := []rune(string(to.at(i)))
		for k, r := range []rune(string(from.at(i))) {
			if _, ok := table[r]; ok {
				continue
			}
			table[r] = -1
			if k < len(repl) {
				table[r] = repl[k]
			}
		}
		for _, r := range string(a.at(i)) {
			switch t, ok := table[r]; {
			case !ok:
				dst = utf8.AppendRune(dst, r)
			case t >= 0:
				dst = utf8.AppendRune(dst, t)
			}
		}
		return dst, nil
	})
}

// cutText writes the part of the first argument that begins at position from (1 is
// the first character, negative from the end) and has n characters; the second
// argument is handed to span.
func cutText(f *frame, span func(i, n int) (from, count int)) error {
	a, n := f.text(0), ints(f, 1, nil)
	binary := f.args[0].Type.Kind == expr.KindBinary
	return f.write(func(i int, dst []byte) ([]byte, error) {
		from, count := span(i, int(n[i]))
		return append(dst, part(a.at(i), from, count, binary)...), nil
	})
}

// part is SQL's SUBSTRING: position 0 counts as 1, and what lies before the text
// still counts for the length.
func part(s []byte, pos, count int, binary bool) []byte {
	if count <= 0 {
		return nil
	}
	length, cut := runes, skip
	if binary {
		length, cut = func(s []byte) int { return len(s) }, func(s []byte, n int) int { return max(0, min(n, len(s))) }
	}
	start := 0
	switch {
	case pos > 0:
		start = pos - 1
	case pos < 0:
		start = length(s) + pos
	}
	end := start + count
	if end > math.MaxInt32 {
		end = math.MaxInt32
	}
	if end <= 0 {
		return nil
	}
	lo := cut(s, max(start, 0))
	return s[lo : lo+cut(s[lo:], end-max(start, 0))]
}

func substring(f *frame) error {
	pos, same := sameInt(f, 1)
	n := int64(math.MaxInt32)
	if len(f.args) > 2 && same {
		n, same = sameInt(f, 2)
	}
	if same && cutWhole(f, int(pos), int(n)) {
		return nil
	}
	if len(f.args) == 2 {
		return cutText(f, func(_, pos int) (int, int) { return pos, math.MaxInt32 })
	}
	count := ints(f, 2, nil)
	return cutText(f, func(i, pos int) (int, int) { return pos, int(count[i]) })
}

func rightText(f *frame) error {
	if n, ok := sameInt(f, 1); ok && n > 0 && cutWhole(f, int(-n), int(n)) {
		return nil
	}
	a, n := f.text(0), ints(f, 1, nil)
	return f.write(func(i int, dst []byte) ([]byte, error) {
		s := a.at(i)
		if n[i] <= 0 {
			return dst, nil
		}
		return append(dst, s[skip(s, max(0, runes(s)-int(n[i]))):]...), nil
	})
}

func substringIndex(f *frame) error {
	a, d, n := f.text(0), f.text(1), ints(f, 2, nil)
	return f.write(func(i int, dst []byte) ([]byte, error) {
		s, delim, count := a.at(i), d.at(i), n[i]
		if len(delim) == 0 || count == 0 {
			return dst, nil
		}
		if count > 0 {
			at := 0
			for {
				k := bytes.Index(s[at:], delim)
				if k < 0 {
					return append(dst, s...), nil
				}
				if count--; count == 0 {
					return append(dst, s[:at+k]...), nil
				}
				at += k + 1
			}
		}
		end := len(s)
		for {
			k := bytes.LastIndex(s[:end], delim)
			if k < 0 {
				return append(dst, s...), nil
			}
			if count++; count == 0 {
				return append(dst, s[k+len(delim):]...), nil
			}
			end = k + len(delim) - 1
		}
	})
}

func overlay(f *frame) error {
	a, b, pos := f.text(0), f.text(1), ints(f, 2, nil)
	binary := f.args[0].Type.Kind == expr.KindBinary
	length := runes
	if binary {
		length = func(s []byte) int { return len(s) }
	}
	count := func(i int) int { return -1 }
	if len(f.args) > 3 {
		n := ints(f, 3, nil)
		count = func(i int) int { return int(n[i]) }
	}
	return f.write(func(i int, dst []byte) ([]byte, error) {
		s, repl, p, n := a.at(i), b.at(i), int(pos[i]), count(i)
		if n < 0 {
			n = length(repl)
		}
		dst = append(dst, part(s, 1, p-1, binary)...)
		dst = append(dst, repl...)
		return append(dst, part(s, p+n, math.MaxInt32, binary)...), nil
	})
}

// locate finds a text (argument sub) in another (argument in) from a position
// (argument from, −1: the first) and gives its position in characters, or 0.
func locate(f *frame, in, sub, from int) error {
	if (from < 0 || from >= len(f.args)) && locateWhole(f, in, sub) {
		return nil
	}
	dst, hay, needle := results[int32](f), f.text(in), f.text(sub)
	start := func(int) int { return 1 }
	if from >= 0 && from < len(f.args) {
		n := ints(f, from, nil)
		start = func(i int) int { return int(n[i]) }
	}
	f.each(func(i int) {
		dst[i] = 0
		if f.absent(in, i) || f.absent(sub, i) {
			f.setNull(i)
			return
		}
		if from >= 0 && from < len(f.args) && f.absent(from, i) {
			return // no position is position 0
		}
		s, at := hay.at(i), start(i)
		if at < 1 {
			return
		}
		lo := skip(s, at-1)
		if len(needle.at(i)) == 0 {
			dst[i] = 1
			return
		}
		if k := bytes.Index(s[lo:], needle.at(i)); k >= 0 {
			dst[i] = int32(at + runes(s[lo:lo+k]))
		}
	})
	return nil
}

func findInSet(f *frame) error {
	dst, a, set := results[int32](f), f.text(0), f.text(1)
	f.each(func(i int) {
		dst[i] = 0
		if bytes.IndexByte(a.at(i), ',') >= 0 {
			return
		}
		for k, s := range bytes.Split(set.at(i), []byte{','}) {
			if bytes.Equal(s, a.at(i)) {
				dst[i] = int32(k + 1)
				return
			}
		}
	})
	return nil
}
