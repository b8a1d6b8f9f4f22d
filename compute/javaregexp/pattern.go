package javaregexp

import (
	"bytes"
	"regexp"
	"regexp/syntax"
	"slices"
	"time"
	"unicode/utf8"

	"github.com/dlclark/regexp2"

	"github.com/flightd/flightd/internal/base"
)

// MatchTimeout is how long the search for one match may take in the backtracking
// engine.
const MatchTimeout = 10 * time.Second

// Pattern is a compiled pattern. It is for one goroutine at a time.
type Pattern struct {
	// fast is nil where only the other engine can run the pattern; slow is compiled when
	// it is first needed.
	fast     *finder
	slow     *regexp2.Regexp
	slowText string
	// Which texts fast is right for: those without what these say.
	lineEnds, lineStarts, lastLine, words bool
	// empty says that the pattern may match nothing, where the two engines go on
	// differently behind a match.
	empty  bool
	groups int
	names  map[string]int

	runes   []rune
	offsets []int
	found   []int
}

// Compile reads a pattern. The error says what Java refuses of it.
func Compile(text string) (*Pattern, error) {
	t, err := translate(text)
	if err != nil {
		return nil, err
	}
	p := &Pattern{slowText: t.slow.String(), lineEnds: t.lineEnds, lineStarts: t.lineStarts, lastLine: t.lastLine, words: t.words, groups: t.groups, names: t.names}
	if !t.needSlow {
		if re, err := syntax.Parse(t.fast.String(), syntax.Perl); err == nil {
			p.empty = mayBeEmpty(re)
			if re, err := regexp.Compile(t.fast.String()); err == nil {
				p.fast = newFinder(t.fast.String(), re)
			}
		}
	}
	if p.fast == nil {
		return p, p.compileSlow()
	}
	return p, nil
}

func (p *Pattern) compileSlow() error {
	if p.slow != nil {
		return nil
	}
	re, err := regexp2.Compile(p.slowText, regexp2.None)
	if err != nil {
		return err
	}
	re.MatchTimeout = MatchTimeout
	p.slow = re
	return nil
}

// mayBeEmpty reports whether re matches an empty text somewhere.
func mayBeEmpty(re *syntax.Regexp) bool {
	switch re.Op {
	case syntax.OpLiteral, syntax.OpCharClass, syntax.OpAnyChar, syntax.OpAnyCharNotNL, syntax.OpNoMatch:
		return false
	case syntax.OpCapture, syntax.OpPlus:
		return mayBeEmpty(re.Sub[0])
	case syntax.OpRepeat:
		return re.Min == 0 || mayBeEmpty(re.Sub[0])
	case syntax.OpConcat:
		for _, s := range re.Sub {
			if !mayBeEmpty(s) {
				return false
			}
		}
		return true
	case syntax.OpAlternate:
		for _, s := range re.Sub {
			if mayBeEmpty(s) {
				return true
			}
		}
		return false
	}
	return true
}

// Groups is how many groups there are, the whole match not counted.
func (p *Pattern) Groups() int { return p.groups }

// Group returns the number of a named group, or 0.
func (p *Pattern) Group(name string) int { return p.names[name] }

// goes reports whether Go's engine means the same by the pattern over s.
func (p *Pattern) goes(s []byte, ascii bool) bool {
	switch {
	case p.fast == nil:
		return false
	case p.lineStarts && len(s) == 0, p.lineEnds && holdsLineEnd(s, ascii), p.lastLine && endsLine(s), p.words && !ascii:
		return false
	}
	return true
}

// isLineEnd reports Java's line terminators.
func isLineEnd(r rune) bool {
	return r == '\n' || r == '\r' || r == 0x85 || r == 0x2028 || r == 0x2029
}

func holdsLineEnd(s []byte, ascii bool) bool {
	return bytes.IndexByte(s, '\n') >= 0 || bytes.IndexByte(s, '\r') >= 0 || !ascii && bytes.ContainsAny(s, "\u0085\u2028\u2029")
}

func endsLine(s []byte) bool {
	r, _ := utf8.DecodeLastRune(s)
	return len(s) > 0 && isLineEnd(r)
}

// Match reports whether the pattern is found in s. Here and below ascii says that all
// of s is ASCII.
func (p *Pattern) Match(s []byte, ascii bool) (bool, error) {
	if p.goes(s, ascii) {
		return p.fast.matches(s, ascii), nil
	}
	m, err := p.first(s)
	return m != nil, err
}

// First returns where the first match begins and ends, in bytes; -1 if there is none.
func (p *Pattern) First(s []byte, ascii bool) (from, to int, err error) {
	if p.goes(s, ascii) {
		from, to = p.fast.first(s, ascii)
		return from, to, nil
	}
	m, err := p.first(s)
	if m == nil {
		return -1, -1, err
	}
	return p.offsets[m.Index], p.offsets[m.Index+m.Length], nil
}

// Find returns the first match: the byte offsets of the start and end of it and of its
// groups, −1 for a group without a match; nil if there is none. It is valid until the
// next call.
func (p *Pattern) Find(s []byte, ascii bool) ([]int, error) {
	if p.goes(s, ascii) {
		return p.fast.groups(s, ascii), nil
	}
	m, err := p.first(s)
	if m == nil {
		return nil, err
	}
	return p.bytes(m), nil
}

// Each calls do with where matches begin and end, one behind the other, until it
// returns false. A match may be empty right behind the one before, unless that was empty
// too.
func (p *Pattern) Each(s []byte, ascii bool, do func(from, to int) bool) error {
	switch {
	case p.goes(s, ascii) && !p.empty:
		p.fast.each(s, ascii, do)
		return nil
	case p.goes(s, ascii) && ascii:
		for at := 0; at <= len(s); {
			from, to, ok := p.fast.find(s, at)
			if !ok {
				return p.slowEach(s, at, func(m *regexp2.Match) bool { return do(p.span(m)) })
			}
			if from < 0 || !do(from, to) {
				return nil
			}
			if at = to; from == to {
				at++
			}
		}
		return nil
	}
	return p.slowEach(s, 0, func(m *regexp2.Match) bool { return do(p.span(m)) })
}

// All is Each with the groups of the matches, as Find has them. They are valid during
// the call.
func (p *Pattern) All(s []byte, ascii bool, each func(m []int) bool) error {
	if p.goes(s, ascii) && !p.empty {
		for _, m := range p.fast.re.FindAllSubmatchIndex(s, -1) {
			if !each(m) {
				return nil
			}
		}
		return nil
	}
	return p.slowEach(s, 0, func(m *regexp2.Match) bool { return each(p.bytes(m)) })
}

// slowEach finds all matches that begin at byte from or later by backtracking.
func (p *Pattern) slowEach(s []byte, from int, do func(m *regexp2.Match) bool) error {
	if err := p.take(s); err != nil {
		return err
	}
	at, _ := slices.BinarySearch(p.offsets, from)
	for at <= len(p.runes) {
		m, err := p.slow.FindRunesMatchStartingAt(p.runes, at)
		if err != nil {
			return tooLong()
		}
		if m == nil || !do(m) {
			return nil
		}
		at = m.Index + m.Length
		if m.Length == 0 {
			at++
		}
	}
	return nil
}

// span is where a match begins and ends in bytes.
func (p *Pattern) span(m *regexp2.Match) (from, to int) {
	return p.offsets[m.Index], p.offsets[m.Index+m.Length]
}

// first finds the first match by backtracking.
func (p *Pattern) first(s []byte) (*regexp2.Match, error) {
	if err := p.take(s); err != nil {
		return nil, err
	}
	m, err := p.slow.FindRunesMatch(p.runes)
	if err != nil {
		return nil, tooLong()
	}
	return m, nil
}

// take makes s a text of the backtracking engine.
func (p *Pattern) take(s []byte) error {
	p.runes, p.offsets = p.runes[:0], p.offsets[:0]
	for i := 0; i < len(s); {
		r, n := utf8.DecodeRune(s[i:])
		p.runes, p.offsets = append(p.runes, r), append(p.offsets, i)
		i += n
	}
	p.offsets = append(p.offsets, len(s))
	return p.compileSlow()
}

func tooLong() error {
	return base.Errorf(base.CodeExhausted, "a regular expression has not matched one text within %s", MatchTimeout).
		WithHint("nested repetitions as in (a+)+ take time that doubles with each character: write them without look-around or back-references, or unnested")
}

// bytes returns the offsets of a match and its groups in bytes.
func (p *Pattern) bytes(m *regexp2.Match) []int {
	p.found = p.found[:0]
	for i := range p.groups + 1 {
		g := m.GroupByNumber(i)
		if g == nil || len(g.Captures) == 0 {
			p.found = append(p.found, -1, -1)
			continue
		}
		p.found = append(p.found, p.offsets[g.Index], p.offsets[g.Index+g.Length])
	}
	return p.found
}
