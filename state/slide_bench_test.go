package state

import (
	"fmt"
	"math/rand/v2"
	"testing"
)

// BenchmarkSlide is an epoch of a join in its steady state: n rows come, and as many
// expire.
func BenchmarkSlide(b *testing.B) {
	for _, n := range []int{1 << 14, 1 << 20} {
		b.Run(fmt.Sprintf("rows=%d", n), func(b *testing.B) {
			store, err := NewMemory(Config{Seed: 1, SubTables: 1})
			if err != nil {
				b.Fatal(err)
			}
			s, err := store.Table(ID{Name: DefaultName}, Schema{
				Keys:   []Field{{Name: "k", Type: "BIGINT", Kind: Int64}},
				Values: []Field{{Name: "ts", Type: "TIMESTAMP", Kind: Int64, Nullable: true}, {Name: "v", Type: "BIGINT", Kind: Int64, Nullable: true}},
				Many:   true, Time: &TimeColumn{},
			})
			if err != nil {
				b.Fatal(err)
			}
			rng, at := rand.New(rand.NewPCG(1, 1)), int64(0)
			ks, ts := make([]int64, 8192), make([]int64, 8192)
			keys, rows := s.NewKeys(), make([]int32, 8192)
			for b.Loop() {
				for range n / 8192 {
					for i := range ks {
						ks[i], ts[i] = rng.Int64N(100_000), at+rng.Int64N(1000)
						at++
					}
					if err := keys.Normalise([]Vector{{Kind: Int64, Len: len(ks), Data: bytesOf(ks)}}, len(ks), nil); err != nil {
						b.Fatal(err)
					}
					p := s.Partition(keys, nil)
					if err := s.InsertSub(p, 0, keys, rows); err != nil {
						b.Fatal(err)
					}
					for i := range 2 {
						s.Sub(0).Value(i).Load(rows, &Vector{Kind: Int64, Len: len(ts), Data: bytesOf(ts)}, nil)
					}
				}
				if err := s.Expire(at-int64(n)/8, 1, nil); err != nil {
					b.Fatal(err)
				}
				s.endEpoch(1)
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(n), "ns/row")
		})
	}
}
