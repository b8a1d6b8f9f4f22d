package expr

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
)

// wholeAt is what a path leads to in a text that is read as a whole.
func wholeAt(text []byte, steps []jsonStep) (string, bool) {
	v, ok := parseJSON(text)
	if !ok {
		return "", false
	}
	found := v.find(steps, nil)
	if len(found) != 1 || found[0].kind == jsonNull {
		return "", false
	}
	if found[0].kind == jsonString {
		return found[0].text, true
	}
	return string(found[0].appendJSON(nil)), true
}

func checkPath(t *testing.T, text, path string) {
	t.Helper()
	steps, ok := parsePath(path)
	if !ok {
		return
	}
	for _, s := range steps {
		if s.any {
			return
		}
	}
	got, found, sure := appendAt([]byte("<"), []byte(text), steps)
	want, there := wholeAt([]byte(text), steps)
	if sure && (found != there || string(got) != "<"+want) {
		t.Fatalf("%s in %s is %q, %v; not %q, %v", path, text, got, found, want, there)
	}
}

// randomJSON writes a value, now and then a damaged one.
func randomJSON(rnd *rand.Rand, b *strings.Builder, depth int) {
	switch k := rnd.IntN(12); {
	case k < 3 && depth > 0:
		b.WriteByte('{')
		for i := range rnd.IntN(4) {
			if i > 0 {
				b.WriteString([]string{",", " , "}[rnd.IntN(2)])
			}
			fmt.Fprintf(b, "%s:", []string{`"a"`, `"b"`, `'a'`, `"\u0061"`, `"c d"`}[rnd.IntN(5)])
			randomJSON(rnd, b, depth-1)
		}
		b.WriteByte('}')
	case k < 5 && depth > 0:
		b.WriteByte('[')
		for i := range rnd.IntN(4) {
			if i > 0 {
				b.WriteByte(',')
			}
			randomJSON(rnd, b, depth-1)
		}
		b.WriteByte(']')
	default:
		b.WriteString([]string{`"text"`, `"e\nsc"`, `12`, `-3.50`, `01`, `1e3`, `1.`, `12x`, `true`, `null`, `NaN`, `"`, ``, `1.5.2`, `7-`}[rnd.IntN(9+rnd.IntN(7))])
	}
}

// What a path leads to is what it leads to in the whole value.
func TestPathAgreesWithWhole(t *testing.T) {
	rnd := rand.New(rand.NewPCG(9, 9))
	for range 100_000 {
		var b strings.Builder
		randomJSON(rnd, &b, 4)
		path := "$"
		for range rnd.IntN(4) {
			path += []string{".a", ".b", "[0]", "[1]", "['c d']"}[rnd.IntN(5)]
		}
		checkPath(t, b.String(), path)
	}
}

func FuzzJSONPath(f *testing.F) {
	f.Add(`{"a":[1,{"b":"x"}]}`, "$.a[1].b")
	f.Add(`{"a":{"a":"\u00e4"},"a":2}`, "$.a.a")
	f.Fuzz(checkPath)
}
