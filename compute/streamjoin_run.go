package compute

import (
	cexpr "github.com/flightd/flightd/compute/expr"
	"github.com/flightd/flightd/compute/vec"
	"github.com/flightd/flightd/state"
)

// A joinRun is the rows of one batch of a side that are not late, in memory of its
// own: sorted by part of their keys' hash, and behind them those that match nothing
// because they fail the side's own condition, where they must come out.
type joinRun struct {
	keys state.Keys
	// rows are the places of the rows in their batch; those of part i are before
	// ends[i], and passed is how many there are in all parts.
	rows, ends []int32
	passed     int
	// batchRows is the length of the batch.
	batchRows int
	// first is the ordinal of the batch's first row in the side's table, and touch that
	// in the other side's, where that is changed by matches.
	first, touch int64
	// cols are the columns that the side's runs carry, and values what the table keeps
	// of them.
	cols   []*vec.Vec
	values []state.Vector
	// never marks rows whose key has a NULL that matches nothing; due marks those that
	// are not worth keeping. nil: none.
	never, due []bool
	// heavy says that some part has so many pairs that those of the run are made while
	// they are put out.
	heavy bool
	// own has the rows of the table that the rows have become, or −1: where a heavy
	// run may still change them.
	own []int32
}

// part returns the rows of part p as a range.
func (r *joinRun) part(p int) (from, to int32) {
	if p > 0 {
		from = r.ends[p-1]
	}
	return from, r.ends[p]
}

// runMaker makes the runs of one worker's batches.
type runMaker struct {
	side   *streamSide
	view   *view
	keys   *joinKeys
	values *keyLayout
	filter cexpr.Predicate
	list   rowList
	sel    []int32
	pass   []int32
	cols   []*vec.Vec
	// input, late and used count rows.
	input, late, used int64
}

func newRunMaker(s *streamSide, env *Env) (*runMaker, error) {
	m := &runMaker{side: s, view: newView(s.schema)}
	m.view.uses = s.uses()
	var err error
	if m.keys, err = newJoinKeys(s.keyExprs, s.join.node.NullSafe, env); err != nil {
		return nil, err
	}
	if s.spec.Filter != nil {
		if m.filter, err = cexpr.CompilePredicate(s.spec.Filter, env.Expr); err != nil {
			return nil, err
		}
	}
	m.values = newKeyLayout(s.values.types)
	m.cols = make([]*vec.Vec, len(s.values.types))
	return m, nil
}

// uses says how a side's runs use the columns of the input.
func (s *streamSide) uses() uses {
	u := make(uses, len(s.schema))
	u.addKeys(s.keyExprs...)
	u.addCondition(s.spec.Filter)
	if s.spec.EventColumn >= 0 {
		u[s.spec.EventColumn] |= plain
	}
	for _, c := range s.carried {
		u[c] |= coded
	}
	return u
}

// run makes a run of b, which is not used afterwards.
func (m *runMaker) run(b Batch) (*joinRun, error) {
	in, rows := m.view.of(b), m.list.of(b)
	m.input += int64(len(rows))
	rows = m.punctual(in, rows)
	m.used += int64(len(rows))
	passed, failed, err := m.split(in, rows)
	if err != nil {
		return nil, err
	}
	if len(passed) == 0 { // a selection of nothing, where nil would mean all
		passed = []int32{}
	}
	r := &joinRun{batchRows: in.Rows, passed: len(passed)}
	in.Sel = passed
	if err := m.keys.evaluate(in); err != nil {
		return nil, err
	}
	if err := m.keys.norm.Normalise(m.keys.layout.vectors(m.keys.cols, passed), in.Rows, passed); err != nil {
		return nil, err
	}
	r.rows, r.ends = m.keys.norm.Split(passed, m.side.table.Subs(), nil, nil)
	m.keys.norm.Gather(r.rows, &r.keys)
	m.mark(r)
	r.rows = append(r.rows, failed...)
	r.cols = make([]*vec.Vec, len(m.side.carried))
	for i, c := range m.side.carried {
		r.cols[i] = in.Cols[c].Take(r.rows)
	}
	m.number(r)
	m.store(r)
	return r, nil
}

// punctual returns the members of rows that are not late.
func (m *runMaker) punctual(in *cexpr.Input, rows []int32) []int32 {
	if m.side.late == NoWatermark || m.side.spec.EventColumn < 0 {
		return rows
	}
	keep, late := punctualRows(eventTimes(in.Cols[m.side.spec.EventColumn]), m.side.late, rows, m.sel)
	if late > 0 {
		m.sel = keep
	}
	m.late += int64(late)
	return keep
}

// punctualRows returns the members of rows whose time is after the watermark ms or
// NULL, in buf where it leaves some out, and how many it does.
func punctualRows(times *vec.Vec, ms int64, rows, buf []int32) (keep []int32, late int) {
	us, mark := vec.Values[int64](times), ms*1000
	first := len(rows)
	for i, r := range rows {
		if us[r] <= mark && !times.Null(int(r)) {
			first = i
			break
		}
	}
	if first == len(rows) {
		return rows, 0
	}
	keep = append(buf[:0], rows[:first]...)
	for _, r := range rows[first:] {
		if us[r] > mark || times.Null(int(r)) {
			keep = append(keep, r)
		}
	}
	return keep, len(rows) - len(keep)
}

// split parts rows into those that pass the side's own condition and, if they must
// come out, those that fail it.
func (m *runMaker) split(in *cexpr.Input, rows []int32) (passed, failed []int32, err error) {
	if m.filter == nil || len(rows) == 0 {
		return rows, nil, nil
	}
	live := *in
	live.Sel = rows
	if m.pass, err = m.filter.Select(&live, m.pass); err != nil || !m.side.preserved {
		return m.pass, nil, err
	}
	next := 0
	for _, r := range rows {
		if next < len(m.pass) && m.pass[next] == r {
			next++
		} else {
			failed = append(failed, r)
		}
	}
	return m.pass, failed, nil
}

// mark marks rows that match nothing, and rows that are due already.
func (m *runMaker) mark(r *joinRun) {
	s := m.side
	if !s.join.nullsMatch() {
		for i, c := range m.keys.cols {
			if m.keys.nullSafe[i] || c.NullCount() == 0 {
				continue
			}
			if r.never == nil {
				r.never = make([]bool, r.passed)
			}
			for j, row := range r.rows {
				r.never[j] = r.never[j] || c.Null(int(row))
			}
		}
	}
	// Left rows are kept for the right ones of this epoch.
	if s.due == NoWatermark || s == s.join.left {
		return
	}
	var times *vec.Vec
	if k := s.spec.Bound.Key; k >= 0 {
		times = eventTimes(m.keys.cols[k])
	} else {
		times = eventTimes(m.view.in.Cols[s.spec.EventColumn])
	}
	us, mark := vec.Values[int64](times), s.due*1000
	for j, row := range r.rows {
		if row := times.Index(int(row)); us[row] <= mark && !times.Null(row) {
			if r.due == nil {
				r.due = make([]bool, r.passed)
			}
			r.due[j] = true
		}
	}
}

// number gives the keys the places of their rows.
func (m *runMaker) number(r *joinRun) {
	places := make([]int64, r.passed)
	for j := range places {
		places[j] = int64(r.rows[j])
	}
	r.keys.Number(places)
}

// store makes the values that the table keeps.
func (m *runMaker) store(r *joinRun) {
	s := m.side
	for c, at := range s.stored {
		if at.at >= 0 && !at.key {
			m.cols[at.at] = r.cols[s.place[c]]
		}
	}
	r.values = append([]state.Vector(nil), m.values.vectors(m.cols, m.list.first(r.passed))...)
}
