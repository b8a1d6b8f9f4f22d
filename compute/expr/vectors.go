package expr

import (
	"math"

	"github.com/flightd/flightd/compute/vec"
	"github.com/flightd/flightd/internal/base"
)

// vectorRows are the functions of vectors, arrays of FLOAT. Sums are taken in DOUBLE,
// eight products after one another and then to the sum, and are rounded to FLOAT at the
// end. A vector with a NULL in it gives NULL.
func vectorRows() map[string]row {
	return map[string]row{
		"vector_inner_product": strict(vectorPair(func(a, b []float32) (float64, bool) {
			return sumOf(len(a), func(i int) float64 { return float64(a[i]) * float64(b[i]) }), true
		})),
		"vector_l2_distance": strict(vectorPair(func(a, b []float32) (float64, bool) {
			return math.Sqrt(sumOf(len(a), func(i int) float64 {
				d := float64(a[i]) - float64(b[i])
				return d * d
			})), true
		})),
		"vector_cosine_similarity": strict(vectorPair(cosine)),
		"vector_norm":              strict(vectorNorm),
		"vector_normalize":         strict(vectorNormalize),
	}
}

// sumOf adds up term(0) to term(n−1), in groups of eight.
func sumOf(n int, term func(i int) float64) float64 {
	sum, i := 0.0, 0
	for ; i+8 <= n; i += 8 {
		eight := term(i)
		for j := i + 1; j < i+8; j++ {
			eight += term(j)
		}
		sum += eight
	}
	for ; i < n; i++ {
		sum += term(i)
	}
	return sum
}

func cosine(a, b []float32) (float64, bool) {
	dot := sumOf(len(a), func(i int) float64 { return float64(a[i]) * float64(b[i]) })
	lengths := math.Sqrt(squares(a) * squares(b))
	return dot / lengths, lengths != 0
}

func squares(a []float32) float64 {
	return sumOf(len(a), func(i int) float64 { return float64(a[i]) * float64(a[i]) })
}

// vectors is an argument of vectors.
type vectors struct {
	lists
	kid  *vec.Vec
	vals []float32
}

func (f *frame) vectors(k int) vectors {
	l := f.list(k)
	kid := l.kids[0].Flat()
	return vectors{l, kid, vec.Values[float32](kid)}
}

// at returns the vector of row i; false: there is a NULL in it.
func (v vectors) at(i int) ([]float32, bool) {
	lo, hi := v.lists.at(i)
	if v.kid.Valid != nil {
		for j := lo; j < hi; j++ {
			if v.kid.Null(j) {
				return nil, false
			}
		}
	}
	if lo == hi {
		return nil, true
	}
	return v.vals[lo:hi], true
}

// DimensionMismatch is the error of vectors of different length.
func DimensionMismatch(fn string, a, b int) error {
	return base.UserError("VECTOR_DIMENSION_MISMATCH", "22000", "`%s` wants vectors of the same dimension, but got %d and %d.", fn, a, b)
}

// vectorPair is a function of two vectors; of returns false for NULL.
func vectorPair(of func(a, b []float32) (float64, bool)) func(f *frame) error {
	return func(f *frame) error {
		dst, a, b := results[float32](f), f.vectors(0), f.vectors(1)
		return f.try(func(i int) error {
			alo, ahi := a.lists.at(i)
			blo, bhi := b.lists.at(i)
			if ahi-alo != bhi-blo {
				return DimensionMismatch(f.call.Fn, ahi-alo, bhi-blo)
			}
			x, ok := a.at(i)
			y, ok2 := b.at(i)
			if !ok || !ok2 {
				f.setNull(i)
				return nil
			}
			r, ok := of(x, y)
			if dst[i] = float32(r); !ok {
				f.setNull(i)
			}
			return nil
		})
	}
}

// norm returns the norm of a vector: the sum of absolute values for degree 1, the
// length for 2, the greatest absolute value for infinity.
func norm(fn string, a []float32, degree float32) (float64, error) {
	switch {
	case degree == 1:
		return sumOf(len(a), func(i int) float64 { return math.Abs(float64(a[i])) }), nil
	case degree == 2:
		return math.Sqrt(squares(a)), nil
	case math.IsInf(float64(degree), 1):
		greatest := 0.0
		for _, x := range a {
			if x := math.Abs(float64(x)); x > greatest {
				greatest = x
			}
		}
		return greatest, nil
	}
	return 0, base.UserError("INVALID_VECTOR_NORM_DEGREE", "22023", "`%s` knows the degrees 1.0, 2.0 and infinity, not %v.", fn, degree)
}

func (f *frame) degree() func(i int) float32 {
	if len(f.args) < 2 {
		return func(int) float32 { return 2 }
	}
	return argument[float32](f, 1).at
}

func vectorNorm(f *frame) error {
	dst, a, degree := results[float32](f), f.vectors(0), f.degree()
	return f.try(func(i int) error {
		x, ok := a.at(i)
		n, err := norm(f.call.Fn, x, degree(i))
		if dst[i] = float32(n); err == nil && !ok {
			f.setNull(i)
		}
		return err
	})
}

// vectorNormalize divides a vector by its norm; one whose norm is 0 gives NULL.
func vectorNormalize(f *frame) error {
	a, degree := f.vectors(0), f.degree()
	off := f.offsets()
	var out []float32
	next := 0
	err := f.tryAll(func(i int) error {
		for ; next <= i; next++ {
			off[next] = int32(len(out))
		}
		if !f.valid(i) {
			return nil
		}
		x, ok := a.at(i)
		n, err := norm(f.call.Fn, x, degree(i))
		if err == nil && (!ok || n == 0 && len(x) > 0) {
			f.setNull(i)
			return nil
		}
		for _, v := range x {
			out = append(out, float32(float64(v)/n))
		}
		return err
	})
	for ; next <= f.n; next++ {
		off[next] = int32(len(out))
	}
	f.out.Kids = []*vec.Vec{vec.FromValues(f.call.Typ.Elem, out, nil)}
	return err
}
