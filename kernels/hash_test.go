package kernels

import (
	"math"
	"math/rand/v2"
	"testing"
)

// TestHashSpreads holds the hash of regular keys to the spread of random ones,
// in the bits that choose a slot and in those that choose a sub-table.
func TestHashSpreads(t *testing.T) {
	const n, buckets = 1 << 16, 1 << 10
	patterns := map[string]func(i uint64) uint64{
		"sequence":  func(i uint64) uint64 { return i },
		"hours":     func(i uint64) uint64 { return i * 3_600_000_000 },
		"high bits": func(i uint64) uint64 { return i << 40 },
		"byte 3":    func(i uint64) uint64 { return i<<24 | 7 },
		"floats":    func(i uint64) uint64 { return math.Float64bits(float64(i)) },
		"negative":  func(i uint64) uint64 { return -i },
	}
	seed := NewHashSeed(42)
	for name, f := range patterns {
		keys, hashes := make([][1]uint64, n), make([]uint64, n)
		for i := range keys {
			keys[i][0] = f(uint64(i))
		}
		HashKeys(hashes, keys, &seed)
		for part, shift := range map[string]uint{"upper": 54, "tag": 33, "lower": 0} {
			var counts [buckets]float64
			for _, h := range hashes {
				counts[h>>shift%buckets]++
			}
			chi := 0.0
			for _, c := range counts {
				chi += (c - n/buckets) * (c - n/buckets) / (n / buckets)
			}
			// 1023 degrees of freedom: mean 1023, deviation 45.
			if chi > 1023+6*45 {
				t.Errorf("%s, %s bits: chi² %.0f", name, part, chi)
			}
		}
	}
}

func TestHashKeysSelEqualsHashKeys(t *testing.T) {
	seed := NewHashSeed(1)
	keys := make([][3]uint64, 100)
	for i := range keys {
		keys[i] = [3]uint64{rand.Uint64(), uint64(i), 0}
	}
	all, some := make([]uint64, 100), make([]uint64, 100)
	HashKeys(all, keys, &seed)
	HashKeysSel(some, keys, []int32{3, 50, 99}, &seed)
	for i, h := range some {
		if i == 3 || i == 50 || i == 99 {
			if h != all[i] {
				t.Errorf("row %d: %x, want %x", i, h, all[i])
			}
		} else if h != 0 {
			t.Errorf("row %d is not selected but was written", i)
		}
	}
}

func TestHashBytesDistinguishes(t *testing.T) {
	seed := NewHashSeed(7)
	seen := map[[2]uint64][]byte{}
	b := make([]byte, 70)
	add := func(b []byte) {
		h1, h2 := HashBytes(b, &seed)
		if old, ok := seen[[2]uint64{h1, h2}]; ok && string(old) != string(b) {
			t.Fatalf("%x and %x collide", old, b)
		}
		seen[[2]uint64{h1, h2}] = append([]byte(nil), b...)
	}
	for n := range b {
		add(b[:n]) // zeros of every length
		for bit := range 8 * n {
			b[bit/8] ^= 1 << (bit % 8)
			add(b[:n])
			b[bit/8] ^= 1 << (bit % 8)
		}
	}
}

// TestHashIsPinned holds the functions to their values: hashes choose sub-tables
// whose contents are on disk.
func TestHashIsPinned(t *testing.T) {
	seed := NewHashSeed(1)
	var h [1]uint64
	HashKeys(h[:], [][2]uint64{{1, 2}}, &seed)
	a, b := HashBytes([]byte("the quick brown fox"), &seed)
	if got := [3]uint64{h[0], a, b}; got != pinnedHashes {
		t.Errorf("hashes are %#x", got)
	}
}

var pinnedHashes = [3]uint64{0x50e986aee7bb1c8, 0x6ba523a56fbfd325, 0x9bacbf5dd9f11d3b}

func BenchmarkHashKeys(b *testing.B) {
	seed := NewHashSeed(1)
	keys, dst := make([][1]uint64, 8192), make([]uint64, 8192)
	b.SetBytes(8 * 8192)
	for b.Loop() {
		HashKeys(dst, keys, &seed)
	}
	keys3 := make([][3]uint64, 8192)
	b.Run("words=3", func(b *testing.B) {
		b.SetBytes(24 * 8192)
		for b.Loop() {
			HashKeys(dst, keys3, &seed)
		}
	})
}
