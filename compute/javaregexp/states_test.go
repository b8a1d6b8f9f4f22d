package javaregexp

import (
	"math/rand/v2"
	"reflect"
	"regexp"
	"strings"
	"testing"
)

// randomPattern returns a pattern of at most depth levels.
func randomPattern(rnd *rand.Rand, depth int) string {
	if depth == 0 {
		return []string{"a", "b", "c", "ab", ".", "[a-c]", "[^b]", `\d`, `\w`, " ", "^", "$", `\b`, `\B`, "", `\A`, `\z`, "(?i:A)"}[rnd.IntN(18)]
	}
	sub := func() string { return randomPattern(rnd, depth-1) }
	switch rnd.IntN(10) {
	case 0:
		return "(?:" + sub() + ")*"
	case 1:
		return "(?:" + sub() + ")+?"
	case 2:
		return "(" + sub() + ")?"
	case 3:
		return "(?:" + sub() + "){1,3}"
	case 4:
		return "(" + sub() + "|" + sub() + ")"
	case 5:
		return "(?:" + sub() + "|" + sub() + "|" + sub() + ")"
	case 6:
		return "(?m:" + sub() + ")" + sub()
	case 7:
		return "(" + sub() + ")*?" + sub()
	}
	return sub() + sub()
}

// The automata find what package regexp finds.
func TestFinderAgreesWithRegexp(t *testing.T) {
	rnd := rand.New(rand.NewPCG(7, 8))
	for range 20_000 {
		pattern := randomPattern(rnd, rnd.IntN(4))
		checkFinder(t, rnd, pattern)
	}
	for _, pattern := range []string{`([a-z]+) ([A-Z][a-z]+)`, `^(Al|be).*er$`, `a*`, `|a`, `(a+)(a+)`, `(a|ab)(c|bcd)(d*)`, `x*`, `(?s).*`, `(?i)ABC|\bc`, strings.Repeat("(a|b)?", 30)} {
		checkFinder(t, rnd, pattern)
	}
}

func checkFinder(t *testing.T, rnd *rand.Rand, pattern string) {
	t.Helper()
	re, err := regexp.Compile(pattern)
	if err != nil {
		return
	}
	f := newFinder(pattern, re)
	for range 6 {
		s := make([]byte, rnd.IntN(12))
		for i := range s {
			s[i] = "aabbccAB1 \n_x"[rnd.IntN(13)]
		}
		if got, want := f.matches(s, true), re.Match(s); got != want {
			t.Fatalf("%q matches %q: %v", pattern, s, got)
		}
		lo, hi := f.first(s, true)
		if m := re.FindIndex(s); m == nil && lo >= 0 || m != nil && (lo != m[0] || hi != m[1]) {
			t.Fatalf("%q is found in %q at %d to %d, not %v", pattern, s, lo, hi, m)
		}
		if got, want := f.groups(s, true), re.FindSubmatchIndex(s); !reflect.DeepEqual(got, want) {
			t.Fatalf("%q in %q has groups %v, not %v", pattern, s, got, want)
		}
		var all [][]int
		f.each(s, true, func(lo, hi int) bool { all = append(all, []int{lo, hi}); return true })
		if want := re.FindAllIndex(s, -1); !reflect.DeepEqual(all, want) {
			t.Fatalf("%q is found in %q at %v, not %v", pattern, s, all, want)
		}
	}
}

// A pattern that a text makes read on from every place, and one of too many states, are
// handed to package regexp.
func TestFinderGivesUp(t *testing.T) {
	long := []byte(strings.Repeat("a", 20_000))
	f := newFinder("a*b", regexp.MustCompile("a*b"))
	if lo, _ := f.first(long, true); lo >= 0 {
		t.Fatal("found", lo)
	}
	wide := "[ab]*a" + strings.Repeat("[ab]", 14) + "c"
	f = newFinder(wide, regexp.MustCompile(wide))
	rnd := rand.New(rand.NewPCG(1, 1))
	for i := range long {
		long[i] = "ab"[rnd.IntN(2)]
	}
	if f.matches(long, true) {
		t.Fatal("matched")
	}
	if !f.any.full || len(f.any.states) > mostStates {
		t.Fatalf("%d states", len(f.any.states))
	}
}

func FuzzFinder(fz *testing.F) {
	fz.Add("a|b*", "aabb")
	fz.Add(`^(\w+)\b.*$`, "one two\nthree")
	fz.Fuzz(func(t *testing.T, pattern, text string) {
		re, err := regexp.Compile(pattern)
		if err != nil || len(pattern) > 100 {
			t.Skip()
		}
		for i := range len(text) {
			if text[i] >= 0x80 {
				t.Skip()
			}
		}
		f, s := newFinder(pattern, re), []byte(text)
		if got, want := f.matches(s, true), re.Match(s); got != want {
			t.Fatalf("%q matches %q: %v", pattern, s, got)
		}
		var all [][]int
		f.each(s, true, func(lo, hi int) bool { all = append(all, []int{lo, hi}); return true })
		if want := re.FindAllIndex(s, -1); !reflect.DeepEqual(all, want) {
			t.Fatalf("%q is found in %q at %v, not %v", pattern, s, all, want)
		}
	})
}
