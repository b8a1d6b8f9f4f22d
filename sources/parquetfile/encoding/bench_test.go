package encoding

import (
	"encoding/binary"
	"math/rand/v2"
	"testing"
)

// BenchmarkSpread spreads values over rows of which one in ten is null.
func BenchmarkSpread(b *testing.B) {
	const n = 8192
	rng := rand.New(rand.NewPCG(1, 2))
	valid, present := make([]byte, n/8+Slack), 0
	for i := range n {
		if rng.IntN(10) > 0 {
			valid[i>>3] |= 1 << (i & 7)
			present++
		}
	}
	dst, src := make([]uint64, n), make([]uint64, present)
	for b.Loop() {
		Spread(dst, src, valid, 0)
	}
}

// BenchmarkBits decodes definition levels as parquet-go and parquet-cpp write them: a run
// of one number as soon as eight are alike. One in ten is null.
func BenchmarkBits(b *testing.B) {
	const n = 8192
	rng := rand.New(rand.NewPCG(1, 2))
	var data, groups []byte
	flush := func() {
		if len(groups) > 0 {
			data = binary.AppendUvarint(data, uint64(len(groups))<<1|1)
			data = append(data, groups...)
			groups = groups[:0]
		}
	}
	for range n / 8 {
		var g byte
		for k := range 8 {
			if rng.IntN(10) > 0 {
				g |= 1 << k
			}
		}
		if g == 0xff {
			flush()
			data = append(data, 8<<1, 1)
		} else {
			groups = append(groups, g)
		}
	}
	flush()
	data = Padded(data)
	dst := make([]byte, n/8+Slack)
	for b.Loop() {
		var r Runs
		if err := r.Reset(data, 1); err != nil {
			b.Fatal(err)
		}
		clear(dst)
		if _, err := r.Bits(dst, 0, n); err != nil {
			b.Fatal(err)
		}
	}
}
