package state

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/flightd/flightd/internal/base"
)

// contentOf is every live row of a table as a view has it.
func contentOf(v *View) ([]string, error) {
	var out []string
	t := v.Table(ID{Name: DefaultName})
	for i := range t.Subs() {
		for page := range t.Pages(i) {
			p, err := t.Page(i, page)
			if err != nil {
				return nil, err
			}
			rows := p.Live()
			k, err := p.Key(0, rows)
			if err != nil {
				return nil, err
			}
			n, b, f := p.Value(0).Gather(rows), p.Value(1).Gather(rows), p.Value(2).Gather(rows)
			for j := range rows {
				out = append(out, fmt.Sprint(Values[int64](&k)[j], n.IsValid(j), Values[int64](&n)[j], string(b.At(j)), bit(f.Data, j)))
			}
		}
	}
	slices.Sort(out)
	return out, nil
}

// TestViewsBesideEpochs reads views of several epochs, several readers each, while the
// table changes, grows, loses rows and is compacted: each is the state of its epoch.
func TestViewsBesideEpochs(t *testing.T) {
	m, s := pinStore(t)
	rng := rand.New(rand.NewPCG(5, 6))
	budget := &Budget{}
	var wg sync.WaitGroup
	next := int64(0)
	for epoch := range base.Epoch(30) {
		came := int64(rng.IntN(2 * pageRows))
		write(t, s, next, next+came, int64(epoch))
		next += came
		for range 3 {
			from := rng.Int64N(next)
			write(t, s, from, min(next, from+rng.Int64N(300)), int64(epoch))
		}
		if n := s.Len(); rng.IntN(3) == 0 {
			refs := s.Scan()
			from := rng.IntN(n)
			if err := s.Remove(refs[from : from+rng.IntN(min(n-from, n/2)+1)]); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := m.Commit(epoch); err != nil {
			t.Fatal(err)
		}
		if rng.IntN(2) == 0 {
			continue
		}
		first := m.View(budget)
		want, err := contentOf(first)
		first.Release()
		if err != nil {
			t.Fatal(err)
		}
		v := m.View(budget)
		var readers sync.WaitGroup
		for range 3 {
			readers.Go(func() {
				got, err := contentOf(v)
				if err != nil {
					t.Error(err)
				}
				if !slices.Equal(got, want) {
					t.Errorf("epoch %d: %d rows, and other ones than the %d it had", epoch, len(got), len(want))
				}
			})
		}
		wg.Go(func() {
			readers.Wait()
			v.Release()
		})
	}
	wg.Wait()
	if n := budget.Used(); n != 0 {
		t.Errorf("%d bytes are held when all views are released", n)
	}
	if _, err := m.Commit(30); err != nil {
		t.Fatal(err)
	}
	if n := len(s.subs[0].pins); n != 0 {
		t.Errorf("the table has %d pins", n)
	}
}

// TestViewFind finds rows by their keys, long texts and NULL among them, in the view's
// epoch and not in a later one.
func TestViewFind(t *testing.T) {
	m, err := NewMemory(Config{Seed: 1, SubTables: 4})
	if err != nil {
		t.Fatal(err)
	}
	s, err := m.Table(ID{}, Schema{Keys: []Field{{Name: "k", Type: "STRING", Kind: Bytes}}, Values: []Field{{Name: "n", Type: "BIGINT", Kind: Int64}}})
	if err != nil {
		t.Fatal(err)
	}
	s.weak = true // the hashes of long texts collide
	long := strings.Repeat("long ", 10)
	put := func(n int64, texts ...string) {
		k := s.NewKeys()
		v := Vector{Kind: Bytes, Len: len(texts) + 1, Off: []int32{0}, Valid: slices.Repeat([]byte{0xff}, 8)}
		for _, x := range texts {
			v.Data = append(v.Data, x...)
			v.Off = append(v.Off, int32(len(v.Data)))
		}
		v.Off = append(v.Off, int32(len(v.Data)))
		clearBit(v.Valid, len(texts)) // the last one is NULL
		if err := k.Normalise([]Vector{v}, v.Len, nil); err != nil {
			t.Fatal(err)
		}
		err := s.Upsert(k, nil, func(t *Table, sel, rows []int32) error {
			for i, r := range rows {
				t.Value(0).(*Fixed[int64]).Set(r, n+int64(sel[i]))
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	put(10, "a", "b", long+"1", long+"2")
	if _, err := m.Commit(0); err != nil {
		t.Fatal(err)
	}
	v := m.View(&Budget{})
	defer v.Release()
	put(20, "a", "c", long+"1", long+"3")
	table := v.Table(ID{})
	for text, want := range map[string]int64{"a": 10, "b": 11, long + "1": 12, long + "2": 13, "\x00": 14, "c": -1, long + "3": -1, "": -1} {
		k := table.NewKeys()
		one := Vector{Kind: Bytes, Len: 1, Off: []int32{0, int32(len(text))}, Data: []byte(text)}
		if text == "\x00" {
			one = Vector{Kind: Bytes, Len: 1, Off: []int32{0, 0}, Valid: []byte{0}}
		}
		if err := k.Normalise([]Vector{one}, 1, nil); err != nil {
			t.Fatal(err)
		}
		refs, err := table.Find(k)
		if err != nil {
			t.Fatal(err)
		}
		got := int64(-1)
		if len(refs) > 0 {
			at, row := PageOf(refs[0].Row)
			p, err := table.Page(int(refs[0].Sub), at)
			if err != nil {
				t.Fatal(err)
			}
			got = p.Value(0).(*Fixed[int64]).Data()[row]
		}
		if got != want || len(refs) > 1 {
			t.Errorf("%q: %d in %d rows, want %d", text, got, len(refs), want)
		}
	}
}

// TestViewBudget changes more than views may hold: they are lost, and the table goes on.
func TestViewBudget(t *testing.T) {
	m, s := pinStore(t)
	write(t, s, 0, 6*pageRows, 1)
	if _, err := m.Commit(0); err != nil {
		t.Fatal(err)
	}
	budget := &Budget{Limit: 3 * pageRows * 45}
	old := m.View(budget)
	write(t, s, 0, 10, 2) // one page
	if _, err := m.Commit(1); err != nil {
		t.Fatal(err)
	}
	for range 3 { // what is read only is not kept beyond a part of the room
		if rows, err := contentOf(old); err != nil || len(rows) != 6*pageRows {
			t.Fatalf("reading six pages with room for three: %d rows, %v", len(rows), err)
		}
	}
	if old.Lost() || budget.Used() == 0 {
		t.Errorf("lost %v, %d bytes", old.Lost(), budget.Used())
	}
	young := m.View(budget)
	defer young.Release()
	write(t, s, 0, 6*pageRows, 3)
	if _, err := m.Commit(2); err != nil {
		t.Fatal(err)
	}
	if _, err := contentOf(young); err == nil || base.CodeOf(err) != base.CodeExhausted {
		t.Fatalf("six changed pages with room for three: %v", err)
	}
	if n := budget.Used(); n != 0 {
		t.Errorf("%d bytes are held by lost views", n)
	}
	old.Release()
}
