package expr

import (
	"bytes"
	"unicode"
	"unicode/utf8"

	"github.com/flightd/flightd/compute/collation"
	"github.com/flightd/flightd/internal/base"
	"github.com/flightd/flightd/kernels"
	"github.com/flightd/flightd/plan/expr"
)

// collated is appended to the name of a function in the table where the function has
// an evaluator of its own for texts with a collation.
const collated = " collated"

func collationRows() map[string]row {
	return map[string]row{
		"collate": {func(c *expr.Call, args []Evaluator, _ *Env) (Evaluator, error) {
			return &relabel{child: args[0], t: c.Typ}, nil
		}},
		"collation_key":              byCollation(collationKey),
		"decimal_digits":             {decimalDigits},
		"contains" + collated:        byCollation(containsCollated),
		"startswith" + collated:      byCollation(startsCollated),
		"endswith" + collated:        byCollation(endsCollated),
		"instr" + collated:           byCollation(func(c *collation.Collation) func(f *frame) error { return locateCollated(c, 0, 1) }),
		"locate" + collated:          byCollation(func(c *collation.Collation) func(f *frame) error { return locateCollated(c, 1, 0) }),
		"find_in_set" + collated:     byCollation(findInSetCollated),
		"replace" + collated:         byCollation(replaceCollated),
		"translate" + collated:       byCollation(translateCollated),
		"split_part" + collated:      byCollation(splitPartCollated),
		"substring_index" + collated: byCollation(substringIndexCollated),
		"trim" + collated:            byCollation(func(c *collation.Collation) func(f *frame) error { return trimCollated(c, true, true) }),
		"btrim" + collated:           byCollation(func(c *collation.Collation) func(f *frame) error { return trimCollated(c, true, true) }),
		"ltrim" + collated:           byCollation(func(c *collation.Collation) func(f *frame) error { return trimCollated(c, true, false) }),
		"rtrim" + collated:           byCollation(func(c *collation.Collation) func(f *frame) error { return trimCollated(c, false, true) }),
		"initcap" + collated: byCollation(func(*collation.Collation) func(f *frame) error {
			return func(f *frame) error {
				a := f.text(0)
				return f.write(func(i int, dst []byte) ([]byte, error) { return titleWords(dst, a.at(i)), nil })
			}
		}),
	}
}

// collationOf returns the collation that the texts of a call have, or "".
func collationOf(c *expr.Call) string {
	for _, a := range c.Args {
		if t := a.Type(); t.Collated() && t.Collation != expr.Indeterminate {
			return t.Collation
		}
	}
	return ""
}

// byCollation is the row of a strict function that works by its texts' collation.
func byCollation(setup func(c *collation.Collation) func(f *frame) error) row {
	return prepared(func(call *expr.Call, _ *Env) (func(f *frame) error, error) {
		return setup(collation.New(collationOf(call))), nil
	})
}

func collationKey(c *collation.Collation) func(f *frame) error {
	return func(f *frame) error {
		a := f.text(0)
		return f.write(func(i int, dst []byte) ([]byte, error) { return c.Key(dst, a.at(i)), nil })
	}
}

// searches makes the pattern of each row, again only where the text is another.
type searches struct {
	c    *collation.Collation
	last []byte
	p    *collation.Pattern
}

func (p *searches) of(s []byte) *collation.Pattern {
	if p.p == nil || !bytes.Equal(p.last, s) {
		p.last, p.p = append(p.last[:0], s...), p.c.Pattern(s)
	}
	return p.p
}

// unpadded is s without the spaces at its end that the collation does not see.
func unpadded(c *collation.Collation, s []byte) []byte {
	if c.TrimRight {
		return bytes.TrimRight(s, " ")
	}
	return s
}

// testCollated sets the rows whose first text passes test with the second as pattern.
func testCollated(c *collation.Collation, test func(p *collation.Pattern, s []byte) bool) func(f *frame) error {
	known := &searches{c: c}
	return func(f *frame) error {
		dst, a, b := f.bits(), f.text(0), f.text(1)
		f.each(func(i int) {
			if test(known.of(unpadded(c, b.at(i))), unpadded(c, a.at(i))) {
				kernels.SetBit(dst, i)
			}
		})
		return nil
	}
}

func containsCollated(c *collation.Collation) func(f *frame) error {
	return testCollated(c, func(p *collation.Pattern, s []byte) bool { at, _ := p.Index(s, 0); return at >= 0 })
}

func startsCollated(c *collation.Collation) func(f *frame) error {
	return testCollated(c, func(p *collation.Pattern, s []byte) bool { return p.At(s) >= 0 })
}

func endsCollated(c *collation.Collation) func(f *frame) error {
	return testCollated(c, func(p *collation.Pattern, s []byte) bool { _, ok := p.EndsAt(s); return ok })
}

// locateCollated is instr and locate: the position in characters, 0 for none; the
// third argument of locate is the position to begin at.
func locateCollated(c *collation.Collation, in, sub int) func(f *frame) error {
	known := &searches{c: c}
	return func(f *frame) error {
		dst, hay, needle := results[int32](f), f.text(in), f.text(sub)
		start := func(int) int { return 1 }
		if len(f.args) > 2 {
			n := ints(f, 2, nil)
			start = func(i int) int { return int(n[i]) }
		}
		f.each(func(i int) {
			dst[i] = 0
			s, at := unpadded(c, hay.at(i)), start(i)
			if at < 1 {
				return
			}
			if len(needle.at(i)) == 0 {
				dst[i] = 1
				return
			}
			if k, _ := known.of(unpadded(c, needle.at(i))).Index(s, skip(s, at-1)); k >= 0 {
				dst[i] = int32(1 + runes(s[:k]))
			}
		})
		return nil
	}
}

func findInSetCollated(c *collation.Collation) func(f *frame) error {
	return func(f *frame) error {
		dst, a, set := results[int32](f), f.text(0), f.text(1)
		f.each(func(i int) {
			dst[i] = 0
			if bytes.IndexByte(a.at(i), ',') >= 0 {
				return
			}
			for k, s := range bytes.Split(set.at(i), []byte{','}) {
				if c.Compare(s, a.at(i)) == 0 {
					dst[i] = int32(k + 1)
					return
				}
			}
		})
		return nil
	}
}

func replaceCollated(c *collation.Collation) func(f *frame) error {
	known := &searches{c: c}
	return func(f *frame) error {
		a, from := f.text(0), f.text(1)
		to := func(int) []byte { return nil }
		if len(f.args) > 2 {
			to = f.text(2).at
		}
		return f.write(func(i int, dst []byte) ([]byte, error) {
			s := a.at(i)
			if len(from.at(i)) == 0 {
				return append(dst, s...), nil
			}
			p, at := known.of(from.at(i)), 0
			for {
				lo, hi := p.Index(s, at)
				if lo < 0 || hi == lo {
					return append(dst, s[at:]...), nil
				}
				dst = append(append(dst, s[at:lo]...), to(i)...)
				at = hi
			}
		})
	}
}

// translateCollated replaces the characters that equal one of the second argument by
// the one at its place in the third.
func translateCollated(c *collation.Collation) func(f *frame) error {
	return func(f *frame) error {
		a, from, to := f.text(0), f.text(1), f.text(2)
		return f.write(func(i int, dst []byte) ([]byte, error) {
			repl := []rune(string(to.at(i)))
			table := map[string]int{}
			for k, r := range []rune(string(from.at(i))) {
				key := string(c.Key(nil, []byte(string(r))))
				if _, ok := table[key]; !ok {
					table[key] = k
				}
			}
			for _, r := range string(a.at(i)) {
				k, ok := table[string(c.Key(nil, []byte(string(r))))]
				switch {
				case !ok:
					dst = utf8.AppendRune(dst, r)
				case k < len(repl):
					dst = utf8.AppendRune(dst, repl[k])
				}
			}
			return dst, nil
		})
	}
}

func splitPartCollated(c *collation.Collation) func(f *frame) error {
	known := &searches{c: c}
	return func(f *frame) error {
		a, d, n := f.text(0), f.text(1), ints(f, 2, nil)
		return f.write(func(i int, dst []byte) ([]byte, error) {
			if n[i] == 0 {
				return dst, base.UserError("INVALID_INDEX_OF_ZERO", "22003",
					"The index 0 is invalid. An index shall be either < 0 or > 0 (the first element has index 1).").At(f.call.At)
			}
			s, delim := a.at(i), unpadded(c, d.at(i))
			var parts [][]byte
			if len(delim) > 0 {
				p := known.of(delim)
				for lo, hi := p.Index(s, 0); lo >= 0 && hi > lo; lo, hi = p.Index(s, 0) {
					parts, s = append(parts, s[:lo]), s[hi:]
				}
			}
			parts = append(parts, s)
			k := n[i] - 1
			if n[i] < 0 {
				k = int64(len(parts)) + n[i]
			}
			if k >= 0 && k < int64(len(parts)) {
				dst = append(dst, parts[k]...)
			}
			return dst, nil
		})
	}
}

// substringIndexCollated cuts before the n-th delimiter, or for a negative n after the
// n-th from the end.
func substringIndexCollated(c *collation.Collation) func(f *frame) error {
	known := &searches{c: c}
	return func(f *frame) error {
		a, d, n := f.text(0), f.text(1), ints(f, 2, nil)
		return f.write(func(i int, dst []byte) ([]byte, error) {
			s, count := a.at(i), n[i]
			if len(d.at(i)) == 0 || count == 0 {
				return dst, nil
			}
			var found [][2]int
			p := known.of(d.at(i))
			for lo, hi := p.Index(s, 0); lo >= 0 && hi > lo; lo, hi = p.Index(s, hi) {
				found = append(found, [2]int{lo, hi})
			}
			switch total := int64(len(found)); {
			case count > 0 && count <= total:
				return append(dst, s[:found[count-1][0]]...), nil
			case count < 0 && -count <= total:
				return append(dst, s[found[total+count][1]:]...), nil
			}
			return append(dst, s...), nil
		})
	}
}

// trimCollated removes spaces, or the characters that equal one of a second argument.
// Spaces at the end that the collation does not see stay, and what is before them is
// trimmed.
func trimCollated(c *collation.Collation, left, right bool) func(f *frame) error {
	return func(f *frame) error {
		if len(f.args) == 1 {
			return trimText(f, left, right)
		}
		a, set := f.text(1), f.text(0)
		if f.call.Fn == "btrim" {
			a, set = set, a
		}
		return f.write(func(i int, dst []byte) ([]byte, error) {
			chars := map[string]bool{}
			for s := set.at(i); len(s) > 0; {
				n := runeLen(s)
				chars[string(c.Key(nil, s[:n]))] = true
				s = s[n:]
			}
			s := a.at(i)
			in := func(char []byte) bool { return chars[string(c.Key(nil, char))] }
			for left && len(s) > 0 && in(s[:runeLen(s)]) {
				s = s[runeLen(s):]
			}
			pad := s[len(unpadded(c, s)):]
			s = s[:len(s)-len(pad)]
			for right && len(s) > 0 {
				_, n := utf8.DecodeLastRune(s)
				if !in(s[len(s)-n:]) {
					break
				}
				s = s[:len(s)-n]
			}
			return append(append(dst, s...), pad...), nil
		})
	}
}

// titleWords writes the first letter of each word in title case and the others in
// lower case. Words end as Unicode says: an apostrophe, a dot or a colon between two
// letters does not end one.
func titleWords(dst, s []byte) []byte {
	text := []rune(string(s))
	inWord := false
	for i, r := range text {
		switch {
		case unicode.IsLetter(r) && !inWord:
			if up := capitals.Replace(string(r)); up != string(r) {
				first, k := utf8.DecodeRuneInString(up)
				dst = append(utf8.AppendRune(dst, first), lowerText(up[k:])...)
			} else {
				dst = utf8.AppendRune(dst, unicode.ToTitle(r))
			}
			inWord = true
		case unicode.IsLetter(r), unicode.IsDigit(r), unicode.Is(unicode.M, r), r == '_':
			inWord = inWord || unicode.IsDigit(r) || r == '_'
			dst = utf8.AppendRune(dst, unicode.ToLower(r))
		default:
			middle := r == '\'' || r == '.' || r == ':' || r == '’' || r == '·'
			inWord = inWord && middle && i+1 < len(text) && unicode.IsLetter(text[i+1])
			dst = utf8.AppendRune(dst, r)
		}
	}
	return dst
}
