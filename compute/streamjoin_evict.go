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
	gone, alone, errs := make([]int64, subs), make([][]int32, subs), make([]error, subs)
	inTurn(s.join.workers(), subs, func(p int) {
		t := s.table.Sub(p)
		var rows []int32
		if rows, errs[p] = dueRows(t, s.due, s.times); errs[p] != nil {
			return
		}
		gone[p] = int64(len(rows))
		if s.preserved {
			flags := s.flags(t)
			for _, row := range rows {
				if flags[row] == 0 {
					alone[p] = append(alone[p], row)
				}
			}
		}
		errs[p] = s.table.RemovePart(p, rows)
	})
	for p := range gone {
		s.removed += gone[p]
	}
	if err := firstOf(errs); err != nil || !s.preserved {
		return nil, err
	}
	return &evicted{side: s, refs: s.table.InOrder(alone)}, nil
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
