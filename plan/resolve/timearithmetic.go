package resolve

import (
	"github.com/flightd/flightd/plan/expr"
)

func isTime(t *expr.Type) bool {
	return t.Kind == expr.KindDate || t.Kind == expr.KindTimestamp || t.Kind == expr.KindTimestampNTZ
}

func isStamp(t *expr.Type) bool {
	return t.Kind == expr.KindTimestamp || t.Kind == expr.KindTimestampNTZ
}

func isAnsi(t *expr.Type) bool { return t.Kind == expr.KindYearMonth || t.Kind == expr.KindDayTime }

// timeArithmetic resolves an operator with a date, timestamp or interval on a
// side; nil if it is none of that. In + the time comes first, in * the interval:
// evaluators see ("+", time, interval), ("*", interval, number).
func (x *exprs) timeArithmetic(c *call, fn string) (expr.Expr, error) {
	l, r := c.args[0], c.args[1]
	lt, rt := l.Type(), r.Type()
	involved := func(t *expr.Type) bool { return isTime(t) || t.IsInterval() || t.Kind == expr.KindTime }
	if !involved(lt) && !involved(rt) {
		return nil, nil
	}
	text := c.text()
	if lt.Kind == expr.KindTime || rt.Kind == expr.KindTime {
		if out, err := x.timeOfDay(c, fn); out != nil || err != nil {
			return out, err
		}
	}
	make := func(fn string, l, r expr.Expr, t *expr.Type) (expr.Expr, error) {
		return x.operator(c, fn, l, r, t, x.mode(), text), nil
	}
	switch fn {
	case "+", "-":
		if fn == "+" && lt.IsInterval() && !rt.IsInterval() {
			l, r, lt, rt = r, l, rt, lt
		}
		if fn == "+" && !isTime(lt) && (rt.Kind == expr.KindDate || lt.Kind == expr.KindNull && isTime(rt)) {
			l, r, lt, rt = r, l, rt, lt
		}
		switch {
		case lt.Kind == expr.KindNull && isAnsi(rt):
			return make(fn, x.cast(l, rt), r, rt)
		case rt.Kind == expr.KindNull && isAnsi(lt):
			return make(fn, l, x.cast(r, lt), lt)
		case lt.IsInterval() && rt.IsInterval():
			w := x.r.co.Tightest(lt, rt)
			if w == nil && fn == "-" && rt.Kind != expr.KindYearMonth || w == nil && fn == "+" {
				return nil, unexpectedInput(c.at, text, 0, `"TIMESTAMP"`, l)
			}
			if w == nil {
				return nil, nil
			}
			return make(fn, x.cast(l, w), x.cast(r, w), w)
		case rt.IsInterval():
			return x.shiftTime(c, fn, l, r, text)
		case fn == "-" && (isStamp(lt) || isStamp(rt)):
			a, b := x.wanted(lt, []expr.Want{{Family: expr.AnyTimestampType}}), x.wanted(rt, []expr.Want{{Family: expr.AnyTimestampType}})
			if a == nil || b == nil || lt.Kind == expr.KindTime || rt.Kind == expr.KindTime {
				return nil, unexpectedInput(c.at, text, 0, `"TIMESTAMP"`, l)
			}
			w := x.r.co.Tightest(a, b)
			return make(fn, x.cast(l, w), x.cast(r, w), expr.DayTime)
		case fn == "+" && isTime(lt) && rt.Kind == expr.KindNull:
			text = l.SQL() + " + " + r.SQL()
			t := expr.Timestamp
			if lt.Kind == expr.KindTimestampNTZ {
				t = lt
			}
			return make(fn, x.cast(l, t), x.cast(r, expr.DayTime), t)
		case fn == "-" && lt.Kind == expr.KindDate && rt.Kind == expr.KindNull:
			day := &expr.Type{Kind: expr.KindDayTime, From: expr.FieldDay, To: expr.FieldDay}
			return make(fn, l, x.cast(r, expr.Date), day)
		case fn == "-" && lt.Kind == expr.KindDate && rt.Kind == expr.KindString:
			day := &expr.Type{Kind: expr.KindDayTime, From: expr.FieldDay, To: expr.FieldDay}
			return make(fn, l, x.cast(r, expr.Date), day)
		case fn == "+" && isTime(lt) && rt.Kind == expr.KindString:
			return nil, unexpectedInput(c.at, text, 1, `"INT"`, r)
		case fn == "-" && rt.Kind == expr.KindDate:
			if x.wanted(lt, []expr.Want{{Type: expr.Date}}) == nil {
				return nil, unexpectedInput(c.at, text, 0, `"DATE"`, l)
			}
			day := &expr.Type{Kind: expr.KindDayTime, From: expr.FieldDay, To: expr.FieldDay}
			return make(fn, x.cast(l, expr.Date), r, day)
		case lt.Kind == expr.KindDate:
			return x.shiftDays(c, fn, l, r)
		}
	case "*", "/":
		if fn == "*" && !lt.IsInterval() {
			l, r, lt, rt = r, l, rt, lt
		}
		if lt.IsInterval() && rt.IsInterval() {
			return nil, unexpectedInput(c.at, text, 1, `"NUMERIC"`, r)
		}
		if !lt.IsInterval() {
			return nil, nil
		}
		if fn == "*" && lt.Kind != expr.KindCalendar {
			text = showCall(fn, fn, []expr.Expr{l, r}, true)
		}
		return x.scaleInterval(c, fn, l, r, text)
	case "div":
		if isAnsi(lt) && lt.Kind == rt.Kind {
			return make(fn, l, r, expr.Int64)
		}
	}
	return nil, nil
}

// shiftTime is time ± interval.
func (x *exprs) shiftTime(c *call, fn string, l, r expr.Expr, text string) (expr.Expr, error) {
	lt, rt := l.Type(), r.Type()
	t := lt
	switch {
	case lt.Kind == expr.KindDate && rt.Kind == expr.KindDayTime:
		if rt.From != expr.FieldDay || rt.To != expr.FieldDay {
			l, t = x.cast(l, expr.Timestamp), expr.Timestamp
		}
	case lt.Kind == expr.KindString && rt.Kind != expr.KindYearMonth:
		text = l.SQL() + " " + fn + " " + r.SQL()
		out := x.operator(c, fn, x.cast(l, expr.Timestamp), r, expr.Timestamp, x.mode(), text)
		return x.cast(out, expr.String), nil
	case lt.Kind == expr.KindNull && rt.Kind == expr.KindCalendar:
		out := x.operator(c, fn, x.cast(l, expr.Timestamp), r, expr.Timestamp, x.mode(), text)
		return nil, castError(&expr.Cast{At: c.at, Child: out, To: expr.Null, Implicit: true}, expr.Timestamp, expr.Coercion{})
	case !isTime(lt) && rt.Kind == expr.KindYearMonth:
		return nil, nil
	case !isTime(lt):
		return nil, unexpectedInput(c.at, text, 0, `"TIMESTAMP"`, l)
	}
	text = l.SQL() + " " + fn + " " + r.SQL()
	return x.operator(c, fn, l, r, t, x.mode(), text), nil
}

// shiftDays is DATE ± days.
func (x *exprs) shiftDays(c *call, fn string, l, r expr.Expr) (expr.Expr, error) {
	name := "date_add"
	if fn == "-" {
		name = "date_sub"
	}
	d := &call{at: c.at, name: name, f: expr.Functions.Lookup(name), apply: &expr.Apply{At: c.at, Name: []string{name}}, args: []expr.Expr{l, r}}
	if t := r.Type(); !(t.IsInteger() && t.Kind != expr.KindInt64) && t.Kind != expr.KindNull {
		return nil, unexpectedInput(c.at, d.text(), 1, `("INT" or "SMALLINT" or "TINYINT")`, r)
	}
	if err := x.coerce(d); err != nil {
		return nil, err
	}
	return x.result(d, expr.Date)
}

// scaleInterval is interval * number and interval / number.
func (x *exprs) scaleInterval(c *call, fn string, l, r expr.Expr, text string) (expr.Expr, error) {
	lt, rt := l.Type(), r.Type()
	t := lt
	switch lt.Kind {
	case expr.KindYearMonth:
		t = expr.YearMonth
	case expr.KindDayTime:
		t = expr.DayTime
	}
	switch {
	case lt.Kind == expr.KindCalendar:
		if x.wanted(rt, []expr.Want{{Type: expr.Float64}}) == nil {
			return nil, nil
		}
		r = x.cast(r, expr.Float64)
		text = map[string]string{"*": "multiply_interval", "/": "divide_interval"}[fn] + "(" + l.SQL() + ", " + r.SQL() + ")"
	case rt.IsNumeric():
	default:
		if x.wanted(rt, []expr.Want{{Family: expr.NumericType}}) == nil {
			if !isTime(rt) {
				return nil, nil
			}
			return nil, unexpectedInput(c.at, text, 1, `"NUMERIC"`, r)
		}
		r = x.cast(r, expr.Float64)
	}
	return x.operator(c, fn, l, r, t, x.mode(), text), nil
}
