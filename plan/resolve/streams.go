package resolve

import (
	"strings"

	"github.com/flightd/flightd/internal/base"
	"github.com/flightd/flightd/plan/expr"
	"github.com/flightd/flightd/plan/logical"
	"github.com/flightd/flightd/plan/sql"
)

// watermark resolves withWatermark and the WATERMARK clause: a time that is no
// column becomes one first.
func (r *resolver) watermark(n *logical.Watermark, outer *scope) (rel, error) {
	in, err := r.node(n.Input, outer)
	if err != nil {
		return rel{}, err
	}
	x := &exprs{r: r}
	e, err := x.expr(n.Time, &scope{cols: in.cols, hidden: in.hidden, outer: outer})
	if err != nil {
		return rel{}, err
	}
	delay, err := r.delay(n.Delay)
	if err != nil {
		return rel{}, err
	}
	col, isColumn := e.(*expr.Column)
	if !isColumn || n.Name != "" && !strings.EqualFold(n.Name, col.Name) {
		if n.Name == "" {
			return rel{}, base.UserError("REQUIRES_EXPLICIT_NAME_IN_WATERMARK_CLAUSE", "42000",
				"The watermark clause requires an explicit name if expression is specified, but got %s.", e.SQL()).At(n.At).
				WithHint("write WATERMARK %s AS t DELAY OF …", e.SQL())
		}
		a := &expr.Alias{At: n.At, Child: e, Name: n.Name, ID: expr.NewID()}
		list := make([]expr.Expr, len(in.cols), len(in.cols)+1)
		for i, c := range in.cols {
			list[i] = plain(c)
		}
		in.node = &logical.Project{At: n.At, List: append(list, a), Input: in.node}
		col = &expr.Column{At: n.At, ID: a.ID, Name: n.Name, Typ: e.Type(), Null: e.Nullable(), Meta: logical.MetaOf(a)}
		if len(in.cols) > 0 {
			col.Qualifier = in.cols[0].Qualifier
		}
		in.cols = append(in.cols[:len(in.cols):len(in.cols)], col)
	}
	if !isEventTime(col.Typ) {
		return rel{}, base.UserError("EVENT_TIME_IS_NOT_ON_TIMESTAMP_TYPE", "42K09",
			"The event time %s has the invalid type %q, but expected \"TIMESTAMP\".", quoteName([]string{col.Name}), col.Typ.SQL()).At(n.Time.Pos()).
			WithHint("a watermark needs a TIMESTAMP column: cast it in a view or with WATERMARK expr AS c")
	}
	mark := func(cols []*expr.Column) []*expr.Column {
		out := make([]*expr.Column, len(cols))
		for i, c := range cols {
			out[i] = c
			if c.ID == col.ID {
				d := *c
				d.Meta.EventTime, d.Meta.Delay = true, delay
				out[i] = &d
			}
		}
		return out
	}
	out := &logical.Watermark{At: n.At, Delay: n.Delay, DelayMs: delay, Column: col, Input: in.node, Out: mark(in.node.Output())}
	return rel{node: out, cols: mark(in.cols), hidden: mark(in.hidden)}, nil
}

// isEventTime reports whether a watermark may stand on a t.
func isEventTime(t *expr.Type) bool {
	if t.Kind == expr.KindStruct {
		f := t.Field("end")
		return f != nil && f.Type.Kind == expr.KindTimestamp
	}
	return t.Kind == expr.KindTimestamp
}

// delay is a watermark's delay in milliseconds; a month counts as 31 days.
func (r *resolver) delay(e expr.Expr) (int64, error) {
	var iv expr.CalendarInterval
	shown := e.SQL()
	switch lit := r.constantInterval(e).(type) {
	case nil:
		return 0, base.UserError("CANNOT_PARSE_INTERVAL", "22006", "Unable to parse '%s'. Please ensure that the value provided is in a valid format for defining an interval.", shown).At(e.Pos())
	case *expr.Literal:
		switch v := lit.Value.(type) {
		case string:
			months, days, micros, err := sql.ParseInterval(v)
			if err != nil {
				return 0, base.AsError(err).At(e.Pos())
			}
			iv = expr.CalendarInterval{Months: months, Days: days, Micros: micros}
			shown = v
		case expr.CalendarInterval:
			iv = v
		case int64:
			d := *lit
			d.Text = ""
			shown = d.SQL()
			if lit.Typ.Kind == expr.KindYearMonth {
				iv.Months = int32(v)
			} else {
				iv.Micros = v
			}
		}
	}
	ms := int64(iv.Days)*86_400_000 + iv.Micros/1000 + int64(iv.Months)*31*86_400_000
	if ms < 0 || iv.Micros < 0 && ms == 0 {
		return 0, base.Errorf(base.CodeInvalid, "requirement failed: delay threshold (%s) should not be negative.", shown).At(e.Pos())
	}
	return ms, nil
}

// constantInterval looks through a minus before an interval literal.
func (r *resolver) constantInterval(e expr.Expr) expr.Expr {
	switch e := e.(type) {
	case *expr.Literal:
		return e
	case *expr.Apply:
		if len(e.Args) == 1 && e.Name[0] == "negative" {
			if lit, ok := r.constantInterval(e.Args[0]).(*expr.Literal); ok {
				d := *lit
				d.Text = ""
				switch v := lit.Value.(type) {
				case int64:
					d.Value = -v
				case expr.CalendarInterval:
					d.Value = expr.CalendarInterval{Months: -v.Months, Days: -v.Days, Micros: -v.Micros}
				}
				return &d
			}
		}
	}
	return nil
}

// deduplicate finds the key columns by name.
func (r *resolver) deduplicate(n *logical.Deduplicate, outer *scope) (rel, error) {
	in, err := r.node(n.Input, outer)
	if err != nil {
		return rel{}, err
	}
	d := *n
	d.Input, d.Keys = in.node, nil
	if n.Columns == nil {
		d.Keys = in.cols
	}
	for _, name := range n.Columns {
		found := match(in.cols, nil, name)
		if len(found) == 0 {
			return rel{}, base.UserError("UNRESOLVED_COLUMN_AMONG_FIELD_NAMES", "42703", "Cannot resolve column name %q among (%s).",
				name, strings.Join(columnsOf(in), ", ")).At(n.At)
		}
		for _, c := range found {
			if !holds(d.Keys, c.ID) {
				d.Keys = append(d.Keys, c)
			}
		}
	}
	in.node = &d
	return in, nil
}
