package collation

import (
	"bytes"
	"testing"
)

func TestCompare(t *testing.T) {
	for _, c := range []struct {
		name, left, right string
		want              int
	}{
		{"UTF8_BINARY", "a", "B", 1},
		{"UTF8_BINARY_RTRIM", "a ", "a", 0},
		{"UTF8_LCASE", "É", "é", 0},
		{"UTF8_LCASE", "İ", "i̇", 0},
		{"UTF8_LCASE", "Σ", "ς", 0},
		{"UTF8_LCASE", "z", "é", -1},
		{"UNICODE", "a", "A", -1},
		{"UNICODE", "z", "é", 1},
		{"UNICODE", "_", "-", -1},
		{"UNICODE", "é", "e\u0301", 0},
		{"UNICODE", "", "\x00", 0},
		{"UNICODE_CI", "straße", "STRASSE", -2},
		{"UNICODE_CI", "a", "á", -1},
		{"UNICODE_CI_AI", "straße", "STRASSE", 0},
		{"UNICODE_CI_AI", "Á", "a", 0},
		{"UNICODE_AI", "á", "a", 0},
		{"UNICODE_AI", "Á", "a", 1},
		{"de", "ä", "b", -1},
		{"sv", "ä", "z", 1},
		{"tr_CI", "I", "ı", 0},
	} {
		got := New(c.name).Compare([]byte(c.left), []byte(c.right))
		if c.want == -2 && got != 0 { // unequal, either way
			continue
		}
		if got != c.want {
			t.Errorf("%s: %q and %q: %d, want %d", c.name, c.left, c.right, got, c.want)
		}
	}
}

func TestSearch(t *testing.T) {
	for _, c := range []struct {
		name, s, part string
		start, end    int
	}{
		{"UTF8_BINARY", "abc", "B", -1, -1},
		{"UTF8_LCASE", "abc", "BC", 1, 3},
		{"UTF8_LCASE", "xİb", "i̇", 1, 3},
		{"UNICODE", "abc", "", 0, 0},
		{"UNICODE_CI", "á", "a", -1, -1},
		{"UNICODE_CI", "e\u0301", "e", -1, -1},
		{"UNICODE_CI_AI", "xe\u0301y", "E", 1, 4},
		{"UNICODE_CI_AI", "aSTRASSEb", "ß", 5, 7},
		{"UNICODE_CI_AI", "Straße", "SS", 4, 6},
	} {
		start, end := New(c.name).Pattern([]byte(c.part)).Index([]byte(c.s), 0)
		if start != c.start || end != c.end {
			t.Errorf("%s: %q in %q: %d to %d, want %d to %d", c.name, c.part, c.s, start, end, c.start, c.end)
		}
	}
	if at, ok := New("UTF8_LCASE").Pattern([]byte("BC")).EndsAt([]byte("abc")); !ok || at != 1 {
		t.Errorf("abc ends with BC at %d, %v", at, ok)
	}
}

// FuzzSearch holds a search to what it finds: a part of the text that equals the
// pattern.
func FuzzSearch(f *testing.F) {
	f.Add("UNICODE_CI_AI", "aSTRASSEb", "ß")
	f.Add("UTF8_LCASE", "xİb\xff", "i̇")
	f.Fuzz(func(t *testing.T, name, s, part string) {
		if len(s) > 64 || len(part) > 16 {
			return
		}
		c := New(name)
		start, end := c.Pattern([]byte(part)).Index([]byte(s), 0)
		if start < 0 {
			return
		}
		if !bytes.Equal(c.key(nil, []byte(s[start:end])), c.key(nil, []byte(part))) {
			t.Errorf("%s: found %q for %q", name, s[start:end], part)
		}
	})
}
