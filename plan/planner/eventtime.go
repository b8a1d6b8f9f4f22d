package planner

import (
	"strings"

	"github.com/flightd/flightd/internal/base"
	"github.com/flightd/flightd/plan/expr"
	"github.com/flightd/flightd/plan/physical"
)

// EventTime returns the first column that carries a watermark, and how many
// different ones do.
func EventTime(cols []*expr.Column) (first *expr.Column, n int) {
	seen := set{}
	for _, c := range cols {
		if c.Meta.EventTime && !seen[c.ID] {
			seen[c.ID] = true
			if first == nil {
				first = c
			}
		}
	}
	return first, len(seen)
}

// oneEventTime refuses an operator that judges its rows by cols, if more than one of
// them carries a watermark.
func (p *planner) oneEventTime(at base.Pos, cols []*expr.Column, s *physical.State) {
	if _, n := EventTime(cols); n < 2 || s == nil || s.Refused != nil || p.opts.FirstEventTime {
		return
	}
	var names []string
	for _, c := range cols {
		if c.Meta.EventTime {
			names = append(names, c.Name)
		}
	}
	s.Refused = base.UserError("MULTIPLE_EVENT_TIME_COLUMNS", "42K09", "The stream has more than one column with a watermark: %s.", strings.Join(names, ", ")).
		At(at).WithHint("select only one of them below, or set spark.sql.streaming.statefulOperator.allowMultiple to false")
}

// among returns those of cols that are in need.
func among(cols []*expr.Column, need set) []*expr.Column {
	var out []*expr.Column
	for _, c := range cols {
		if need[c.ID] {
			out = append(out, c)
		}
	}
	return out
}

// columnsIn returns those of list that are columns.
func columnsIn(list []expr.Expr) []*expr.Column {
	var out []*expr.Column
	for _, e := range list {
		if c, ok := e.(*expr.Column); ok {
			out = append(out, c)
		}
	}
	return out
}
