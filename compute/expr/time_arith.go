package expr

import (
	"math"
	"math/big"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/flightd/flightd/internal/arrowtext"
	"github.com/flightd/flightd/internal/base"
	"github.com/flightd/flightd/kernels"
	"github.com/flightd/flightd/plan/expr"
)

// interval is the common form of the three interval types.
type interval struct {
	months, days, micros int64
}

// intervals reads an interval argument, or an integer as days.
func intervals(f *frame, k int) func(i int) interval {
	switch t := f.args[k].Type; {
	case t.Kind == expr.KindYearMonth:
		a := argument[int32](f, k)
		return func(i int) interval { return interval{months: int64(a.at(i))} }
	case t.Kind == expr.KindDayTime:
		a := argument[int64](f, k)
		return func(i int) interval {
			d := a.at(i) / kernels.Day
			return interval{days: d, micros: a.at(i) - d*kernels.Day}
		}
	case t.Kind == expr.KindCalendar:
		a := argument[arrow.MonthDayNanoInterval](f, k)
		return func(i int) interval {
			x := a.at(i)
			return interval{int64(x.Months), int64(x.Days), x.Nanoseconds / 1000}
		}
	}
	a := ints(f, k, nil)
	return func(i int) interval { return interval{days: a[i]} }
}

// addCivil moves a time by months, then days, of local time, then by
// microseconds.
func addCivil(z *kernels.Zone, t int64, iv interval) (int64, bool) {
	if iv.months == 0 && iv.days == 0 {
		return kernels.AddOK(t, iv.micros)
	}
	off := z.Offset(t)
	local := t + off
	day, clock := kernels.FloorDiv(local, kernels.Day), kernels.FloorMod(local, kernels.Day)
	if iv.months != 0 {
		day = kernels.AddMonths(day, iv.months)
	}
	local, ok := arrowtext.JoinDay(day+iv.days, clock)
	if !ok {
		return 0, false
	}
	u := local - off
	if z.Offset(u) != off { // else the offset still holds, as in an overlap
		u = z.UTC(local)
	}
	return kernels.AddOK(u, iv.micros)
}

var utc = kernels.NewZone(timeUTC)

// temporalArithmetic returns the loop of an operation with a date, a time or an
// interval; nil: there is none.
func temporalArithmetic(op string, c *expr.Call, _ *Env) (func(f *frame) error, error) {
	a, b := c.Args[0].Type(), c.Args[1].Type()
	switch op {
	case "+", "-":
		return temporalSum(op, a, b, c.Typ), nil
	case "*":
		if a.IsInterval() {
			return scaleInterval(0, 1, b, false), nil
		}
		return scaleInterval(1, 0, a, false), nil
	case "/":
		if a.IsInterval() {
			return scaleInterval(0, 1, b, true), nil
		}
	case "div":
		if a.Kind == b.Kind && a.IsInterval() {
			return divideIntervals, nil
		}
	}
	return nil, nil
}

func isDateTime(t *expr.Type) bool {
	return t.Kind == expr.KindDate || t.Kind == expr.KindTimestamp || t.Kind == expr.KindTimestampNTZ || t.Kind == expr.KindTime
}

func temporalSum(op string, a, b, result *expr.Type) func(f *frame) error {
	if isDateTime(a) && isDateTime(b) {
		if op == "-" {
			return difference(a, b)
		}
		return nil
	}
	x, y := 0, 1
	if !isDateTime(a) && isDateTime(b) {
		x, y = 1, 0
	}
	sign := int64(1)
	if op == "-" {
		sign = -1
	}
	switch result.Kind {
	case expr.KindYearMonth:
		return addIntervals[int32](sign)
	case expr.KindDayTime:
		return addIntervals[int64](sign)
	case expr.KindCalendar:
		return addCalendars(sign)
	case expr.KindDate:
		return func(f *frame) error {
			dst, days, iv := results[int32](f), argument[int32](f, x), intervals(f, y)
			f.each(func(i int) {
				d, v := int64(days.at(i)), iv(i)
				if v.months != 0 {
					d = kernels.AddMonths(d, sign*v.months)
				}
				dst[i] = int32(d + sign*v.days)
			})
			return nil
		}
	case expr.KindTimestamp, expr.KindTimestampNTZ:
		return func(f *frame) error {
			zone := f.env.zone
			if result.Kind == expr.KindTimestampNTZ {
				zone = utc
			}
			dst, iv := results[int64](f), intervals(f, y)
			at := instants(f, x, zone)
			return f.try(func(i int) error {
				v := iv(i)
				t, ok := addCivil(zone, at(i), interval{sign * v.months, sign * v.days, sign * v.micros})
				dst[i] = t
				if !ok {
					return f.raise(i, plainOverflow("long overflow"))
				}
				return nil
			})
		}
	case expr.KindTime:
		return func(f *frame) error {
			dst, a, iv := results[int64](f), argument[int64](f, x), argument[int64](f, y)
			return f.try(func(i int) error {
				d, fits := kernels.MulOK(sign*iv.at(i), nanosPerMicro)
				t, ok := kernels.AddOK(a.at(i), d)
				dst[i] = t
				if !fits || !ok || t < 0 || t >= nanosPerDay {
					verb := "add %s to the time value %s"
					if sign < 0 {
						verb = "subtract %s from the time value %s"
					}
					return f.raise(i, datetimeOverflow(verb, shown(f.args[y], i), shown(f.args[x], i)))
				}
				return nil
			})
		}
	}
	return nil
}

// instants reads a date or timestamp argument as microseconds of the zone's
// clock; a date is its local midnight.
func instants(f *frame, k int, zone *kernels.Zone) func(i int) int64 {
	if f.args[k].Type.Kind == expr.KindDate {
		a := argument[int32](f, k)
		return func(i int) int64 {
			t, _ := arrowtext.JoinDay(int64(a.at(i)), 0)
			return zone.UTC(t)
		}
	}
	a := argument[int64](f, k)
	return a.at
}

// plainOverflow is the error of a Java method without a condition of Spark's.
func plainOverflow(msg string) *base.Error {
	return base.Errorf(base.CodeInvalid, "ArithmeticException: %s", msg)
}

// difference is date − date and time − time; timestamps differ by their local
// times.
func difference(a, b *expr.Type) func(f *frame) error {
	if a.Kind == expr.KindDate && b.Kind == expr.KindDate {
		return func(f *frame) error {
			dst, x, y := results[int64](f), argument[int32](f, 0), argument[int32](f, 1)
			return f.try(func(i int) error {
				v, ok := kernels.MulOK(int64(x.at(i))-int64(y.at(i)), kernels.Day)
				dst[i] = v
				if !ok {
					return f.raise(i, plainOverflow("long overflow"))
				}
				return nil
			})
		}
	}
	if a.Kind == expr.KindTime && b.Kind == expr.KindTime {
		return func(f *frame) error {
			dst, x, y := results[int64](f), argument[int64](f, 0), argument[int64](f, 1)
			for i := range dst {
				dst[i] = (x.at(i) - y.at(i)) / nanosPerMicro
			}
			return nil
		}
	}
	local := func(f *frame, k int) func(i int) int64 {
		at := instants(f, k, utc)
		if f.args[k].Type.Kind != expr.KindTimestamp {
			return at
		}
		return func(i int) int64 { return f.env.zone.Local(at(i)) }
	}
	return func(f *frame) error {
		dst, x, y := results[int64](f), local(f, 0), local(f, 1)
		return f.try(func(i int) error {
			v, ok := kernels.SubOK(x(i), y(i))
			dst[i] = v
			if !ok {
				return f.raise(i, plainOverflow("long overflow"))
			}
			return nil
		})
	}
}

func addIntervals[T kernels.Int](sign int64) func(f *frame) error {
	one := kernels.AddOK[T]
	if sign < 0 {
		one = kernels.SubOK[T]
	}
	return func(f *frame) error {
		dst, a, b := results[T](f), argument[T](f, 0), argument[T](f, 1)
		return f.try(func(i int) error {
			v, ok := one(a.at(i), b.at(i))
			dst[i] = v
			if !ok {
				return f.raise(i, intervalOverflow(tryNames[f.call.Fn]))
			}
			return nil
		})
	}
}

// calendar makes a calendar interval if it fits.
func calendar(months, days, micros int64) (arrow.MonthDayNanoInterval, bool) {
	ok := months == int64(int32(months)) && days == int64(int32(days))
	nanos, okMul := kernels.MulOK(micros, int64(1000))
	return arrow.MonthDayNanoInterval{Months: int32(months), Days: int32(days), Nanoseconds: nanos}, ok && okMul
}

func addCalendars(sign int64) func(f *frame) error {
	return func(f *frame) error {
		dst, a, b := results[arrow.MonthDayNanoInterval](f), intervals(f, 0), intervals(f, 1)
		return f.try(func(i int) error {
			x, y := a(i), b(i)
			v, ok := calendar(x.months+sign*y.months, x.days+sign*y.days, x.micros+sign*y.micros)
			dst[i] = v
			if !ok {
				return f.raise(i, intervalOverflow(tryNames[f.call.Fn]))
			}
			return nil
		})
	}
}

func negateCalendar(f *frame) error {
	dst, a := results[arrow.MonthDayNanoInterval](f), intervals(f, 0)
	f.each(func(i int) {
		x := a(i)
		dst[i], _ = calendar(-x.months, -x.days, -x.micros)
	})
	return nil
}

// scaleInterval multiplies argument iv by number, or divides it, half up.
func scaleInterval(iv, number int, t *expr.Type, divide bool) func(f *frame) error {
	return func(f *frame) error {
		factor := factors(f, number)
		scale := func(i int, v int64) (int64, bool) {
			r, ok := factor(i)
			if !ok || divide && r.Sign() == 0 {
				return 0, false
			}
			x := new(big.Rat).SetInt64(v)
			if divide {
				x.Quo(x, r)
			} else {
				x.Mul(x, r)
			}
			return roundRat(x)
		}
		zero := func(i int) bool { r, ok := factor(i); return ok && divide && r.Sign() == 0 }
		switch f.call.Typ.Kind {
		case expr.KindYearMonth:
			dst, a := results[int32](f), argument[int32](f, iv)
			return f.try(func(i int) error {
				if zero(i) {
					return f.raise(i, intervalByZero())
				}
				v, ok := scale(i, int64(a.at(i)))
				dst[i] = int32(v)
				if !ok || v != int64(int32(v)) {
					return f.raise(i, plainOverflow("integer overflow"))
				}
				return nil
			})
		case expr.KindDayTime:
			dst, a := results[int64](f), argument[int64](f, iv)
			return f.try(func(i int) error {
				if zero(i) {
					return f.raise(i, intervalByZero())
				}
				v, ok := scale(i, a.at(i))
				dst[i] = v
				if !ok {
					return f.raise(i, plainOverflow("long overflow"))
				}
				return nil
			})
		}
		dst, a := results[arrow.MonthDayNanoInterval](f), intervals(f, iv)
		num := doubles(f, number)
		return f.try(func(i int) error {
			x, n := a(i), num(i)
			if divide && n == 0 {
				return f.raise(i, intervalByZero())
			}
			if divide {
				n = 1 / n
			}
			// Months lose their fraction; that of days counts as time.
			months, days, micros := float64(x.months)*n, float64(x.days)*n, float64(x.micros)*n
			if divide {
				d := num(i)
				months, days, micros = float64(x.months)/d, float64(x.days)/d, float64(x.micros)/d
			}
			rest := days - math.Trunc(days)
			us := math.RoundToEven(float64(micros) + float64(rest*float64(kernels.Day)))
			v, ok := calendar(int64(months), int64(days), int64(us))
			dst[i] = v
			if !ok || math.Abs(us) > 9e18 {
				return f.raise(i, overflow("overflow", tryNames[f.call.Fn]))
			}
			return nil
		})
	}
}

// factors reads a numeric argument exactly; ok is false for NaN and infinities.
func factors(f *frame, k int) func(i int) (*big.Rat, bool) {
	t := f.args[k].Type
	switch {
	case t.IsInteger():
		a := ints(f, k, nil)
		return func(i int) (*big.Rat, bool) { return new(big.Rat).SetInt64(a[i]), true }
	case t.Kind == expr.KindDecimal:
		a := argument[kernels.Int128](f, k)
		ten := kernels.Pow10(t.Scale).Big()
		return func(i int) (*big.Rat, bool) { return new(big.Rat).SetFrac(a.at(i).Big(), ten), true }
	}
	a := doubles(f, k)
	return func(i int) (*big.Rat, bool) {
		r := new(big.Rat).SetFloat64(a(i))
		return r, r != nil
	}
}

// doubles reads a numeric argument as DOUBLE.
func doubles(f *frame, k int) func(i int) float64 {
	switch t := f.args[k].Type; {
	case t.Kind == expr.KindFloat64:
		return argument[float64](f, k).at
	case t.Kind == expr.KindFloat32:
		a := argument[float32](f, k)
		return func(i int) float64 { return float64(a.at(i)) }
	case t.Kind == expr.KindDecimal:
		a := argument[kernels.Int128](f, k)
		return func(i int) float64 { return arrowtext.DecimalFloat64(a.at(i), t.Scale) }
	}
	a := ints(f, k, nil)
	return func(i int) float64 { return float64(a[i]) }
}

// roundRat rounds half away from zero.
func roundRat(x *big.Rat) (int64, bool) {
	num := new(big.Int).Lsh(new(big.Int).Abs(x.Num()), 1)
	num.Add(num, x.Denom())
	num.Quo(num, new(big.Int).Lsh(x.Denom(), 1))
	if x.Sign() < 0 {
		num.Neg(num)
	}
	return num.Int64(), num.IsInt64()
}

func divideIntervals(f *frame) error {
	dst, a, b := results[int64](f), ints(f, 0, nil), ints(f, 1, nil)
	return f.try(func(i int) error {
		if b[i] == 0 {
			return f.raise(i, intervalByZero())
		}
		if a[i] == math.MinInt64 && b[i] == -1 {
			return f.raise(i, overflow("Overflow in integral divide", "try_divide"))
		}
		dst[i] = a[i] / b[i]
		return nil
	})
}
