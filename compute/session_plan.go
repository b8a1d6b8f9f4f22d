package compute

import (
	cexpr "github.com/flightd/flightd/compute/expr"
	"github.com/flightd/flightd/compute/vec"
	"github.com/flightd/flightd/plan/expr"
	"github.com/flightd/flightd/plan/physical"
	"github.com/flightd/flightd/state"
)

// sessions is an aggregation of sessions: its rows are grouped by the other keys,
// and of the rows of a key those whose windows touch are one group.
type sessions struct {
	of  *physical.Aggregate
	key int
}

// inner is the aggregation by the other keys.
func (s *sessions) inner() *physical.Aggregate {
	n := *s.of
	n.Keys = append(append([]expr.Expr(nil), n.Keys[:s.key]...), n.Keys[s.key+1:]...)
	n.Session = nil
	return &n
}

// grouping returns the grouping by the other keys, which knows the windows of rows.
func (s *sessions) grouping(env *Env) (*grouping, error) {
	g, err := newGrouping(s.inner(), env)
	if err != nil {
		return nil, err
	}
	w := &sessionWindows{local: s.of.Session.Local}
	w.fused = !w.local
	if w.eval, err = cexpr.Compile(s.of.Keys[s.key], env.Expr); err != nil {
		return nil, err
	}
	g.view.uses.add(s.of.Keys[s.key])
	for _, a := range g.aggs {
		w.fused = w.fused && a.fn.AnyOrder
	}
	if st := s.of.State; st != nil && st.EventKey >= 0 && st.EventKey != s.key {
		e := s.of.Keys[st.EventKey]
		if w.judge, err = cexpr.Compile(e, env.Expr); err != nil {
			return nil, err
		}
		g.view.uses.add(e)
	}
	g.session = w
	return g, nil
}

// keyAt returns which of the other keys key i is.
func (s *sessions) keyAt(i int) int {
	if i > s.key {
		return i - 1
	}
	return i
}

// sessionWindows are the windows of the rows of a batch.
type sessionWindows struct {
	eval cexpr.Evaluator
	// judge, if set, makes the event time by which rows are late: where that is
	// another key than the window.
	judge cexpr.Evaluator
	// fused says that rows may be grouped into sessions as they come: no aggregate asks
	// for their order. Else they are put together as Spark does it, in the order of
	// time.
	fused bool
	// local says that rows are fused within their split before they are judged.
	local bool

	starts, ends, times []int64
}

// noTime is the event time of a row that has none: it is never late.
const noTime = noStart

// of finds the windows of the rows of in. That of a row without one, of a rollup, is
// empty and begins before all others: such rows are one group.
func (w *sessionWindows) of(in *cexpr.Input, rows []int32) error {
	v, err := w.eval.Eval(in)
	if err != nil {
		return err
	}
	v = v.Flat()
	w.starts, w.ends = vec.Values[int64](v.Kids[0].Flat()), vec.Values[int64](v.Kids[1].Flat())
	if v.Valid != nil || v.Kids[0].Valid != nil || v.Kids[1].Valid != nil {
		w.starts, w.ends = append([]int64(nil), w.starts...), append([]int64(nil), w.ends...)
		for _, r := range rows {
			if v.Null(int(r)) || v.Kids[0].Null(int(r)) || v.Kids[1].Null(int(r)) {
				w.starts[r], w.ends[r] = noTime, noTime
			}
		}
	}
	w.times = w.ends
	if w.judge == nil {
		return nil
	}
	t, err := w.judge.Eval(in)
	if err != nil {
		return err
	}
	t = eventTimes(t.Flat())
	w.times = append([]int64(nil), vec.Values[int64](t)...)
	for _, r := range rows {
		if t.Null(int(r)) {
			w.times[r] = noTime
		}
	}
	return nil
}

// windowAt returns the windows of sessions as a column.
func windowAt(t *expr.Type, starts, ends []int64) *vec.Vec {
	out := &vec.Vec{Type: t, Len: len(starts), Kids: []*vec.Vec{vec.FromValues(t.Fields[0].Type, starts, nil), vec.FromValues(t.Fields[1].Type, ends, nil)}}
	for i, s := range starts {
		if s != noTime {
			continue
		}
		if out.Valid == nil {
			out.Valid = make([]byte, (out.Len+7)/8)
			for j := range out.Valid {
				out.Valid[j] = 0xff
			}
		}
		out.Valid[i>>3] &^= 1 << (i & 7)
	}
	return out
}

// sessionSchema is how sessions are kept: the start and the end of each behind the
// columns of its aggregates. t is the type of their windows.
func (g *grouping) sessionSchema(t *expr.Type) state.Schema {
	s := state.Schema{Keys: g.schema.Keys, Many: true}
	s.Values = append(s.Values, g.schema.Values...)
	at := state.Field{Type: t.Fields[0].Type.SQL(), Kind: state.Int64}
	for _, name := range []string{"start", "end"} {
		at.Name = name
		s.Values = append(s.Values, at)
	}
	return s
}
