package state

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"

	"github.com/flightd/flightd/internal/base"
)

// pinStore is a store of one sub-table whose rows have a number, a text and a flag.
func pinStore(t *testing.T) (*MemoryStore, *Sharded) {
	t.Helper()
	m, err := NewMemory(Config{Seed: 1, SubTables: 1})
	if err != nil {
		t.Fatal(err)
	}
	s, err := m.Table(ID{Name: DefaultName}, Schema{Keys: []Field{{Name: "k", Type: "BIGINT", Kind: Int64}},
		Values: []Field{{Name: "n", Type: "BIGINT", Kind: Int64, Nullable: true}, {Name: "b", Type: "STRING", Kind: Bytes, Nullable: true}, {Name: "f", Type: "BOOLEAN", Kind: Bool}}})
	if err != nil {
		t.Fatal(err)
	}
	return m, s
}

// write adds or changes the keys from lo to hi−1.
func write(t *testing.T, s *Sharded, lo, hi int64, version int64) {
	t.Helper()
	ks := make([]int64, 0, hi-lo)
	for k := lo; k < hi; k++ {
		ks = append(ks, k)
	}
	k := s.NewKeys()
	if err := k.Normalise([]Vector{{Kind: Int64, Len: len(ks), Data: bytesOf(ks)}}, len(ks), nil); err != nil {
		t.Fatal(err)
	}
	err := s.Upsert(k, nil, func(t *Table, sel, rows []int32) error {
		n, b, f := t.Value(0).(*Fixed[int64]), t.Value(1).(*BytesColumn), t.Value(2).(*Fixed[uint8])
		for i, r := range rows {
			key := ks[sel[i]]
			n.Set(r, key*1000+version)
			if f.Set(r, uint8(version&1)); (key+version)%5 == 0 {
				n.SetNull(r)
				b.SetNull(r)
			} else {
				b.Set(r, fmt.Appendf(nil, "%d of %d", version, key))
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// TestPinCopiesPages changes a few rows of a large pinned sub-table: only their pages
// are copied, and with new rows the last one.
func TestPinCopiesPages(t *testing.T) {
	m, s := pinStore(t)
	const pages = 6
	write(t, s, 0, pages*pageRows-100, 1)
	if _, err := m.Commit(0); err != nil {
		t.Fatal(err)
	}
	want, err := Snapshot(m)
	if err != nil {
		t.Fatal(err)
	}
	pinned := m.Pin()
	copied := func() (out []int) {
		for i, p := range pinned.tables[0].subs[0].pages {
			if p != nil {
				out = append(out, i)
			}
		}
		return out
	}
	check := func(what, want string) {
		t.Helper()
		if got := fmt.Sprint(copied()); got != want {
			t.Errorf("%s: pages %s are copied, want %s", what, got, want)
		}
	}
	check("nothing changed", "[]")
	write(t, s, 2*pageRows+5, 2*pageRows+10, 2)
	check("five rows changed", "[2]")
	write(t, s, 100_000_000, 100_000_002, 2)
	check("two rows came", "[2 5]")
	if err := s.Remove([]Ref{{Row: 7}}); err != nil {
		t.Fatal(err)
	}
	check("a row was removed", "[0 2 5]")
	if _, err := m.Commit(1); err != nil {
		t.Fatal(err)
	}
	write(t, s, 2*pageRows, 2*pageRows+50, 3)
	write(t, s, 4*pageRows, 4*pageRows+1, 3)
	check("an epoch later", "[0 2 4 5]")
	var buf bytes.Buffer
	if err := pinned.Encode(&buf); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(buf.Bytes(), want) {
		t.Error("the snapshot is not that of the epoch that was pinned")
	}
}

// TestPinsBesideEpochs encodes several pins of different epochs while the table
// changes, grows, loses rows and is compacted: each is the snapshot of its epoch.
func TestPinsBesideEpochs(t *testing.T) {
	m, s := pinStore(t)
	rng := rand.New(rand.NewPCG(3, 4))
	var wg sync.WaitGroup
	next := int64(0)
	for epoch := range base.Epoch(40) {
		came := int64(rng.IntN(3 * pageRows))
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
		want, err := Snapshot(m)
		if err != nil {
			t.Fatal(err)
		}
		for range 1 + rng.IntN(2) {
			pinned := m.Pin()
			wg.Go(func() {
				var buf bytes.Buffer
				if err := pinned.Encode(&buf); err != nil {
					t.Error(err)
				}
				if !bytes.Equal(buf.Bytes(), want) {
					t.Errorf("the snapshot of epoch %d is another one", epoch)
				}
			})
		}
	}
	wg.Wait()
}
