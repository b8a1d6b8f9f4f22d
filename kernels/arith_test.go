package kernels

import (
	"encoding/binary"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

// intForm is an integer kernel in both forms.
type intForm[T Int] struct {
	name      string
	got, want func(dst, a, b []T) int
}

func intForms[T Int]() []intForm[T] {
	scalar := func(k func(dst, a []T, s T) int) func(dst, a, b []T) int {
		return func(dst, a, b []T) int {
			if len(b) == 0 {
				return k(dst, a, 0)
			}
			return k(dst, a, b[0])
		}
	}
	return []intForm[T]{
		{"add", AddInt[T], addIntGo[T]}, {"sub", SubInt[T], subIntGo[T]}, {"mul", MulInt[T], mulIntGo[T]},
		{"add scalar", scalar(AddIntScalar[T]), scalar(addIntScalarGo[T])},
	}
}

func checkInts[T Int](t *testing.T, a, b []T) {
	t.Helper()
	for _, f := range intForms[T]() {
		got, want := make([]T, len(a)), make([]T, len(a))
		bad, wantBad := f.got(got, a, b), f.want(want, a, b)
		if bad != wantBad || !slices.Equal(got, want) {
			t.Fatalf("%s of %d rows of %T: bad row %d, want %d", f.name, len(a), a, bad, wantBad)
		}
	}
}

func checkFloats(t *testing.T, a, b []float64) {
	t.Helper()
	same := func(name string, got, want []float64) {
		for i := range got {
			if math.Float64bits(got[i]) != math.Float64bits(want[i]) && !(math.IsNaN(got[i]) && math.IsNaN(want[i])) {
				t.Fatalf("%s row %d: %v and %v give %v, want %v", name, i, a[i], b[i], got[i], want[i])
			}
		}
	}
	got, want := make([]float64, len(a)), make([]float64, len(a))
	AddFloat(got, a, b)
	addFloatGo(want, a, b)
	same("add", got, want)
	SubFloat(got, a, b)
	subFloatGo(want, a, b)
	same("sub", got, want)
	MulFloat(got, a, b)
	mulFloatGo(want, a, b)
	same("mul", got, want)
	if x, y := DivFloat(got, a, b), divFloatGo(want, a, b); x != y {
		t.Fatalf("div: bad row %d, want %d", x, y)
	}
	same("div", got, want)
}

func checkArith(t *testing.T, raw []byte) {
	t.Helper()
	n := len(raw) / 16
	a, b := make([]int64, n), make([]int64, n)
	x, y := make([]float64, n), make([]float64, n)
	for i := range n {
		a[i], b[i] = int64(binary.LittleEndian.Uint64(raw[16*i:])), int64(binary.LittleEndian.Uint64(raw[16*i+8:]))
		x[i], y[i] = math.Float64frombits(uint64(a[i])), math.Float64frombits(uint64(b[i]))
	}
	checkInts(t, a, b)
	checkFloats(t, x, y)
	for i := range n {
		a[i], b[i] = a[i]>>34, b[i]>>33
	}
	checkInts(t, a, b)
	c, d := make([]int32, n), make([]int32, n)
	for i := range n {
		c[i], d[i] = int32(a[i]), int32(b[i]>>16)
	}
	checkInts(t, c, d)
}

// TestArithForms takes every length to 40, and values large and small.
func TestArithForms(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 6))
	for n := range 40 {
		for round := range 30 {
			raw := make([]byte, 0, 16*n)
			for range 2 * n {
				raw = binary.LittleEndian.AppendUint64(raw, uint64(rng.Int64()>>(round*2)*int64(1-2*rng.IntN(2))))
			}
			checkArith(t, raw)
		}
	}
}

func FuzzArithForms(f *testing.F) {
	f.Add([]byte("\x00\x00\x00\x00\x00\x00\x00\x80\xff\xff\xff\xff\xff\xff\xff\xff0123456789abcdef"))
	f.Fuzz(checkArith)
}

func TestBitmapsByWords(t *testing.T) {
	rng := rand.New(rand.NewPCG(7, 8))
	for n := range 40 {
		a, b := make([]byte, n), make([]byte, n)
		for i := range a {
			a[i], b[i] = byte(rng.Uint32()), byte(rng.Uint32())
		}
		dst := make([][]byte, 4)
		for i := range dst {
			dst[i] = make([]byte, n)
		}
		And(dst[0], a, b)
		Or(dst[1], a, b)
		AndNot(dst[2], a, b)
		Not(dst[3], a)
		for i := range n {
			if dst[0][i] != a[i]&b[i] || dst[1][i] != a[i]|b[i] || dst[2][i] != a[i]&^b[i] || dst[3][i] != ^a[i] {
				t.Fatalf("byte %d of %d", i, n)
			}
		}
	}
}

func BenchmarkArith(b *testing.B) {
	x, y, dst := randomInts[int64](1_000_000), randomInts[int64](1_000_000), make([]int64, benchRows)
	u, v, w := make([]float64, benchRows), make([]float64, benchRows), make([]float64, benchRows)
	for i := range u {
		u[i], v[i] = float64(x[i]), float64(y[i]+1)
	}
	c, d, e := randomInts[int32](1000), randomInts[int32](1000), make([]int32, benchRows)
	bits := make([]byte, BitmapBytes(benchRows))
	for _, k := range []struct {
		name string
		do   func()
	}{
		{"add/int64", func() { AddInt(dst, x, y) }}, {"add/int64/scalar", func() { AddIntScalar(dst, x, 7) }}, {"sub/int64", func() { SubInt(dst, x, y) }}, {"mul/int64", func() { MulInt(dst, x, y) }},
		{"add/int32", func() { AddInt(e, c, d) }}, {"mul/int32", func() { MulInt(e, c, d) }},
		{"add/float64", func() { AddFloat(w, u, v) }}, {"mul/float64", func() { MulFloat(w, u, v) }}, {"div/float64", func() { DivFloat(w, u, v) }}, {"and/bits", func() { And(bits, bits, bits) }},
	} {
		b.Run(k.name, func(b *testing.B) {
			b.SetBytes(benchRows)
			for b.Loop() {
				k.do()
			}
		})
	}
}
