package expr

import (
	"bytes"
	"strconv"

	"github.com/flightd/flightd/internal/arrowtext"
	"github.com/flightd/flightd/internal/base"
	"github.com/flightd/flightd/kernels"
	"github.com/flightd/flightd/plan/expr"
)

func numberFormatRows() map[string]row {
	return map[string]row{
		"to_number":     prepared(toNumber),
		"try_to_number": prepared(toNumber),
		"to_char":       prepared(toChar),
	}
}

// numberFormat reads the format of a call, its second argument: a constant. It is
// nil if the format is NULL.
func numberFormat(c *expr.Call, env *Env) (*expr.NumberFormat, string, error) {
	lit, err := Fold(c.Args[1], env)
	if err != nil {
		return nil, "", err
	}
	text, ok := lit.Value.(string)
	if !ok {
		return nil, "", nil
	}
	f, bad := expr.ParseNumberFormat(text)
	if bad != nil {
		return nil, "", bad.At(c.At)
	}
	return f, text, nil
}

// toNumber reads text by a format, whose digits make the type of the result.
func toNumber(c *expr.Call, env *Env) (func(f *frame) error, error) {
	format, shape, err := numberFormat(c, env)
	if err != nil {
		return nil, err
	}
	var digits []byte
	return func(f *frame) error {
		if format == nil {
			f.each(f.setNull)
			return nil
		}
		dst, a := results[kernels.Int128](f), f.text(0)
		return f.try(func(i int) error {
			dst[i] = kernels.Int128{}
			var negative, ok bool
			digits, negative, ok = format.Parse(digits[:0], a.at(i))
			if !ok {
				return f.raise(i, base.UserError("INVALID_FORMAT.MISMATCH_INPUT", "42601",
					"The format is invalid: %s. The input \"STRING\" %s does not match the format.", shape, bytes.ToValidUTF8(a.at(i), []byte("\uFFFD"))))
			}
			x, status := arrowtext.ParseDecimal(digits, expr.MaxPrecision, 0)
			if status != arrowtext.DecimalOK || !x.Fits(f.call.Typ.Precision) {
				return f.raise(i, outOfRange(string(digits), f.call.Typ))
			}
			if negative {
				x = x.Neg()
			}
			dst[i] = x
			return nil
		})
	}, nil
}

// toChar writes a decimal by a format.
func toChar(c *expr.Call, env *Env) (func(f *frame) error, error) {
	format, _, err := numberFormat(c, env)
	if err != nil {
		return nil, err
	}
	scale := c.Args[0].Type().Scale
	var digits []byte
	return func(f *frame) error {
		if format == nil {
			return f.write(func(i int, dst []byte) ([]byte, error) { f.setNull(i); return dst, nil })
		}
		a := argument[kernels.Int128](f, 0)
		return f.write(func(i int, dst []byte) ([]byte, error) {
			x := a.at(i)
			negative := x.Sign() < 0
			if negative {
				x = x.Neg()
			}
			if v, ok := x.Int64(); ok {
				digits = strconv.AppendInt(digits[:0], v, 10)
			} else {
				digits = arrowtext.AppendDecimal(digits[:0], x, 0)
			}
			return format.Append(dst, digits, scale, negative), nil
		})
	}, nil
}
