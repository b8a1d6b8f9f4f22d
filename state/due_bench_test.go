package state

import (
	"math/rand/v2"
	"sort"
	"testing"
	"time"
)

// evictionCase is a table of rows that end in the course of an hour.
type evictionCase struct {
	name string
	many bool
	// keys is how many there are; 0: as many as rows.
	keys int64
	// end is when row i of n ends; grow is by how much it ends later in the end.
	end  func(rng *rand.Rand, i, n int64) int64
	grow int64
}

const evictionSpan = int64(3600 * 1_000_000)

var evictionCases = []evictionCase{
	{name: "windows", end: func(_ *rand.Rand, i, n int64) int64 { return evictionSpan / 100 * (100 * i / n) }},
	{name: "join", many: true, keys: 1_000_000, end: func(rng *rand.Rand, i, n int64) int64 {
		return evictionSpan/n*i + rng.Int64N(evictionSpan/60)
	}},
	{name: "sessions", many: true, keys: 2_000_000, grow: evictionSpan / 120, end: func(rng *rand.Rand, i, n int64) int64 {
		return evictionSpan/n*i + rng.Int64N(evictionSpan/60)
	}},
}

// build makes the table of n rows, and returns how long that took: keys, rows and
// values, without a changelog.
func (c *evictionCase) build(tb testing.TB, n int64) (*Sharded, time.Duration) {
	m, err := NewMemory(Config{Seed: 1})
	if err != nil {
		tb.Fatal(err)
	}
	s, err := m.Table(ID{Name: DefaultName}, Schema{Many: c.many, Keys: []Field{{Name: "k", Type: "BIGINT", Kind: Int64}},
		Values: []Field{{Name: "end", Type: "TIMESTAMP", Kind: Int64}, {Name: "count", Type: "BIGINT", Kind: Int64}}})
	if err != nil {
		tb.Fatal(err)
	}
	rng, keys, rows := rand.New(rand.NewPCG(1, 1)), s.NewKeys(), make([]int32, 8192)
	took := time.Duration(0)
	for at := int64(0); at < n; at += 8192 {
		batch := min(8192, n-at)
		ks, ends := make([]int64, batch), make([]int64, batch)
		for i := range batch {
			if ks[i] = at + i; c.keys > 0 {
				ks[i] = rng.Int64N(c.keys)
			}
			ends[i] = c.end(rng, at+i, n)
		}
		began := time.Now()
		if err := keys.Normalise([]Vector{{Kind: Int64, Len: len(ks), Data: bytesOf(ks)}}, len(ks), nil); err != nil {
			tb.Fatal(err)
		}
		p := s.Partition(keys, nil)
		for i := range s.subs {
			part := p.Sub(i)
			if c.many {
				err = s.InsertSub(p, i, keys, rows[:len(part)])
			} else {
				err = s.UpsertSub(p, i, keys, rows[:len(part)])
			}
			if err != nil {
				tb.Fatal(err)
			}
			to, counts := s.subs[i].Value(0).(*Fixed[int64]).Data(), s.subs[i].Value(1).(*Fixed[int64]).Data()
			for j, r := range rows[:len(part)] {
				to[r] = ends[part[j]]
				counts[r]++
			}
		}
		took += time.Since(began)
	}
	s.endEpoch(1)
	return s, took
}

func (c *evictionCase) times(t *Table) func(rows []int32) (Vector, error) {
	return func(rows []int32) (Vector, error) { return t.Value(0).Gather(rows), nil }
}

// learn has Due see all rows, and then lets them grow.
func (c *evictionCase) learn(tb testing.TB, s *Sharded) time.Duration {
	began := time.Now()
	for _, t := range s.subs {
		if _, err := t.Due(-1, c.times(t)); err != nil {
			tb.Fatal(err)
		}
	}
	took := time.Since(began)
	rng := rand.New(rand.NewPCG(2, 2))
	for _, t := range s.subs {
		ends := t.Value(0).(*Fixed[int64]).Data()
		for i := range ends {
			if c.grow > 0 {
				ends[i] += rng.Int64N(c.grow)
			}
		}
	}
	return took
}

// evict ends an epoch in which what is due at limit is found and removed.
func (c *evictionCase) evict(tb testing.TB, s *Sharded, limit int64) (int, time.Duration) {
	began := time.Now()
	gone := make([][]int32, len(s.subs))
	for i, t := range s.subs {
		var err error
		if gone[i], err = t.Due(limit, c.times(t)); err != nil {
			tb.Fatal(err)
		}
	}
	refs := s.InOrder(gone)
	for i := range s.subs {
		if err := s.RemoveSub(i, gone[i]); err != nil {
			tb.Fatal(err)
		}
	}
	s.endEpoch(1)
	return len(refs), time.Since(began)
}

// TestEvictionIsCheap removes all rows of a table, hundredth by hundredth, by one
// worker: the figures are those of docs/performance.md.
func TestEvictionIsCheap(t *testing.T) {
	if testing.Short() {
		t.Skip("ten million rows")
	}
	const n = 10_000_000
	for _, c := range evictionCases {
		t.Run(c.name, func(t *testing.T) {
			s, build := c.build(t, n)
			learn := c.learn(t, s)
			var took []time.Duration
			sum, rows := time.Duration(0), 0
			for limit := int64(0); limit < evictionSpan+evictionSpan/30; limit += evictionSpan / 100 {
				gone, d := c.evict(t, s, limit)
				took, sum, rows = append(took, d), sum+d, rows+gone
			}
			sort.Slice(took, func(i, j int) bool { return took[i] < took[j] })
			percent := func(d time.Duration) float64 { return 100 * float64(d) / float64(build) }
			mean := percent(sum) * n / 100 / float64(rows)
			t.Logf("built in %v, learned in %v (%.1f %%); %d rows evicted in %v: a hundredth in %.2f %% of building, median %v (%.2f %%), most %v (%.1f %%)",
				build, learn, percent(learn), rows, sum, mean, took[len(took)/2], percent(took[len(took)/2]), took[len(took)-1], percent(took[len(took)-1]))
			if rows != n || mean > 4 { // 2, and room for a busy machine
				t.Errorf("%d rows were evicted, each hundredth in %.2f %% of building", rows, mean)
			}
		})
	}
}
