package kernels

import (
	"bytes"
	"math/rand/v2"
	"testing"
)

func TestEqualText(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 2))
	words := []string{"", "a", "view", "viewer", "purchase", "purchases", "a longer text than sixteen bytes", "vie"}
	for range 500 {
		n := rnd.IntN(40)
		off, data := []int32{0}, []byte(nil)
		for range n {
			data = append(data, words[rnd.IntN(len(words))]...)
			off = append(off, int32(len(data)))
		}
		want := []byte(words[rnd.IntN(len(words))])
		dst := bytes.Repeat([]byte{0xff}, BitmapBytes(n))
		EqualText(dst, off, data, want)
		for i := range n {
			if got, is := dst[i>>3]>>(i&7)&1 == 1, bytes.Equal(data[off[i]:off[i+1]], want); got != is {
				t.Fatalf("text %d %q against %q: %v", i, data[off[i]:off[i+1]], want, got)
			}
		}
	}
}
