package resolve

import (
	"strings"

	"github.com/flightd/flightd/internal/base"
	"github.com/flightd/flightd/plan/expr"
)

// intLiteral returns the value of an integer literal, under minus too.
func intLiteral(e expr.Expr) (int64, bool) {
	switch e := e.(type) {
	case *expr.Literal:
		v, ok := e.Value.(int64)
		return v, ok && e.Typ.IsInteger()
	case *expr.Cast:
		return intLiteral(e.Child)
	case *expr.Call:
		if e.Fn == "negative" {
			v, ok := intLiteral(e.Args[0])
			return -v, ok
		}
	}
	return 0, false
}

// stringLiteral returns the value of a STRING literal.
func stringLiteral(e expr.Expr) (string, bool) {
	switch e := e.(type) {
	case *expr.Literal:
		v, ok := e.Value.(string)
		return v, ok
	case *expr.Cast:
		return stringLiteral(e.Child)
	}
	return "", false
}

// round resolves round, bround, ceil and floor: the scale is a literal and makes
// the type of a decimal.
func (x *exprs) round(c *call) (expr.Expr, error) {
	rounding := c.f.Rule == "@round"
	given := len(c.args) == 2
	if rounding && !given {
		c.args = append(c.args, &expr.Literal{At: c.at, Value: int64(0), Typ: expr.Int32})
	}
	text := c.text()
	if !rounding && given && c.name != "ceiling" {
		text = strings.ToLower(c.f.Name) + text[strings.IndexByte(text, '('):]
	}
	if !rounding && given && !c.args[0].Type().IsInteger() && c.args[0].Type().Kind != expr.KindDecimal {
		c.args[0] = x.cast(c.args[0], expr.Decimal(30, 15))
	} else if !rounding && given && c.args[0].Type().IsInteger() {
		c.args[0] = x.cast(c.args[0], expr.DecimalOf(c.args[0].Type()))
	}
	if err := x.coerce(c); err != nil {
		return nil, err
	}
	var t *expr.Type
	switch {
	case len(c.args) == 1:
		t = c.f.Result(types(c.args))
		if t == nil {
			t = expr.Int64
			if d := c.args[0].Type(); d.Kind == expr.KindDecimal {
				t = expr.BoundedDecimal(d.Precision-d.Scale+1, 0)
			}
		}
	default:
		if !foldable(c.args[1]) {
			return nil, mismatch("NON_FOLDABLE_INPUT", c.at, text, "the input `scale` should be a foldable \"INT\" expression; however, got %q.", c.args[1].SQL())
		}
		scale, _ := intLiteral(c.args[1])
		t = expr.RoundType(c.args[0].Type(), int(scale))
	}
	out, err := x.result(c, t)
	if k, ok := out.(*expr.Call); ok {
		k.Text = text
	}
	return out, err
}

// toTime resolves to_date, to_timestamp and their kin: a cast without a format.
func (x *exprs) toTime(c *call) (expr.Expr, error) {
	t := expr.Timestamp
	switch {
	case strings.HasSuffix(c.f.Name, "_date"):
		t = expr.Date
	case strings.HasSuffix(c.f.Name, "_ntz"):
		t = expr.TimestampNTZ
	}
	in := c.args[0].Type()
	text := c.text()
	if len(c.args) == 2 {
		if in.Kind != expr.KindString && !isTime(in) && in.Kind != expr.KindNull && !(in.IsNumeric() && t.Kind == expr.KindTimestamp) {
			return nil, unexpectedInput(c.at, text, 0, `"STRING"`, c.args[0])
		}
		if in.Kind == expr.KindNull {
			c.args[0] = x.cast(c.args[0], expr.String)
		}
		if x.wanted(c.args[1].Type(), []expr.Want{{Type: expr.String}}) == nil {
			return nil, unexpectedInput(c.at, text, 1, `"STRING"`, c.args[1])
		}
		c.args[1] = x.cast(c.args[1], expr.String)
		out, err := x.result(c, t)
		if k, ok := out.(*expr.Call); ok && !x.r.co.ANSI {
			k.Null = true
		}
		return out, err
	}
	cast := &expr.Cast{At: c.at, Child: c.args[0], To: t, Mode: x.mode()}
	if strings.HasPrefix(c.name, "try_") {
		cast.Mode = expr.Try
	}
	rules := x.r.co
	if !rules.CanCast(in, t) {
		return nil, castError(cast, in, rules)
	}
	return &expr.Call{At: c.at, Fn: c.f.Name, Args: c.args, Typ: t, Null: cast.Nullable(), Mode: cast.Mode, Text: text}, nil
}

func (x *exprs) makeTimestamp(c *call) (expr.Expr, error) {
	t := expr.Timestamp
	if strings.HasSuffix(c.f.Name, "_ntz") {
		t = expr.TimestampNTZ
	}
	text := c.text()
	if len(c.args) <= 3 {
		wants := []expr.Want{{Type: expr.Date}, {Type: &expr.Type{Kind: expr.KindTime, Precision: 6}}, {Type: expr.String}}
		for i := range c.args {
			u := x.wanted(c.args[i].Type(), wants[i:i+1])
			if u == nil {
				return nil, unexpectedInput(c.at, text, i, `"`+wants[i].Type.SQL()+`"`, c.args[i])
			}
			c.args[i] = x.cast(c.args[i], u)
		}
	} else {
		for i := range c.args {
			want := expr.Want{Type: expr.Int32}
			if i == 5 {
				want.Type = expr.Decimal(16, 6)
			} else if i == 6 {
				want.Type = expr.String
			}
			u := x.wanted(c.args[i].Type(), []expr.Want{want})
			if u == nil {
				return nil, unexpectedInput(c.at, text, i, `"`+want.Type.SQL()+`"`, c.args[i])
			}
			c.args[i] = x.cast(c.args[i], u)
		}
		if len(c.args) < 6 {
			return nil, wrongArgs(c.at, c.name, "[6, 7]", len(c.args))
		}
	}
	return x.result(c, t)
}

// extractFields are the names of fields that EXTRACT takes, and the one name of
// each that evaluators see.
var extractFields = map[string]string{
	"year": "YEAR", "y": "YEAR", "years": "YEAR", "yr": "YEAR", "yrs": "YEAR", "yearofweek": "YEAROFWEEK", "quarter": "QUARTER", "qtr": "QUARTER",
	"month": "MONTH", "mon": "MONTH", "mons": "MONTH", "months": "MONTH", "week": "WEEK", "w": "WEEK", "weeks": "WEEK",
	"day": "DAY", "d": "DAY", "days": "DAY", "dayofweek": "DAYOFWEEK", "dow": "DAYOFWEEK",
	"dayofweek_iso": "DAYOFWEEK_ISO", "dow_iso": "DAYOFWEEK_ISO", "doy": "DOY", "dayofyear": "DOY",
	"hour": "HOUR", "h": "HOUR", "hours": "HOUR", "hr": "HOUR", "hrs": "HOUR",
	"minute": "MINUTE", "m": "MINUTE", "min": "MINUTE", "mins": "MINUTE", "minutes": "MINUTE",
	"second": "SECOND", "s": "SECOND", "sec": "SECOND", "seconds": "SECOND", "secs": "SECOND",
}

// extract resolves extract(field FROM x) and date_part: the call "extract" with
// a literal field, one of the values of extractFields.
func (x *exprs) extract(c *call) (expr.Expr, error) {
	field, ok := stringLiteral(c.args[0])
	text := c.text()
	if c.apply.Operator || c.name == "extract" {
		text = "extract(" + field + " FROM " + c.args[1].SQL() + ")"
	}
	source := c.args[1]
	if source.Type().Kind == expr.KindString {
		source = x.cast(source, expr.Timestamp)
	}
	t := source.Type()
	fn := extractFields[strings.ToLower(field)]
	out := extractType(fn, t)
	if out == nil || !ok {
		return nil, base.UserError("INVALID_EXTRACT_FIELD", "42601", "Cannot extract `%s` from %q.", field, c.args[1].SQL()).At(c.at)
	}
	return &expr.Call{At: c.at, Fn: "extract", Args: []expr.Expr{&expr.Literal{At: c.args[0].Pos(), Value: fn, Typ: expr.String}, source},
		Typ: out, Null: source.Nullable(), Mode: x.mode(), Text: text}, nil
}

func extractType(fn string, t *expr.Type) *expr.Type {
	switch {
	case fn == "":
		return nil
	case isTime(t) || t.Kind == expr.KindNull:
		if fn == "SECOND" {
			return expr.Decimal(8, 6)
		}
		return expr.Int32
	case t.Kind == expr.KindTime:
		switch fn {
		case "HOUR", "MINUTE":
			return expr.Int32
		case "SECOND":
			return expr.Decimal(8, 6)
		}
	case t.IsInterval():
		inYM := fn == "YEAR" || fn == "MONTH"
		inDT := fn == "DAY" || fn == "HOUR" || fn == "MINUTE" || fn == "SECOND"
		field := map[string]expr.IntervalField{"YEAR": expr.FieldYear, "MONTH": expr.FieldMonth, "DAY": expr.FieldDay,
			"HOUR": expr.FieldHour, "MINUTE": expr.FieldMinute, "SECOND": expr.FieldSecond}[fn]
		if t.Kind == expr.KindYearMonth && !inYM || t.Kind == expr.KindDayTime && !inDT || !inYM && !inDT {
			return nil
		}
		if t.Kind != expr.KindCalendar && (field < t.From || field > t.To) {
			return nil
		}
		switch fn {
		case "SECOND":
			return expr.Decimal(8, 6)
		case "MONTH", "HOUR", "MINUTE":
			return expr.Int8
		}
		return expr.Int32
	}
	return nil
}

func (x *exprs) convertTimezone(c *call) (expr.Expr, error) {
	for i := range c.args {
		want := expr.Want{Type: expr.String}
		if i == len(c.args)-1 {
			want.Type = expr.TimestampNTZ
		}
		t := x.wanted(c.args[i].Type(), []expr.Want{want})
		if t == nil {
			return nil, unexpectedInput(c.at, c.text(), i, `"`+want.Type.SQL()+`"`, c.args[i])
		}
		c.args[i] = x.cast(c.args[i], t)
	}
	return x.result(c, expr.TimestampNTZ)
}
