package kernels

import (
	"fmt"
	"math/bits"
	"math/rand/v2"
	"testing"
)

// index drives the probe kernels as a table does.
type index[K Key] struct {
	slots   []uint64
	shift   uint
	rowKeys []K
	n       int
	seed    HashSeed
}

func newIndex[K Key](slots int) *index[K] {
	return &index[K]{slots: make([]uint64, slots), shift: uint(32 - bits.TrailingZeros(uint(slots))), seed: NewHashSeed(3)}
}

func (x *index[K]) grow() {
	old := x.slots
	x.slots = make([]uint64, 2*len(old))
	x.shift--
	Reslot(x.slots, x.shift, old)
	x.rowKeys = append(make([]K, 0, len(x.slots)/2), x.rowKeys[:x.n]...)
	x.rowKeys = x.rowKeys[:cap(x.rowKeys)]
}

func (x *index[K]) upsert(keys []K, sel []int32) []int32 {
	hashes := make([]uint64, len(keys))
	HashKeys(hashes, keys, &x.seed)
	rows, fresh := make([]int32, len(sel)), make([]int32, len(sel))
	for done := 0; done < len(sel); {
		d, n := Upsert(x.slots, x.shift, x.rowKeys, x.n, hashes, keys, sel[done:], rows[done:], fresh)
		for k := range n - x.n {
			if rows[done+int(fresh[k])] != int32(x.n+k) {
				panic("fresh names another row")
			}
		}
		done, x.n = done+d, n
		if done < len(sel) {
			x.grow()
		}
	}
	return rows
}

// checkProbe upserts, finds and deletes keys as ops say and holds every answer
// to a map.
func checkProbe[K Key](t *testing.T, ops []byte) {
	x := newIndex[K](4)
	model, alive := map[K]int32{}, 0
	for len(ops) >= 2 {
		op, n := ops[0], int(ops[1])%8+1
		ops = ops[2:]
		n = min(n, len(ops))
		keys := make([]K, n)
		for i := range keys {
			keys[i][len(keys[i])-1] = uint64(ops[i] % 64)
			keys[i][0] += uint64(ops[i]%64) << 32
		}
		ops = ops[n:]
		var sel []int32
		for i := range keys {
			if op&0x40 == 0 || i%2 == 0 {
				sel = append(sel, int32(i))
			}
		}
		hashes := make([]uint64, n)
		HashKeys(hashes, keys, &x.seed)
		switch op % 3 {
		case 0:
			for i, row := range x.upsert(keys, sel) {
				k := keys[sel[i]]
				if want, ok := model[k]; !ok {
					model[k] = row
					alive++
				} else if want != row {
					t.Fatalf("key %x: row %d, want %d", k, row, want)
				}
			}
		case 1:
			rows := make([]int32, len(sel))
			Find(x.slots, x.shift, x.rowKeys, hashes, keys, sel, rows)
			for i, row := range rows {
				want, ok := model[keys[sel[i]]]
				if !ok {
					want = -1
				}
				if row != want {
					t.Fatalf("finding %x: row %d, want %d", keys[sel[i]], row, want)
				}
			}
		case 2:
			for _, r := range sel {
				row, ok := model[keys[r]]
				if !ok {
					row = 1 << 20
				} else {
					alive--
				}
				if Delete(x.slots, x.shift, hashes[r], row) != ok {
					t.Fatalf("deleting %x: want %v", keys[r], ok)
				}
				delete(model, keys[r])
			}
		}
		used := 0
		for _, s := range x.slots {
			if s != 0 {
				used++
			}
		}
		if used != alive {
			t.Fatalf("%d slots are used by %d keys", used, alive)
		}
	}
}

// checkStack stacks keys as ops say, removes the newest row of some, and walks every
// chain beside a map of slices.
func checkStack[K Key](t *testing.T, ops []byte) {
	x := newIndex[K](4)
	older, model, heads := make([]int32, len(ops)), map[K][]int32{}, 0
	for len(ops) >= 2 {
		op, n := ops[0], min(int(ops[1])%16+1, len(ops)-2)
		keys := make([]K, n)
		for i, b := range ops[2 : 2+n] {
			keys[i][len(keys[i])-1] = uint64(b % 32)
			keys[i][0] += uint64(b%32) << 32
		}
		ops = ops[2+n:]
		var sel []int32
		for i := range keys {
			if op&0x40 == 0 || i%2 == 0 {
				sel = append(sel, int32(i))
			}
		}
		hashes, rows := make([]uint64, n), make([]int32, len(sel))
		HashKeys(hashes, keys, &x.seed)
		if op%4 > 0 {
			for done := 0; done < len(sel); {
				d, used := Stack(x.slots, x.shift, len(x.slots)/2-heads, x.rowKeys, older, x.n, hashes, keys, sel[done:], rows[done:])
				for i, row := range rows[done : done+d] {
					if k := keys[sel[done+i]]; int(row) == x.n+i {
						model[k] = append(model[k], row)
					} else {
						t.Fatalf("key %x has row %d, want %d", k, row, x.n+i)
					}
				}
				x.n, heads, done = x.n+d, heads+used, done+d
				if done < len(sel) {
					x.grow()
				}
			}
		}
		for i, r := range sel {
			have := model[keys[r]]
			Find(x.slots, x.shift, x.rowKeys, hashes, keys, sel[i:i+1], rows[:1])
			row := rows[0]
			for j := len(have) - 1; j >= 0; j-- {
				if row != have[j] {
					t.Fatalf("key %x: row %d follows, want %d of %v", keys[r], row, have[j], have)
				}
				row = older[row]
			}
			if row != -1 {
				t.Fatalf("key %x: row %d follows, want none", keys[r], row)
			}
			if op%4 > 0 || len(have) == 0 {
				continue
			}
			top := have[len(have)-1]
			if model[keys[r]] = have[:len(have)-1]; len(have) > 1 {
				if !Replace(x.slots, x.shift, hashes[r], top, have[len(have)-2]) || Replace(x.slots, x.shift, hashes[r], top, 0) {
					t.Fatalf("row %d of key %x is replaced once, not never or twice", top, keys[r])
				}
			} else if heads--; !Delete(x.slots, x.shift, hashes[r], top) {
				t.Fatalf("row %d of key %x is not there", top, keys[r])
			}
		}
	}
}

func FuzzStack(f *testing.F) {
	f.Add(uint8(0), []byte("\x01\x07abcdefgh\x01\x03abc\x00\x02ab\x00\x03abc\x01\x03aaaa"))
	f.Fuzz(func(t *testing.T, words uint8, ops []byte) {
		switch words % 4 {
		case 0:
			checkStack[[1]uint64](t, ops)
		case 1:
			checkStack[[2]uint64](t, ops)
		case 2:
			checkStack[[3]uint64](t, ops)
		case 3:
			checkStack[[4]uint64](t, ops)
		}
	})
}

func FuzzProbe(f *testing.F) {
	f.Add(uint8(0), []byte("\x00\x07abcdefgh\x01\x03abc\x02\x02ab\x01\x03abc"))
	f.Fuzz(func(t *testing.T, words uint8, ops []byte) {
		switch words % 4 {
		case 0:
			checkProbe[[1]uint64](t, ops)
		case 1:
			checkProbe[[2]uint64](t, ops)
		case 2:
			checkProbe[[3]uint64](t, ops)
		case 3:
			checkProbe[[4]uint64](t, ops)
		}
	})
}

func TestProbeRandom(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for range 200 {
		ops := make([]byte, 2000)
		for i := range ops {
			ops[i] = byte(rng.Uint32())
		}
		checkProbe[[1]uint64](t, ops)
		checkProbe[[2]uint64](t, ops)
		checkProbe[[3]uint64](t, ops)
		checkProbe[[4]uint64](t, ops)
		checkStack[[1]uint64](t, ops)
		checkStack[[2]uint64](t, ops)
		checkStack[[3]uint64](t, ops)
		checkStack[[4]uint64](t, ops)
	}
}

func TestMoveSlots(t *testing.T) {
	old := []uint64{0xf0000000<<32 | 4, 0, 7<<32 | 1, 0xf0000000<<32 | 3, 9<<32 | 2, 0, 0, 0}
	slots := make([]uint64, 4)
	MoveSlots(slots, 30, old, []int32{5, -1, 0, 8})
	if want := []uint64{7<<32 | 6, 0xf0000000<<32 | 1, 0, 0xf0000000<<32 | 9}; fmt.Sprint(slots) != fmt.Sprint(want) {
		t.Errorf("got %x, want %x", slots, want)
	}
}

func TestKeepSlots(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 5))
	for range 200 {
		const shift = 32 - 6
		slots, names := make([]uint64, 1<<6), []int32{0}
		kept := map[int32]uint32{}
		for row := range int32(rng.IntN(63)) {
			hash := uint64(rng.Uint32N(1<<20)+0xfff80000) << 32 // most lie at the end, and around it
			Insert(slots, shift, hash, row)
			if names = append(names, 0); rng.IntN(3) > 0 {
				names[row+1] = int32(len(kept) + 1)
				kept[int32(len(kept))] = uint32(hash >> 32)
			}
		}
		if used := KeepSlots(slots, shift, names); used != len(kept) {
			t.Fatalf("%d slots are used, want %d", used, len(kept))
		}
		used := 0
		for _, s := range slots {
			if s != 0 {
				used++
			}
		}
		if used != len(kept) {
			t.Fatalf("%d slots are used, want %d", used, len(kept))
		}
		for row, tag := range kept {
			if !Replace(slots, shift, uint64(tag)<<32, row, row) {
				t.Fatalf("row %d of tag %x is not found in %x", row, tag, slots)
			}
		}
	}
}

func TestRemapSlots(t *testing.T) {
	slots := []uint64{0, 7<<32 | 1, 0, 9<<32 | 3}
	RemapSlots(slots, []int32{5, -1, 0})
	if want := []uint64{0, 7<<32 | 6, 0, 9<<32 | 1}; fmt.Sprint(slots) != fmt.Sprint(want) {
		t.Errorf("got %x, want %x", slots, want)
	}
}

func TestPartition(t *testing.T) {
	hashes := []uint64{4, 1, 6, 3, 0, 5}
	sel := []int32{0, 1, 2, 4, 5}
	counts := make([]int32, 4)
	PartitionCounts(hashes, sel, counts)
	if fmt.Sprint(counts) != "[2 2 1 0]" {
		t.Fatalf("counts %v", counts)
	}
	starts, dst := []int32{0, 2, 4, 5}, make([]int32, 5)
	PartitionScatter(hashes, sel, starts, dst)
	if fmt.Sprint(dst) != "[0 4 1 5 2]" || fmt.Sprint(starts) != "[2 4 5 5]" {
		t.Fatalf("parts %v, ends %v", dst, starts)
	}
}

func benchmarkUpsert[K Key](b *testing.B, groups int) {
	x := newIndex[K](1 << 10)
	for x.n = 0; min(4*groups, 2*groups+1<<16) > len(x.slots); {
		x.grow()
	}
	x.rowKeys = make([]K, groups)
	const n = 8192
	for g := range groups {
		var k K
		var h [1]uint64
		k[0] = uint64(g)
		HashKeys(h[:], []K{k}, &x.seed)
		_, x.n = Upsert(x.slots, x.shift, x.rowKeys, x.n, h[:], []K{k}, []int32{0}, make([]int32, 1), make([]int32, 1))
	}
	batches := make([][]K, 64)
	hashes := make([][]uint64, len(batches))
	rng := rand.New(rand.NewPCG(1, 2))
	for i := range batches {
		batches[i], hashes[i] = make([]K, n), make([]uint64, n)
		for j := range batches[i] {
			batches[i][j][0] = rng.Uint64N(uint64(groups))
		}
		HashKeys(hashes[i], batches[i], &x.seed)
	}
	sel, rows, fresh := make([]int32, n), make([]int32, n), make([]int32, n)
	for i := range sel {
		sel[i] = int32(i)
	}
	i := 0
	for b.Loop() {
		k := i % len(batches)
		_, x.n = Upsert(x.slots, x.shift, x.rowKeys, x.n, hashes[k], batches[k], sel, rows, fresh)
		i++
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/n, "ns/row")
}

func BenchmarkUpsert(b *testing.B) {
	for _, groups := range []int{1_000, 100_000, 10_000_000} {
		b.Run(fmt.Sprintf("words=1/groups=%d", groups), func(b *testing.B) { benchmarkUpsert[[1]uint64](b, groups) })
		b.Run(fmt.Sprintf("words=3/groups=%d", groups), func(b *testing.B) { benchmarkUpsert[[3]uint64](b, groups) })
	}
}
