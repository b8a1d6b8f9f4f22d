package planner

import (
	"github.com/apache/arrow-go/v18/arrow/decimal128"

	"github.com/flightd/flightd/plan/expr"
	"github.com/flightd/flightd/plan/physical"
)

// StateBounds derives from the condition of a join of two streams how long the rows
// of each side are kept, as Spark's StreamingSymmetricHashJoinHelper does. left and
// right are the columns of its sides. fold may be nil.
func StateBounds(keys *Equalities, left, right []*expr.Column, fold expr.Fold) (l, r physical.StateBound) {
	if key := keys.EventKey(); key >= 0 {
		return physical.StateBound{Key: key}, physical.StateBound{Key: key}
	}
	l, r = physical.Unbounded(), physical.Unbounded()
	rest := plainComparisons(keys.Rest)
	// A bound is on the event time, so the side itself needs one as well.
	if t, _ := EventTime(left); t != nil {
		l.Ranges = RangeBounds(rest, left, right, fold)
	}
	if t, _ := EventTime(right); t != nil {
		r.Ranges = RangeBounds(rest, right, left, fold)
	}
	return l, r
}

// plainComparisons returns conjuncts without NOT before comparisons.
func plainComparisons(list []expr.Expr) []expr.Expr {
	opposite := map[string]string{"<": ">=", "<=": ">", ">": "<=", ">=": "<"}
	out := make([]expr.Expr, len(list))
	for i, e := range list {
		out[i] = e
		not, ok := e.(*expr.Call)
		if !ok || not.Fn != "not" {
			continue
		}
		if c, ok := not.Args[0].(*expr.Call); ok && opposite[c.Fn] != "" {
			d := *c
			d.Fn, d.Text = opposite[c.Fn], ""
			out[i] = &d
		}
	}
	return out
}

// RangeBounds solves each conjunct of a join's condition for the one column of the
// side with the columns own that is in it, knowing that the event time of the other
// side is beyond the watermark; without one there, nothing is known. It is Spark's StreamingJoinHelper to the letter, also where that is
// not what one would write: a comparison of own with constants, whatever the columns
// are, gives a bound that does not move (recordings left_left_filter_*).
func RangeBounds(conjuncts []expr.Expr, own, other []*expr.Column, fold expr.Fold) []physical.RangeBound {
	if t, _ := EventTime(other); t == nil {
		return nil
	}
	var out []physical.RangeBound
	for _, e := range conjuncts {
		c, ok := e.(*expr.Call)
		if !ok || len(c.Args) != 2 {
			continue
		}
		small, large := c.Args[0], c.Args[1]
		switch c.Fn {
		case "<", "<=":
		case ">", ">=":
			small, large = large, small
		default:
			continue
		}
		s := &solver{own: ids(own), other: ids(other), times: eventTimes(other), fold: fold}
		if b, ok := s.solve(small, large); ok {
			b.OrEqual = c.Fn == "<=" || c.Fn == ">="
			out = append(out, b)
		}
	}
	return out
}

func ids(cols []*expr.Column) set {
	s := set{}
	s.addAll(cols)
	return s
}

func eventTimes(cols []*expr.Column) set {
	s := set{}
	for _, c := range cols {
		if c.Meta.EventTime {
			s[c.ID] = true
		}
	}
	return s
}

// solver solves small < large for the one column of own in it.
type solver struct {
	own, other set
	// times are the event times among other.
	times set
	fold  expr.Fold

	terms []term
	bad   bool
}

// term is one summand of small − large: a column, or a constant in microseconds.
type term struct {
	column *expr.Column
	value  float64
	minus  bool
}

func (s *solver) solve(small, large expr.Expr) (physical.RangeBound, bool) {
	var none physical.RangeBound
	if s.count(s.own, small, large) > 1 || s.count(s.other, small, large) > 1 {
		return none, false
	}
	s.collect(small, false)
	s.collect(large, true)
	if s.bad {
		return none, false
	}
	var own []term
	var out physical.RangeBound
	rest := 0
	for _, t := range s.terms {
		sign := 1.0
		if t.minus {
			sign = -1
		}
		switch {
		case t.column == nil:
			out.Offset += sign * t.value
		case s.own[t.column.ID]:
			own = append(own, t)
			continue
		case s.times[t.column.ID]:
			out.Times += sign
		default: // nothing is known of it
			return none, false
		}
		rest++
	}
	// It must stand on the large side, and be compared with something.
	return out, len(own) == 1 && own[0].minus && rest > 0
}

// count returns how often columns of cols occur.
func (s *solver) count(cols set, es ...expr.Expr) int {
	n := 0
	for _, e := range es {
		expr.Walk(e, func(e expr.Expr) bool {
			if c, ok := e.(*expr.Column); ok && cols[c.ID] {
				n++
			}
			return true
		})
	}
	return n
}

// collect adds the terms of e, or says that it is no sum.
func (s *solver) collect(e expr.Expr, minus bool) {
	if l, ok := s.folded(e); ok {
		e = l
	}
	switch e := e.(type) {
	case *expr.Column:
		s.terms = append(s.terms, term{column: e, minus: minus})
		return
	case *expr.Literal:
		if us, ok := micros(e); ok {
			s.terms = append(s.terms, term{value: us, minus: minus})
			return
		}
	case *expr.Cast:
		if e.To.IsNumeric() || e.To.Kind == expr.KindTimestamp {
			s.collect(e.Child, minus)
			return
		}
	case *expr.Call:
		switch {
		case e.Fn == "negative":
			s.collect(e.Args[0], !minus)
			return
		case (e.Fn == "+" || e.Fn == "-") && summed(e):
			s.collect(e.Args[0], minus)
			s.collect(e.Args[1], minus != (e.Fn == "-"))
			return
		}
	}
	s.bad = true
}

// summed reports whether + or − is one of numbers, of intervals of a fixed length, or
// of a TIMESTAMP and such an interval.
func summed(e *expr.Call) bool {
	l, r := e.Args[0].Type(), e.Args[1].Type()
	switch {
	case l.IsNumeric():
		return r.IsNumeric()
	case l.Kind == expr.KindTimestamp:
		return r.Kind == expr.KindDayTime || r.Kind == expr.KindCalendar
	}
	return l.IsInterval() && l.Kind == r.Kind
}

func (s *solver) folded(e expr.Expr) (*expr.Literal, bool) {
	if _, ok := e.(*expr.Literal); ok || s.fold == nil {
		return nil, false
	}
	constant := true
	expr.Walk(e, func(e expr.Expr) bool {
		switch e.(type) {
		case *expr.Column, *expr.Subquery, *expr.Ref:
			constant = false
		}
		return constant
	})
	if !constant {
		return nil, false
	}
	return s.fold(e)
}

// micros is a constant in microseconds: a number counts as seconds.
func micros(l *expr.Literal) (float64, bool) {
	switch v := l.Value.(type) {
	case expr.CalendarInterval:
		return float64(v.Days)*86.4e9 + float64(v.Micros), v.Months == 0
	case int64:
		if l.Typ.Kind == expr.KindDayTime {
			return float64(v), true
		}
		return float64(v) * 1e6, l.Typ.IsNumeric()
	case float32:
		return float64(v) * 1e6, true
	case float64:
		return v * 1e6, true
	case decimal128.Num:
		return v.ToFloat64(int32(l.Typ.Scale)) * 1e6, true
	}
	return 0, false
}
