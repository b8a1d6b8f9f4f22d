package kernels

import (
	"math/rand/v2"
	"slices"
	"testing"
)

// Columns of decimals give what one pair gives, whatever their scales and sizes.
func TestDecimalColumnsAgainstPairs(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	draw := func() Int128 {
		switch r.IntN(4) {
		case 0:
			return From64(int64(r.Uint64()) >> r.IntN(64))
		case 1:
			return Int128{r.Uint64(), int64(r.Uint64()) >> (2 + r.IntN(60))}
		case 2:
			return []Int128{{}, From64(1), From64(-1), From64(1<<63 - 1), From64(-1 << 63), pow10[38].Sub(From64(1)), pow10[18], pow10[19]}[r.IntN(8)]
		}
		return From64(int64(r.IntN(2000) - 1000))
	}
	for range 3000 {
		o := DecimalOp{ScaleA: r.IntN(20), ScaleB: r.IntN(20), Precision: 1 + r.IntN(38)}
		o.Scale = []int{max(o.ScaleA, o.ScaleB), min(38, o.ScaleA+o.ScaleB), r.IntN(39)}[r.IntN(3)]
		a, b, dst := make([]Int128, 16), make([]Int128, 16), make([]Int128, 16)
		for i := range a {
			a[i], b[i] = draw(), draw()
		}
		if r.IntN(2) == 0 { // both columns are narrow, up to the bits that matter
			p, q := r.IntN(64), r.IntN(64)
			for i := range a {
				a[i], b[i] = From64(int64(r.Uint64())>>p), From64(int64(r.Uint64())>>q)
			}
		}
		for name, f := range map[string]struct {
			column func(DecimalOp, []Int128, []Int128, []Int128) int
			pair   func(DecimalOp, Int128, Int128) (Int128, bool)
		}{"add": {AddDecimal, DecimalOp.Add}, "sub": {SubDecimal, DecimalOp.Sub}, "mul": {MulDecimal, DecimalOp.Mul}} {
			bad, want := f.column(o, dst, a, b), -1
			for i := range a {
				v, ok := f.pair(o, a[i], b[i])
				if !ok && want < 0 {
					want = i
				}
				if ok && v != dst[i] {
					t.Fatalf("%s %+v of %v and %v is %v, the pair gives %v", name, o, a[i], b[i], dst[i], v)
				}
			}
			if bad != want {
				t.Fatalf("%s %+v: the first that does not fit is %d, the pairs say %d", name, o, bad, want)
			}
		}
	}
}

// Selecting decimals is comparing each.
func TestSelectDecimal(t *testing.T) {
	rnd, narrows := rand.New(rand.NewPCG(1, 9)), 0
	for range 500 {
		draw := func() Int128 { return Int128{rnd.Uint64N(3) * (1<<64 - 1) / 2, rnd.Int64N(3) - 1} }
		if rnd.IntN(2) == 0 {
			few := From64(int64(rnd.Uint64N(1e18)))
			draw = func() Int128 { return []Int128{few, few.Neg(), {}, From64(1e18 - 1), From64(1 - 1e18)}[rnd.IntN(5)] }
		}
		a := make([]Int128, rnd.IntN(50))
		for i := range a {
			a[i] = draw()
		}
		s := draw()
		var sel []int32
		if rnd.IntN(2) == 0 {
			sel = []int32{}
			for i := range a {
				if rnd.IntN(2) == 0 {
					sel = append(sel, int32(i))
				}
			}
		}
		for _, op := range []Op{EQ, NE, LT, LE, GT, GE} {
			bits := make([]byte, BitmapBytes(len(a)))
			b := make([]Int128, len(a))
			for i := range b {
				b[i] = s
			}
			CompareDecimal(op, bits, a, b)
			if narrow := slices.IndexFunc(append(a, s), func(x Int128) bool { return !x.Below(pow10[18]) }) < 0; narrow {
				same := make([]byte, len(bits))
				CompareNarrowDecimal(op, same, a, b)
				for i := range a {
					if Bit(same, i) != Bit(bits, i) {
						t.Fatalf("op %d, row %d: %x, narrow %x", op, i, bits, same)
					}
				}
				out := make([]int32, len(a))
				wide := slices.Clone(out[:SelectDecimal(op, a, s, sel, out)])
				if got := out[:SelectNarrowDecimal(op, a, s, sel, out)]; !slices.Equal(got, wide) {
					t.Fatalf("op %d: selected %v, narrow %v", op, wide, got)
				}
				narrows++
			}
			out := make([]int32, len(a))
			got := out[:SelectDecimal(op, a, s, sel, out)]
			var want []int32
			for i := range a {
				if Bit(bits, i) && (sel == nil || slices.Contains(sel, int32(i))) {
					want = append(want, int32(i))
				}
			}
			if !slices.Equal(got, want) {
				t.Fatalf("op %d: selected %v, not %v", op, got, want)
			}
		}
	}
	if narrows < 1000 {
		t.Errorf("only %d comparisons were narrow", narrows)
	}
}

// Sums and counts by group are those of one row after the other, whatever the size of
// the values and the number of groups.
func TestDecimalGroups(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 1))
	for range 2000 {
		n, rows := 1+r.IntN(2*bankGroups), r.IntN(400)
		vals := make([]Int128, rows)
		for i := range vals {
			vals[i] = From64(int64(r.Uint64()) >> r.IntN(64))
		}
		switch r.IntN(3) {
		case 0:
			for i := range vals {
				vals[i] = From64(int64(r.Uint32()))
			}
		case 1:
			if rows > 0 {
				vals[r.IntN(rows)] = Int128{r.Uint64(), r.Int64()}
			}
		}
		sum, want := make([]Int128, n), make([]Int128, n)
		count, counted := make([]int64, n), make([]int64, n)
		for g := range sum {
			sum[g] = Int128{r.Uint64(), r.Int64()}
			want[g] = sum[g]
		}
		var groups, at []int32
		some := r.IntN(2) // every row, or about half of them
		for i := range int32(rows) {
			if r.IntN(2) < some {
				continue
			}
			g := int32(r.IntN(n))
			groups, at = append(groups, g), append(at, i)
			want[g] = want[g].Add(vals[i])
			counted[g]++
		}
		SumDecimalGroups(sum, groups, at, vals)
		CountGroups(count, groups)
		if !slices.Equal(sum, want) || !slices.Equal(count, counted) {
			t.Fatalf("%d rows of %d groups: %v and %v, not %v and %v", rows, n, sum, count, want, counted)
		}
	}
}
