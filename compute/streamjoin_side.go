package compute

import (
	"errors"
	"slices"

	"github.com/flightd/flightd/compute/vec"
	"github.com/flightd/flightd/plan/expr"
	"github.com/flightd/flightd/plan/physical"
	"github.com/flightd/flightd/state"
)

// streamSide is one side of a join of two streams: its rows, and where they are kept.
type streamSide struct {
	join  *streamJoin
	other *streamSide
	feed  *sideFeed
	spec  physical.StreamSide
	// preserved rows come out without a partner too.
	preserved bool
	schema    expr.Schema
	keyExprs  []expr.Expr
	// keys and values are the columns of the table, but for matched: the value column
	// that says whether a row has met a partner, or −1.
	keys, values *keyLayout
	matched      int
	table        *state.Sharded
	// old is how many rows each sub-table had when the epoch began.
	old []int
	// stored says where the columns of the input are kept.
	stored []storedColumn
	// carried are the columns of the input that runs bring along, and place is where
	// each of them is among those, or −1.
	carried, place []int
	// late and due are the watermarks in milliseconds by which rows are late and are
	// forgotten.
	late, due int64

	// What became of the rows of the epoch: used is what was not late, inserted what
	// was put into the table, removed what was forgotten.
	input, lateRows, used, inserted, removed int64
}

// storedColumn says where a column is kept: column at of the keys or of the values;
// at is −1 if it is not.
type storedColumn struct {
	key bool
	at  int
}

func newStreamSide(j *streamJoin, name string, feed *sideFeed, condition uses) (*streamSide, error) {
	n := j.node
	s, values := newSideLayout(n, name, condition)
	s.join, s.feed, s.late, s.due = j, feed, watermark(j.env.Late, n.State.Operator), NoWatermark
	if w := watermark(j.env.Evict, n.State.Operator); w != NoWatermark && s.spec.Bound.Bounded() {
		s.due = s.spec.Bound.Watermark(w)
	}
	schema := state.Schema{Keys: s.keys.fields, Values: values, Many: true}
	schema.Time = s.timeColumn()
	if s.preserved {
		s.matched = len(schema.Values)
		schema.Values = append(schema.Values, matchedField())
	}
	var err error
	if s.table, err = s.open(name, schema); err != nil {
		return nil, err
	}
	s.old = make([]int, s.table.Subs())
	for p := range s.old {
		s.old[p] = s.table.Sub(p).Rows()
	}
	return s, nil
}

// newSideLayout returns a side that knows how its rows are kept and nothing else, and
// the value columns, but for matched.
func newSideLayout(n *physical.StreamJoin, name string, condition uses) (*streamSide, []state.Field) {
	s := &streamSide{spec: n.LeftSide, schema: n.Left.Schema(), keyExprs: n.LeftKeys, matched: -1,
		preserved: n.Kind == physical.LeftOuter || n.Kind == physical.FullOuter}
	if name == "right" {
		s.spec, s.schema, s.keyExprs = n.RightSide, n.Right.Schema(), n.RightKeys
		s.preserved = n.Kind == physical.RightOuter || n.Kind == physical.FullOuter
	}
	types := make([]*expr.Type, len(s.keyExprs))
	for i, k := range s.keyExprs {
		types[i] = k.Type()
	}
	s.keys = newKeyLayout(types)
	return s, s.arrange(condition)
}

// open returns the side's table. One that says who has met a partner serves a join
// that does not ask as well: an outer join may become an inner one.
func (s *streamSide) open(name string, schema state.Schema) (*state.Sharded, error) {
	t, err := namedTable(s.join.env, s.join.node.State, name, schema)
	var mismatch *state.MismatchError
	if s.preserved || !errors.As(err, &mismatch) {
		return t, err
	}
	flagged := schema
	flagged.Values = append(slices.Clone(schema.Values), matchedField())
	if keys, values := mismatch.Stored.Equal(flagged); keys && values {
		return namedTable(s.join.env, s.join.node.State, name, flagged)
	}
	return nil, err
}

// matchedField says whether a row has met a partner.
func matchedField() state.Field {
	return state.Field{Name: "matched", Type: "BOOLEAN", Kind: state.Bool}
}

// arrange decides which columns are kept, and where. condition are the columns that
// the condition of a pair uses.
func (s *streamSide) arrange(condition uses) []state.Field {
	used := make([]bool, len(s.schema))
	for _, c := range s.spec.Used {
		used[c] = true
	}
	for _, c := range s.spec.Columns {
		used[c] = true
	}
	s.stored, s.place = make([]storedColumn, len(s.schema)), make([]int, len(s.schema))
	var types []*expr.Type
	var nullable []bool
	for c, f := range s.schema {
		keep := used[c] || condition[c] != 0 || c == s.spec.EventColumn && len(s.spec.Bound.Ranges) > 0
		s.stored[c].at, s.place[c] = -1, -1
		if !keep {
			continue
		}
		if s.stored[c] = s.inKey(c, f.Type); s.stored[c].at < 0 {
			s.stored[c].at = len(types)
			types, nullable = append(types, f.Type), append(nullable, f.Nullable)
		}
		s.place[c] = len(s.carried)
		s.carried = append(s.carried, c)
	}
	s.values = newKeyLayout(types)
	fields := make([]state.Field, len(s.values.fields))
	for i := range types {
		for at := s.values.first[i]; at < s.values.end(i); at++ {
			f := s.values.fields[at]
			f.Name = "v" + f.Name[1:]
			f.Nullable = nullable[i] || types[i].IsNested() || types[i].Kind == expr.KindNull
			fields[at] = f
		}
	}
	return fields
}

// inKey returns the key that is column c, if it comes back from there as it went in:
// in a key −0.0 and 0.0 are one value.
func (s *streamSide) inKey(c int, t *expr.Type) storedColumn {
	if t.IsNested() && !isTimeWindow(t) || t.Kind == expr.KindFloat32 || t.Kind == expr.KindFloat64 {
		return storedColumn{at: -1}
	}
	for i, k := range s.keyExprs {
		if r, ok := k.(*expr.Ref); ok && r.Index == c {
			return storedColumn{key: true, at: i}
		}
	}
	return storedColumn{at: -1}
}

// column returns column c of rows of a sub-table.
func (s *streamSide) column(c int, t *state.Table, rows []int32) (*vec.Vec, error) {
	if s.stored[c].key {
		return s.keys.column(s.stored[c].at, func(k int) (state.Vector, error) { return t.Key(k, rows) })
	}
	return s.values.column(s.stored[c].at, func(k int) (state.Vector, error) { return t.Value(k).Gather(rows), nil })
}

// columnOf returns column c of refs.
func (s *streamSide) columnOf(c int, refs []state.Ref) (*vec.Vec, error) {
	if s.stored[c].key {
		return s.keys.column(s.stored[c].at, func(k int) (state.Vector, error) { return s.table.Key(k, refs) })
	}
	return s.values.column(s.stored[c].at, func(k int) (state.Vector, error) { return s.table.Value(k, refs) })
}

// timeColumn returns the column of the table by which rows are forgotten; nil: they
// are not.
func (s *streamSide) timeColumn() *state.TimeColumn {
	b := s.spec.Bound
	switch {
	case b.Key >= 0:
		return &state.TimeColumn{Key: true, At: s.keys.eventKey(b.Key)}
	case len(b.Ranges) == 0:
		return nil
	}
	at := s.stored[s.spec.EventColumn]
	if at.key {
		return &state.TimeColumn{Key: true, At: s.keys.eventKey(at.at)}
	}
	return &state.TimeColumn{At: s.values.eventKey(at.at)}
}

// flags returns which rows of a sub-table have met a partner, by row. TouchPart must
// have been called before they are written.
func (s *streamSide) flags(t *state.Table) []uint8 {
	return t.Value(s.matched).(*state.Fixed[uint8]).Data()
}

// add adds what a worker has counted.
func (s *streamSide) add(m *runMaker) {
	s.input += m.input
	s.lateRows += m.late
	s.used += m.used
}

// count adds what the side has seen of its input to m.
func (s *streamSide) count(m *StateMetrics) {
	m.Input += s.input
	m.LateRows += s.lateRows
	m.Dropped += s.lateRows
	m.Used += s.used
}
