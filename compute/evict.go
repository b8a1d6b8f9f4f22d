package compute

import (
	"github.com/flightd/flightd/state"
)

// An eviction ends the rows of a table whose event time the watermark has passed. It
// looks at what is due and at little else, and works on several sub-tables at a time.
// It is the last thing that an epoch does to a table.
type eviction struct {
	env   *Env
	table *state.Sharded
	// times returns the event times of rows of a sub-table, where they are not what the
	// table has as its time column; they may grow. It may be called for different
	// sub-tables at the same time.
	times func(t *state.Table, rows []int32) (state.Vector, error)
	// rows are those that are due at limit, by sub-table; found is how many they are.
	rows  [][]int32
	limit int64
	found int
}

// aloneRows is up to how many rows of a table one worker sees to.
const aloneRows = 1 << 14

// find finds the rows whose time is at or before the watermark ms.
func (e *eviction) find(ms int64) error {
	if ms == NoWatermark || e.table.Len() == 0 {
		return nil
	}
	e.rows, e.limit = make([][]int32, e.table.Subs()), ms*1000
	err := e.each(func(i int, t *state.Table) (err error) {
		if e.times == nil {
			e.rows[i], err = t.Expired(e.limit)
		} else {
			e.rows[i], err = t.Due(e.limit, e.timesOf(t))
		}
		return err
	})
	for _, rows := range e.rows {
		e.found += len(rows)
	}
	return err
}

// refs are the rows that were found, in the order of their row numbers.
func (e *eviction) refs() []state.Ref {
	if e.found == 0 {
		return nil
	}
	return e.table.InOrder(e.rows)
}

// remove takes what find found out of the table: it can be read until the epoch ends.
// It tells m how much that was, and the oldest time that is left.
func (e *eviction) remove(m *StateMetrics) error {
	m.Removed += int64(e.found)
	if e.found > 0 && e.times == nil {
		if err := e.table.ExpireFound(e.limit, e.workers(), e.rows); err != nil {
			return err
		}
	}
	oldest, found := make([]int64, e.table.Subs()), make([]bool, e.table.Subs())
	err := e.each(func(i int, t *state.Table) error {
		if e.found > 0 && e.times != nil {
			if err := e.table.RemoveSub(i, e.rows[i]); err != nil {
				return err
			}
		}
		var err error
		if e.times == nil {
			oldest[i], found[i], err = t.OldestTime()
		} else {
			oldest[i], found[i], err = t.Oldest(e.timesOf(t))
		}
		return err
	})
	for i, us := range oldest {
		if found[i] && (!m.HasOldest || floorMillis(us) < m.Oldest) {
			m.Oldest, m.HasOldest = floorMillis(us), true
		}
	}
	return err
}

func (e *eviction) timesOf(t *state.Table) func(rows []int32) (state.Vector, error) {
	return func(rows []int32) (state.Vector, error) { return e.times(t, rows) }
}

func (e *eviction) workers() int {
	if e.table.Len() <= aloneRows {
		return 1
	}
	return max(1, e.env.Workers)
}

func (e *eviction) each(work func(i int, t *state.Table) error) error {
	errs := make([]error, e.table.Subs())
	inTurn(e.workers(), len(errs), func(i int) { errs[i] = work(i, e.table.Sub(i)) })
	return firstOf(errs)
}
