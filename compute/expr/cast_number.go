package expr

import (
	"math"
	"math/big"

	"github.com/flightd/flightd/internal/arrowtext"
	"github.com/flightd/flightd/kernels"
	"github.com/flightd/flightd/plan/expr"
)

// castToDecimal returns the loop that makes decimals of a type's values.
func castToDecimal(from *expr.Type) func(f *frame) error {
	switch from.Kind {
	case expr.KindBool:
		return func(f *frame) error {
			v := f.args[0]
			return toDecimals(f, 0, func(i int) kernels.Int128 {
				if v.Bool(i) {
					return kernels.From64(1)
				}
				return kernels.Int128{}
			})
		}
	case expr.KindInt8:
		return intsToDecimals[int8]
	case expr.KindInt16:
		return intsToDecimals[int16]
	case expr.KindInt32:
		return intsToDecimals[int32]
	case expr.KindInt64:
		return intsToDecimals[int64]
	case expr.KindDecimal:
		return func(f *frame) error {
			a := argument[kernels.Int128](f, 0)
			return toDecimals(f, from.Scale, a.at)
		}
	case expr.KindFloat32:
		return floatsToDecimals[float32]
	case expr.KindFloat64:
		return floatsToDecimals[float64]
	case expr.KindTimestamp, expr.KindTime:
		scale := 6
		if from.Kind == expr.KindTime {
			scale = expr.MaxTimePrecision
		}
		return func(f *frame) error {
			a := argument[int64](f, 0)
			return toDecimals(f, scale, func(i int) kernels.Int128 { return kernels.From64(a.at(i)) })
		}
	case expr.KindYearMonth:
		return func(f *frame) error {
			a := argument[int32](f, 0)
			per := int64(1)
			if from.To == expr.FieldYear {
				per = 12
			}
			return toDecimals(f, 0, func(i int) kernels.Int128 { return kernels.From64(int64(a.at(i)) / per) })
		}
	case expr.KindDayTime:
		return func(f *frame) error {
			a := argument[int64](f, 0)
			if from.To == expr.FieldSecond {
				return toDecimals(f, 6, func(i int) kernels.Int128 { return kernels.From64(a.at(i)) })
			}
			unit := unitOf(from.To)
			return toDecimals(f, 0, func(i int) kernels.Int128 { return kernels.From64(a.at(i) / unit) })
		}
	case expr.KindDate:
		return allNull
	}
	return nil
}

// toDecimals rounds unscaled values of a scale to the result's type.
func toDecimals(f *frame, scale int, value func(i int) kernels.Int128) error {
	dst, t := results[kernels.Int128](f), f.call.Typ
	return f.try(func(i int) error {
		x, ok := kernels.Rescale(value(i), scale, t.Scale)
		dst[i] = x
		if !ok || !x.Fits(t.Precision) {
			return f.fail(i, outOfRange(f.plainArg(i), t))
		}
		return nil
	})
}

// plainArg is the argument's value without a type's suffix.
func (f *frame) plainArg(i int) string { return string(appendText(nil, f.args[0], i, f.env.zone)) }

func intsToDecimals[T kernels.Int](f *frame) error {
	a := argument[T](f, 0)
	return toDecimals(f, 0, func(i int) kernels.Int128 { return kernels.From64(int64(a.at(i))) })
}

func floatsToDecimals[T kernels.Float](f *frame) error {
	a := argument[T](f, 0)
	// A FLOAT counts with the digits of the double that it widens to.
	return doublesToDecimals(f, func(i int) float64 { return float64(a.at(i)) })
}

func doublesToDecimals(f *frame, value func(i int) float64) error {
	dst, t := results[kernels.Int128](f), f.call.Typ
	return f.try(func(i int) error {
		x := value(i)
		if math.IsNaN(x) || math.IsInf(x, 0) {
			f.setNull(i) // in every mode
			return nil
		}
		v, status := arrowtext.FloatDecimal(x, t.Precision, t.Scale)
		if status != arrowtext.DecimalOK {
			b, _ := new(big.Float).SetPrec(2000).SetString(string(arrowtext.AppendFloat64(nil, x)))
			return f.fail(i, outOfRange(b.Text('f', -1), t))
		}
		dst[i] = v
		return nil
	})
}

// unitOf returns the microseconds of an interval's field.
func unitOf(field expr.IntervalField) int64 {
	switch field {
	case expr.FieldDay:
		return kernels.Day
	case expr.FieldHour:
		return kernels.Hour
	case expr.FieldMinute:
		return kernels.Minute
	}
	return kernels.Second
}
