package expr

import (
	"math"
	"strconv"

	"github.com/flightd/flightd/compute/vec"
	"github.com/flightd/flightd/internal/arrowtext"
	"github.com/flightd/flightd/kernels"
	"github.com/flightd/flightd/plan/expr"
)

// decimalDigits is the text of a decimal that was a double, or of an array of such: as
// java.math.BigDecimal has it that is made of the text of the double, with no exponent.
func decimalDigits(c *expr.Call, args []Evaluator, env *Env) (Evaluator, error) {
	return newFunction(c, args, env, func(f *frame) error {
		v := f.args[0]
		if v.Type.Kind == expr.KindDecimal {
			vals := argument[kernels.Int128](f, 0)
			return f.write(func(i int, dst []byte) ([]byte, error) {
				return appendOwnDigits(dst, vals.at(i), v.Type.Scale), nil
			})
		}
		lists := f.list(0)
		kid := lists.kids[0].Flat()
		vals := vec.Values[kernels.Int128](kid)
		return f.write(func(i int, dst []byte) ([]byte, error) {
			lo, hi := lists.at(i)
			dst = append(dst, '[')
			for k := lo; k < hi; k++ {
				if k > lo {
					dst = append(dst, ", "...)
				}
				if kid.Null(k) {
					dst = append(dst, "null"...)
				} else {
					dst = appendOwnDigits(dst, vals[k], kid.Type.Scale)
				}
			}
			return append(dst, ']'), nil
		})
	}), nil
}

func appendOwnDigits(dst []byte, x kernels.Int128, scale int) []byte {
	d := arrowtext.DecimalFloat64(x, scale)
	size := math.Abs(d)
	start := len(dst)
	dst = strconv.AppendFloat(dst, d, 'f', -1, 64)
	switch {
	case size == 0 || size >= 1e-3 && size < 1e7:
		if d == math.Trunc(d) { // Java writes 7.0
			dst = append(dst, ".0"...)
		}
	case size < 1e-3:
		// 1.0E-5 has two digits, 1.5E-5 too.
		digits := 0
		for _, b := range dst[start:] {
			if b >= '1' && b <= '9' || digits > 0 && b == '0' {
				digits++
			}
		}
		if digits == 1 {
			dst = append(dst, '0')
		}
	}
	return dst
}
