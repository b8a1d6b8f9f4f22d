package compute

import (
	"slices"
	"strconv"

	cexpr "github.com/flightd/flightd/compute/expr"
	"github.com/flightd/flightd/compute/vec"
	"github.com/flightd/flightd/plan/expr"
	"github.com/flightd/flightd/plan/physical"
	"github.com/flightd/flightd/state"
)

// asOfSide is one side of an as-of join of two streams: the rows that the watermark
// has not passed yet, whole, several a key.
type asOfSide struct {
	spec   physical.StreamSide
	input  Operator
	view   *view
	keys   *joinKeys
	filter cexpr.Predicate
	// values is how the columns of the input are kept, and time the value column that
	// has the event time.
	values *keyLayout
	time   int
	table  *state.Sharded
	// late is the watermark, in milliseconds, at or before which rows are late.
	late      int64
	list      rowList
	sel, pass []int32
	// What became of the rows of the epoch.
	rows, lateRows, used, inserted, removed int64
}

func newAsOfSide(n *physical.AsOfJoin, name string, input Operator, env *Env) (*asOfSide, error) {
	s := &asOfSide{spec: n.LeftSide, input: input, late: watermark(env.Late, n.State.Operator)}
	schema, keys := n.Left.Schema(), n.LeftKeys
	if name == "right" {
		s.spec, schema, keys = n.RightSide, n.Right.Schema(), n.RightKeys
	}
	s.view = newView(schema, keys...)
	s.view.uses.all(coded)
	s.view.uses[s.spec.EventColumn] |= plain
	s.view.uses.addCondition(s.spec.Filter)
	var err error
	if s.keys, err = newJoinKeys(keys, n.NullSafe, env); err != nil {
		return nil, err
	}
	if s.spec.Filter != nil {
		if s.filter, err = cexpr.CompilePredicate(s.spec.Filter, env.Expr); err != nil {
			return nil, err
		}
	}
	types := make([]*expr.Type, len(schema))
	for i, f := range schema {
		types[i] = f.Type
	}
	s.values = newKeyLayout(types)
	s.time = s.values.first[s.spec.EventColumn]
	fields := slices.Clone(s.values.fields)
	for i := range fields {
		fields[i].Name, fields[i].Nullable = "v"+strconv.Itoa(i), true
	}
	s.table, err = namedTable(env, n.State, name, state.Schema{Keys: s.keys.layout.fields, Values: fields, Many: true,
		Time: &state.TimeColumn{At: s.time, Fixed: true}})
	return s, err
}

// take keeps the rows of b that are not late. It returns those that can match nothing,
// or nil: their time or a key is NULL, or the side's own condition does not hold.
func (s *asOfSide) take(b Batch) (*collected, error) {
	in, rows := s.view.of(b), s.list.of(b)
	s.rows += int64(len(rows))
	times := eventTimes(in.Cols[s.spec.EventColumn]).Flat()
	if s.late != NoWatermark {
		keep, late := punctualRows(times, s.late, rows, s.sel)
		if late > 0 {
			s.sel = keep
		}
		rows = keep
		s.lateRows += int64(late)
	}
	s.used += int64(len(rows))
	if len(rows) == 0 {
		return nil, nil
	}
	kept, err := s.matchable(in, times, rows)
	if err != nil {
		return nil, err
	}
	if len(kept) > 0 {
		if err := s.insert(in, kept); err != nil {
			return nil, err
		}
	}
	if len(kept) == len(rows) {
		return nil, nil
	}
	alone := make([]int32, 0, len(rows)-len(kept))
	for _, r := range rows {
		if len(kept) > 0 && kept[0] == r {
			kept = kept[1:]
		} else {
			alone = append(alone, r)
		}
	}
	return (&collected{cols: in.Cols}).take(alone), nil
}

// matchable returns the members of rows that may find a match, their keys normalised.
func (s *asOfSide) matchable(in *cexpr.Input, times *vec.Vec, rows []int32) ([]int32, error) {
	if s.filter != nil {
		live := *in
		live.Sel = rows
		var err error
		if s.pass, err = s.filter.Select(&live, s.pass); err != nil {
			return nil, err
		}
		rows = s.pass
	}
	if times.NullCount() > 0 {
		rows = slices.DeleteFunc(slices.Clone(rows), func(r int32) bool { return times.Null(int(r)) })
	}
	if len(rows) == 0 {
		return nil, nil
	}
	live := *in
	live.Sel = rows
	if err := s.keys.evaluate(&live); err != nil {
		return nil, err
	}
	return s.keys.normalise(&live, rows)
}

func (s *asOfSide) insert(in *cexpr.Input, kept []int32) error {
	values := s.values.vectors(in.Cols, kept)
	p := s.table.Partition(s.keys.norm, kept)
	rows := make([]int32, len(kept))
	for i := range s.table.Subs() {
		sel := p.Sub(i)
		if len(sel) == 0 {
			continue
		}
		if err := s.table.InsertSub(p, i, s.keys.norm, rows[:len(sel)]); err != nil {
			return err
		}
		t := s.table.Sub(i)
		for c := range values {
			t.Value(c).Load(rows[:len(sel)], &values[c], sel)
		}
	}
	s.inserted += int64(len(kept))
	return nil
}

// due takes the rows out of the table that the watermark has passed. They can be read
// until the epoch ends.
func (s *asOfSide) due(ms int64, workers int) ([][]int32, error) {
	gone := make([][]int32, s.table.Subs())
	err := s.table.Expire(ms*1000, workers, func(p int, rows []int32) error {
		gone[p] = slices.Clone(rows)
		return nil
	})
	for _, rows := range gone {
		s.removed += int64(len(rows))
	}
	return gone, err
}

// rowsOf returns the columns of refs, which are rows of a table that holds what the
// side's table holds.
func (s *asOfSide) rowsOf(t *state.Sharded, refs []state.Ref) (*collected, error) {
	out := &collected{cols: make([]*vec.Vec, len(s.values.types)), rows: len(refs)}
	for c := range out.cols {
		var err error
		if out.cols[c], err = s.values.column(c, func(k int) (state.Vector, error) { return t.Value(k, refs) }); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// nothing returns n rows of NULLs.
func (s *asOfSide) nothing(n int) *collected {
	out := &collected{cols: make([]*vec.Vec, len(s.values.types)), rows: n}
	for c, t := range s.values.types {
		out.cols[c] = vec.NewNull(t, n)
	}
	return out
}

// oldest tells m of the oldest row that waits.
func (s *asOfSide) oldest(m *StateMetrics) error {
	for p := range s.table.Subs() {
		us, found, err := s.table.Sub(p).OldestTime()
		if err != nil {
			return err
		}
		if at := floorMillis(us); found && (!m.HasOldest || at < m.Oldest) {
			m.Oldest, m.HasOldest = at, true
		}
	}
	return nil
}
