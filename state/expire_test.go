package state

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/flightd/flightd/internal/base"
)

// mortals is a table of keys with times; whether a key is the time, and may have several
// rows, the schema says.
type mortals struct {
	t      *testing.T
	schema Schema
	store  *MemoryStore
	table  *Sharded
}

func newMortals(t *testing.T, schema Schema, subs int) *mortals {
	t.Helper()
	s, err := NewMemory(Config{Seed: 3, SubTables: subs, Workers: 2})
	if err != nil {
		t.Fatal(err)
	}
	table, err := s.Table(ID{Name: "rows"}, schema)
	if err != nil {
		t.Fatal(err)
	}
	return &mortals{t, schema, s, table}
}

// add puts rows of (key, time) into the table; a negative time is NULL.
func (x *mortals) add(keys, times []int64) {
	x.t.Helper()
	at := Vector{Kind: Int64, Len: len(times), Data: bytesOf(times), Valid: make([]byte, (len(times)+7)/8)}
	for i, us := range times {
		if us >= 0 {
			setBit(at.Valid, i)
		}
	}
	k := x.table.NewKeys()
	if err := k.Normalise([]Vector{{Kind: Int64, Len: len(keys), Data: bytesOf(keys)}, at}[:len(x.schema.Keys)], len(keys), nil); err != nil {
		x.t.Fatal(err)
	}
	p := x.table.Partition(k, nil)
	for i := range x.table.Subs() {
		part := p.Sub(i)
		if len(part) == 0 {
			continue
		}
		rows, put := make([]int32, len(part)), x.table.UpsertSub
		if x.schema.Many {
			put = x.table.InsertSub
		}
		if err := put(p, i, k, rows); err != nil {
			x.t.Fatal(err)
		}
		for j, row := range rows {
			if len(x.schema.Values) == 0 {
				break
			}
			col, us := x.table.Sub(i).Value(0).(*Fixed[int64]), times[part[j]]
			if us >= 0 && (!col.IsValid(row) || us > col.Data()[row]) { // times do not fall
				col.Set(row, us)
			}
		}
	}
}

// show is the rows as text: key and time, in the order of their numbers.
func (x *mortals) show() []string {
	x.t.Helper()
	refs := x.table.Scan()
	get := func(i int) Vector {
		v, err := x.table.Key(i, refs)
		if err != nil {
			x.t.Fatal(err)
		}
		return v
	}
	keys, at := get(0), Vector{}
	if len(x.schema.Keys) > 1 {
		at = get(1)
	} else {
		var err error
		if at, err = x.table.Value(0, refs); err != nil {
			x.t.Fatal(err)
		}
	}
	out := make([]string, len(refs))
	for i := range refs {
		out[i] = fmt.Sprint(Values[int64](&keys)[i], " NULL")
		if at.IsValid(i) {
			out[i] = fmt.Sprint(Values[int64](&keys)[i], " ", Values[int64](&at)[i])
		}
	}
	return out
}

// TestExpire removes rows by time, by key and by value, beside rows that are removed by
// name: the changelog brings a store with other sub-tables to the same rows.
func TestExpire(t *testing.T) {
	key, at := Field{Name: "k", Type: "BIGINT", Kind: Int64}, Field{Name: "ts", Type: "TIMESTAMP", Kind: Int64, Nullable: true}
	for name, schema := range map[string]Schema{
		"rows by value": {Keys: []Field{key}, Values: []Field{at}, Many: true, Time: &TimeColumn{At: 0}},
		"rows by key":   {Keys: []Field{key, at}, Many: true, Time: &TimeColumn{Key: true, At: 1}},
		"keys by value": {Keys: []Field{key}, Values: []Field{at}, Time: &TimeColumn{At: 0}},
		"keys by key":   {Keys: []Field{key, at}, Time: &TimeColumn{Key: true, At: 1}},
	} {
		t.Run(name, func(t *testing.T) {
			rnd := rand.New(rand.NewPCG(1, 2))
			x, mirror := newMortals(t, schema, 8), newMortals(t, schema, 1)
			limit := int64(0)
			for epoch := range base.Epoch(30) {
				n := rnd.IntN(200)
				keys, times := make([]int64, n), make([]int64, n)
				for i := range keys {
					keys[i], times[i] = rnd.Int64N(50), limit+rnd.Int64N(5000)-rnd.Int64N(300)
					if rnd.IntN(20) == 0 || times[i] < 0 {
						times[i] = -1
					}
				}
				x.add(keys, times)
				if refs := x.table.Scan(); len(refs) > 0 {
					some := refs[:rnd.IntN(min(len(refs), 5))]
					if err := x.table.Remove(some); err != nil {
						t.Fatal(err)
					}
				}
				before := x.show()
				var gone []string
				if rnd.IntN(4) > 0 {
					limit += rnd.Int64N(2000)
					seen := make([]int, x.table.Subs())
					if err := x.table.Expire(limit, 2, func(i int, rows []int32) error { seen[i] = len(rows); return nil }); err != nil {
						t.Fatal(err)
					}
					gone = slices.DeleteFunc(slices.Clone(before), func(s string) bool {
						var k, us int64
						n, _ := fmt.Sscan(s, &k, &us)
						return n < 2 || us > limit
					})
					sum := 0
					for _, n := range seen {
						sum += n
					}
					if sum != len(gone) {
						t.Fatalf("epoch %d: %d rows were shown, %d expired", epoch, sum, len(gone))
					}
				}
				want := slices.DeleteFunc(slices.Clone(before), func(s string) bool { return slices.Contains(gone, s) })
				if got := x.show(); !slices.Equal(got, want) {
					t.Fatalf("epoch %d: after %d\n got %v\nwant %v", epoch, limit, got, want)
				}
				changes, err := x.store.Commit(epoch)
				if err != nil {
					t.Fatal(err)
				}
				if err := mirror.store.Apply(epoch, changes); err != nil {
					t.Fatal(err)
				}
				if mirror.table, err = mirror.store.Table(ID{Name: "rows"}, schema); err != nil {
					t.Fatal(err)
				}
				if got := mirror.show(); !slices.Equal(got, want) {
					t.Fatalf("epoch %d: the mirror has\n got %v\nwant %v", epoch, got, want)
				}
			}
		})
	}
}

// The changelog of an epoch that only expires rows does not grow with them.
func TestExpireIsShort(t *testing.T) {
	x := newMortals(t, Schema{Keys: []Field{{Name: "k", Type: "BIGINT", Kind: Int64}},
		Values: []Field{{Name: "ts", Type: "TIMESTAMP", Kind: Int64, Nullable: true}}, Many: true, Time: &TimeColumn{}}, 4)
	keys := make([]int64, 50_000)
	for i := range keys {
		keys[i] = int64(i)
	}
	x.add(keys, keys)
	if _, err := x.store.Commit(0); err != nil {
		t.Fatal(err)
	}
	if err := x.table.Expire(40_000, 1, nil); err != nil {
		t.Fatal(err)
	}
	changes, err := x.store.Commit(1)
	if err != nil {
		t.Fatal(err)
	}
	if x.table.Len() != 9_999 || len(changes) > 1000 {
		t.Errorf("%d rows are left, and %d bytes say so", x.table.Len(), len(changes))
	}
}

// A restart may judge rows by another column.
func TestExpireByAnotherColumn(t *testing.T) {
	schema := Schema{Keys: []Field{{Name: "k", Type: "BIGINT", Kind: Int64}},
		Values: []Field{{Name: "ts", Type: "TIMESTAMP", Kind: Int64, Nullable: true}}, Many: true, Time: &TimeColumn{}}
	x := newMortals(t, schema, 2)
	x.add([]int64{1, 2, 3}, []int64{30, 20, 10})
	if err := x.table.Expire(15, 1, nil); err != nil {
		t.Fatal(err)
	}
	if _, err := x.store.Commit(0); err != nil {
		t.Fatal(err)
	}
	schema.Time = &TimeColumn{Key: true}
	if _, err := x.store.Table(ID{Name: "rows"}, schema); err != nil {
		t.Fatal(err)
	}
	if err := x.table.Expire(1, 1, nil); err != nil {
		t.Fatal(err)
	}
	if got := x.show(); !slices.Equal(got, []string{"2 20"}) {
		t.Errorf("left are %v", got)
	}
}
