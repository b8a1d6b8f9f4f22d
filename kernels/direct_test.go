package kernels

import (
	"encoding/binary"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"unsafe"
)

// drawnInts are values near low, and some from all over the range.
func drawnInts[T ~int32 | ~int64](r *rand.Rand, n int, low int64, spread int64) []T {
	out := make([]T, n)
	for i := range out {
		switch x := low + r.Int64N(spread); r.IntN(8) {
		case 0:
			out[i] = T(r.Uint64())
		case 1:
			out[i] = []T{T(low), T(low - 1), T(x), T(0)}[r.IntN(4)]
		default:
			out[i] = T(x)
		}
	}
	return out
}

// someRows is nil, or some of n rows.
func someRows(r *rand.Rand, n int) (sel []int32, live int) {
	if r.IntN(2) == 0 {
		return nil, n
	}
	sel = []int32{}
	for i := range n {
		if r.IntN(2) == 0 {
			sel = append(sel, int32(i))
		}
	}
	return sel, len(sel)
}

func at(sel []int32, i int) int {
	if sel != nil {
		return int(sel[i])
	}
	return i
}

// lookup is what the loops below do, one value at a time and with room to spare:
// the row of the ids at place x, or -1.
func lookup(ids []int32, place int64, inside bool) int32 {
	if !inside {
		return -1
	}
	return ids[place] - 1
}

// checkFound compares rows and missing with what want says of each i.
func checkFound(t *testing.T, rows, missing []int32, want func(i int) int32) {
	t.Helper()
	var lack []int32
	for i := range rows {
		w := want(i)
		if w < 0 {
			lack = append(lack, int32(i))
		} else if rows[i] != w {
			t.Fatalf("key %d is in row %d, want %d", i, rows[i], w)
		}
	}
	if !slices.Equal(missing, lack) {
		t.Fatalf("missing are %v, want %v", missing, lack)
	}
}

// distance is x - low, and whether it is in [0, n). The numbers go round: the
// least one follows the greatest.
func distance(x, low int64, n int) (int64, bool) {
	d := uint64(x) - uint64(low)
	return int64(d), d < uint64(n)
}

func directCase[T ~int32 | ~int64](t *testing.T, r *rand.Rand) {
	t.Helper()
	lows := []int64{0, -5, math.MaxInt32 - 20, math.MinInt32, 1000}
	if unsafe.Sizeof(T(0)) == 8 {
		lows = append(lows, math.MinInt64, math.MaxInt64-40, math.MaxInt64)
	}
	low := lows[r.IntN(len(lows))]
	ids := make([]int32, r.IntN(60))
	for i := range ids {
		ids[i] = int32(r.IntN(3) * (i + 1))
	}
	vals := drawnInts[T](r, r.IntN(50), low, 50)
	sel, live := someRows(r, len(vals))
	want := func(i int) int32 {
		d, in := distance(int64(vals[at(sel, i)]), low, len(ids))
		return lookup(ids, d, in)
	}
	rows, missing := make([]int32, live), make([]int32, live)
	checkFound(t, rows, missing[:FindDirect(ids, low, vals, sel, rows, missing)], want)
	if sel != nil {
		LookupDirect(ids, low, vals, sel, rows)
		for i := range rows {
			if rows[i] != want(i) {
				t.Fatalf("key %d is in row %d, want %d", i, rows[i], want(i))
			}
		}
	}
}

func TestFindDirectEqualsTheNaiveLoop(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	for range 3000 {
		directCase[int32](t, r)
		directCase[int64](t, r)
	}
}

// placesCase looks keys of one to three columns up by their places.
func placesCase(t *testing.T, r *rand.Rand) {
	t.Helper()
	columns, n := 1+r.IntN(3), r.IntN(50)
	sel, live := someRows(r, n)
	lows, sizes, strides := make([]int64, columns), make([]uint64, columns), make([]uint64, columns)
	total := uint64(1)
	for c := columns - 1; c >= 0; c-- {
		lows[c] = []int64{0, -3, math.MinInt64, math.MaxInt64 - 4, math.MinInt32}[r.IntN(5)]
		sizes[c], strides[c] = 1+r.Uint64N(12), total
		total *= sizes[c]
	}
	ids := make([]int32, total)
	for i := range ids {
		ids[i] = int32(r.IntN(2) * (i + 1))
	}
	places := make([]uint64, live)
	for i := range places {
		places[i] = r.Uint64() // of the batch before
	}
	vals := make([][]int64, columns)
	for c := range columns {
		vals[c] = drawnInts[int64](r, n, lows[c], 12)
		if c == 1 {
			narrow := drawnInts[int32](r, n, lows[c], 12)
			for i, v := range narrow {
				vals[c][i] = int64(v)
			}
			AddPlaces(places, c == 0, lows[c], sizes[c], strides[c], narrow, sel)
			continue
		}
		AddPlaces(places, c == 0, lows[c], sizes[c], strides[c], vals[c], sel)
	}
	rows, missing := make([]int32, live), make([]int32, live)
	checkFound(t, rows, missing[:FindPlaces(ids, places, rows, missing)], func(i int) int32 {
		place := int64(0)
		for c := range columns {
			d, in := distance(vals[c][at(sel, i)], lows[c], int(sizes[c]))
			if !in {
				return -1
			}
			place += d * int64(strides[c])
		}
		return lookup(ids, place, true)
	})
}

func TestFindPlacesEqualsTheNaiveLoop(t *testing.T) {
	r := rand.New(rand.NewPCG(6, 6))
	for range 6000 {
		placesCase(t, r)
	}
}

// seedOf makes bytes the source of a case.
func seedOf(data []byte) *rand.Rand {
	var b [16]byte
	copy(b[:], data)
	return rand.New(rand.NewPCG(binary.LittleEndian.Uint64(b[:]), binary.LittleEndian.Uint64(b[8:])))
}

func FuzzDirect(f *testing.F) {
	f.Add([]byte("direct"))
	f.Fuzz(func(t *testing.T, data []byte) {
		r := seedOf(data)
		directCase[int32](t, r)
		directCase[int64](t, r)
		placesCase(t, r)
	})
}
