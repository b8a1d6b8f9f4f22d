package expr

import (
	"encoding/binary"
	"math"
	"strconv"

	"github.com/flightd/flightd/compute/vec"
	"github.com/flightd/flightd/internal/arrowtext"
	"github.com/flightd/flightd/internal/base"
	"github.com/flightd/flightd/plan/expr"
	"github.com/flightd/flightd/sketch/hll"
	"github.com/flightd/flightd/sketch/kll"
	"github.com/flightd/flightd/sketch/murmur"
	"github.com/flightd/flightd/sketch/theta"
)

// A KeyHash returns the two halves of the hash that a sketch of keys takes for row
// i of v, which is flat and not NULL there; false if it passes the value over.
type KeyHash func(v *vec.Vec, i int) (h1, h2 uint64, ok bool)

// NewKeyHash returns the hash of values of type t: of integers as 64 bits, of
// floating-point numbers as DOUBLE, of text and binary as their bytes, of arrays
// of INT or BIGINT as the bytes of their elements, a NULL among them counting as 0.
// What is empty is passed over.
func NewKeyHash(t *expr.Type) KeyHash {
	var buf []byte
	sum := func() (uint64, uint64, bool) {
		h1, h2 := murmur.Sum128(buf, murmur.Seed)
		return h1, h2, len(buf) > 0
	}
	switch t.Kind {
	case expr.KindInt32, expr.KindInt64:
		return func(v *vec.Vec, i int) (uint64, uint64, bool) {
			buf = binary.LittleEndian.AppendUint64(buf[:0], uint64(v.Int(i)))
			return sum()
		}
	case expr.KindFloat32, expr.KindFloat64:
		return func(v *vec.Vec, i int) (uint64, uint64, bool) {
			x := 0.0
			if t.Kind == expr.KindFloat32 {
				x = float64(vec.Values[float32](v)[i])
			} else {
				x = vec.Values[float64](v)[i]
			}
			buf = binary.LittleEndian.AppendUint64(buf[:0], doubleBits(x+0))
			return sum()
		}
	case expr.KindArray:
		return func(v *vec.Vec, i int) (uint64, uint64, bool) {
			kid := v.Kids[0]
			buf = buf[:0]
			for j := int(v.Off[i]); j < int(v.Off[i+1]); j++ {
				x := int64(0)
				if !kid.Null(j) {
					x = kid.Int(j)
				}
				if t.Elem.Kind == expr.KindInt32 {
					buf = binary.LittleEndian.AppendUint32(buf, uint32(x))
				} else {
					buf = binary.LittleEndian.AppendUint64(buf, uint64(x))
				}
			}
			return sum()
		}
	case expr.KindNull:
		return func(*vec.Vec, int) (uint64, uint64, bool) { return 0, 0, false }
	}
	return func(v *vec.Vec, i int) (uint64, uint64, bool) {
		h1, h2 := murmur.Sum128(v.Str(i), murmur.Seed)
		return h1, h2, len(v.Str(i)) > 0
	}
}

// doubleBits returns the bits of x, of the one NaN and the one zero.
func doubleBits(x float64) uint64 {
	switch {
	case x != x:
		return 0x7ff8000000000000
	case x == 0:
		return 0
	}
	return math.Float64bits(x)
}

// ParseTheta reads the image of a theta sketch, or of a tuple sketch of a kind, for
// the function fn; the error is Spark's.
func ParseTheta(fn string, image []byte, kind theta.Kind) (*theta.Compact, error) {
	class, want, wanted := "THETA", "Theta", byte(3)
	if kind != theta.Plain {
		class, want, wanted = "TUPLE", "Tuple", 9
	}
	c, err := theta.Parse(image, kind)
	if err == nil {
		return c, nil
	}
	if len(image) > 3 && image[2] != wanted && image[2] >= 1 && image[2] <= 19 {
		return nil, base.UserError(class+"_INVALID_INPUT_SKETCH_BUFFER_FAMILY", "22000",
			"`%s` wants the image of a %s sketch, but got that of another family of sketches.", fn, want)
	}
	return nil, base.UserError(class+"_INVALID_INPUT_SKETCH_BUFFER", "22000", "`%s` wants the image of a %s sketch.", fn, want)
}

// ParseHLL reads the image of a sketch of distinct keys for the function fn.
func ParseHLL(fn string, image []byte) (*hll.Sketch, error) {
	s, err := hll.Parse(image)
	if err != nil {
		return nil, base.UserError("HLL_INVALID_INPUT_SKETCH_BUFFER", "22546", "`%s` wants the image of an HLL sketch.", fn)
	}
	return s, nil
}

// DifferentLgK is the error of a union of sketches of different size.
func DifferentLgK(fn string, a, b int) error {
	return base.UserError("HLL_UNION_DIFFERENT_LG_K", "22000",
		"The sketches have the `lgConfigK` %d and %d. Set the `allowDifferentLgConfigK` of `%s` to true to unite them.", a, b, fn)
}

// ParseKLL reads the image of a quantile sketch for the function fn.
func ParseKLL[T kll.Item](fn string, image []byte) (*kll.Sketch[T], error) {
	s, err := kll.Parse[T](image)
	if err != nil {
		return nil, badQuantiles(fn)
	}
	return s, nil
}

func badQuantiles(fn string) *base.Error {
	return base.UserError("KLL_INVALID_INPUT_SKETCH_BUFFER", "22000", "`%s` wants the image of a KLL sketch.", fn)
}

func sketchRows() map[string]row {
	rows := map[string]row{
		"hll_sketch_estimate": strict(func(f *frame) error {
			dst, a := results[int64](f), f.text(0)
			return f.try(func(i int) error {
				s, err := ParseHLL(f.call.Fn, a.at(i))
				if err == nil {
					dst[i] = roundHalfUp(s.Estimate())
				}
				return err
			})
		}),
		"hll_union": strict(hllUnion),
		"theta_sketch_estimate": strict(func(f *frame) error {
			dst, a := results[int64](f), f.text(0)
			return f.try(func(i int) error {
				c, err := ParseTheta(f.call.Fn, a.at(i), theta.Plain)
				if err == nil {
					dst[i] = roundHalfUp(c.Estimate())
				}
				return err
			})
		}),
		"theta_union":        prepared(setUnion(theta.Plain, theta.Plain)),
		"theta_intersection": prepared(setIntersection(theta.Plain, theta.Plain)),
		"theta_difference":   prepared(setDifference(theta.Plain, theta.Plain)),
	}
	for name, kind := range map[string]theta.Kind{"_double": theta.Double, "_integer": theta.Integer} {
		tupleFunctions(rows, name, kind)
	}
	quantileFunctions(rows, "_bigint", expr.KindInt64, func(b []byte, x int64) []byte { return strconv.AppendInt(b, x, 10) })
	quantileFunctions(rows, "_double", expr.KindFloat64, func(b []byte, x float64) []byte { return arrowtext.AppendFloat64(b, x) })
	quantileFunctions(rows, "_float", expr.KindFloat32, func(b []byte, x float32) []byte { return arrowtext.AppendFloat32(b, x) })
	return rows
}

// roundHalfUp rounds as Java's Math.round.
func roundHalfUp(x float64) int64 { return int64(math.Floor(x + 0.5)) }

func hllUnion(f *frame) error {
	a, b := f.text(0), f.text(1)
	different := func(int) bool { return false }
	if len(f.args) > 2 {
		v := f.args[2].Flat()
		different = func(i int) bool { return v.Data[i>>3]>>(i&7)&1 == 1 }
	}
	return f.write(func(i int, dst []byte) ([]byte, error) {
		x, err := ParseHLL(f.call.Fn, a.at(i))
		if err != nil {
			return dst, err
		}
		y, err := ParseHLL(f.call.Fn, b.at(i))
		if err != nil {
			return dst, err
		}
		if !different(i) && x.LgK() != y.LgK() {
			return dst, DifferentLgK(f.call.Fn, x.LgK(), y.LgK())
		}
		u := hll.NewUnion(min(x.LgK(), y.LgK()))
		u.Add(x, true)
		u.Add(y, true)
		return u.Result().Append(dst), nil
	})
}
