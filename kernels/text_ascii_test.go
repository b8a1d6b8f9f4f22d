package kernels

import (
	"bytes"
	"math/rand/v2"
	"testing"
)

// randomTexts returns n short texts of few letters, one behind the other, some of them
// with bytes beyond ASCII.
func randomTexts(rnd *rand.Rand, n int) (off []int32, data []byte) {
	letters := "abAB z{@[`é"
	off = []int32{int32(rnd.IntN(3))}
	data = make([]byte, off[0])
	for range n {
		for range rnd.IntN(14) {
			data = append(data, letters[rnd.IntN(len(letters)-rnd.IntN(3))])
		}
		off = append(off, int32(len(data)))
	}
	return off, data
}

// Each loop over texts agrees with the standard library, text by text.
func TestTextLoops(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 2))
	for round := range 3000 {
		off, data := randomTexts(rnd, rnd.IntN(40))
		n := len(off) - 1
		want := []byte("abABz z@abé"[rnd.IntN(4):])[:rnd.IntN(8)]
		for _, loop := range []struct {
			name string
			run  func(dst []byte, off []int32, data, want []byte)
			is   func(s, want []byte) bool
		}{{"prefix", PrefixText, bytes.HasPrefix}, {"suffix", SuffixText, bytes.HasSuffix}, {"contains", ContainsText, bytes.Contains}} {
			dst := bytes.Repeat([]byte{0xa5}, BitmapBytes(n))
			loop.run(dst, off, data, want)
			for i := range n {
				if s := data[off[i]:off[i+1]]; Bit(dst, i) != loop.is(s, want) {
					t.Fatalf("round %d: %s %q of %q is %v", round, loop.name, want, s, Bit(dst, i))
				}
			}
		}
		upper := make([]byte, len(data))
		if ascii := FlipCase(upper, data, 'a', 'z'); ascii != IsASCII(data) {
			t.Fatalf("round %d: %q is ASCII: %v, and %v", round, data, ascii, IsASCII(data))
		} else if ascii && !bytes.Equal(upper, bytes.ToUpper(data)) {
			t.Fatalf("round %d: %q became %q", round, data, upper)
		}
		lo, hi := make([]int32, n), make([]int32, n)
		var all []byte
		for i := range n {
			size := off[i+1] - off[i]
			lo[i] = off[i] + rnd.Int32N(size+1)
			hi[i] = lo[i] + rnd.Int32N(off[i+1]-lo[i]+1)
			all = append(all, data[lo[i]:hi[i]]...)
		}
		got, at := make([]byte, len(data)+7), make([]int32, n+1)
		if end := CutTexts(got, at, data, lo, hi); !bytes.Equal(got[:end], all) {
			t.Fatalf("round %d: cut to %q, not %q", round, got[:end], all)
		}
		for i := range n {
			if !bytes.Equal(got[at[i]:at[i+1]], data[lo[i]:hi[i]]) {
				t.Fatalf("round %d: part %d is %q, not %q", round, i, got[at[i]:at[i+1]], data[lo[i]:hi[i]])
			}
		}
	}
}
