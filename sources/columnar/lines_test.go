package columnar

import (
	"errors"
	"io"
	"math/rand/v2"
	"strings"
	"testing"
	"testing/iotest"
)

// linesIn returns the lines of a range of s.
func linesIn(t *testing.T, s, sep string, in Range, one bool) []string {
	t.Helper()
	var r io.Reader = strings.NewReader(s[min(int64(len(s)), in.Begin):])
	if one {
		r = iotest.OneByteReader(r)
	}
	l := NewLinesIn(r, sep, in)
	var out []string
	for {
		line, err := l.Next()
		if errors.Is(err, io.EOF) {
			return out
		}
		if err != nil {
			t.Fatal(err)
		}
		if ascii := strings.IndexFunc(string(line), func(r rune) bool { return r > 127 }) < 0; l.ASCII() != ascii {
			t.Fatalf("%q of %q: ASCII is %v", line, s, l.ASCII())
		}
		if cap(line)-len(line) < LinePad {
			t.Fatalf("%d bytes are behind %q", cap(line)-len(line), line)
		}
		out = append(out, string(line))
	}
}

// TestRangesPartitionTheLines: wherever a file is cut in two or three, each line
// comes once, in order.
func TestRangesPartitionTheLines(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for round := range 400 {
		var b strings.Builder
		for range rng.IntN(24) {
			b.WriteString([]string{"a", "\n", "\r", "\r\n", "é", "bc", ";"}[rng.IntN(7)])
		}
		s, sep := b.String(), ""
		if round%4 == 0 {
			sep = ";"
		}
		want := linesIn(t, s, sep, WholeFile(), false)
		for i := range int64(len(s)) {
			j := i + rng.Int64N(int64(len(s))-i)
			var got []string
			for _, in := range []Range{{0, i}, {i, j}, {j, int64(len(s))}} {
				if in.Begin > 0 && in.Begin == in.End || in.End == 0 {
					continue
				}
				got = append(got, linesIn(t, s, sep, in, round%2 == 0)...)
			}
			if i > 0 && strings.Join(got, "|") != strings.Join(want, "|") || i > 0 && len(got) != len(want) {
				t.Fatalf("%q cut at %d and %d: got %q, want %q", s, i, j, got, want)
			}
		}
	}
}
