package kernels

import (
	"bytes"
	"math/rand/v2"
	"slices"
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

// TestCompareTextEqualsBytesCompare compares texts of few bytes, zeros among them, so that
// many are equal up to somewhere.
func TestCompareTextEqualsBytesCompare(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	text := func() []byte {
		b := make([]byte, r.IntN([]int{4, 9, 12}[r.IntN(3)]))
		for i := range b {
			b[i] = []byte{0, 'a', 'b', 0xff}[r.IntN(4)]
			if i < 8 && r.IntN(3) > 0 {
				b[i] = 'a'
			}
		}
		return b
	}
	for range 4000 {
		n := r.IntN(20)
		off, data := []int32{0}, []byte(nil)
		for range n {
			data = append(data, text()...)
			off = append(off, int32(len(data)))
		}
		want, orEqual := text(), r.IntN(2) == 0
		dst := bytes.Repeat([]byte{0xa5}, BitmapBytes(n))
		var sel []int32
		if r.IntN(2) == 0 {
			sel = []int32{}
			for i := range n {
				if r.IntN(2) == 0 {
					sel = append(sel, int32(i))
				}
			}
		}
		CompareText(dst, off, data, want, sel, orEqual)
		for i := range n {
			c := bytes.Compare(data[off[i]:off[i+1]], want)
			is := c < 0 || c == 0 && orEqual
			if sel != nil && !slices.Contains(sel, int32(i)) {
				is = Bit([]byte{0xa5}, i&7)
			}
			if Bit(dst, i) != is {
				t.Fatalf("%q against %q, or equal %v: %v", data[off[i]:off[i+1]], want, orEqual, !is)
			}
		}
	}
}
