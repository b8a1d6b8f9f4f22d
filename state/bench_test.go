package state

import (
	"fmt"
	"io"
	"math/rand/v2"
	"runtime"
	"testing"
	"time"
)

var countValues = []Field{{Name: "count", Type: "BIGINT", Kind: Int64}}

func int64Batches(keys, batches int) []Vector {
	rng := rand.New(rand.NewPCG(1, 2))
	out := make([]Vector, batches)
	for i := range out {
		vals := make([]int64, 8192)
		for j := range vals {
			vals[j] = rng.Int64N(int64(keys))
		}
		out[i] = Vector{Kind: Int64, Len: len(vals), Data: bytesOf(vals)}
	}
	return out
}

// sequence fills s with keys 0 to n-1.
func sequence(tb testing.TB, n int, upsert func(Vector)) {
	for at := 0; at < n; at += 8192 {
		vals := make([]int64, min(8192, n-at))
		for i := range vals {
			vals[i] = int64(at + i)
		}
		upsert(Vector{Kind: Int64, Len: len(vals), Data: bytesOf(vals)})
	}
}

// BenchmarkCount counts rows by a random int64 key: normalise, upsert, add.
func BenchmarkCount(b *testing.B) {
	schema := Schema{Keys: []Field{{Name: "k", Kind: Int64}}, Values: countValues}
	for _, n := range []int{1_000, 1_000_000, 10_000_000} {
		batches := int64Batches(n, 256)
		b.Run(fmt.Sprintf("table/keys=%d", n), func(b *testing.B) {
			t, keys, rows := NewTable(schema, 1), NewKeys(schema.Keys, 1), make([]int32, 8192)
			add := func(v Vector) {
				if err := keys.Normalise([]Vector{v}, v.Len, nil); err != nil {
					b.Fatal(err)
				}
				if err := t.Upsert(keys, nil, rows[:v.Len]); err != nil {
					b.Fatal(err)
				}
				counts := t.Value(0).(*Fixed[int64]).Data()
				for _, r := range rows[:v.Len] {
					counts[r]++
				}
			}
			sequence(b, n, add)
			i := 0
			for b.Loop() {
				add(batches[i%len(batches)])
				i++
			}
			report(b, t.MemBytes(), n)
		})
		b.Run(fmt.Sprintf("sharded/keys=%d", n), func(b *testing.B) {
			m, _ := NewMemory(Config{Seed: 1})
			s, _ := m.Table(ID{Name: DefaultName}, schema)
			keys := s.NewKeys()
			add := func(v Vector) {
				if err := keys.Normalise([]Vector{v}, v.Len, nil); err != nil {
					b.Fatal(err)
				}
				err := s.Upsert(keys, nil, func(t *Table, sel, rows []int32) error {
					counts := t.Value(0).(*Fixed[int64]).Data()
					for _, r := range rows {
						counts[r]++
					}
					return nil
				})
				if err != nil {
					b.Fatal(err)
				}
			}
			sequence(b, n, add)
			s.endEpoch(1)
			i := 0
			for b.Loop() {
				add(batches[i%len(batches)])
				i++
			}
			report(b, s.MemBytes(), n)
			start := time.Now()
			runtime.GC()
			b.ReportMetric(float64(time.Since(start).Microseconds()), "µs/GC")
		})
	}
}

func report(b *testing.B, mem int64, keys int) {
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/8192, "ns/row")
	b.ReportMetric(float64(mem)/float64(keys), "bytes/key")
}

// BenchmarkText counts rows by text keys, short and long.
func BenchmarkText(b *testing.B) {
	schema := Schema{Keys: []Field{{Name: "k", Kind: Bytes}}, Values: countValues}
	for _, format := range []string{"key%d", "a key that is long%d"} {
		b.Run(fmt.Sprintf("len=%d", len(format)), func(b *testing.B) {
			rng := rand.New(rand.NewPCG(1, 2))
			vb := newVectorBuilder(Bytes, 8192)
			for range 8192 {
				vb.append([]byte(fmt.Sprintf(format, rng.IntN(1000))))
			}
			v := vb.vector()
			t, keys, rows := NewTable(schema, 1), NewKeys(schema.Keys, 1), make([]int32, 8192)
			for b.Loop() {
				if err := keys.Normalise([]Vector{v}, v.Len, nil); err != nil {
					b.Fatal(err)
				}
				if err := t.Upsert(keys, nil, rows); err != nil {
					b.Fatal(err)
				}
			}
			report(b, t.MemBytes(), 1000)
		})
	}
}

// BenchmarkCommit encodes epochs of 0, 1,000 and 100,000 changed rows.
func BenchmarkCommit(b *testing.B) {
	schema := Schema{Keys: []Field{{Name: "k", Kind: Int64}}, Values: countValues}
	for _, n := range []int{0, 1_000, 100_000} {
		b.Run(fmt.Sprintf("rows=%d", n), func(b *testing.B) {
			m, _ := NewMemory(Config{Seed: 1})
			s, _ := m.Table(ID{Name: DefaultName}, schema)
			keys := s.NewKeys()
			size := 0
			for b.Loop() {
				sequence(b, n, func(v Vector) {
					_ = keys.Normalise([]Vector{v}, v.Len, nil)
					_ = s.Upsert(keys, nil, func(*Table, []int32, []int32) error { return nil })
				})
				c, err := m.Commit(m.epoch + 1)
				if err != nil {
					b.Fatal(err)
				}
				size = len(c)
			}
			b.ReportMetric(float64(size), "bytes")
		})
	}
}

func BenchmarkSnapshot(b *testing.B) {
	schema := Schema{Keys: []Field{{Name: "k", Kind: Int64}}, Values: countValues}
	m, _ := NewMemory(Config{Seed: 1})
	s, _ := m.Table(ID{Name: DefaultName}, schema)
	keys := s.NewKeys()
	sequence(b, 1_000_000, func(v Vector) {
		_ = keys.Normalise([]Vector{v}, v.Len, nil)
		_ = s.Upsert(keys, nil, func(*Table, []int32, []int32) error { return nil })
	})
	if _, err := m.Commit(0); err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if err := m.Pin().Encode(io.Discard); err != nil {
			b.Fatal(err)
		}
	}
}
