package compute

import (
	"io"

	"github.com/flightd/flightd/compute/vec"
	"github.com/flightd/flightd/state"
)

// evict forgets the rows that are due. It returns those that come out with NULLs, or
// nil if none can.
func (s *streamSide) evict() (*evicted, error) {
	if s.due == NoWatermark {
		return nil, nil
	}
	subs := s.table.Subs()
	gone, errs := make([]sideEviction, subs), make([]error, subs)
	inTurn(s.join.workers(), subs, func(p int) { errs[p] = gone[p].run(s, p) })
	if err := firstOf(errs); err != nil {
		return nil, err
	}
	alone := make([][]int32, subs)
	for p := range gone {
		s.removed += gone[p].removed
		alone[p] = gone[p].alone
		if gone[p].found {
			s.oldest(gone[p].oldest)
		}
	}
	if !s.preserved {
		return nil, nil
	}
	return &evicted{side: s, refs: s.table.InOrder(alone)}, nil
}

// oldest tells the metrics of a row that is left. Its event time is not that of the
// watermark that ends it, where the condition allows the sides a distance.
func (s *streamSide) oldest(us int64) {
	m := &s.join.metrics
	at := floorMillis(us) + watermark(s.join.env.Evict, s.join.node.State.Operator) - s.due
	if !m.HasOldest || at < m.Oldest {
		m.Oldest, m.HasOldest = at, true
	}
}

// sideEviction is what is forgotten of a sub-table: alone are the rows that come out.
type sideEviction struct {
	removed int64
	alone   []int32
	oldest  int64
	found   bool
}

func (e *sideEviction) run(s *streamSide, p int) error {
	t := s.table.Sub(p)
	times := func(rows []int32) (state.Vector, error) { return s.times(t, rows) }
	rows, err := t.Due(s.due*1000, times)
	if err != nil {
		return err
	}
	e.removed = int64(len(rows))
	if s.preserved {
		flags := s.flags(t)
		for _, row := range rows {
			if flags[row] == 0 {
				e.alone = append(e.alone, row)
			}
		}
	}
	if err := s.table.RemoveSub(p, rows); err != nil {
		return err
	}
	e.oldest, e.found, err = t.Oldest(times)
	return err
}

// evicted puts out rows that were forgotten without ever having met a partner, in the
// order in which they came. They can be read until the epoch ends.
type evicted struct {
	side *streamSide
	refs []state.Ref
	held
}

func (e *evicted) next() (Batch, error) {
	n := min(len(e.refs), BatchRows)
	if n == 0 {
		e.set(nil)
		return Batch{}, io.EOF
	}
	refs := e.refs[:n]
	e.refs = e.refs[n:]
	s := e.side
	var own, others []*vec.Vec
	for _, c := range s.spec.Columns {
		v, err := s.columnOf(c, refs)
		if err != nil {
			return Batch{}, err
		}
		own = append(own, v)
	}
	for _, c := range s.other.spec.Columns {
		others = append(others, vec.NewNull(s.other.schema[c].Type, n))
	}
	if s == s.join.right {
		own, others = others, own
	}
	return Batch{Rec: e.set(recordOf(s.join.out, append(own, others...), n))}, nil
}
