package javaregexp

import (
	"fmt"
	"slices"
	"strings"
	"unicode"
)

// A set is code points, as ranges in ascending order that do not touch.
type set []span

type span struct{ from, to rune }

const lastRune = unicode.MaxRune

func setOf(spans ...span) set {
	return set(spans).tidy()
}

func single(r rune) set { return set{{r, r}} }

func (s set) tidy() set {
	s = slices.Clone(s)
	slices.SortFunc(s, func(a, b span) int { return int(a.from) - int(b.from) })
	out := s[:0]
	for _, x := range s {
		if n := len(out); n > 0 && x.from <= out[n-1].to+1 {
			out[n-1].to = max(out[n-1].to, x.to)
			continue
		}
		out = append(out, x)
	}
	return out
}

func (s set) or(o set) set { return append(slices.Clone(s), o...).tidy() }

func (s set) not() set {
	var out set
	next := rune(0)
	for _, x := range s {
		if x.from > next {
			out = append(out, span{next, x.from - 1})
		}
		next = x.to + 1
	}
	if next <= lastRune {
		out = append(out, span{next, lastRune})
	}
	return out
}

func (s set) and(o set) set { return s.not().or(o.not()).not() }

func (s set) has(r rune) bool {
	for _, x := range s {
		if x.from <= r && r <= x.to {
			return true
		}
	}
	return false
}

// folded adds the letters that differ in case only: those of ASCII, or with all those
// of Unicode.
func (s set) folded(all bool) set {
	out := slices.Clone(s)
	if !all {
		for r := 'a'; r <= 'z'; r++ {
			if upper := r - 'a' + 'A'; s.has(r) != s.has(upper) {
				out = append(out, span{r, r}, span{upper, upper})
			}
		}
		return out.tidy()
	}
	for _, x := range s {
		if x.to-x.from > 0x3000 { // whole planes: what folds into them is there already, or is rare
			continue
		}
		for r := x.from; r <= x.to; r++ {
			for f := unicode.SimpleFold(r); f != r; f = unicode.SimpleFold(f) {
				out = append(out, span{f, f})
			}
		}
	}
	return out.tidy()
}

// text writes the set as a class that both engines read.
func (s set) text() string {
	if len(s) == 0 {
		return `[^\x00-` + string(lastRune) + `]`
	}
	var b strings.Builder
	b.WriteByte('[')
	for _, x := range s {
		b.WriteString(classRune(x.from))
		if x.to > x.from {
			b.WriteByte('-')
			b.WriteString(classRune(x.to))
		}
	}
	b.WriteByte(']')
	return b.String()
}

// classRune writes a code point within a class. Surrogates stand in no text.
func classRune(r rune) string {
	switch {
	case r < 0x80 && !(r >= '0' && r <= '9' || r >= 'A' && r <= 'Z' || r >= 'a' && r <= 'z'):
		return fmt.Sprintf(`\x%02x`, r)
	case r >= 0xd800 && r <= 0xdfff:
		return "\ue000"
	}
	return string(r)
}

func tableSet(tables ...*unicode.RangeTable) set {
	var out set
	for _, t := range tables {
		for _, r := range t.R16 {
			out = spread(out, rune(r.Lo), rune(r.Hi), rune(r.Stride))
		}
		for _, r := range t.R32 {
			out = spread(out, rune(r.Lo), rune(r.Hi), rune(r.Stride))
		}
	}
	return out.tidy()
}

func spread(out set, from, to, stride rune) set {
	if stride == 1 {
		return append(out, span{from, to})
	}
	for r := from; r <= to; r += stride {
		out = append(out, span{r, r})
	}
	return out
}

// Sets that escapes stand for.
func digits() set    { return setOf(span{'0', '9'}) }
func spaces() set    { return setOf(span{'\t', '\r'}, span{' ', ' '}) }
func wordRunes() set { return setOf(span{'0', '9'}, span{'A', 'Z'}, span{'_', '_'}, span{'a', 'z'}) }
func vertical() set  { return setOf(span{'\n', '\r'}, span{0x85, 0x85}, span{0x2028, 0x2029}) }
func lineBreaks() set {
	return setOf(span{'\n', '\n'}, span{'\r', '\r'}, span{0x85, 0x85}, span{0x2028, 0x2029})
}
func horizontal() set {
	return setOf(span{'\t', '\t'}, span{' ', ' '}, span{0xa0, 0xa0}, span{0x1680, 0x1680}, span{0x180e, 0x180e}, span{0x2000, 0x200a},
		span{0x202f, 0x202f}, span{0x205f, 0x205f}, span{0x3000, 0x3000})
}

// unicodeSpaces, unicodeDigits and unicodeWords are \s, \d and \w with the flag U.
func unicodeSpaces() set { return tableSet(unicode.White_Space) }
func unicodeDigits() set { return tableSet(unicode.Nd) }
func unicodeWords() set {
	return tableSet(unicode.L, unicode.M, unicode.Nd, unicode.Nl, unicode.Other_Alphabetic, unicode.Pc, unicode.Join_Control)
}

// boundaryRunes are what \b takes for parts of words.
func boundaryRunes(all bool) set {
	if all {
		return unicodeWords()
	}
	return tableSet(unicode.L, unicode.Nd).or(single('_'))
}
