package agg

import (
	"strings"

	"github.com/flightd/flightd/compute/vec"
	"github.com/flightd/flightd/plan/expr"
	"github.com/flightd/flightd/state"
)

// extreme is min and max.
type extreme struct {
	rank rank
	picker
}

func newExtreme(c call) (*Func, error) {
	if err := c.need(1); err != nil {
		return nil, err
	}
	t := c.arg(0)
	if !orderable(t) {
		return nil, c.unsupported(t)
	}
	return &Func{
		Direct:   true,
		AnyOrder: exact(t),
		Fields:   []state.Field{slotField(t)},
		bind: func(cols []state.Column) Accumulator {
			return &extreme{rank: newRank(t, order{max: c.Fn == "max"}, cols[0])}
		},
	}, nil
}

// exact reports whether equal values of t are the same, as 0.0 and -0.0 are not.
func exact(t *expr.Type) bool {
	return !t.IsNested() && t.Kind != expr.KindFloat64 && t.Kind != expr.KindFloat32
}

func orderable(t *expr.Type) bool {
	switch t.Kind {
	case expr.KindMap, expr.KindVariant, expr.KindCalendar:
		return false
	case expr.KindArray:
		return orderable(t.Elem)
	case expr.KindStruct:
		for _, f := range t.Fields {
			if !orderable(f.Type) {
				return false
			}
		}
	}
	return true
}

func (a *extreme) Update(rows, groups []int32, args []*vec.Vec) error {
	rows, groups = a.present(rows, groups, args[0])
	if len(rows) > 0 {
		a.rank.update(rows, groups, args[0])
	}
	return nil
}

func (a *extreme) Merge(dst []int32, from Accumulator, src []int32) error {
	a.rank.merge(dst, from.(*extreme).rank, src)
	return nil
}

func (a *extreme) Final(groups []int32) (*vec.Vec, error) { return a.rank.take(groups), nil }

// extremeBy is min_by and max_by: the value beside the extreme of another
// column. Of equal extremes the later one counts, or the first for max_first_by and
// min_first_by, which are max and min of texts with a collation.
type extremeBy struct {
	rank  rank
	value slot
	picker
}

func newExtremeBy(c call) (*Func, error) {
	if err := c.need(2); err != nil {
		return nil, err
	}
	t, by := c.arg(0), c.arg(1)
	if !orderable(by) {
		return nil, c.unsupported(by)
	}
	if len(c.Args) > 2 {
		return newLeaders(c)
	}
	return &Func{
		Direct: true,
		Fields: []state.Field{slotField(by), slotField(t)},
		bind: func(cols []state.Column) Accumulator {
			return &extremeBy{rank: newRank(by, order{max: strings.HasPrefix(c.Fn, "max"), ties: !strings.HasSuffix(c.Fn, "_first_by")}, cols[0]), value: newSlot(t, cols[1])}
		},
	}, nil
}

func (a *extremeBy) Update(rows, groups []int32, args []*vec.Vec) error {
	rows, groups = a.present(rows, groups, args[1])
	if len(rows) > 0 {
		rows, groups = a.rank.update(rows, groups, args[1])
		a.value.put(groups, rows, args[0])
	}
	return nil
}

func (a *extremeBy) Merge(dst []int32, from Accumulator, src []int32) error {
	o := from.(*extremeBy)
	winSrc, winDst := a.rank.merge(dst, o.rank, src)
	a.value.move(winDst, o.value, winSrc)
	return nil
}

func (a *extremeBy) Final(groups []int32) (*vec.Vec, error) { return a.value.take(groups), nil }
