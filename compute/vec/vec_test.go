package vec

import (
	"math"
	"math/rand"
	"slices"
	"testing"

	"github.com/flightd/flightd/plan/expr"
)

var nested = expr.StructOf(
	expr.Field{Name: "i", Type: expr.Int32, Nullable: true}, expr.Field{Name: "s", Type: expr.String, Nullable: true},
	expr.Field{Name: "l", Type: expr.ArrayOf(expr.Float64, true), Nullable: true}, expr.Field{Name: "m", Type: expr.MapOf(expr.String, expr.Bool, true), Nullable: true},
	expr.Field{Name: "d", Type: expr.Decimal(20, 2), Nullable: true},
)

// random appends n random rows, one in four NULL, at every level.
func random(b *Builder, r *rand.Rand, n int) {
	for range n {
		if r.Intn(4) == 0 {
			b.AppendNull()
			continue
		}
		switch b.Type.Kind {
		case expr.KindInt32:
			b.AppendInt(int64(r.Intn(5)))
		case expr.KindBool:
			b.AppendBool(r.Intn(2) == 0)
		case expr.KindFloat64:
			AppendFixed(b, []float64{0, math.Copysign(0, -1), math.NaN(), 1.5, math.Inf(1)}[r.Intn(5)])
		case expr.KindString:
			b.AppendBytes([]byte("abcdefghijklmnop"[:r.Intn(16)]))
		case expr.KindDecimal:
			AppendFixed(b, Wide{Lo: uint64(r.Intn(9))})
		case expr.KindArray, expr.KindMap:
			k := r.Intn(4)
			for i, kid := range b.Kids {
				if b.Type.Kind == expr.KindMap && i == 0 { // keys are never NULL
					for j := range k {
						kid.AppendBytes([]byte{byte('a' + j)})
					}
					continue
				}
				random(kid, r, k)
			}
			b.EndList()
		case expr.KindStruct:
			for _, kid := range b.Kids {
				random(kid, r, 1)
			}
			b.EndStruct()
		}
	}
}

func randomVec(r *rand.Rand, t *expr.Type, n int) *Vec {
	b := NewBuilder(t)
	random(b, r, n)
	return b.Vec()
}

// What EncodeRow writes reads back as an equal value, and equal values have equal
// bytes.
func TestRowCodec(t *testing.T) {
	r := rand.New(rand.NewSource(1))
	v := randomVec(r, nested, 200)
	b := NewBuilder(nested)
	enc := make([]string, v.Len)
	for i := range v.Len {
		buf := EncodeRow(v, i, nil)
		enc[i] = string(buf)
		rest, ok := DecodeRow(b, append(buf, "tail"...))
		if !ok || string(rest) != "tail" {
			t.Fatalf("row %d: rest %q, %v", i, rest, ok)
		}
	}
	w := b.Vec()
	for i := range v.Len {
		if Compare(v, i, w, i) != 0 {
			t.Fatalf("row %d is another", i)
		}
		for j := range v.Len {
			if (Compare(v, i, v, j) == 0) != (enc[i] == enc[j]) {
				t.Fatalf("rows %d and %d: compare %d, same bytes %v", i, j, Compare(v, i, v, j), enc[i] == enc[j])
			}
		}
	}
}

// What StoreRow writes reads back bit for bit, and is EncodeRow's but for zeros.
func TestStoreRow(t *testing.T) {
	typ := expr.ArrayOf(expr.Float64, true)
	b := NewBuilder(typ)
	rows := [][]float64{{math.Copysign(0, -1), 0, 1.5}, {math.NaN(), -2}, {}}
	for _, row := range rows {
		for _, x := range row {
			AppendFixed(b.Kids[0], x)
		}
		b.EndList()
	}
	v := b.Vec()
	w := NewBuilder(typ)
	for i := range v.Len {
		if rest, ok := DecodeRow(w, StoreRow(v, i, nil)); !ok || len(rest) > 0 {
			t.Fatalf("row %d: rest %q, %v", i, rest, ok)
		}
	}
	got := w.Vec()
	for i, x := range Values[float64](v.Kids[0]) {
		if y := Values[float64](got.Kids[0])[i]; math.Float64bits(x) != math.Float64bits(y) {
			t.Errorf("element %d: %x is stored as %x", i, math.Float64bits(x), math.Float64bits(y))
		}
	}
	if string(StoreRow(v, 1, nil)) != string(EncodeRow(v, 1, nil)) {
		t.Error("a row without zeros has two forms")
	}
}

func FuzzDecodeRow(f *testing.F) {
	f.Add([]byte{1, 1, 1, 0, 0, 0, 1, 2, 'a', 'b', 0, 0, 0})
	f.Fuzz(func(_ *testing.T, src []byte) { DecodeRow(NewBuilder(nested), src) })
}

func TestConcatTakeSlice(t *testing.T) {
	r := rand.New(rand.NewSource(2))
	for _, n := range []int{0, 1, 7, 8, 9, 100} {
		a, b := randomVec(r, nested, n), randomVec(r, nested, n/2+1)
		all := Concat([]*Vec{a, b})
		if all.Len != a.Len+b.Len {
			t.Fatal(all.Len)
		}
		for i := range all.Len {
			from, j := a, i
			if i >= a.Len {
				from, j = b, i-a.Len
			}
			if Compare(all, i, from, j) != 0 {
				t.Fatalf("%d rows: row %d", n, i)
			}
		}
		lo := all.Len / 3
		part := all.Slice(lo, all.Len)
		for i := range part.Len {
			if Compare(part, i, all, lo+i) != 0 {
				t.Fatalf("%d rows: slice row %d", n, i)
			}
		}
		again := Concat([]*Vec{part, part})
		if Compare(again, part.Len, part, 0) != 0 {
			t.Fatal("a slice does not concatenate")
		}
		part.Arrow().Release()
		back := FromArrow(all.Arrow(), nested)
		for i := range back.Len {
			if Compare(back, i, all, i) != 0 {
				t.Fatalf("%d rows: row %d through Arrow", n, i)
			}
		}
	}
}

func TestSortIndex(t *testing.T) {
	r := rand.New(rand.NewSource(3))
	for _, typ := range []*expr.Type{expr.Int32, expr.Float64, expr.String, nested, expr.Bool} {
		for mode := range 4 {
			desc, first := mode&1 == 1, mode&2 == 2
			a, b := randomVec(r, typ, 300), randomVec(r, expr.Int32, 300)
			got := SortIndex([]*Vec{a, b}, []bool{desc, false}, []bool{first, true}, nil)
			want := make([]int32, 300)
			for i := range want {
				want[i] = int32(i)
			}
			slices.SortStableFunc(want, func(x, y int32) int {
				if c := compareNulls(a, int(x), int(y), desc, first); c != 0 {
					return c
				}
				return compareNulls(b, int(x), int(y), false, true)
			})
			if !slices.Equal(got, want) {
				t.Fatalf("%s, descending %v, nulls first %v", typ, desc, first)
			}
		}
	}
	if got := SortIndex([]*Vec{randomVec(r, expr.Int32, 9)}, []bool{false}, []bool{true}, []int32{5}); !slices.Equal(got, []int32{5}) {
		t.Error(got)
	}
}

// Fresh takes scratch, copies what is borrowed and passes on what is shared.
func TestFresh(t *testing.T) {
	r := rand.New(rand.NewSource(4))
	v := randomVec(r, nested, 20)
	want := EncodeRow(v, 3, nil)
	if Fresh(v) != v {
		t.Error("a shared column was copied")
	}
	w := *v
	w.Own = Borrowed
	if f := Fresh(&w); &f.Kids[0].Data[0] == &v.Kids[0].Data[0] {
		t.Error("a borrowed column was not copied")
	}
	w.Own = Scratch
	f := Fresh(&w)
	if w.Kids != nil || w.Valid != nil || f.Own != Shared || string(EncodeRow(f, 3, nil)) != string(want) {
		t.Error("scratch was not taken")
	}
}

func BenchmarkSortIndex(b *testing.B) {
	r := rand.New(rand.NewSource(1))
	bd := NewBuilder(expr.Int64)
	for range 8192 {
		bd.AppendInt(r.Int63())
	}
	v := bd.Vec()
	for b.Loop() {
		SortIndex([]*Vec{v}, []bool{false}, []bool{true}, nil)
	}
}
