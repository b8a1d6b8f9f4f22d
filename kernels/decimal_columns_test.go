package kernels

import (
	"math/rand/v2"
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
