package resolve

import (
	"strings"

	"github.com/flightd/flightd/internal/base"
	"github.com/flightd/flightd/plan/expr"
	"github.com/flightd/flightd/plan/logical"
	"github.com/flightd/flightd/plan/sql"
)

// timeWindow is a window(…) or session_window(…) on its way to becoming the
// column of a Window or Session node.
type timeWindow struct {
	at                     base.Pos
	time, gap              expr.Expr
	duration, slide, start int64
	text                   string
}

func (e *timeWindow) Pos() base.Pos { return e.at }
func (e *timeWindow) Children() []expr.Expr {
	if e.gap != nil {
		return []expr.Expr{e.time, e.gap}
	}
	return []expr.Expr{e.time}
}
func (e *timeWindow) With(c []expr.Expr) expr.Expr {
	d := *e
	d.time = c[0]
	if e.gap != nil {
		d.gap = c[1]
	}
	return &d
}
func (e *timeWindow) Type() *expr.Type { return expr.TimeWindow(e.time.Type()) }
func (e *timeWindow) Nullable() bool   { return false }
func (e *timeWindow) SQL() string      { return e.text }
func (e *timeWindow) Detail() string {
	return itoa(int(e.duration)) + "," + itoa(int(e.slide)) + "," + itoa(int(e.start))
}

// timeWindows are the time windows of a query block: after prepare, one column.
type timeWindows struct {
	key    string
	column *expr.Column
}

// timeWindow resolves window(…) and session_window(…).
func (x *exprs) timeWindow(c *call) (expr.Expr, error) {
	if x.windows == nil {
		return nil, base.UserError("UNSUPPORTED_EXPR_FOR_OPERATOR", "42K0E",
			"The query operator %s contains one or more unsupported expressions: %q.", c.s.clause, c.apply.SQL()).At(c.at)
	}
	var w *timeWindow
	var err error
	if c.f.Name == "session_window" {
		w, err = x.session(c)
	} else {
		w, err = x.window(c)
	}
	if err != nil {
		return nil, err
	}
	if x.windows.column == nil {
		return w, nil
	}
	if expr.Fingerprint(w) != x.windows.key {
		return nil, multipleWindows(c.at)
	}
	return x.windows.column, nil
}

func multipleWindows(at base.Pos) error {
	return base.UserError("_LEGACY_ERROR_TEMP_1039", "",
		"Multiple time/session window expressions would result in a cartesian product of rows, therefore they are currently not supported.").At(at)
}

func (x *exprs) window(c *call) (*timeWindow, error) {
	w := &timeWindow{at: c.at}
	durations := []*int64{&w.duration, &w.slide, &w.start}
	for i, a := range c.args[1:] {
		us, err := windowDuration(a, c.at)
		if err != nil {
			return nil, err
		}
		*durations[i] = us
		if i == 0 {
			w.slide = us
		}
	}
	text := "window(" + c.args[0].SQL() + ", " + itoa(int(w.duration)) + ", " + itoa(int(w.slide)) + ", " + itoa(int(w.start)) + ")"
	var err error
	if w.time, err = x.windowInput(c, text); err != nil {
		return nil, err
	}
	const most = "9223372036854775807"
	switch {
	case w.duration <= 0:
		return nil, mismatch("VALUE_OUT_OF_RANGE", c.at, text, "The `window_duration` must be between (0, %s] (current value = %dL).", most, w.duration)
	case w.slide <= 0:
		return nil, mismatch("VALUE_OUT_OF_RANGE", c.at, text, "The `slide_duration` must be between (0, %s] (current value = %dL).", most, w.slide)
	case w.slide > w.duration:
		return nil, mismatch("PARAMETER_CONSTRAINT_VIOLATION", c.at, text, "The `slide_duration`(%dL) must be <= the `window_duration`(%dL).", w.slide, w.duration)
	case max(w.start, -w.start) >= w.slide:
		return nil, mismatch("PARAMETER_CONSTRAINT_VIOLATION", c.at, text, "The `abs(start_time)`(%dL) must be < the `slide_duration`(%dL).", max(w.start, -w.start), w.slide)
	}
	w.text = "window"
	return w, nil
}

// windowInput is the time argument: a timestamp, what casts to one, or a window
// struct, whose time is its window_time.
func (x *exprs) windowInput(c *call, text string) (expr.Expr, error) {
	in := c.args[0]
	if isWindowStruct(in.Type()) {
		return x.windowTime(&call{at: c.at, name: "window_time", f: expr.Functions.Lookup("window_time"),
			apply: &expr.Apply{At: c.at, Name: []string{"window_time"}}, args: []expr.Expr{in}, s: c.s})
	}
	t := x.wanted(in.Type(), []expr.Want{{Family: expr.AnyTimestampType}})
	if t == nil {
		return nil, unexpectedInput(c.at, text, 0,
			`("(TIMESTAMP OR TIMESTAMP WITHOUT TIME ZONE)" or "STRUCT<start: TIMESTAMP, end: TIMESTAMP>" or "STRUCT<start: TIMESTAMP_NTZ, end: TIMESTAMP_NTZ>")`, in)
	}
	return x.cast(in, t), nil
}

func isWindowStruct(t *expr.Type) bool {
	return t.Kind == expr.KindStruct && len(t.Fields) == 2 && isStamp(t.Fields[0].Type) && t.Fields[0].Type.Equal(t.Fields[1].Type) &&
		t.Fields[0].Name == "start" && t.Fields[1].Name == "end"
}

// windowDuration is a duration of window(…) in microseconds: an interval as
// text, or an integer.
func windowDuration(e expr.Expr, at base.Pos) (int64, error) {
	if us, ok := intLiteral(e); ok {
		return us, nil
	}
	if lit, ok := e.(*expr.Literal); ok && lit.Place != nil && lit.Value == nil {
		lit.Place.Ask(expr.String, expr.Argument)
		return 1e6, nil
	}
	text, ok := stringLiteral(e)
	if !ok {
		return 0, base.UserError("_LEGACY_ERROR_TEMP_1207", "", "The duration and time inputs to window must be an integer, long or string literal.").At(at)
	}
	months, days, micros, err := sql.ParseInterval(text)
	if err != nil {
		return 0, base.AsError(err).At(e.Pos())
	}
	if months != 0 {
		return 0, base.UserError("_LEGACY_ERROR_TEMP_3231", "", "Intervals greater than a month is not supported (%s).", text).At(e.Pos()).
			WithHint("use weeks or days: a month has no fixed length")
	}
	return int64(days)*86_400e6 + micros, nil
}

func (x *exprs) session(c *call) (*timeWindow, error) {
	w := &timeWindow{at: c.at, text: "session_window", gap: c.args[1]}
	text := "session_window(" + c.args[0].SQL() + ", " + c.args[1].SQL() + ")"
	var err error
	if w.time, err = x.windowInput(c, text); err != nil {
		return nil, err
	}
	switch k := w.gap.Type().Kind; {
	case k == expr.KindString, k == expr.KindCalendar:
		// A text that is no interval fails when a row has it.
	case isAnsi(w.gap.Type()):
		return nil, base.UserError("_LEGACY_ERROR_TEMP_1040", "", "Gap duration expression used in session window must be CalendarIntervalType, but got %s.",
			w.gap.Type().SQL()).At(w.gap.Pos()).WithHint("write the gap as text: '5 minutes'")
	default:
		return nil, mismatch("UNEXPECTED_INPUT_TYPE", c.at, text,
			"The second parameter requires the (\"STRING\" or \"INTERVAL\") type, however %q has the type %q.", w.gap.SQL(), w.gap.Type().SQL())
	}
	return w, nil
}

// windowTime is window_time(w): the last microsecond of the window.
func (x *exprs) windowTime(c *call) (expr.Expr, error) {
	in := c.args[0]
	if !isWindowStruct(in.Type()) {
		return nil, unexpectedInput(c.at, c.text(), 0, `"STRUCT"`, in)
	}
	return &expr.Call{At: c.at, Fn: "window_time", Args: c.args, Typ: in.Type().Fields[1].Type, Null: in.Nullable()}, nil
}

// rawWindows collects the calls of window and session_window in unresolved
// expressions.
func rawWindows(list []expr.Expr) []*expr.Apply {
	var out []*expr.Apply
	for _, e := range list {
		if e == nil {
			continue
		}
		expr.Walk(e, func(e expr.Expr) bool {
			if a, ok := e.(*expr.Apply); ok && len(a.Name) == 1 {
				if n := strings.ToLower(a.Name[0]); n == "window" || n == "session_window" {
					out = append(out, a)
					return false
				}
			}
			return true
		})
	}
	return out
}

// prepareWindows puts the Window or Session node of a block's time windows over
// in, if it has any, and makes the column that later mentions become.
func (x *exprs) prepareWindows(list []expr.Expr, in *rel, s *scope) error {
	x.windows = &timeWindows{}
	var found *timeWindow
	for _, a := range rawWindows(list) {
		e, err := x.expr(a, s)
		if err != nil {
			return err
		}
		w, ok := e.(*timeWindow)
		if !ok {
			continue
		}
		if found != nil && expr.Fingerprint(found) != expr.Fingerprint(w) {
			return multipleWindows(a.At)
		}
		found = w
	}
	if found == nil {
		return nil
	}
	col := &expr.Column{At: found.at, ID: expr.NewID(), Name: found.text, Typ: found.Type(), Meta: windowMeta(found.time)}
	if found.gap != nil {
		col.Meta.Session = true
		in.node = &logical.Session{At: found.at, Time: found.time, Gap: found.gap, Column: col, Input: in.node}
	} else {
		in.node = &logical.Window{At: found.at, Time: found.time, Duration: found.duration, Slide: found.slide, Start: found.start, Column: col, Input: in.node}
	}
	x.windows.key, x.windows.column = expr.Fingerprint(found), col
	s.last = append(s.last, named{found.text, col})
	return nil
}

// windowMeta is what a window column has from its time: the event time of a
// column, also through window_time.
func windowMeta(e expr.Expr) expr.Meta {
	switch e := e.(type) {
	case *expr.Column:
		return expr.Meta{EventTime: e.Meta.EventTime, Delay: e.Meta.Delay}
	case *expr.Call:
		if e.Fn == "window_time" {
			return windowMeta(e.Args[0])
		}
	}
	return expr.Meta{}
}
