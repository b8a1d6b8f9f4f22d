package expr

import (
	"unicode"
	"unicode/utf8"

	"github.com/flightd/flightd/kernels"
)

func levenshtein(f *frame) error {
	dst, a, b := results[int32](f), f.text(0), f.text(1)
	limit := func(int) int64 { return -1 }
	if len(f.args) > 2 {
		n := ints(f, 2, nil)
		limit = func(i int) int64 { return n[i] }
	}
	var row []int32
	f.each(func(i int) {
		x, y := []rune(string(a.at(i))), []rune(string(b.at(i)))
		if cap(row) <= len(y) {
			row = make([]int32, len(y)+1)
		}
		row = row[:len(y)+1]
		for k := range row {
			row[k] = int32(k)
		}
		for p, r := range x {
			diagonal := row[0]
			row[0] = int32(p + 1)
			for q, s := range y {
				cost := diagonal
				if r != s {
					cost++
				}
				diagonal = row[q+1]
				row[q+1] = min(cost, row[q]+1, diagonal+1)
			}
		}
		dst[i] = row[len(y)]
		if l := limit(i); len(f.args) > 2 && (l < 0 || int64(dst[i]) > l) {
			dst[i] = -1
		}
	})
	return nil
}

// soundex is the code of a word; a text that begins with no letter is itself.
func soundex(dst, s []byte) []byte {
	const codes = "01230127022455012623017202" // 7: H and W, which do not separate equal codes
	if len(s) == 0 {
		return dst
	}
	upper := func(c byte) byte {
		if c >= 'a' && c <= 'z' {
			return c - 0x20
		}
		return c
	}
	first := upper(s[0])
	if first < 'A' || first > 'Z' {
		return append(dst, s...)
	}
	out := [4]byte{first, '0', '0', '0'}
	last, n := codes[first-'A'], 1
	for _, c := range s[1:] {
		c = upper(c)
		if c < 'A' || c > 'Z' {
			last = '0'
			continue
		}
		switch code := codes[c-'A']; {
		case code == '7':
		case code == '0':
			last = '0'
		case code != last:
			last = code
			out[n] = code
			if n++; n == 4 {
				return append(dst, out[:]...)
			}
		}
	}
	return append(dst, out[:]...)
}

func quoteText(dst, s []byte) []byte {
	dst = append(dst, '\'')
	for _, c := range s {
		if c == '\'' {
			dst = append(dst, '\\')
		}
		dst = append(dst, c)
	}
	return append(dst, '\'')
}

func luhnCheck(f *frame) error {
	dst, a := f.bits(), f.text(0)
	f.each(func(i int) {
		s := a.at(i)
		sum := 0
		for k := range s {
			c := s[len(s)-1-k]
			if c < '0' || c > '9' {
				return
			}
			d := int(c - '0')
			if k%2 == 1 {
				if d *= 2; d > 9 {
					d -= 9
				}
			}
			sum += d
		}
		if len(s) > 0 && sum%10 == 0 {
			kernels.SetBit(dst, i)
		}
	})
	return nil
}

// mask replaces letters, digits and the rest by the characters given (upper case,
// lower case, digit, other); a NULL character keeps the original.
func mask(f *frame) error {
	defaults := [4]rune{'X', 'x', 'n', -1}
	return f.write(func(i int, dst []byte) ([]byte, error) {
		if f.absent(0, i) {
			f.setNull(i)
			return dst, nil
		}
		by := defaults
		for k := 1; k < len(f.args); k++ {
			by[k-1] = -1
			if !f.absent(k, i) {
				by[k-1], _ = utf8.DecodeRune(f.args[k].Str(i))
			}
		}
		for _, r := range string(f.args[0].Str(i)) {
			c := by[3]
			switch {
			case unicode.IsUpper(r):
				c = by[0]
			case unicode.IsLower(r):
				c = by[1]
			case unicode.IsDigit(r):
				c = by[2]
			}
			if c < 0 {
				c = r
			}
			dst = utf8.AppendRune(dst, c)
		}
		return dst, nil
	})
}

func reverseArray(f *frame) error {
	a := f.list(0)
	return f.gather(a.kids, func(i int, idx []int32) ([]int32, error) {
		lo, hi := a.at(i)
		for k := hi - 1; k >= lo; k-- {
			idx = append(idx, int32(k))
		}
		return idx, nil
	})
}
