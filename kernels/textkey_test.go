package kernels

import (
	"math/rand/v2"
	"slices"
	"testing"
)

// FuzzInlineTexts holds the kernel to packing byte by byte.
func FuzzInlineTexts(f *testing.F) {
	for i := range uint64(40) {
		f.Add(i, uint8(i*7))
	}
	f.Fuzz(func(t *testing.T, seed uint64, rows uint8) {
		rnd := rand.New(rand.NewPCG(seed, 1))
		n, step, top := int(rows), 2+int(seed%3), 1+rnd.IntN(40)
		off, data := make([]int32, n+1), []byte(nil)
		for i := range n {
			for range rnd.IntN(top) {
				data = append(data, byte(rnd.Uint32()))
			}
			off[i+1] = int32(len(data))
		}
		words, others := make([]uint64, n*step), make([]int32, n)
		for i := range words {
			words[i] = 0xA5
		}
		done, more := InlineTexts(words, step, off, data, others)
		for i := done; i < n; i++ {
			if int(off[i])+16 <= len(data) {
				t.Fatalf("stopped at %d of %d, text %d begins at %d of %d bytes", done, n, i, off[i], len(data))
			}
		}
		var long []int32
		for i := range done {
			text := data[off[i]:off[i+1]]
			if len(text) > 15 {
				long = append(long, int32(i))
				continue
			}
			var want [2]uint64
			for j, b := range text {
				want[j/8] |= uint64(b) << (j % 8 * 8)
			}
			want[1] |= uint64(len(text)) << 56
			if got := [2]uint64(words[i*step:]); got != want {
				t.Fatalf("text %q has words %x, want %x", text, got, want)
			}
		}
		if !slices.Equal(others[:more], long) {
			t.Fatalf("long texts %v, want %v", others[:more], long)
		}
	})
}

// TestHashPairs holds HashPairs to HashKeys.
func TestHashPairs(t *testing.T) {
	rnd, seed := rand.New(rand.NewPCG(1, 2)), NewHashSeed(9)
	keys := make([][2]uint64, 100)
	for i := range keys {
		keys[i] = [2]uint64{rnd.Uint64(), rnd.Uint64()}
	}
	want, got := make([]uint64, len(keys)), make([]uint64, len(keys))
	HashKeys(want, keys, &seed)
	const keep = ^uint64(7 << 32)
	HashPairs(got, keys, &seed, keep)
	for i := range want {
		if got[i] != want[i]&keep {
			t.Fatalf("hash %d is %x, want %x", i, got[i], want[i]&keep)
		}
	}
}

func BenchmarkInlineTexts(b *testing.B) {
	off, data := make([]int32, 8193), []byte(nil)
	for i := range 8192 {
		data = append(data, "campaign-0001"[:7+i%7]...)
		off[i+1] = int32(len(data))
	}
	words, others := make([]uint64, 2*8192), make([]int32, 8192)
	for b.Loop() {
		InlineTexts(words, 2, off, data, others)
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/8192, "ns/row")
}
