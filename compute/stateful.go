package compute

import (
	"math"
	"reflect"

	"github.com/flightd/flightd/internal/invariants"
	"github.com/flightd/flightd/plan/physical"
	"github.com/flightd/flightd/state"
)

// keptTable returns the one table of a stateful operator.
func keptTable(env *Env, s *physical.State, schema state.Schema) (*state.Sharded, error) {
	if env.Store == nil {
		return nil, invariants.AssertionFailedf("operator %d (%s) has no state store", s.Operator, s.Name)
	}
	table, err := env.Store.Table(state.ID{Operator: s.Operator, Name: state.DefaultName}, schema)
	if err != nil {
		return nil, err
	}
	// Keys of the epoch's own tables are looked up in the kept one by their hashes.
	if !reflect.DeepEqual(table.NewKeys(), state.NewKeys(schema.Keys, env.Seed)) {
		return nil, invariants.AssertionFailedf("operator %d (%s): hash seed %d is not that of the state store", s.Operator, s.Name, env.Seed)
	}
	env.Metrics.state(s.Operator)
	return table, nil
}

// dueRefs returns the rows of t whose event time is at or before the watermark
// ms, in the order of their row numbers. times returns the event times of rows of
// a sub-table: they do not change as long as a row lives, so that of the rows that
// an earlier epoch has seen only the oldest time is asked for.
func dueRefs(t *state.Sharded, ms int64, times func(t *state.Table, rows []int32) (state.Vector, error)) ([]state.Ref, error) {
	if ms == NoWatermark || t.Len() == 0 {
		return nil, nil
	}
	gone := make([][]int32, t.Subs())
	for i := range gone {
		var err error
		if gone[i], err = dueRows(t.Sub(i), ms, times); err != nil {
			return nil, err
		}
	}
	return t.InOrder(gone), nil
}

// oldest tells m the oldest event time that dueRefs has left in t.
func (m *StateMetrics) oldest(t *state.Sharded) {
	for i := range t.Subs() {
		if rows, us := t.Sub(i).Floor(); rows > 0 && us != math.MaxInt64 && (!m.HasOldest || floorMillis(us) < m.Oldest) {
			m.Oldest, m.HasOldest = floorMillis(us), true
		}
	}
}

func dueRows(t *state.Table, ms int64, times func(t *state.Table, rows []int32) (state.Vector, error)) ([]int32, error) {
	seen, oldest := t.Floor()
	if seen == 0 || oldest <= ms*1000 {
		seen, oldest = 0, math.MaxInt64
	}
	n := t.Rows()
	rows := make([]int32, 0, n-seen)
	for r := int32(seen); r < int32(n); r++ {
		if t.Alive(r) {
			rows = append(rows, r)
		}
	}
	if len(rows) == 0 {
		return nil, nil
	}
	v, err := times(t, rows)
	if err != nil {
		return nil, err
	}
	us, gone := state.Values[int64](&v), rows[:0]
	for i, is := range due(v, ms) {
		if is {
			gone = append(gone, rows[i])
		} else if v.IsValid(i) {
			oldest = min(oldest, us[i])
		}
	}
	t.SetFloor(n, oldest)
	return gone, nil
}
