package state

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
)

// TestPartialIntoKept merges a table of one epoch into a kept one by its Keys,
// and finds every key again, for keys of every layout.
func TestPartialIntoKept(t *testing.T) {
	for name, fields := range keySchemas {
		t.Run(name, func(t *testing.T) {
			schema := Schema{Keys: fields, Values: modelValues[:1]}
			rng := rand.New(rand.NewPCG(4, 4))
			m, _ := NewMemory(Config{Seed: 5, SubTables: 8})
			kept, _ := m.Table(ID{}, schema)
			want := map[string]int64{}
			partialKeys, norm, rows := &Keys{}, NewKeys(fields, 5), make([]int32, 300)
			for range 3 {
				partial := NewTable(schema, 5)
				for range 4 {
					var cols []Vector
					for _, f := range fields {
						cols = append(cols, randomColumn(rng, f.Kind, 300, 40))
					}
					if err := norm.Normalise(cols, 300, nil); err != nil {
						t.Fatal(err)
					}
					if err := partial.Upsert(norm, nil, rows); err != nil {
						t.Fatal(err)
					}
					for i, r := range rows {
						partial.Value(0).(*Fixed[int64]).Data()[r]++
						want[showRow(cols, i)]++
					}
				}
				from := partial.Value(0).(*Fixed[int64]).Data()
				partial.Keys(partialKeys)
				err := kept.Upsert(partialKeys, nil, func(t *Table, sel, rows []int32) error {
					to := t.Value(0).(*Fixed[int64]).Data()
					for i, r := range sel {
						to[rows[i]] += from[r]
					}
					return nil
				})
				if err != nil {
					t.Fatal(err)
				}
				refs := make([]Ref, partial.Len())
				if err := kept.Find(partialKeys, nil, refs); err != nil {
					t.Fatal(err)
				}
				for i, ref := range refs {
					a, b := "", ""
					for c := range fields {
						x, _ := partial.Key(c, []int32{int32(i)})
						y, _ := kept.Key(c, []Ref{ref})
						a, b = a+show(&x, 0), b+show(&y, 0)
					}
					if a != b {
						t.Fatalf("key %s was found as %s", a, b)
					}
				}
			}
			if kept.Len() != len(want) {
				t.Fatalf("%d keys, want %d", kept.Len(), len(want))
			}
			for _, line := range dump(t, kept, kept.Scan()) {
				key, value, _ := strings.Cut(line, " -> ")
				if w := fmt.Sprintf("%x|", bytesOf([]int64{want[key]})); value != w {
					t.Errorf("%s is %s, want %s", key, value, w)
				}
			}
		})
	}
}

// TestBatchCutsDoNotShow upserts the same rows in batches of several sizes.
func TestBatchCutsDoNotShow(t *testing.T) {
	var want []byte
	all := randomColumn(rand.New(rand.NewPCG(1, 1)), Int64, 1000, 300)
	for _, size := range []int{1000, 333, 7, 1} {
		m, _ := NewMemory(Config{Seed: 5})
		s, _ := m.Table(ID{}, Schema{Keys: keySchemas["int64"], Values: modelValues})
		for at := 0; at < all.Len; at += size {
			n := min(size, all.Len-at)
			b := newVectorBuilder(Int64, n)
			for i := at; i < at+n; i++ {
				if all.IsValid(i) {
					b.append(all.Data[8*i : 8*i+8])
				} else {
					b.appendNull()
				}
			}
			if err := upsertModelBatch(s, s.NewKeys(), []Vector{b.vector()}, n, nil, false); err != nil {
				t.Fatal(err)
			}
		}
		got, err := m.Commit(0)
		if err != nil {
			t.Fatal(err)
		}
		if want == nil {
			want = got
		}
		if !bytes.Equal(got, want) {
			t.Errorf("batches of %d rows give other changes", size)
		}
	}
}

func TestTouch(t *testing.T) {
	m, _ := smallStore(t)
	s := m.Tables()[0]
	refs := s.Scan()
	if err := s.Touch([]Ref{refs[4], refs[1], refs[4]}); err != nil {
		t.Fatal(err)
	}
	if got := s.Changed(); len(got) != 2 || got[0] != refs[4] || got[1] != refs[1] {
		t.Errorf("changed %v, want %v and %v", got, refs[4], refs[1])
	}
}

// TestBytesColumn sets, appends and overwrites values beside a plain slice.
func TestBytesColumn(t *testing.T) {
	rng := rand.New(rand.NewPCG(2, 2))
	c, want := newBytes(true), [][]byte{}
	for step := range 50_000 {
		if len(want) < 5 || step%500 == 0 {
			c.grow(3)
			want = append(want, nil, nil, nil)
		}
		row := rng.IntN(len(want))
		b := bytes.Repeat([]byte{byte(step)}, rng.IntN(60))
		switch rng.IntN(5) {
		case 0:
			c.SetNull(int32(row))
			want[row] = nil
		case 1:
			c.Append(int32(row), b)
			want[row] = append(want[row][:len(want[row]):len(want[row])], b...)
			if want[row] == nil {
				want[row] = []byte{}
			}
		case 2: // a value of the same column
			from := rng.IntN(len(want))
			c.Set(int32(row), c.Get(int32(from)))
			want[row] = append([]byte{}, want[from]...)
		default:
			c.Set(int32(row), b)
			want[row] = b
		}
	}
	for row, w := range want {
		if !bytes.Equal(c.Get(int32(row)), w) || c.IsValid(int32(row)) != (w != nil) {
			t.Fatalf("row %d is %q, want %q", row, c.Get(int32(row)), w)
		}
	}
	live := 0
	for _, w := range want {
		live += len(w)
	}
	if c.MemBytes() > int64(20*live+1<<18) {
		t.Errorf("%d bytes are held for %d", c.MemBytes(), live)
	}
	if n := c.Cut([]int32{0, 1, 2}, 0); n != 1 {
		t.Errorf("a cut at 0 bytes takes %d rows, want 1", n)
	}
}

// TestMemoryIsGivenBack removes all keys and expects small tables.
func TestMemoryIsGivenBack(t *testing.T) {
	m, _ := NewMemory(Config{Seed: 1, SubTables: 4})
	s, _ := m.Table(ID{}, Schema{Keys: keySchemas["int64"], Values: countValues})
	keys := s.NewKeys()
	sequence(t, 200_000, func(v Vector) {
		if err := keys.Normalise([]Vector{v}, v.Len, nil); err != nil {
			t.Fatal(err)
		}
		if err := s.Upsert(keys, nil, func(*Table, []int32, []int32) error { return nil }); err != nil {
			t.Fatal(err)
		}
	})
	if _, err := m.Commit(0); err != nil {
		t.Fatal(err)
	}
	full := s.MemBytes()
	if err := s.Remove(s.Scan()); err != nil {
		t.Fatal(err)
	}
	if s.Len() != 0 || s.RemovedLen() != 200_000 {
		t.Fatalf("%d keys left, %d removed", s.Len(), s.RemovedLen())
	}
	if _, err := m.Commit(1); err != nil {
		t.Fatal(err)
	}
	if now := s.MemBytes(); now > full/20 {
		t.Errorf("%d bytes are held after all keys went, %d before", now, full)
	}
}
