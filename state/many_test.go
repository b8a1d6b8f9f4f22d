package state

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/flightd/flightd/internal/base"
)

func manySchema(keys []Field) Schema {
	return Schema{Keys: keys, Many: true, Values: []Field{{Name: "id", Type: "BIGINT", Kind: Int64},
		{Name: "visits", Type: "BIGINT", Kind: Int64, Nullable: true}, {Name: "note", Type: "STRING", Kind: Bytes, Nullable: true}}}
}

// manyBatch is a batch of keys that are inserted.
type manyBatch struct {
	keys []Vector
	n    int
	sel  []int32
}

// insert adds the batch to s and returns the rows by sub-table.
func (b *manyBatch) insert(s *Sharded) ([][]int32, error) {
	k := s.NewKeys()
	if err := k.Normalise(b.keys, b.n, b.sel); err != nil {
		return nil, err
	}
	p, out := s.Partition(k, b.sel), make([][]int32, s.Subs())
	for i := range out {
		part := p.Sub(i)
		if len(part) == 0 {
			continue
		}
		out[i] = make([]int32, len(part))
		if err := s.InsertSub(p, i, k, out[i]); err != nil {
			return nil, err
		}
		ids, notes := s.Sub(i).Value(0).(*Fixed[int64]), s.Sub(i).Value(2).(*BytesColumn)
		for j, row := range out[i] {
			id := p.first + int64(part[j])
			if ids.Set(row, id); id%2 == 0 {
				notes.Set(row, fmt.Appendf(nil, "n%d", id))
			}
		}
	}
	return out, nil
}

// manyRow is what the model knows of a row.
type manyRow struct {
	number, visits int64
	key            string
	touch          int64
	epoch          base.Epoch
	gone           bool
}

func (r *manyRow) String() string {
	visits, note := "NULL", "NULL"
	if r.visits > 0 {
		visits = fmt.Sprintf("%x", bytesOf([]int64{r.visits}))
		note = fmt.Sprintf("%q", fmt.Sprintf("v%d", r.visits))
	} else if r.number%2 == 0 {
		note = fmt.Sprintf("%q", fmt.Sprintf("n%d", r.number))
	}
	return fmt.Sprintf("%s -> %x|%s|%s|", r.key, bytesOf([]int64{r.number}), visits, note)
}

// manyModel is rows in the order of their numbers, and those of each key.
type manyModel struct {
	next  int64
	rows  []*manyRow
	byKey map[string][]*manyRow
}

func (m *manyModel) insert(b *manyBatch, epoch base.Epoch) {
	sel := b.sel
	if sel == nil {
		sel = make([]int32, b.n)
		for i := range sel {
			sel[i] = int32(i)
		}
	}
	for _, r := range sel {
		row := &manyRow{number: m.next + int64(r), touch: m.next + int64(r), epoch: epoch, key: showRow(b.keys, int(r))}
		m.rows = append(m.rows, row)
		m.byKey[row.key] = append(m.byKey[row.key], row)
	}
	m.next += int64(b.n)
}

func (m *manyModel) sweep() {
	gone := func(r *manyRow) bool { return r.gone }
	m.rows = slices.DeleteFunc(m.rows, gone)
	for k, rows := range m.byKey {
		m.byKey[k] = slices.DeleteFunc(rows, gone)
	}
}

func (m *manyModel) scan() []string {
	out := make([]string, len(m.rows))
	for i, r := range m.rows {
		out[i] = r.String()
	}
	return out
}

func (m *manyModel) changed(epoch base.Epoch) []string {
	var rows []*manyRow
	for _, r := range m.rows {
		if r.epoch == epoch {
			rows = append(rows, r)
		}
	}
	slices.SortFunc(rows, func(a, b *manyRow) int { return int(a.touch - b.touch) })
	out := make([]string, len(rows))
	for i, r := range rows {
		out[i] = r.String()
	}
	return out
}

// manyStores are stores of several numbers of sub-tables that do the same.
type manyStores struct {
	t      *testing.T
	schema Schema
	subs   []int
	stores []*MemoryStore
	tables []*Sharded
	weak   bool
}

// open makes store i anew.
func (m *manyStores) open(i int) {
	var err error
	if m.stores[i], err = NewMemory(Config{Seed: 9, SubTables: m.subs[i], Workers: 2}); err != nil {
		m.t.Fatal(err)
	}
	if m.tables[i], err = m.stores[i].Table(ID{Name: DefaultName}, m.schema); err != nil {
		m.t.Fatal(err)
	}
	m.tables[i].weak = m.weak
}

func TestManyAgainstModel(t *testing.T) {
	for name, fields := range keySchemas {
		for _, weak := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s/weak=%v", name, weak), func(t *testing.T) {
				for seed := range uint64(2) {
					runManyModel(t, fields, seed, weak)
				}
			})
		}
	}
}

func runManyModel(t *testing.T, fields []Field, seed uint64, weak bool) {
	rng := rand.New(rand.NewPCG(seed, 7))
	m := &manyStores{t: t, schema: manySchema(fields), subs: []int{1, 4, 32}, stores: make([]*MemoryStore, 3), tables: make([]*Sharded, 3), weak: weak}
	for i := range m.subs {
		m.open(i)
	}
	model := &manyModel{byKey: map[string][]*manyRow{}}
	var snapshot []byte
	var log [][]byte // changes since snapshot
	var pinned *Pinned
	for epoch := base.Epoch(0); epoch < 20; epoch++ {
		for range rng.IntN(4) {
			b := &manyBatch{n: rng.IntN(60)}
			if rng.IntN(10) == 0 {
				b.n = 700
			}
			for _, f := range fields {
				b.keys = append(b.keys, randomColumn(rng, f.Kind, b.n, 2+rng.IntN(40)))
			}
			if rng.IntN(2) == 0 {
				b.sel = []int32{}
				for r := range b.n {
					if rng.IntN(3) > 0 {
						b.sel = append(b.sel, int32(r))
					}
				}
			}
			for _, s := range m.tables {
				if _, err := b.insert(s); err != nil {
					t.Fatal(err)
				}
			}
			model.insert(b, epoch)
			m.visit(model, epoch, rng.Uint64())
			m.remove(model, rng.Uint64())
			m.checkChains(model, b)
		}
		if pinned != nil { // a snapshot of the epoch before, written late
			var buf bytes.Buffer
			if err := pinned.Encode(&buf); err != nil {
				t.Fatal(err)
			}
			snapshot, log, pinned = buf.Bytes(), log[:0], nil
		}
		var changes []byte
		for i, s := range m.tables {
			what := fmt.Sprintf("epoch %d, %d sub-tables: ", epoch, m.subs[i])
			requireSame(t, what+"changed", dump(t, s, s.Changed()), model.changed(epoch))
			requireSame(t, what+"scan", dump(t, s, s.Scan()), model.scan())
			c, err := m.stores[i].Commit(epoch)
			if err != nil {
				t.Fatal(err)
			}
			if i > 0 && !bytes.Equal(c, changes) {
				t.Fatalf("%schanges differ from those before", what)
			}
			changes = c
			if s.Len() != len(model.rows) {
				t.Fatalf("%s%d rows, want %d", what, s.Len(), len(model.rows))
			}
		}
		log = append(log, changes)
		if rng.IntN(5) == 0 {
			pinned = m.stores[rng.IntN(3)].Pin()
		}
		if rng.IntN(3) == 0 && pinned == nil {
			i := rng.IntN(3)
			m.open(i)
			if snapshot != nil {
				if _, err := m.stores[i].Restore(bytes.NewReader(snapshot)); err != nil {
					t.Fatal(err)
				}
			}
			for j, c := range log {
				if err := m.stores[i].Apply(epoch-base.Epoch(len(log)-1-j), c); err != nil {
					t.Fatal(err)
				}
			}
			requireSame(t, fmt.Sprintf("epoch %d: restored scan", epoch), dump(t, m.tables[i], m.tables[i].Scan()), model.scan())
		}
	}
}

// visit touches some rows and writes their values.
func (m *manyStores) visit(model *manyModel, epoch base.Epoch, pick uint64) {
	at := int64(0)
	for i, s := range m.tables {
		all, numbers := s.Scan(), []int64(nil)
		var some []Ref
		for j, n := range s.Numbers(all) {
			if (uint64(n)*7+pick)%5 == 0 {
				some, numbers = append(some, all[j]), append(numbers, n)
			}
		}
		at = s.next
		if err := s.Touch(some); err != nil {
			m.t.Fatal(err)
		}
		for _, ref := range some {
			visits, notes := s.Sub(int(ref.Sub)).Value(1).(*Fixed[int64]), s.Sub(int(ref.Sub)).Value(2).(*BytesColumn)
			n := visits.Data()[ref.Row] + 1
			visits.Set(ref.Row, n)
			notes.Set(ref.Row, fmt.Appendf(nil, "v%d", n))
		}
		if i > 0 {
			continue
		}
		for _, r := range model.rows {
			if _, found := slices.BinarySearch(numbers, r.number); !found {
				continue
			}
			if r.visits++; r.epoch != epoch {
				r.epoch, r.touch = epoch, at
			}
			at++
		}
		model.next = at
	}
}

// remove removes some rows: of all keys, of one key, or all.
func (m *manyStores) remove(model *manyModel, pick uint64) {
	for _, r := range model.rows {
		switch pick % 5 {
		case 0:
			r.gone = (uint64(r.number)^pick)%3 == 0
		case 1:
			r.gone = r.key == model.rows[0].key
		case 2:
			r.gone = pick%35 == 2
		}
	}
	for _, s := range m.tables {
		all := s.Scan()
		var refs []Ref
		for i, r := range model.rows {
			if r.gone {
				refs = append(refs, all[i])
			}
		}
		if err := s.Remove(refs); err != nil {
			m.t.Fatal(err)
		}
	}
	model.sweep()
}

// checkChains finds the keys of b and walks to their oldest rows.
func (m *manyStores) checkChains(model *manyModel, b *manyBatch) {
	for _, s := range m.tables {
		k, refs := s.NewKeys(), make([]Ref, b.n)
		if err := k.Normalise(b.keys, b.n, nil); err != nil {
			m.t.Fatal(err)
		}
		if err := s.Find(k, nil, refs); err != nil {
			m.t.Fatal(err)
		}
		for i, ref := range refs {
			rows := model.byKey[showRow(b.keys, i)]
			for j := len(rows) - 1; j >= 0; j-- {
				if ref.Row < 0 || s.Numbers([]Ref{ref})[0] != rows[j].number {
					m.t.Fatalf("key %s: row %d follows, want number %d", showRow(b.keys, i), ref.Row, rows[j].number)
				}
				ref.Row = s.Sub(int(ref.Sub)).Older(ref.Row)
			}
			if ref.Row != -1 {
				m.t.Fatalf("key %s: row %d follows, want none", showRow(b.keys, i), ref.Row)
			}
		}
	}
}

// hotTable returns a table of n rows of one key, and its epoch's changes.
func hotTable(tb testing.TB, n int, subs int) (*MemoryStore, *Sharded, []byte) {
	tb.Helper()
	m, err := NewMemory(Config{Seed: 1, SubTables: subs})
	if err != nil {
		tb.Fatal(err)
	}
	s, err := m.Table(ID{Name: DefaultName}, manySchema(keySchemas["text"]))
	if err != nil {
		tb.Fatal(err)
	}
	b := newVectorBuilder(Bytes, 1000)
	for range 1000 {
		b.append([]byte("the one key that all of these rows have"))
	}
	batch := &manyBatch{keys: []Vector{b.vector()}, n: 1000}
	for range n / 1000 {
		if _, err := batch.insert(s); err != nil {
			tb.Fatal(err)
		}
	}
	changes, err := m.Commit(0)
	if err != nil {
		tb.Fatal(err)
	}
	return m, s, changes
}

// TestOneHotKey: what is done to many rows of one key takes time in proportion.
func TestOneHotKey(t *testing.T) {
	const n = 200_000
	m, s, first := hotTable(t, n, 4)
	began := time.Now()
	keys, refs := s.NewKeys(), make([]Ref, 1)
	one := Vector{Kind: Bytes, Len: 1, Data: []byte("the one key that all of these rows have"), Off: []int32{0, 39}}
	if err := keys.Normalise([]Vector{one}, 1, nil); err != nil {
		t.Fatal(err)
	}
	length := func() int {
		if err := s.Find(keys, nil, refs); err != nil {
			t.Fatal(err)
		}
		n := 0
		for r := refs[0].Row; r >= 0; r = s.Sub(int(refs[0].Sub)).Older(r) {
			n++
		}
		return n
	}
	all := s.Scan()
	var some []Ref
	for i, r := range all { // the newest half, and each tenth of the others
		if i >= n/2 || i%10 == 0 {
			some = append(some, r)
		}
	}
	for _, r := range some {
		if err := s.Remove([]Ref{r}); err != nil {
			t.Fatal(err)
		}
	}
	for _, r := range some[len(some)-1000:] { // walks from removed rows
		if s.Sub(int(r.Sub)).Older(r.Row) < 0 {
			t.Fatal("no row follows")
		}
	}
	if got, want := length(), n-len(some); got != want {
		t.Fatalf("%d rows are left, want %d", got, want)
	}
	second, err := m.Commit(1)
	if err != nil {
		t.Fatal(err)
	}
	if got, want := length(), n-len(some); got != want {
		t.Fatalf("%d rows are left after the epoch, want %d", got, want)
	}
	if err := s.Remove(s.Scan()); err != nil {
		t.Fatal(err)
	}
	if length() != 0 {
		t.Fatal("the key is still there")
	}
	third, err := m.Commit(2)
	if err != nil {
		t.Fatal(err)
	}
	for _, subs := range []int{4, 64} {
		o, err := NewMemory(Config{Seed: 1, SubTables: subs})
		if err != nil {
			t.Fatal(err)
		}
		for epoch, c := range [][]byte{first, second, third} {
			if err := o.Apply(base.Epoch(epoch), c); err != nil {
				t.Fatal(err)
			}
		}
		if o.Tables()[0].Len() != 0 {
			t.Fatal("rows are left after the replay")
		}
	}
	if d := time.Since(began); d > 20*time.Second { // quadratic, it is minutes
		t.Errorf("%d rows of one key took %v", n, d)
	}
}

// TestManyIsAnotherSchema: a key of several rows is not taken for a key of one.
func TestManyIsAnotherSchema(t *testing.T) {
	m, err := NewMemory(Config{Seed: 1})
	if err != nil {
		t.Fatal(err)
	}
	schema := manySchema(keySchemas["int64"])
	s, err := m.Table(ID{Name: "rows"}, schema)
	if err != nil {
		t.Fatal(err)
	}
	schema.Many = false
	if _, err := m.Table(ID{Name: "rows"}, schema); err == nil || err.Error() != "state of operator 0, store rows has several rows a key, the query wants one row" {
		t.Errorf("asking for one row a key: %v", err)
	}
	k, rows := s.NewKeys(), make([]int32, 1)
	if err := k.Normalise([]Vector{{Kind: Int64, Len: 1, Data: make([]byte, 8)}}, 1, nil); err != nil {
		t.Fatal(err)
	}
	if err := s.Sub(0).insert(k, []int32{0}, rows, 0, []int64{4}); err != nil {
		t.Fatal(err)
	}
	if err := s.Sub(0).insert(k, []int32{0}, rows, 0, []int64{4}); err != nil {
		t.Fatal(err)
	}
	if s.endEpoch(1); !s.Sub(0).twice {
		t.Error("two rows with one number are not noticed")
	}
}

// BenchmarkInsert adds rows of 100,000 keys, ten each, beside what Upsert of a row for
// each takes.
func BenchmarkInsert(b *testing.B) {
	for _, many := range []bool{true, false} {
		b.Run(fmt.Sprintf("many=%v", many), func(b *testing.B) {
			schema := manySchema(keySchemas["int64"])
			schema.Many = many
			batches := int64Batches(100_000, 128)
			rows, keys := make([]int32, 8192), NewKeys(schema.Keys, 1)
			for b.Loop() {
				t := NewTable(schema, 1)
				for _, v := range batches {
					if err := keys.Normalise([]Vector{v}, v.Len, nil); err != nil {
						b.Fatal(err)
					}
					add := t.Upsert
					if many {
						add = t.Insert
					}
					if err := add(keys, nil, rows); err != nil {
						b.Fatal(err)
					}
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(8192*len(batches)), "ns/row")
		})
	}
}

// TestAdd: rows that are there are not touched, and made says which keys were not
// there, once each, also among keys that share a hash.
func TestAdd(t *testing.T) {
	for _, name := range []string{"int64", "text", "encoded"} {
		for _, weak := range []bool{false, true} {
			for _, kept := range []bool{false, true} {
				rng := rand.New(rand.NewPCG(6, 6))
				schema := Schema{Keys: keySchemas[name]}
				table := newTable(schema, newLayout(schema.Keys), 2, kept)
				k, seen := NewKeys(schema.Keys, 2), map[string]bool{}
				k.weak = weak
				for range 6 {
					const n = 150
					var cols []Vector
					for _, f := range schema.Keys {
						cols = append(cols, randomColumn(rng, f.Kind, n, 50))
					}
					if err := k.Normalise(cols, n, nil); err != nil {
						t.Fatal(err)
					}
					var want []int32
					for i := range int32(n) {
						if key := showRow(cols, int(i)); !seen[key] {
							seen[key] = true
							want = append(want, i)
						}
					}
					rows := make([]int32, n)
					made, err := table.Add(k, nil, rows)
					if err != nil {
						t.Fatal(err)
					}
					if !slices.Equal(made, want) {
						t.Fatalf("%s, weak %v: rows were made by %v, want %v", name, weak, made, want)
					}
					if !kept {
						continue
					}
					changed := table.Changed()
					for i, m := range made {
						if changed[i] != rows[m] {
							t.Fatalf("%s, weak %v: changed are %v, want those of %v", name, weak, changed, made)
						}
					}
					table.endEpoch()
				}
				if table.Len() != len(seen) {
					t.Fatalf("%d rows, want %d", table.Len(), len(seen))
				}
			}
		}
	}
}
