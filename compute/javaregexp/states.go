package javaregexp

import (
	"encoding/binary"
	"regexp"
	"regexp/syntax"
)

// An automaton finds matches of a pattern in ASCII texts with one look at a table for
// each byte. States are made when they are first needed. It finds what package regexp
// finds, leftmost and of these the one that the pattern prefers: a state is the list of
// the program's threads in the order of their preference, and a thread that has matched
// ends the list. Whether a match ends before a byte shows when the byte is read, since
// assertions look ahead by one.
type automaton struct {
	prog *syntax.Prog
	// seek adds a new thread of the lowest preference before every byte: such an
	// automaton knows whether there is a match, but not where it begins.
	seek   bool
	states []automatonState
	known  map[string]int32
	start  [4]int32
	// full says that there are too many states, or the program is too large.
	full bool
	list []uint32
	mark []bool
	key  []byte
}

const (
	// endSymbol stands for the end of the text.
	endSymbol = 128
	// deadState has no threads.
	deadState = 0
	// matched is the bit of a next state that says: a match has ended before the symbol.
	matched = 1 << 30
	// noState is a next state that is not known yet.
	noState = -1
	// mostStates and mostThreads bound what is kept for a pattern.
	mostStates, mostThreads = 512, 1000
)

// automatonState has the state after each symbol.
type automatonState struct {
	next    [endSymbol + 1]int32
	threads []uint32
	before  uint8
}

// What stands before a place, as far as assertions ask.
const (
	beforeText = iota
	beforeLine
	beforeWord
	beforeOther
)

func newAutomaton(prog *syntax.Prog, seek bool) *automaton {
	a := &automaton{prog: prog, seek: seek, known: map[string]int32{}, mark: make([]bool, len(prog.Inst))}
	if a.full = len(prog.Inst) > mostThreads; a.full {
		return a
	}
	a.state(nil, beforeOther) // the dead one
	for before := range a.start {
		a.start[before] = a.state([]uint32{uint32(prog.Start)}, uint8(before))
	}
	return a
}

// state returns the number of a state.
func (a *automaton) state(threads []uint32, before uint8) int32 {
	if len(threads) == 0 && !a.seek {
		before = beforeOther
	}
	a.key = append(a.key[:0], before)
	for _, t := range threads {
		a.key = binary.LittleEndian.AppendUint32(a.key, t)
	}
	if s, ok := a.known[string(a.key)]; ok {
		return s
	}
	if len(a.states) >= mostStates {
		a.full = true
		return deadState
	}
	s := automatonState{threads: append([]uint32(nil), threads...), before: before}
	for i := range s.next {
		s.next[i] = noState
	}
	a.states = append(a.states, s)
	n := int32(len(a.states) - 1)
	a.known[string(a.key)] = n
	return n
}

func isWordByte(c int) bool {
	return c == '_' || c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z'
}

// assertions returns the empty-width conditions that hold between what is before and a
// symbol.
func assertions(before uint8, symbol int) syntax.EmptyOp {
	var op syntax.EmptyOp
	if before == beforeText {
		op |= syntax.EmptyBeginText | syntax.EmptyBeginLine
	}
	if before == beforeLine {
		op |= syntax.EmptyBeginLine
	}
	if symbol == endSymbol {
		op |= syntax.EmptyEndText | syntax.EmptyEndLine
	}
	if symbol == '\n' {
		op |= syntax.EmptyEndLine
	}
	if (before == beforeWord) != (symbol != endSymbol && isWordByte(symbol)) {
		return op | syntax.EmptyWordBoundary
	}
	return op | syntax.EmptyNoWordBoundary
}

// follow adds pc, and what can be reached from it without a byte, to list; it reports
// whether the threads behind are of no use, since this one has matched.
func (a *automaton) follow(list []uint32, pc uint32, holds syntax.EmptyOp) ([]uint32, bool) {
	if a.mark[pc] {
		return list, false
	}
	a.mark[pc] = true
	switch in := &a.prog.Inst[pc]; in.Op {
	case syntax.InstFail:
		return list, false
	case syntax.InstAlt, syntax.InstAltMatch:
		list, done := a.follow(list, in.Out, holds)
		if done {
			return list, true
		}
		return a.follow(list, in.Arg, holds)
	case syntax.InstEmptyWidth:
		if syntax.EmptyOp(in.Arg)&^holds != 0 {
			return list, false
		}
		return a.follow(list, in.Out, holds)
	case syntax.InstCapture, syntax.InstNop:
		return a.follow(list, in.Out, holds)
	case syntax.InstMatch:
		return append(list, pc), true
	}
	return append(list, pc), false
}

// step works out the state after a symbol and keeps it.
func (a *automaton) step(from int32, symbol int) int32 {
	s := &a.states[from]
	clear(a.mark)
	holds := assertions(s.before, symbol)
	list, done := a.list[:0], false
	for _, pc := range s.threads {
		if list, done = a.follow(list, pc, holds); done {
			break
		}
	}
	a.list = list
	var out int32
	if done {
		list, out = list[:len(list)-1], matched
	}
	var next []uint32
	if symbol != endSymbol {
		for _, pc := range list {
			if in := &a.prog.Inst[pc]; in.MatchRune(rune(symbol)) {
				next = append(next, in.Out)
			}
		}
		if a.seek && out == 0 {
			next = append(next, uint32(a.prog.Start))
		}
	}
	if len(next) > mostThreads {
		a.full = true
		return deadState
	}
	to := a.state(next, before(symbol))
	out |= to
	if !a.full {
		a.states[from].next[symbol] = out
	}
	return out
}

func before(symbol int) uint8 {
	switch {
	case symbol == '\n':
		return beforeLine
	case symbol != endSymbol && isWordByte(symbol):
		return beforeWord
	}
	return beforeOther
}

// matches reports whether there is a match anywhere in s, which is ASCII.
func (a *automaton) matches(s []byte) bool {
	at := a.start[beforeText]
	for _, c := range s {
		next := a.states[at].next[c&0x7f]
		if next == noState {
			if next = a.step(at, int(c)); a.full {
				return false
			}
		}
		if next&matched != 0 {
			return true
		}
		at = next
	}
	next := a.states[at].next[endSymbol]
	if next == noState {
		next = a.step(at, endSymbol)
	}
	return next&matched != 0
}

// end returns where the preferred match that begins at from ends, or −1, and how many
// bytes it has read.
func (a *automaton) end(s []byte, from int) (end, read int) {
	at := a.start[beforeText]
	if from > 0 {
		at = a.start[before(int(s[from-1]))]
	}
	end = -1
	for i := from; i < len(s); i++ {
		next := a.states[at].next[s[i]&0x7f]
		if next == noState {
			if next = a.step(at, int(s[i])); a.full {
				return -1, i - from
			}
		}
		if next&matched != 0 {
			end = i
			next &^= matched
		}
		if next == deadState {
			return end, i - from
		}
		at = next
	}
	next := a.states[at].next[endSymbol]
	if next == noState {
		next = a.step(at, endSymbol)
	}
	if next&matched != 0 {
		end = len(s)
	}
	return end, len(s) - from
}

// A finder answers for a pattern what package regexp would, by automata where texts are
// ASCII and the pattern has few enough states, otherwise by package regexp.
type finder struct {
	re   *regexp.Regexp
	any  *automaton // is there a match?
	here *automaton // where does a match that begins here end?
	// inner finds groups within a match, if that needs no look at what is around it.
	inner *regexp.Regexp
}

func newFinder(pattern string, re *regexp.Regexp) *finder {
	f := &finder{re: re}
	parsed, err := syntax.Parse(pattern, syntax.Perl)
	if err != nil {
		return f
	}
	prog, err := syntax.Compile(parsed.Simplify())
	if err != nil {
		return f
	}
	f.any, f.here = newAutomaton(prog, true), newAutomaton(prog, false)
	for i := range prog.Inst {
		if prog.Inst[i].Op == syntax.InstEmptyWidth {
			return f
		}
	}
	if re.NumSubexp() > 0 {
		// The same threads win within the match: those preferred to them have failed.
		f.inner, _ = regexp.Compile(`\A(?:` + pattern + `)`)
	}
	return f
}

// matches reports whether there is a match in s.
func (f *finder) matches(s []byte, ascii bool) bool {
	if ascii && f.any != nil && !f.any.full {
		if found := f.any.matches(s); !f.any.full {
			return found
		}
	}
	return f.re.Match(s)
}

// reads bounds the work of find by this many times the text, lest a pattern that reads
// on from every place is tried at all of them.
const reads = 8

// find returns the leftmost match of ASCII text s that begins at from or later, or −1;
// ok is false if the automaton gives up.
func (f *finder) find(s []byte, from int) (lo, hi int, ok bool) {
	a := f.here
	if a == nil || a.full {
		return -1, -1, false
	}
	budget := reads*(len(s)-from) + 64
	for at := from; at <= len(s); at++ {
		end, read := a.end(s, at)
		if a.full {
			return -1, -1, false
		}
		if end >= 0 {
			return at, end, true
		}
		if budget -= read; budget < 0 {
			return -1, -1, false
		}
	}
	return -1, -1, true
}

// first is FindIndex: −1 for no match.
func (f *finder) first(s []byte, ascii bool) (lo, hi int) {
	if ascii {
		if lo, hi, ok := f.find(s, 0); ok {
			return lo, hi
		}
	}
	m := f.re.FindIndex(s)
	if m == nil {
		return -1, -1
	}
	return m[0], m[1]
}

// groups is FindSubmatchIndex.
func (f *finder) groups(s []byte, ascii bool) []int {
	if ascii {
		lo, hi, ok := f.find(s, 0)
		switch {
		case ok && lo < 0:
			return nil
		case ok && f.re.NumSubexp() == 0:
			return []int{lo, hi}
		case ok && f.inner != nil:
			if m := f.inner.FindSubmatchIndex(s[lo:hi]); m != nil && m[1] == hi-lo {
				for i := range m {
					if m[i] >= 0 {
						m[i] += lo
					}
				}
				return m
			}
		}
	}
	return f.re.FindSubmatchIndex(s)
}

// each calls do for the matches that FindAllIndex finds, until it returns false.
func (f *finder) each(s []byte, ascii bool, do func(lo, hi int) bool) {
	if !ascii || f.here == nil || f.here.full {
		f.rest(s, 0, do)
		return
	}
	told, last := 0, -1
	for at := 0; at <= len(s); {
		lo, hi, ok := f.find(s, at)
		if !ok {
			f.rest(s, told, do)
			return
		}
		if lo < 0 {
			return
		}
		// An empty match right behind another match does not count.
		counts := hi != at || lo != last
		if hi == at {
			at++
		} else {
			at = hi
		}
		if last = hi; !counts {
			continue
		}
		if told++; !do(lo, hi) {
			return
		}
	}
}

// rest is each by package regexp, behind the first told matches.
func (f *finder) rest(s []byte, told int, do func(lo, hi int) bool) {
	for i, m := range f.re.FindAllIndex(s, -1) {
		if i >= told && !do(m[0], m[1]) {
			return
		}
	}
}
