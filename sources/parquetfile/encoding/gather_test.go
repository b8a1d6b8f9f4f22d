package encoding

import (
	"math/rand/v2"
	"testing"
)

// TestGatherWide: numbers keep their sign, and an index beyond the dictionary is told.
func TestGatherWide(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 9))
	for range 300 {
		dict := make([]uint64, r.IntN(6))
		for i := range dict {
			dict[i] = r.Uint64() >> r.IntN(64)
		}
		index, want := make([]uint32, r.IntN(20)), -1
		for i := range index {
			if index[i] = uint32(r.IntN(6)); want < 0 && int(index[i]) >= len(dict) {
				want = i
			}
		}
		dst := make([][2]uint64, len(index))
		if got := GatherWide(dst, dict, index); got != want {
			t.Fatalf("the place of the first wrong index is %d, want %d", got, want)
		}
		for i, k := range index {
			if i == want {
				break
			}
			high := uint64(0)
			if int64(dict[k]) < 0 {
				high = ^high
			}
			if dst[i] != [2]uint64{dict[k], high} {
				t.Fatalf("%d became %v", int64(dict[k]), dst[i])
			}
		}
	}
}
