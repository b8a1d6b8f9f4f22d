package state

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
)

// TestDirect puts keys of one to three columns in by their values and by their
// hashes: the rows are the same, whatever the ranges do.
func TestDirect(t *testing.T) {
	rnd := rand.New(rand.NewPCG(7, 8))
	draws := map[string]func(batch int) int64{
		"few":      func(int) int64 { return rnd.Int64N(5) },
		"negative": func(int) int64 { return rnd.Int64N(200) - 100 },
		"moving":   func(b int) int64 { return int64(b)*40 + rnd.Int64N(50) },
		"far":      func(b int) int64 { return int64(b)*1_000_000 + rnd.Int64N(3) },
		"wide":     func(int) int64 { return rnd.Int64() },
		"ends":     func(int) int64 { return []int64{math.MinInt64, math.MaxInt64, 0}[rnd.IntN(3)] },
	}
	for name, draw := range draws {
		for columns := 1; columns <= 3; columns++ {
			t.Run(fmt.Sprint(name, columns), func(t *testing.T) {
				var fields []Field
				for c := range columns {
					fields = append(fields, Field{Name: fmt.Sprint(c), Type: "BIGINT", Kind: []Kind{Int64, Int32, Int64}[c]})
				}
				quick, plain := NewTable(Schema{Keys: fields}, 1), NewTable(Schema{Keys: fields}, 1)
				keys := NewKeys(fields, 1)
				for batch := range 60 {
					if batch == 40 {
						quick.Reset()
						plain.Reset()
					}
					n := 1 + rnd.IntN(100)
					if batch%20 == 7 {
						n = 9000
					}
					vs := make([]Vector, columns)
					for c := range vs {
						wide, narrow := make([]int64, n), make([]int32, n)
						for i := range wide {
							wide[i] = draw(batch)
							narrow[i] = int32(wide[i])
						}
						vs[c] = Vector{Kind: fields[c].Kind, Len: n, Data: bytesOf(wide)}
						if fields[c].Kind == Int32 {
							vs[c].Data = bytesOf(narrow)
						}
					}
					var sel []int32
					live := n
					if batch%3 == 0 {
						sel = []int32{}
						for i := range n {
							if rnd.IntN(2) == 0 {
								sel = append(sel, int32(i))
							}
						}
						if live = len(sel); live == 0 {
							continue
						}
					}
					if err := keys.Normalise(vs, n, sel); err != nil {
						t.Fatal(err)
					}
					want, got := make([]int32, live), make([]int32, live)
					if err := plain.Upsert(keys, sel, want); err != nil {
						t.Fatal(err)
					}
					done, err := quick.UpsertDirect(vs, sel, got)
					if err == nil && !done {
						err = quick.Upsert(keys, sel, got)
					}
					if err != nil {
						t.Fatal(err)
					}
					for i := range want {
						if got[i] != want[i] {
							t.Fatalf("batch %d, key %d is row %d, want %d", batch, i, got[i], want[i])
						}
					}
				}
			})
		}
	}
}

// TestDirectAtTheEnds grows ranges that touch the ends of the integers.
func TestDirectAtTheEnds(t *testing.T) {
	fields := []Field{{Name: "a", Type: "BIGINT", Kind: Int64}, {Name: "b", Type: "BIGINT", Kind: Int64}}
	for seed := range 400 {
		rnd := rand.New(rand.NewPCG(uint64(seed), 9))
		columns := 1 + seed%2
		quick, plain := NewTable(Schema{Keys: fields[:columns]}, 1), NewTable(Schema{Keys: fields[:columns]}, 1)
		keys := NewKeys(fields[:columns], 1)
		room := []int64{21, 4, math.MaxInt64}[rnd.IntN(3)]
		low := math.MaxInt64 - room + 1
		if room == math.MaxInt64 {
			low = math.MinInt64
		}
		for batch := range int64(12) {
			vs := make([]Vector, columns)
			n := 1 + rnd.IntN(6)
			for c := range vs {
				vals := make([]int64, n)
				for i := range vals {
					if vals[i] = rnd.Int64N(batch + 2); c == seed%3%2 {
						vals[i] = low + rnd.Int64N(min(2*batch+1, room))
					}
				}
				vs[c] = Vector{Kind: Int64, Len: n, Data: bytesOf(vals)}
			}
			if err := keys.Normalise(vs, n, nil); err != nil {
				t.Fatal(err)
			}
			want, got := make([]int32, n), make([]int32, n)
			if err := plain.Upsert(keys, nil, want); err != nil {
				t.Fatal(err)
			}
			if done, err := quick.UpsertDirect(vs, nil, got); err != nil || !done {
				t.Fatalf("seed %d, batch %d: done %v, error %v", seed, batch, done, err)
			}
			for i := range want {
				if got[i] != want[i] {
					t.Fatalf("seed %d, batch %d: key %d is row %d, want %d", seed, batch, i, got[i], want[i])
				}
			}
		}
	}
}
