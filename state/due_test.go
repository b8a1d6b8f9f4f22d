package state

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

// timed is a kept table whose rows have a time in value column 0, and a plain list
// beside it.
type timed struct {
	t     *testing.T
	store *MemoryStore
	sub   *Table
	keys  *Keys
	rng   *rand.Rand
	fixed bool
}

func newTimed(t *testing.T, many bool, rng *rand.Rand) *timed {
	store, err := NewMemory(Config{Seed: 3, SubTables: 1})
	if err != nil {
		t.Fatal(err)
	}
	s, err := store.Table(ID{Name: DefaultName}, Schema{Keys: keySchemas["int64"], Many: many,
		Values: []Field{{Name: "end", Type: "TIMESTAMP", Kind: Int64, Nullable: true}}})
	if err != nil {
		t.Fatal(err)
	}
	return &timed{t: t, store: store, sub: s.Sub(0), keys: s.NewKeys(), rng: rng}
}

func (x *timed) ends() *Fixed[int64] { return x.sub.Value(0).(*Fixed[int64]) }

func (x *timed) times(rows []int32) (Vector, error) { return x.ends().Gather(rows), nil }

// add adds rows with times that at gives, some of them NULL.
func (x *timed) add(n int, at func() int64) {
	keys := make([]int64, n)
	for i := range keys {
		keys[i] = x.rng.Int64()
		if x.sub.schema.Many {
			keys[i] %= 100
		}
	}
	if err := x.keys.Normalise([]Vector{{Kind: Int64, Len: n, Data: bytesOf(keys)}}, n, nil); err != nil {
		x.t.Fatal(err)
	}
	s, rows := x.store.tables[0], make([]int32, n)
	p, err := s.Partition(x.keys, nil), error(nil)
	if x.sub.schema.Many {
		err = s.InsertSub(p, 0, x.keys, rows)
	} else {
		err = s.UpsertSub(p, 0, x.keys, rows)
	}
	if err != nil {
		x.t.Fatal(err)
	}
	for _, r := range rows {
		if x.rng.IntN(50) > 0 {
			x.ends().Set(r, at())
		}
	}
}

// due is what Due should give, and the least time.
func (x *timed) due(limit int64) (rows []int32, oldest int64, found bool) {
	oldest = math.MaxInt64
	for r := range int32(x.sub.n) {
		if !x.sub.alive(r) || !x.ends().IsValid(r) {
			continue
		}
		at := x.ends().Data()[r]
		if at <= limit {
			rows = append(rows, r)
		}
		oldest, found = min(oldest, at), true
	}
	return rows, oldest, found
}

func (x *timed) check(limit int64) []int32 {
	x.t.Helper()
	want, oldest, found := x.due(limit)
	got, err := x.sub.dueRows(limit, x.times, x.fixed)
	if err != nil {
		x.t.Fatal(err)
	}
	if !slices.Equal(got, want) {
		x.t.Fatalf("due at %d: %d rows, want %d\n%v\n%v", limit, len(got), len(want), got, want)
	}
	if o, ok, err := x.sub.Oldest(x.times); err != nil || ok != found || ok && o != oldest {
		x.t.Fatalf("the oldest time is %d (%v, %v), want %d (%v)", o, ok, err, oldest, found)
	}
	if n := len(x.sub.times.buckets); n > maxBuckets {
		x.t.Fatalf("%d buckets", n)
	}
	return got
}

// TestDueAgainstAList adds, grows, touches and removes rows of several spreads of
// time, and asks for what is due, mostly forwards.
func TestDueAgainstAList(t *testing.T) {
	const hour = 3600 * 1_000_000
	for name, spread := range map[string]func(rng *rand.Rand, now int64) int64{
		"in order":     func(_ *rand.Rand, now int64) int64 { return now + hour },
		"about now":    func(rng *rand.Rand, now int64) int64 { return now + rng.Int64N(2*hour) - hour/4 },
		"windows":      func(rng *rand.Rand, now int64) int64 { return (now + rng.Int64N(hour)) / 300e6 * 300e6 },
		"any time":     func(rng *rand.Rand, now int64) int64 { return int64(rng.Uint64()) },
		"exponential":  func(rng *rand.Rand, now int64) int64 { return now + 1<<rng.IntN(62) },
		"with strays":  func(rng *rand.Rand, now int64) int64 { return now + hour<<(30*uint(rng.IntN(100)/99)) },
		"microseconds": func(rng *rand.Rand, now int64) int64 { return now + rng.Int64N(2000) },
		"extremes": func(rng *rand.Rand, now int64) int64 {
			return []int64{math.MinInt64, math.MaxInt64, -1, 0}[rng.IntN(4)]
		},
	} {
		for way := range 4 {
			t.Run(fmt.Sprintf("%s/%d", name, way), func(t *testing.T) {
				rng := rand.New(rand.NewPCG(8, 8))
				x := newTimed(t, way&1 != 0, rng)
				x.fixed = way&2 != 0
				now, epoch := int64(-2*hour), x.store.epoch
				for range 60 {
					x.add(rng.IntN(400), func() int64 { return spread(rng, now) })
					ends := x.ends()
					for r := range int32(x.sub.n) { // sessions grow
						if !x.fixed && rng.IntN(30) == 0 && x.sub.alive(r) && ends.IsValid(r) && ends.Data()[r] < math.MaxInt64-hour {
							if err := x.store.tables[0].Touch([]Ref{{Row: r}}); err != nil {
								t.Fatal(err)
							}
							ends.Data()[r] += rng.Int64N(hour)
						}
					}
					limit := now - rng.Int64N(hour/10)
					if rng.IntN(10) == 0 {
						limit = int64(rng.Uint64())
					}
					gone := x.check(limit)
					if rng.IntN(4) == 0 { // some stay, and are due again
						gone = gone[:len(gone)/2]
					}
					if rng.IntN(8) == 0 {
						gone = append(gone, int32(rng.IntN(max(1, x.sub.n))))
					}
					if x.sub.n > 0 {
						if err := x.sub.remove(gone); err != nil {
							t.Fatal(err)
						}
					}
					x.check(limit)
					if rng.IntN(20) == 0 {
						x.check(math.MaxInt64)
						x.check(math.MinInt64)
					}
					epoch++
					if _, err := x.store.Commit(epoch); err != nil {
						t.Fatal(err)
					}
					x.check(limit)
					now += rng.Int64N(hour / 2)
				}
			})
		}
	}
}

// TestDueLooksAtLittle counts the rows that are asked for their time: each once when
// it is learned, and about twice as many as are due afterwards, whatever times there
// are.
func TestDueLooksAtLittle(t *testing.T) {
	const n, steps = 200_000, 100
	const span = int64(3600 * 1_000_000)
	rng := rand.New(rand.NewPCG(5, 5))
	for name, at := range map[string]func(i int) int64{
		"random":      func(int) int64 { return rng.Int64N(span) },
		"in order":    func(i int) int64 { return span / n * int64(i) },
		"windows":     func(int) int64 { return rng.Int64N(span) / (span / 50) * (span / 50) },
		"one window":  func(int) int64 { return span * 2 },
		"with strays": func(i int) int64 { return rng.Int64N(span) + int64(i%1000/999)*rng.Int64N(1<<60) },
	} {
		t.Run(name, func(t *testing.T) {
			x, i := newTimed(t, true, rng), 0
			x.add(n, func() int64 { i++; return at(i - 1) })
			if rows, err := x.sub.Due(math.MinInt64, x.times); err != nil || len(rows) > 0 {
				t.Fatal(rows, err)
			}
			if _, _, err := x.sub.Oldest(x.times); err != nil {
				t.Fatal(err)
			}
			if asked := x.sub.times.asked; asked > n+1 {
				t.Errorf("%d rows were learned by asking %d", n, asked)
			}
			x.sub.times.asked = 0
			most, due, epoch := int64(0), 0, x.store.epoch
			for step := range int64(steps) {
				before := x.sub.times.asked
				rows, err := x.sub.Due(span/steps*(step+1), x.times)
				if err != nil {
					t.Fatal(err)
				}
				due += len(rows)
				if err := x.sub.remove(rows); err != nil {
					t.Fatal(err)
				}
				for range 3 {
					if _, _, err := x.sub.Oldest(x.times); err != nil {
						t.Fatal(err)
					}
				}
				most = max(most, x.sub.times.asked-before-int64(len(rows)))
				epoch++
				if _, err := x.store.Commit(epoch); err != nil {
					t.Fatal(err)
				}
			}
			asked := x.sub.times.asked
			if name == "one window" {
				if asked > 1000 {
					t.Errorf("%d rows were asked where none is due", asked)
				}
				return
			}
			t.Logf("%d rows became due in %d steps; %d were asked, in one step %d more than were due", due, steps, asked, most)
			if asked > 2*int64(due) || most > n/50 {
				t.Errorf("%d rows were asked for %d that became due, in one step %d more", asked, due, most)
			}
		})
	}
}
