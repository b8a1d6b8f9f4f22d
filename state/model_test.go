package state

import (
	"bytes"
	"fmt"
	"math"
	"math/rand/v2"
	"sort"
	"strings"
	"testing"

	"github.com/flightd/flightd/internal/base"
)

// The tests of this file drive stores with random epochs beside a plain map and
// hold every answer to it.

var keySchemas = map[string][]Field{
	"none":    nil,
	"int64":   {{Name: "a", Kind: Int64}},
	"float64": {{Name: "a", Kind: Float64}},
	"float32": {{Name: "a", Kind: Float32}, {Name: "b", Kind: Float32}},
	"text":    {{Name: "a", Kind: Bytes}},
	"narrow":  {{Name: "a", Kind: Bool}, {Name: "b", Kind: Int8}, {Name: "c", Kind: Int16}, {Name: "d", Kind: Int32}},
	"window":  {{Name: "a", Kind: Int64}, {Name: "b", Kind: Bytes}},
	"texts":   {{Name: "a", Kind: Bytes}, {Name: "b", Kind: Bytes}},
	"wide":    {{Name: "a", Kind: Int8}, {Name: "b", Kind: Wide}},
	"encoded": {{Name: "a", Kind: Bytes}, {Name: "b", Kind: Float64}, {Name: "c", Kind: Bytes}, {Name: "d", Kind: Bool}, {Name: "e", Kind: Wide}},
	"many": {{Name: "a", Kind: Int8}, {Name: "b", Kind: Int8}, {Name: "c", Kind: Int8}, {Name: "d", Kind: Int8}, {Name: "e", Kind: Int8},
		{Name: "f", Kind: Int8}, {Name: "g", Kind: Int8}, {Name: "h", Kind: Int8}, {Name: "i", Kind: Int8}},
}

var modelValues = []Field{
	{Name: "count", Type: "BIGINT", Kind: Int64},
	{Name: "max", Type: "DOUBLE", Kind: Float64, Nullable: true},
	{Name: "list", Type: "BINARY", Kind: Bytes, Nullable: true},
	{Name: "odd", Type: "BOOLEAN", Kind: Bool, Nullable: true},
	{Name: "total", Type: "DECIMAL(38,0)", Kind: Wide},
}

// randomColumn returns n values of a small domain, with NULLs and the values
// that are equal though their bits differ.
func randomColumn(rng *rand.Rand, kind Kind, n, domain int) Vector {
	b := newVectorBuilder(kind, n)
	for range n {
		x := rng.IntN(domain)
		if x == 0 {
			b.appendNull()
			continue
		}
		switch kind {
		case Bool:
			b.append([]byte{byte(x & 1)})
		case Float32:
			f := []float32{float32(math.Copysign(0, -1)), 0, float32(math.NaN()), math.Float32frombits(0xffc00001)}
			if x < 4 {
				b.append(bytesOf(f[x : x+1]))
			} else {
				b.append(bytesOf([]float32{float32(x)}))
			}
		case Float64:
			f := []float64{math.Copysign(0, -1), 0, math.NaN(), math.Float64frombits(0xfff8000000000001)}
			if x < 4 {
				b.append(bytesOf(f[x : x+1]))
			} else {
				b.append(bytesOf([]float64{float64(x)}))
			}
		case Bytes:
			b.append([]byte(strings.Repeat(string(rune('a'+x%7)), x%40+min(x/100, 60))))
		case Wide:
			b.append(bytesOf([]Word16{{Lo: uint64(x % 3), Hi: uint64(x)}}))
		default:
			b.append(bytesOf([]int64{int64(x) << 3})[:kind.width()])
		}
	}
	return b.vector()
}

// show returns value i of v as text, canonical.
func show(v *Vector, i int) string {
	if !v.IsValid(i) {
		return "NULL"
	}
	switch v.Kind {
	case Bool:
		return fmt.Sprint(bit(v.Data, i))
	case Float32:
		return fmt.Sprint(Values[float32](v)[i] + 0)
	case Float64:
		return fmt.Sprint(Values[float64](v)[i] + 0)
	case Bytes:
		return fmt.Sprintf("%q", v.At(i))
	}
	w := v.Kind.width()
	return fmt.Sprintf("%x", v.Data[i*w:(i+1)*w])
}

func showRow(cols []Vector, i int) string {
	s := ""
	for j := range cols {
		s += show(&cols[j], i) + "|"
	}
	return s
}

// entry is what the model knows of a key.
type entry struct {
	number int64
	count  int64
	max    float64
	hasMax bool
	list   string
	touch  int64
	epoch  base.Epoch
}

func (e *entry) String() string {
	max, list, odd := "NULL", "NULL", "NULL"
	if e.hasMax {
		max, odd = fmt.Sprint(e.max), fmt.Sprint(e.count%2 == 1)
		list = fmt.Sprintf("%q", e.list)
	}
	return fmt.Sprintf("%x|%s|%s|%s|%x|", bytesOf([]int64{e.count}), max, list, odd, bytesOf([]Word16{{Lo: uint64(e.count), Hi: uint64(e.number)}}))
}

type model struct {
	next int64
	rows map[string]*entry
}

func (m *model) ordered(of func(*entry) (int64, bool)) []string {
	type item struct {
		at  int64
		key string
	}
	var items []item
	for k, e := range m.rows {
		if at, ok := of(e); ok {
			items = append(items, item{at, k})
		}
	}
	sort.Slice(items, func(i, j int) bool { return items[i].at < items[j].at })
	out := make([]string, len(items))
	for i, it := range items {
		out[i] = it.key + " -> " + m.rows[it.key].String()
	}
	return out
}

func (m *model) scan() []string {
	return m.ordered(func(e *entry) (int64, bool) { return e.number, true })
}

func (m *model) changed(epoch base.Epoch) []string {
	return m.ordered(func(e *entry) (int64, bool) { return e.touch, e.epoch == epoch })
}

// upsert counts the rows of a batch in s.
func upsertModelBatch(s *Sharded, k *Keys, keys []Vector, n int, sel []int32, weak bool) error {
	k.weak = weak
	if err := k.Normalise(keys, n, sel); err != nil {
		return err
	}
	first := s.next
	return s.Upsert(k, sel, func(t *Table, sel, rows []int32) error {
		counts, maxes := t.Value(0).(*Fixed[int64]), t.Value(1).(*Fixed[float64])
		lists, odds, totals := t.Value(2).(*BytesColumn), t.Value(3).(*Fixed[uint8]), t.Value(4).(*Fixed[Word16])
		for i, row := range rows {
			counts.Data()[row]++
			count := counts.Data()[row]
			totals.Data()[row] = Word16{Lo: uint64(count), Hi: uint64(t.numbers[row])}
			at := first + int64(sel[i])
			if at%3 == 0 {
				continue // stays NULL if it never comes to something else
			}
			maxes.Set(row, float64(at))
			lists.Append(row, []byte(fmt.Sprintf("%d,", at)))
			if at%17 == 0 {
				lists.Set(row, []byte("x"))
			}
		}
		for _, row := range rows {
			if maxes.IsValid(row) {
				odds.Set(row, uint8(counts.Data()[row]&1))
			}
		}
		return nil
	})
}

func (m *model) upsert(keys []Vector, n int, sel []int32, epoch base.Epoch) {
	if sel == nil {
		for i := range n {
			sel = append(sel, int32(i))
		}
	}
	for _, r := range sel {
		key, at := showRow(keys, int(r)), m.next+int64(r)
		e := m.rows[key]
		if e == nil {
			e = &entry{number: at, epoch: -1}
			m.rows[key] = e
		}
		if e.epoch != epoch {
			e.epoch, e.touch = epoch, at
		}
		e.count++
		if at%3 == 0 {
			continue
		}
		e.max, e.hasMax = float64(at), true
		e.list += fmt.Sprintf("%d,", at)
		if at%17 == 0 {
			e.list = "x"
		}
	}
	m.next += int64(n)
}

func dump(t *testing.T, s *Sharded, refs []Ref) []string {
	t.Helper()
	var keys, values []Vector
	for i := range s.schema.Keys {
		v, err := s.Key(i, refs)
		if err != nil {
			t.Fatal(err)
		}
		keys = append(keys, v)
	}
	for i := range s.schema.Values {
		v, err := s.Value(i, refs)
		if err != nil {
			t.Fatal(err)
		}
		values = append(values, v)
	}
	out := make([]string, len(refs))
	for i := range refs {
		out[i] = showRow(keys, i) + " -> " + showRow(values, i)
	}
	return out
}

func requireSame(t *testing.T, what string, got, want []string) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("%s: %d rows, want %d\n%v\n%v", what, len(got), len(want), got, want)
	}
	for i := range got {
		if got[i] != want[i] {
			t.Fatalf("%s: row %d is\n%s\nwant\n%s", what, i, got[i], want[i])
		}
	}
}

func TestStoreAgainstModel(t *testing.T) {
	for name, fields := range keySchemas {
		for _, weak := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s/weak=%v", name, weak), func(t *testing.T) {
				for seed := range uint64(2) {
					runModel(t, Schema{Keys: fields, Values: modelValues}, seed, weak, 1)
				}
			})
		}
	}
}

// TestManyKeysAgainstModel is the same with so many keys that many are removed at
// once.
func TestManyKeysAgainstModel(t *testing.T) {
	for _, name := range []string{"int64", "window", "text"} {
		t.Run(name, func(t *testing.T) { runModel(t, Schema{Keys: keySchemas[name], Values: modelValues}, 3, false, 60) })
	}
}

// runModel runs 16 epochs in three stores of different numbers of sub-tables. Batches
// and domains are as large as scale.
func runModel(t *testing.T, schema Schema, seed uint64, weak bool, scale int) {
	rng := rand.New(rand.NewPCG(seed, 1))
	id := ID{Operator: 1, Name: DefaultName}
	subs := []int{1, 4, 32}
	stores, tables := make([]*MemoryStore, len(subs)), make([]*Sharded, len(subs))
	open := func(i int) {
		var err error
		if stores[i], err = NewMemory(Config{Seed: 9, SubTables: subs[i]}); err != nil {
			t.Fatal(err)
		}
	}
	table := func(i int) {
		var err error
		if tables[i], err = stores[i].Table(id, schema); err != nil {
			t.Fatal(err)
		}
	}
	for i := range subs {
		open(i)
		table(i)
	}
	m := &model{rows: map[string]*entry{}}
	var snapshot []byte
	var log [][]byte // changes since snapshot
	var pinned *Pinned
	for epoch := base.Epoch(0); epoch < 16; epoch++ {
		for range rng.IntN(4) {
			n, domain := rng.IntN(100)*(1+scale/10), (2+rng.IntN(60))*scale
			if rng.IntN(10) == 0 {
				n = 1000
			}
			var keys []Vector
			for _, f := range schema.Keys {
				keys = append(keys, randomColumn(rng, f.Kind, n, domain))
			}
			var sel []int32
			if rng.IntN(2) == 0 {
				sel = []int32{}
				for r := range n {
					if rng.IntN(3) > 0 {
						sel = append(sel, int32(r))
					}
				}
			}
			for i, s := range tables {
				if err := upsertModelBatch(s, s.NewKeys(), keys, n, sel, weak); err != nil {
					t.Fatalf("%d sub-tables: %v", subs[i], err)
				}
			}
			m.upsert(keys, n, sel, epoch)
			if rng.IntN(2) == 0 {
				removeSome(t, tables, m, rng.Uint64())
			}
		}
		if pinned != nil { // a snapshot of the epoch before, written late
			var buf bytes.Buffer
			if err := pinned.Encode(&buf); err != nil {
				t.Fatal(err)
			}
			snapshot, log, pinned = buf.Bytes(), log[:0], nil
		}
		var changes []byte
		for i, s := range tables {
			requireSame(t, fmt.Sprintf("epoch %d, %d sub-tables: changed", epoch, subs[i]), dump(t, s, s.Changed()), m.changed(epoch))
			requireSame(t, fmt.Sprintf("epoch %d, %d sub-tables: scan", epoch, subs[i]), dump(t, s, s.Scan()), m.scan())
			if s.Len() != len(m.rows) {
				t.Fatalf("%d keys, want %d", s.Len(), len(m.rows))
			}
			c, err := stores[i].Commit(epoch)
			if err != nil {
				t.Fatal(err)
			}
			if i > 0 && !bytes.Equal(c, changes) {
				t.Fatalf("epoch %d: changes differ between %d and %d sub-tables", epoch, subs[i-1], subs[i])
			}
			changes = c
		}
		log = append(log, changes)
		if rng.IntN(5) == 0 {
			pinned = stores[rng.IntN(len(subs))].Pin()
		}
		if rng.IntN(4) == 0 && pinned == nil && !weak {
			i := rng.IntN(len(subs))
			open(i)
			if snapshot != nil {
				if _, err := stores[i].Restore(bytes.NewReader(snapshot)); err != nil {
					t.Fatal(err)
				}
			}
			for j, c := range log {
				if err := stores[i].Apply(epoch-base.Epoch(len(log)-1-j), c); err != nil {
					t.Fatal(err)
				}
			}
			table(i)
			requireSame(t, fmt.Sprintf("epoch %d: restored scan", epoch), dump(t, tables[i], tables[i].Scan()), m.scan())
			if len(tables[i].Changed()) != 0 {
				t.Fatal("rows are changed after a restore")
			}
		}
	}
}

// removeSome removes about a quarter of the keys, and now and then all.
func removeSome(t *testing.T, tables []*Sharded, m *model, pick uint64) {
	gone := map[string]bool{}
	for k, e := range m.rows {
		if (uint64(e.number)^pick)%4 == 0 || pick%16 == 0 {
			gone[k] = true
		}
	}
	for k := range gone {
		delete(m.rows, k)
	}
	for _, s := range tables {
		var refs []Ref
		all := s.Scan()
		for i, line := range dump(t, s, all) {
			if gone[line[:strings.Index(line, " -> ")]] {
				refs = append(refs, all[i])
			}
		}
		if len(refs) != len(gone) {
			t.Fatalf("%d rows to remove, want %d", len(refs), len(gone))
		}
		if err := s.Remove(refs); err != nil {
			t.Fatal(err)
		}
	}
}
