package resolve

import (
	"github.com/flightd/flightd/internal/base"
	"github.com/flightd/flightd/plan/expr"
)

// timeType reports whether the TIME type is on. Without it TIME literals exist and
// can be compared and shown, but nothing becomes a TIME and no function of TIMEs
// runs.
func (r *resolver) timeType() bool { return r.env.Conf.Bool("spark.sql.timeType.enabled", false) }

func unsupportedTime(at base.Pos) error {
	return base.UserError("UNSUPPORTED_TIME_TYPE", "0A000", "The data type TIME is not supported.").At(at).
		WithHint("SET spark.sql.timeType.enabled = true")
}

// refuseTime notes an implicit cast to TIME that the session does not allow; the
// expression around it is the error.
func (r *resolver) refuseTime(from, to *expr.Type) {
	if becomesTime(from, to) && !r.timeType() {
		r.timeRefused = true
	}
}

// becomesTime reports whether a cast makes a TIME of something, perhaps within an
// array, map or struct.
func becomesTime(from, to *expr.Type) bool {
	switch {
	case to.Kind == expr.KindTime:
		return !from.Equal(to)
	case !to.IsNested() || from.Kind != to.Kind:
		return false
	case to.Kind == expr.KindStruct:
		for i := range min(len(from.Fields), len(to.Fields)) {
			if becomesTime(from.Fields[i].Type, to.Fields[i].Type) {
				return true
			}
		}
		return false
	}
	return to.Key != nil && becomesTime(from.Key, to.Key) || becomesTime(from.Elem, to.Elem)
}

// timeFunctions are the functions that exist only for the TIME type.
var timeFunctions = map[string]bool{
	"make_time": true, "to_time": true, "try_to_time": true, "time_trunc": true, "time_diff": true,
	"time_from_seconds": true, "time_from_millis": true, "time_from_micros": true,
	"time_to_seconds": true, "time_to_millis": true, "time_to_micros": true,
}

// checkTimeType refuses a function of TIMEs where the type is off. What the
// arguments are does not count: that is looked at later.
func (x *exprs) checkTimeType(c *call) error {
	if x.r.timeType() {
		return nil
	}
	refused := timeFunctions[c.f.Name]
	switch c.f.Name {
	case "hour", "minute", "second":
		refused = c.args[0].Type().Kind == expr.KindTime
	}
	if refused {
		return unsupportedTime(c.at)
	}
	return nil
}

// hourToSecond is the type of TIME − TIME.
var hourToSecond = &expr.Type{Kind: expr.KindDayTime, From: expr.FieldHour, To: expr.FieldSecond}

// timeOfDay resolves TIME ± INTERVAL and TIME − TIME; nil: it is neither.
func (x *exprs) timeOfDay(c *call, fn string) (expr.Expr, error) {
	if fn != "+" && fn != "-" {
		return nil, nil
	}
	l, r := c.args[0], c.args[1]
	if fn == "+" && l.Type().Kind != expr.KindTime {
		l, r = r, l
	}
	lt, rt := l.Type(), r.Type()
	text := l.SQL() + " " + fn + " " + r.SQL()
	shifted := func(interval *expr.Type) *expr.Type {
		if interval.To == expr.FieldSecond {
			return expr.Time(max(lt.Precision, 6))
		}
		return lt
	}
	strings := fn == "-" && x.r.co.ANSI && (lt.Kind == expr.KindString || rt.Kind == expr.KindString)
	nulls := lt.Kind == expr.KindNull || rt.Kind == expr.KindNull
	switch {
	case lt.Kind == expr.KindTime && rt.Kind == expr.KindDayTime, fn == "+" && nulls:
		if !x.r.timeType() {
			return nil, unsupportedTime(c.at)
		}
		if nulls {
			r = x.cast(r, expr.DayTime)
		}
		return x.operator(c, fn, l, r, shifted(r.Type()), x.mode(), text), nil
	case fn == "-" && nulls, strings:
		if lt.Kind != expr.KindTime {
			l = x.cast(l, expr.Time(expr.DefaultTimePrecision))
		} else {
			r = x.cast(r, expr.Time(expr.DefaultTimePrecision))
		}
		return x.operator(c, fn, l, r, hourToSecond, x.mode(), text), nil
	case fn == "-" && lt.Kind == expr.KindTime && rt.Kind == expr.KindTime && x.r.timeType():
		return x.operator(c, fn, l, r, hourToSecond, x.mode(), text), nil
	case fn == "-" && lt.Kind == expr.KindTime && rt.Kind == expr.KindDate:
		return nil, castError(&expr.Cast{At: c.at, Child: l, To: expr.Date, Implicit: true}, lt, x.r.co)
	}
	return nil, nil
}

// currentTime resolves current_time([precision]); the precision is a constant.
func (x *exprs) currentTime(c *call) (expr.Expr, error) {
	c.name = "current_time"
	shown := "6"
	p := int64(expr.DefaultTimePrecision)
	if len(c.args) == 1 {
		shown = c.args[0].SQL()
		t := x.wanted(c.args[0].Type(), []expr.Want{{Type: expr.Int32}})
		if t == nil {
			return nil, unexpectedInput(c.at, c.text(), 0, `"INT"`, c.args[0])
		}
		arg := x.cast(c.args[0], t)
		if !foldable(arg) {
			return nil, mismatch("NON_FOLDABLE_INPUT", c.at, c.text(), "the input `precision` should be a foldable \"INT\" expression; however, got %q.", shown)
		}
		var ok bool
		if p, ok = intLiteral(arg); !ok || p < 0 || p > expr.MaxTimePrecision {
			return nil, mismatch("VALUE_OUT_OF_RANGE", c.at, c.text(), "The `precision` must be between [0, %d] (current value = %s).", expr.MaxTimePrecision, shown)
		}
	}
	return &expr.Call{At: c.at, Fn: "current_time", Typ: expr.Time(int(p)), Mode: x.mode(), Text: "current_time(" + shown + ")"}, nil
}
