package kernels

import (
	"encoding/binary"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

var ops = []Op{EQ, NE, LT, LE, GT, GE}

// checkCompare holds the comparisons and what is made of them to the portable
// forms, on all of dst.
func checkCompare[T Int](t *testing.T, a, b []T, s T) {
	t.Helper()
	n := BitmapBytes(len(a))
	got, want := make([]byte, n), make([]byte, n)
	rows, wantRows := make([]int32, len(a)), make([]int32, len(a))
	for _, op := range ops {
		CompareInt(op, got, a, b)
		compareIntGo(op, want, a, b)
		if !slices.Equal(got, want) {
			t.Fatalf("%d rows of %T, op %d, columns: got %x, want %x", len(a), s, op, got, want)
		}
		CompareIntScalar(op, got, a, s)
		compareIntScalarGo(op, want, a, s)
		if !slices.Equal(got, want) {
			t.Fatalf("%d rows of %T, op %d, scalar %d: got %x, want %x", len(a), s, op, s, got, want)
		}
		k, w := SelectScalar(op, a, s, rows), selectScalarGo(op, a, s, wantRows)
		if !slices.Equal(rows[:k], wantRows[:w]) {
			t.Fatalf("%d rows of %T, op %d, scalar %d: selected %v, want %v", len(a), s, op, s, rows[:k], wantRows[:w])
		}
		k, w = Ones(got, len(a), rows), onesGo(got, len(a), 0, wantRows)
		if !slices.Equal(rows[:k], wantRows[:w]) {
			t.Fatalf("ones of %x: got %v, want %v", got, rows[:k], wantRows[:w])
		}
	}
}

func checkCompareFloat[T Float](t *testing.T, a []T, s T) {
	t.Helper()
	n := BitmapBytes(len(a))
	got, want := make([]byte, n), make([]byte, n)
	for _, op := range ops {
		CompareScalar(op, got, a, s)
		compareScalarGo(op, want, a, s)
		if !slices.Equal(got, want) {
			t.Fatalf("%v op %d %v: got %x, want %x", a, op, s, got, want)
		}
	}
}

func narrowed[T Int](b []byte) []T {
	out := make([]T, len(b))
	for i, v := range b {
		out[i] = T(int8(v)) << (i % 3 * 3) // also what does not fit a byte
	}
	return out
}

func checkBytes(t *testing.T, raw []byte, s int8) {
	t.Helper()
	half := len(raw) / 2
	a, b := raw[:half], raw[half:2*half]
	checkCompare(t, narrowed[int64](a), narrowed[int64](b), int64(s))
	checkCompare(t, narrowed[int32](a), narrowed[int32](b), int32(s))
	checkCompare(t, narrowed[int16](a), narrowed[int16](b), int16(s))
	var f []float64
	for i := 0; i+8 <= len(raw); i += 8 {
		f = append(f, math.Float64frombits(binary.LittleEndian.Uint64(raw[i:])))
	}
	for _, v := range narrowed[int32](a) {
		f = append(f, float64(v)/4, math.NaN(), math.Copysign(0, float64(v)), math.Inf(int(v)))
	}
	for _, x := range append([]float64{0, math.NaN(), math.Inf(1), math.Inf(-1), math.Copysign(0, -1), float64(s) / 4}, f[:min(3, len(f))]...) {
		checkCompareFloat(t, f, x)
	}
}

// TestCompareForms takes every length to 70 and every alignment.
func TestCompareForms(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for n := range 70 {
		raw := make([]byte, 2*n)
		for i := range raw {
			raw[i] = byte(rng.IntN(7))
		}
		checkBytes(t, raw, int8(rng.IntN(7)))
		a := make([]int64, n+9)
		for i := range a {
			a[i] = rng.Int64() >> rng.IntN(64)
		}
		for off := range 8 {
			checkCompare(t, a[off:off+n], a[1:1+n], a[off])
		}
	}
	big := make([]int32, 10_000)
	for i := range big {
		big[i] = int32(rng.IntN(1000))
	}
	checkCompare(t, big, slices.Repeat([]int32{500}, len(big)), 100)
}

func FuzzCompareForms(f *testing.F) {
	f.Add([]byte("0123456789abcdef0123456789abcdfe"), int8(50))
	f.Fuzz(func(t *testing.T, raw []byte, s int8) { checkBytes(t, raw, s) })
}

// benchRows is a batch.
const benchRows = 8192

func randomInts[T Int](most int) []T {
	rng := rand.New(rand.NewPCG(3, 4))
	out := make([]T, benchRows)
	for i := range out {
		out[i] = T(rng.IntN(most))
	}
	return out
}

func BenchmarkCompare(b *testing.B) {
	x, y, z := randomInts[int64](1000), randomInts[int64](900), randomInts[int32](1000)
	f := make([]float64, benchRows)
	for i := range f {
		f[i] = float64(x[i])
	}
	dst := make([]byte, BitmapBytes(benchRows))
	run := func(name string, size int64, do func()) {
		b.Run(name, func(b *testing.B) {
			b.SetBytes(size * benchRows)
			for b.Loop() {
				do()
			}
		})
	}
	run("int64/scalar", 8, func() { CompareIntScalar(LT, dst, x, 100) })
	run("int64/columns", 16, func() { CompareInt(LT, dst, x, y) })
	run("int32/scalar", 4, func() { CompareIntScalar(LT, dst, z, 100) })
	run("float64/scalar", 8, func() { CompareScalar(LT, dst, f, 100) })
}

func BenchmarkSelect(b *testing.B) {
	x, z := randomInts[int64](1000), randomInts[int32](1000)
	out := make([]int32, benchRows)
	dst := make([]byte, BitmapBytes(benchRows))
	for _, percent := range []int64{1, 10, 50, 99} {
		b.Run(fmt.Sprintf("int64/%d", percent), func(b *testing.B) {
			b.SetBytes(8 * benchRows)
			for b.Loop() {
				SelectScalar(LT, x, percent*10, out)
			}
		})
		b.Run(fmt.Sprintf("int32/%d", percent), func(b *testing.B) {
			b.SetBytes(4 * benchRows)
			for b.Loop() {
				SelectScalar(LT, z, int32(percent*10), out)
			}
		})
		b.Run(fmt.Sprintf("ones/%d", percent), func(b *testing.B) {
			CompareIntScalar(LT, dst, x, percent*10)
			b.SetBytes(benchRows / 8)
			for b.Loop() {
				Ones(dst, benchRows, out)
			}
		})
	}
}
