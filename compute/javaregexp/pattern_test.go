package javaregexp

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/flightd/flightd/internal/base"
	"github.com/flightd/flightd/kernels"
)

// find returns the first match and its groups as text; "-" is a group without a match.
func find(t *testing.T, pattern, text string) string {
	t.Helper()
	p, err := Compile(pattern)
	if err != nil {
		return "error"
	}
	m, err := p.Find([]byte(text), kernels.IsASCII([]byte(text)))
	if err != nil {
		t.Fatal(err)
	}
	if m == nil {
		return "none"
	}
	var out []string
	for i := 0; i < len(m); i += 2 {
		if m[i] < 0 {
			out = append(out, "-")
		} else {
			out = append(out, text[m[i]:m[i+1]])
		}
	}
	return strings.Join(out, "|")
}

func TestFind(t *testing.T) {
	for _, c := range []struct{ pattern, text, want string }{
		{"a(b)?c", "xac", "ac|-"},
		{"foo(?=bar)", "foobaz foobar", "foo"},
		{"(?<!x)foo", "xfoo foo", "foo"},
		{"(?<y>a)(?<x>b)\\k<y>", "aba", "aba|a|b"},
		{"(a)\\1", "aab", "aa|a"},
		{"\\1(a)", "aa", "none"},
		{"(a)\\2", "aa", "none"},
		{"a++a", "aaa", "none"},
		{"(?>a|ab)c", "abc", "none"},
		{"a{2}{2}", "aaaaa", "aa"},
		{"{2}a", "a", "a"},
		{"abc$", "abc\r\n", "abc"},
		{"abc$", "abc\n\n", "none"},
		{"a.c", "a\u2028c", "none"},
		{"(?d)a.c", "a\rc", "a\rc"},
		{"(?m)^b$", "a\r\nb\r\nc", "b"},
		{"(?m)^", "", "none"},
		{"\\ba", "éa a", "a"},
		{"(?i)É", "é", "none"},
		{"(?iu)É", "é", "é"},
		{"(?x)a b # c\n c", "abc", "abc"},
		{"a(?i)b(?-i)c", "aBc", "aBc"},
		{"(?i:b)c", "Bc", "Bc"},
		{"[a-z&&[^aeiou]]+", "aebcd", "bcd"},
		{"[a-c[x-z]]+", "dxaby", "xaby"},
		{"[^a-c[x-z]]+", "axdef", "def"},
		{"[]a]+", "b]a", "]a"},
		{"\\Q.*\\E", "a.*", ".*"},
		{"\\p{javaLowerCase}\\P{Lu}\\p{IsGreek}", "abα", "abα"},
		{"\\x{1F600}\\u0041\\0101\\cA", "😀AA\x01", "😀AA\x01"},
		{"\\N{LATIN SMALL LETTER A}", "ba", "a"},
		{"\\R", "\r\n", "\r\n"},
		{"^\\X$", "e\u0301", "e\u0301"},
		{"\\ud83d\\ude00", "😀", "😀"},
		{"a{1,2000}", "aaa", "aaa"},
		{"(", "", "error"}, {")", "", "error"}, {"[a", "", "error"}, {"[b-a]", "", "error"}, {"*", "", "error"}, {"a**", "", "error"},
		{"a{", "", "error"}, {"a{2,1}", "", "error"}, {"\\", "", "error"}, {"\\y", "", "error"}, {"\\p{Foo}", "", "error"}, {"(?z)", "", "error"},
		{"(?<n>a)(?<n>b)", "", "error"}, {"(?P<n>a)", "", "error"}, {"\\k<n>", "", "error"}, {"(?<1>a)", "", "error"}, {"\\x{110000}", "", "error"},
		{strings.Repeat("(", 2000), "", "error"},
	} {
		if got := find(t, c.pattern, c.text); got != c.want {
			t.Errorf("%q in %q: %q, want %q", c.pattern, c.text, got, c.want)
		}
	}
}

// A match may be empty right behind another, and the next one starts behind it.
func TestAll(t *testing.T) {
	for _, c := range []struct{ pattern, text, want string }{
		{"b*", "abc", "0-0 1-2 2-2 3-3"},
		{"x*", "ab", "0-0 1-1 2-2"},
		{"(?=a)", "aba", "0-0 2-2"},
		{"a", "aéa", "0-1 3-4"},
		{"", "é", "0-0 2-2"},
		{"$", "a\n", "1-1 2-2"},
	} {
		p, err := Compile(c.pattern)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		if err := p.All([]byte(c.text), kernels.IsASCII([]byte(c.text)), func(m []int) bool {
			got = append(got, fmt.Sprintf("%d-%d", m[0], m[1]))
			return true
		}); err != nil {
			t.Fatal(err)
		}
		if text := strings.Join(got, " "); text != c.want {
			t.Errorf("%q in %q: %s, want %s", c.pattern, c.text, text, c.want)
		}
	}
}

func TestTimeout(t *testing.T) {
	p, err := Compile("(?=a)(a+)+$")
	if err != nil {
		t.Fatal(err)
	}
	p.slow.MatchTimeout = 20 * time.Millisecond
	_, err = p.Match([]byte(strings.Repeat("a", 40)+"b"), true)
	if base.AsError(err) == nil || base.AsError(err).Code != base.CodeExhausted {
		t.Errorf("%v", err)
	}
}

// FuzzEngines holds the two engines to each other: what Go runs, the other one finds in
// the same places. No pattern may panic.
func FuzzEngines(f *testing.F) {
	for _, s := range []string{"a(b|c)*d$", "(?i)[a-z&&[^b]]+", "\\bx{2,3}?", "^.*\\R", "\\Qa.b\\E|\\p{Lu}", "(a)|b\\1"} {
		f.Add(s, "abcbd xx\r\nAB.b")
	}
	f.Fuzz(func(t *testing.T, pattern, text string) {
		if len(pattern) > 40 || len(text) > 40 {
			return
		}
		p, err := Compile(pattern)
		if err != nil || !p.goes([]byte(text), kernels.IsASCII([]byte(text))) {
			return
		}
		text = strings.ToValidUTF8(text, "")
		fast := slices.Clone(p.fast.re.FindIndex([]byte(text)))
		if p.compileSlow() != nil {
			return
		}
		p.slow.MatchTimeout = 100 * time.Millisecond
		m, err := p.first([]byte(text))
		if err != nil {
			return
		}
		var slow []int
		if m != nil {
			slow = p.bytes(m)[:2]
		}
		// An empty repetition of an empty alternative is left at other times.
		if !slices.Equal(fast, slow) && !p.empty {
			t.Errorf("%q in %q: Go finds %v, the other engine %v", pattern, text, fast, slow)
		}
	})
}
