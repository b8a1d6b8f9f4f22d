package resolve

import (
	"strings"

	"github.com/flightd/flightd/internal/base"
	"github.com/flightd/flightd/plan/expr"
)

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
	// Other atomic values are read as the text that they are shown as.
	switch {
	case in.Kind == expr.KindString, isTime(in), in.Kind == expr.KindNull, in.IsNumeric() && t.Kind == expr.KindTimestamp:
	case in.IsNested(), in.Kind == expr.KindVariant, in.Kind == expr.KindCalendar:
		return nil, unexpectedInput(c.at, text, 0, `("STRING" or "DATE" or "TIMESTAMP" or "TIMESTAMP_NTZ")`, c.args[0])
	default:
		c.args[0], in = x.cast(c.args[0], expr.String), expr.String
	}
	if len(c.args) == 2 {
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
	if c.f.Name == "try_make_timestamp" && len(c.args) == 7 {
		c.unshown = 1 // Spark does not show the zone
	}
	text := c.text()
	if len(c.args) <= 3 {
		if c.f.Max == 6 && len(c.args) == 3 {
			return nil, wrongArgs(c.at, c.name, "[2, 6]", 3)
		}
		wants := []expr.Want{{Type: expr.Date}, {Type: expr.Time(expr.DefaultTimePrecision)}, {Type: expr.String}}
		for i, a := range c.args {
			u := x.wanted(a.Type(), wants[i:i+1])
			if u == nil || i < 2 && a.Type().Kind != u.Kind && a.Type().Kind != expr.KindNull {
				return nil, unexpectedInput(c.at, text, i, `"`+wants[i].Type.SQL()+`"`, c.args[i])
			}
			c.args[i] = x.cast(c.args[i], u)
		}
		if len(c.args) == 1 { // the date's midnight
			day := x.cast(c.args[0], t)
			return &expr.Call{At: c.at, Fn: "coalesce", Args: []expr.Expr{day}, Typ: t, Null: day.Nullable(), Text: text}, nil
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
	switch {
	case c.name == "datepart":
		text = "datepart(" + c.args[0].SQL() + " FROM " + c.args[1].SQL() + ")"
	case c.apply.Operator || c.name == "extract":
		text = "extract(" + field + " FROM " + c.args[1].SQL() + ")"
	}
	source := c.args[1]
	if source.Type().Kind == expr.KindString {
		source = x.cast(source, expr.Timestamp)
	}
	t := source.Type()
	fn := extractFields[strings.ToLower(field)]
	if lit, isLit := c.args[0].(*expr.Literal); isLit && lit.Value == nil {
		return &expr.Literal{At: c.at, Typ: expr.Float64, Text: text}, nil
	}
	if !ok {
		return nil, base.UserError("NON_FOLDABLE_ARGUMENT", "42K08", "The function `%s` requires the parameter `field` to be a constant STRING.", c.name).At(c.at)
	}
	out := extractType(fn, t)
	if out == nil && fn != "" && !t.IsInterval() && t.Kind != expr.KindTime {
		return nil, unexpectedInput(c.at, text, 0, `"TIMESTAMP"`, c.args[1])
	}
	if out == nil {
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
			return expr.Decimal(2+t.Precision, t.Precision)
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

// timeBucket resolves time_bucket(width, time[, origin]): the width is a constant
// above zero, the origin a constant of the time's own type.
func (x *exprs) timeBucket(c *call) (expr.Expr, error) {
	t := c.args[1].Type()
	if t.Kind == expr.KindNull {
		t = expr.Timestamp
	}
	if c.name == "date_bin" {
		t = x.bin(c, t)
	}
	if len(c.args) == 2 {
		origin := &expr.Literal{At: c.at, Value: int64(0), Typ: expr.TimestampNTZ}
		kind := "TIMESTAMP_NTZ"
		if t.Kind == expr.KindTimestamp {
			kind = "TIMESTAMP"
		}
		shown := append(append([]expr.Expr(nil), c.args...), &expr.Column{Name: kind + strings.TrimPrefix(origin.SQL(), "TIMESTAMP_NTZ")})
		return x.bucketOf(c, t, showCall(c.name, c.name, shown, false))
	}
	return x.bucketOf(c, t, c.text())
}

// bin brings the time and origin of date_bin to one type, which time_bucket leaves to
// the user: those who write date_bin write it for any column of times.
func (x *exprs) bin(c *call, t *expr.Type) *expr.Type {
	if t.Kind == expr.KindDate || t.Kind == expr.KindString {
		t = expr.Timestamp
		c.args[1] = x.cast(c.args[1], t)
	}
	if len(c.args) == 3 && isStamp(t) && (isTime(c.args[2].Type()) || c.args[2].Type().Kind == expr.KindString) {
		c.args[2] = x.cast(c.args[2], t)
	}
	return t
}

func (x *exprs) bucketOf(c *call, t *expr.Type, text string) (expr.Expr, error) {
	width := c.args[0].Type()
	switch {
	case width.Kind != expr.KindNull && !isAnsi(width):
		return nil, unexpectedInput(c.at, text, 0, `("INTERVAL DAY TO SECOND" or "INTERVAL YEAR TO MONTH")`, c.args[0])
	case !isStamp(t):
		return nil, unexpectedInput(c.at, text, 1, `"(TIMESTAMP OR TIMESTAMP WITHOUT TIME ZONE)"`, c.args[1])
	case len(c.args) == 3 && c.args[2].Type().Kind != expr.KindNull && c.args[2].Type().Kind != t.Kind:
		return nil, unexpectedInput(c.at, text, 2, `"`+t.SQL()+`"`, c.args[2])
	}
	for i, name := range []string{0: "bucketSize", 2: "origin"} {
		if i < len(c.args) && name != "" && !foldable(c.args[i]) {
			return nil, mismatch("NON_FOLDABLE_INPUT", c.at, text, "the input `%s` should be a constant; however, got %q.", name, c.args[i].SQL())
		}
	}
	if lit, ok := c.args[0].(*expr.Literal); ok {
		if v, some := lit.Value.(int64); some && v <= 0 {
			return nil, mismatch("VALUE_OUT_OF_RANGE", c.at, text, "The `bucketSize` must be above zero, and is %s.", lit.SQL())
		}
	}
	if width.Kind == expr.KindNull {
		c.args[0] = x.cast(c.args[0], expr.DayTime)
	}
	for i := range c.args[1:] {
		c.args[i+1] = x.cast(c.args[i+1], t)
	}
	out, err := x.result(c, t)
	if k, ok := out.(*expr.Call); ok {
		k.Text = text
	}
	return out, err
}

// now resolves current_timestamp, now and localtimestamp. Their one argument is a
// precision, of which there is only that of microseconds.
func (x *exprs) now(c *call) (expr.Expr, error) {
	t := expr.Timestamp
	if c.f.Name == "localtimestamp" {
		t = expr.TimestampNTZ
	}
	if len(c.args) == 1 {
		switch p, ok := intLiteral(c.args[0]); {
		case ok && p == 6:
		case ok && p >= 7 && p <= 9:
			return nil, base.UserError("FEATURE_NOT_ENABLED", "56038", "Timestamps of nanoseconds are not enabled.").At(c.at)
		default:
			return nil, base.UserError("INVALID_TIMESTAMP_PRECISION", "22023",
				"%s is not a precision of a timestamp; leave it out or write 6.", c.args[0].SQL()).At(c.at)
		}
		c.args = nil
	}
	return x.result(c, t)
}

// nanoseconds resolves timestamp_nanos and unix_nanos. Timestamps of nanoseconds
// are no type here: the one checks its argument and is refused, the other has only
// NULL to work on.
func (x *exprs) nanoseconds(c *call) (expr.Expr, error) {
	if c.f.Name == "unix_nanos" {
		if c.args[0].Type().Kind != expr.KindNull {
			return nil, unexpectedInput(c.at, c.text(), 0, `"(TIMESTAMP_LTZ(P) OR TIMESTAMP_NTZ(P) WITH P IN [7, 9])"`, c.args[0])
		}
		return &expr.Literal{At: c.at, Typ: expr.Decimal(21, 0), Text: c.text()}, nil
	}
	if err := x.coerce(c); err != nil {
		return nil, err
	}
	return nil, base.UserError("UNSUPPORTED_FEATURE", "0A000", "Timestamps of nanoseconds are not supported.").At(c.at).
		WithHint("divide by 1000 and use timestamp_micros")
}
