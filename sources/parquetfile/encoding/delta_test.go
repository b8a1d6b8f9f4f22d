package encoding

import (
	"encoding/binary"
	"math"
	"math/bits"
	"math/rand/v2"
	"slices"
	"testing"
)

// packDelta encodes vals in blocks of 128 values in 4 miniblocks.
func packDelta(vals []int64) []byte {
	out := binary.AppendUvarint(nil, 128)
	out = binary.AppendUvarint(out, 4)
	out = binary.AppendUvarint(out, uint64(len(vals)))
	if len(vals) == 0 {
		return binary.AppendVarint(out, 0)
	}
	out = binary.AppendVarint(out, vals[0])
	for at := 1; at < len(vals); at += 128 {
		n := min(128, len(vals)-at)
		low := int64(math.MaxInt64)
		for i := at; i < at+n; i++ {
			low = min(low, vals[i]-vals[i-1])
		}
		out = binary.AppendVarint(out, low)
		var widths [4]byte
		var body []byte
		for m := 0; m*32 < n; m++ {
			var diffs [32]uint64
			for k := range min(32, n-m*32) {
				i := at + m*32 + k
				diffs[k] = uint64(vals[i] - vals[i-1] - low)
				widths[m] = max(widths[m], byte(bits.Len64(diffs[k])))
			}
			mini := make([]byte, 4*int(widths[m]))
			for k, d := range diffs {
				for b := range int(widths[m]) {
					bit := k*int(widths[m]) + b
					mini[bit>>3] |= byte(d>>b&1) << (bit & 7)
				}
			}
			body = append(body, mini...)
		}
		out = append(append(out, widths[:]...), body...)
	}
	return out
}

func TestDelta(t *testing.T) { // E2
	for seed := range uint64(400) {
		rng := rand.New(rand.NewPCG(seed, 3))
		want := make([]int64, rng.IntN(600))
		for i := range want {
			want[i] = int64(rng.Uint64()) >> rng.IntN(64)
			if seed%3 == 0 && i > 0 {
				want[i] = want[i-1] + int64(seed%5)
			}
		}
		tail := []byte("behind")
		data := append(packDelta(want), tail...)
		var d Delta
		if err := d.Reset(data); err != nil {
			t.Fatal(err)
		}
		got := make([]int64, len(want))
		for rest := got; len(rest) > 0; {
			if end, err := d.End(); err != nil || string(end) != string(tail) {
				t.Fatalf("seed %d: end is %q %v", seed, end, err)
			}
			n := min(len(rest), 1+rng.IntN(70))
			if err := d.Next(rest[:n]); err != nil {
				t.Fatal(err)
			}
			rest = rest[n:]
		}
		if !slices.Equal(got, want) || d.Len() != 0 || d.Next(make([]int64, 1)) == nil {
			t.Fatalf("seed %d:\ngot  %v\nwant %v", seed, got, want)
		}
	}
}

func FuzzDelta(f *testing.F) { // E1, E2
	f.Add(packDelta([]int64{1, 5, 3, math.MaxInt64, math.MinInt64}), uint8(2))
	f.Fuzz(func(t *testing.T, data []byte, cut uint8) {
		var d Delta
		if d.Reset(data) != nil {
			return
		}
		_, endErr := d.End()
		n := int(min(d.Len(), 2000))
		all, pieces := make([]int64, n), make([]int64, n)
		err := d.Next(all)
		if endErr == nil && err != nil {
			t.Fatalf("there is an end, but no values: %v", err)
		}
		if err := d.Reset(data); err != nil {
			t.Fatal(err)
		}
		var err2 error
		for rest := pieces; len(rest) > 0 && err2 == nil; {
			k := min(len(rest), 1+int(cut))
			err2 = d.Next(rest[:k])
			rest = rest[k:]
		}
		if (err == nil) != (err2 == nil) || err == nil && !slices.Equal(all, pieces) {
			t.Fatalf("in one go %v, in pieces %v", err, err2)
		}
	})
}
