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
	gone, alone := make([]int64, subs), make([][]int32, subs)
	err := s.table.Expire(s.due*1000, s.join.workers(), func(p int, rows []int32) error {
		gone[p] = int64(len(rows))
		if s.preserved {
			flags := s.flags(s.table.Sub(p))
			for _, row := range rows {
				if flags[row] == 0 {
					alone[p] = append(alone[p], row)
				}
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	for _, n := range gone {
		s.removed += n
	}
	if err := s.oldest(); err != nil || !s.preserved {
		return nil, err
	}
	return &evicted{side: s, refs: s.table.InOrder(alone)}, nil
}

// oldest tells the metrics of the oldest row that is left. Its event time is not that
// of the watermark that ends it, where the condition allows the sides a distance.
func (s *streamSide) oldest() error {
	subs := s.table.Subs()
	oldest, found, errs := make([]int64, subs), make([]bool, subs), make([]error, subs)
	inTurn(s.join.workers(), subs, func(p int) {
		t := s.table.Sub(p)
		oldest[p], found[p], errs[p] = t.OldestTime()
	})
	m := &s.join.metrics
	for p, us := range oldest {
		at := floorMillis(us) + watermark(s.join.env.Evict, s.join.node.State.Operator) - s.due
		if found[p] && (!m.HasOldest || at < m.Oldest) {
			m.Oldest, m.HasOldest = at, true
		}
	}
	return firstOf(errs)
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
