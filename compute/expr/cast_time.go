package expr

import (
	"math"
	"math/big"
	"strings"

	"github.com/flightd/flightd/internal/arrowtext"
	"github.com/flightd/flightd/kernels"
	"github.com/flightd/flightd/plan/expr"
)

// castTemporal returns the loop of a cast to a date, time or interval.
func castTemporal(from, to *expr.Type) func(f *frame) error {
	switch to.Kind {
	case expr.KindDate:
		switch from.Kind {
		case expr.KindTimestamp:
			return func(f *frame) error {
				var s spread[int64]
				local := make([]int64, f.n)
				f.env.zone.ToLocal(local, s.column(f, 0))
				kernels.Days(results[int32](f), local)
				return nil
			}
		case expr.KindTimestampNTZ:
			return func(f *frame) error {
				var s spread[int64]
				kernels.Days(results[int32](f), s.column(f, 0))
				return nil
			}
		}
	case expr.KindTimestamp, expr.KindTimestampNTZ:
		return castToTimestamp(from, to)
	case expr.KindTime:
		if from.Kind == expr.KindTimestamp || from.Kind == expr.KindTimestampNTZ {
			return func(f *frame) error {
				dst, a := results[int64](f), argument[int64](f, 0)
				for i := range dst {
					t := a.at(i)
					if from.Kind == expr.KindTimestamp {
						t = f.env.zone.Local(t)
					}
					t = kernels.FloorMod(t, kernels.Day)
					t *= nanosPerMicro
					dst[i] = t - t%timeUnit(to)
				}
				return nil
			}
		}
		if from.Kind == expr.KindTime {
			return func(f *frame) error {
				unit := timeUnit(to)
				dst, a := results[int64](f), argument[int64](f, 0)
				for i := range dst {
					dst[i] = a.at(i) - a.at(i)%unit
				}
				return nil
			}
		}
	case expr.KindYearMonth:
		if from.Kind == expr.KindYearMonth {
			return func(f *frame) error {
				dst, a := results[int32](f), argument[int32](f, 0)
				for i := range dst {
					dst[i] = a.at(i) - a.at(i)%12
				}
				return nil
			}
		}
		return castToInterval[int32](from, to)
	case expr.KindDayTime:
		if from.Kind == expr.KindDayTime {
			unit := unitOf(to.To)
			return func(f *frame) error {
				dst, a := results[int64](f), argument[int64](f, 0)
				for i := range dst {
					dst[i] = a.at(i) - a.at(i)%unit
				}
				return nil
			}
		}
		return castToInterval[int64](from, to)
	}
	return nil
}

// timeUnit is the smallest step of a TIME type in nanoseconds.
func timeUnit(t *expr.Type) int64 {
	unit := int64(1)
	for p := t.Precision; p < expr.MaxTimePrecision; p++ {
		unit *= 10
	}
	return unit
}

// castToInterval counts the last field of the interval type.
func castToInterval[T kernels.Int](from, to *expr.Type) func(f *frame) error {
	unit := int64(1)
	switch {
	case to.Kind == expr.KindDayTime:
		unit = unitOf(to.To)
	case to.To == expr.FieldYear:
		unit = 12
	}
	switch {
	case from.IsInteger():
		var w []int64
		return func(f *frame) error {
			dst := results[T](f)
			w = ints(f, 0, w)
			return f.try(func(i int) error {
				v, ok := kernels.MulOK(w[i], unit)
				dst[i] = T(v)
				if !ok || int64(T(v)) != v {
					return f.castOverflow(i)
				}
				return nil
			})
		}
	case from.Kind == expr.KindDecimal:
		return func(f *frame) error {
			dst, a := results[T](f), argument[kernels.Int128](f, 0)
			return f.try(func(i int) error {
				b := a.at(i).Big()
				x, ok := decimalRound(b.Mul(b, big.NewInt(unit)), from.Scale)
				v, fits := x.Int64()
				dst[i] = T(v)
				if !ok || !fits || int64(T(v)) != v {
					return f.castOverflow(i)
				}
				return nil
			})
		}
	}
	return nil
}

// decimalRound rounds an unscaled decimal of any size to an integer.
func decimalRound(b *big.Int, scale int) (kernels.Int128, bool) {
	if scale > 0 {
		ten := kernels.Pow10(scale).Big()
		half := new(big.Int).Rsh(ten, 1)
		if b.Sign() < 0 {
			b.Sub(b, half)
		} else {
			b.Add(b, half)
		}
		b.Quo(b, ten)
	}
	return kernels.FromBig(b)
}

// ints shows an integer argument as int64.
func ints(f *frame, k int, buf []int64) []int64 {
	switch f.args[k].Type.Kind {
	case expr.KindInt8:
		return spreadInts[int8](f, k, buf)
	case expr.KindInt16:
		return spreadInts[int16](f, k, buf)
	case expr.KindInt64, expr.KindTimestamp, expr.KindTimestampNTZ, expr.KindDayTime, expr.KindTime:
		return spreadInts[int64](f, k, buf)
	}
	return spreadInts[int32](f, k, buf)
}

func spreadInts[T kernels.Int](f *frame, k int, buf []int64) []int64 {
	if cap(buf) < f.n {
		buf = make([]int64, f.n)
	}
	buf = buf[:f.n]
	a := argument[T](f, k)
	for i := range buf {
		buf[i] = int64(a.at(i))
	}
	return buf
}

func castToTimestamp(from, to *expr.Type) func(f *frame) error {
	ntz := to.Kind == expr.KindTimestampNTZ
	switch from.Kind {
	case expr.KindDate:
		return func(f *frame) error {
			dst, a := results[int64](f), argument[int32](f, 0)
			return f.try(func(i int) error {
				t, ok := arrowtext.JoinDay(int64(a.at(i)), 0)
				if !ntz {
					t = f.env.zone.UTC(t)
				}
				if !ok {
					return f.raise(i, datetimeOverflow("cast %s to %s", shown(f.args[0], i), to.SQL()))
				}
				dst[i] = t
				return nil
			})
		}
	case expr.KindTimestamp:
		return func(f *frame) error {
			var s spread[int64]
			f.env.zone.ToLocal(results[int64](f), s.column(f, 0))
			return nil
		}
	case expr.KindTimestampNTZ:
		return func(f *frame) error {
			var s spread[int64]
			f.env.zone.ToUTC(results[int64](f), s.column(f, 0))
			return nil
		}
	case expr.KindTime: // of the epoch's day
		return func(f *frame) error {
			dst, a := results[int64](f), argument[int64](f, 0)
			local := f.env.zone.Local(f.env.Now)
			midnight := local - kernels.FloorMod(local, kernels.Day)
			for i := range dst {
				if dst[i] = midnight + a.at(i)/nanosPerMicro; !ntz {
					dst[i] = f.env.zone.UTC(dst[i])
				}
			}
			return nil
		}
	case expr.KindBool:
		return func(f *frame) error {
			dst, v := results[int64](f), f.args[0]
			f.each(func(i int) {
				dst[i] = 0
				if v.Bool(i) {
					dst[i] = 1
				}
			})
			return nil
		}
	case expr.KindInt8, expr.KindInt16, expr.KindInt32, expr.KindInt64:
		var w []int64
		return func(f *frame) error {
			dst := results[int64](f)
			w = ints(f, 0, w)
			for i := range dst {
				dst[i] = saturatingMicros(w[i])
			}
			return nil
		}
	case expr.KindDecimal:
		return func(f *frame) error {
			dst, a := results[int64](f), argument[kernels.Int128](f, 0)
			f.each(func(i int) { // beyond the range it wraps
				b := a.at(i).Big()
				b.Mul(b, big.NewInt(kernels.Second))
				b.Quo(b, kernels.Pow10(from.Scale).Big())
				dst[i] = int64(new(big.Int).And(b, new(big.Int).SetUint64(math.MaxUint64)).Uint64())
			})
			return nil
		}
	case expr.KindFloat32:
		return secondsToTimestamp[float32]
	case expr.KindFloat64:
		return secondsToTimestamp[float64]
	}
	return nil
}

// saturatingMicros returns seconds in microseconds, kept in range.
func saturatingMicros(s int64) int64 {
	v, ok := kernels.MulOK(s, kernels.Second)
	switch {
	case ok:
		return v
	case s < 0:
		return math.MinInt64
	}
	return math.MaxInt64
}

func secondsToTimestamp[T kernels.Float](f *frame) error {
	dst, a := results[int64](f), argument[T](f, 0)
	return f.try(func(i int) error {
		x := float64(a.at(i))
		if math.IsNaN(x) || math.IsInf(x, 0) {
			return f.fail(i, castInvalid(f.plainArg(i), expr.Float64, f.call.Typ))
		}
		us := x * 1e6
		if f.call.Mode != expr.Legacy && (us >= 1<<63 || us < -1<<63) {
			return f.fail(i, castOverflow(string(arrowtext.AppendFloat64(nil, us))+"D", expr.Float64, expr.Int64))
		}
		dst[i] = saturate(us, math.MinInt64, math.MaxInt64)
		return nil
	})
}

// specialTime is the cast of one of the words epoch, now, today, yesterday and
// tomorrow, which only literals may be; nil for any other cast.
func specialTime(e *expr.Cast, env *Env) Evaluator {
	l, ok := e.Child.(*expr.Literal)
	s, isText := "", false
	if ok {
		s, isText = l.Value.(string)
	}
	if !isText || e.To.Kind != expr.KindDate && e.To.Kind != expr.KindTimestamp && e.To.Kind != expr.KindTimestampNTZ {
		return nil
	}
	shift, named := map[string]int64{"yesterday": -1, "today": 0, "tomorrow": 1}[strings.ToLower(strings.TrimSpace(s))]
	word := strings.ToLower(strings.TrimSpace(s))
	if !named && word != "epoch" && word != "now" {
		return nil
	}
	return &clock{env, e.To, func(env *Env) int64 {
		local := env.zone.Local(env.Now)
		day := kernels.FloorDiv(local, kernels.Day) + shift
		switch {
		case word == "epoch":
			return 0
		case e.To.Kind == expr.KindDate:
			return day
		case word == "now" && e.To.Kind == expr.KindTimestamp:
			return env.Now
		case word == "now":
			return local
		case e.To.Kind == expr.KindTimestamp:
			return env.zone.UTC(day * kernels.Day)
		}
		return day * kernels.Day
	}}
}
