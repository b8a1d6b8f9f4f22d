package state

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/flightd/flightd/internal/base"
)

// TestLargeEpochs commits epochs of more than manyChanges rows: new ones, which are
// written by ranges, and touched ones, which are written by sub-table; and applies
// them to stores of other numbers of sub-tables.
func TestLargeEpochs(t *testing.T) {
	for _, name := range []string{"int64", "window", "wide"} {
		for _, many := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s/many=%v", name, many), func(t *testing.T) {
				schema := Schema{Keys: keySchemas[name], Values: modelValues, Many: many}
				m := &manyStores{t: t, schema: schema, subs: []int{1, 64}, stores: make([]*MemoryStore, 2), tables: make([]*Sharded, 2)}
				other := &manyStores{t: t, schema: schema, subs: []int{64, 8}, stores: make([]*MemoryStore, 2), tables: make([]*Sharded, 2)}
				for i := range m.subs {
					m.open(i)
					other.open(i)
				}
				epoch := base.Epoch(-1)
				commit := func(what string, same bool) {
					t.Helper()
					epoch++
					var first []byte
					var want []string
					for i, s := range m.stores {
						changes, err := s.Commit(epoch)
						if err != nil {
							t.Fatal(err)
						}
						if err := other.stores[i].Apply(epoch, changes); err != nil {
							t.Fatalf("%s: %v", what, err)
						}
						if i == 0 {
							first, want = changes, dump(t, m.tables[0], m.tables[0].Scan())
						}
						if same && !bytes.Equal(first, changes) {
							t.Errorf("%s: changes of %d sub-tables differ from those of 1", what, m.subs[i])
						}
						requireSame(t, fmt.Sprintf("%s: %d sub-tables", what, other.subs[i]), dump(t, other.tables[i], other.tables[i].Scan()), want)
					}
				}
				rng := rand.New(rand.NewPCG(3, 3))
				insert := func(n, domain int) {
					var cols []Vector
					for _, f := range schema.Keys {
						cols = append(cols, randomColumn(rng, f.Kind, n, domain))
					}
					for _, s := range m.tables {
						if err := insertLarge(s, cols, n); err != nil {
							t.Fatal(err)
						}
					}
				}
				each := func(step int, do func(s *Sharded, refs []Ref) error) {
					for _, s := range m.tables {
						var some []Ref
						for i, r := range s.Scan() {
							if i%step == 0 {
								some = append(some, r)
							}
						}
						if err := do(s, some); err != nil {
							t.Fatal(err)
						}
					}
				}
				insert(40_000, 1<<30)
				commit("new rows", true)
				each(2, func(s *Sharded, refs []Ref) error { return s.Remove(refs) })
				insert(20_000, 1<<30)
				commit("removals", true)
				each(1, func(s *Sharded, refs []Ref) error { return s.Touch(refs) })
				commit("touched rows", false)
				for range 5 {
					for _, s := range m.tables {
						s.Begin(1 << 30) // numbers lie far apart
					}
					insert(5_000, 1<<30)
					each(3, func(s *Sharded, refs []Ref) error { return s.Remove(refs[len(refs)/2:]) })
					commit("little by little", true)
				}
				each(1, func(s *Sharded, refs []Ref) error { return s.Remove(refs) })
				commit("all", false)
			})
		}
	}
}

func insertLarge(s *Sharded, cols []Vector, n int) error {
	k, rows := s.NewKeys(), make([]int32, n)
	if err := k.Normalise(cols, n, nil); err != nil {
		return err
	}
	p := s.Partition(k, nil)
	for i := range s.subs {
		part := p.Sub(i)
		if len(part) == 0 {
			continue
		}
		put := s.UpsertSub
		if s.schema.Many {
			put = s.InsertSub
		}
		if err := put(p, i, k, rows[:len(part)]); err != nil {
			return err
		}
		t := s.subs[i]
		for j, row := range rows[:len(part)] {
			t.Value(0).(*Fixed[int64]).Set(row, int64(part[j])*3)
			if part[j]%4 != 0 {
				t.Value(1).(*Fixed[float64]).Set(row, float64(part[j])/2)
				t.Value(2).(*BytesColumn).Set(row, fmt.Appendf(nil, "value %d", part[j]))
			}
		}
	}
	return nil
}

// TestDenseRanges finds ordinals at the ends of ranges, and knows what is not dense.
func TestDenseRanges(t *testing.T) {
	var a, b []int64
	for i := range int64(3 * denseRange) {
		if i%3 == 0 {
			a = append(a, 1000+i)
		} else if i%7 == 0 {
			b = append(b, 1000+i)
		}
	}
	r, ok := dense([][]int64{a, nil, b})
	if !ok || r.low != 1000 || r.high != max(a[len(a)-1], b[len(b)-1]) {
		t.Fatalf("ranges are %v, %v", r, ok)
	}
	var all []int64
	for i := range r.count() {
		all = append(all, denseNumbers(r, i, [][]int64{a, nil, b})...)
	}
	if len(all) != len(a)+len(b) {
		t.Fatalf("%d numbers, want %d", len(all), len(a)+len(b))
	}
	for i := 1; i < len(all); i++ {
		if all[i-1] >= all[i] {
			t.Fatalf("%d follows %d", all[i], all[i-1])
		}
	}
	if _, ok := dense([][]int64{a[:manyChanges/2], b[:manyChanges/4]}); ok {
		t.Error("few numbers are dense")
	}
	far := append([]int64{-1 << 62}, a...)
	if _, ok := dense([][]int64{far, {1 << 62}}); ok {
		t.Error("numbers that lie far apart are dense")
	}
	if _, ok := dense([][]int64{append(a[:0:0], a[1:]...), {5, 4}}); ok {
		t.Error("numbers that do not ascend are dense")
	}
}
