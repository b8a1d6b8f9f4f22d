package compute

import (
	"github.com/flightd/flightd/compute/vec"
	"github.com/flightd/flightd/plan/expr"
	"github.com/flightd/flightd/state"
)

// readState puts out the rows of refs, in their order. columns makes the output
// columns of rows of a sub-table.
func readState(table *state.Sharded, refs []state.Ref, out expr.Schema, workers int, columns func(t *state.Table, rows []int32) ([]*vec.Vec, error)) (*emitter, error) {
	// Results are made sub-table by sub-table and put into order afterwards.
	rows, place := bySub(table.Subs(), refs)
	subs := make([][]*vec.Vec, len(rows))
	errs := make([]error, len(rows))
	if len(refs) <= BatchRows {
		workers = 1
	}
	inTurn(max(1, workers), len(rows), func(i int) {
		if len(rows[i]) > 0 {
			subs[i], errs[i] = columns(table.Sub(i), rows[i])
		}
	})
	if err := firstOf(errs); err != nil {
		return nil, err
	}
	cols := make([]*vec.Vec, len(out))
	for c := range cols {
		var parts []*vec.Vec
		for _, s := range subs {
			if s != nil {
				parts = append(parts, s[c])
			}
		}
		if len(parts) == 0 {
			cols[c] = vec.NewNull(out[c].Type, 0)
		} else {
			cols[c] = vec.Concat(parts)
		}
	}
	return &emitter{total: len(refs), columns: len(cols), schema: out.Arrow(), column: func(i, lo, hi int) (*vec.Vec, error) {
		return cols[i].Take(place[lo:hi]), nil
	}}, nil
}

// bySub splits refs by sub-table; place says where each of refs is when the
// sub-tables' rows are put one after another.
func bySub(subs int, refs []state.Ref) (rows [][]int32, place []int32) {
	rows, place = make([][]int32, subs), make([]int32, len(refs))
	for i, r := range refs {
		place[i] = int32(len(rows[r.Sub]))
		rows[r.Sub] = append(rows[r.Sub], r.Row)
	}
	first, sum := make([]int32, subs), int32(0)
	for s, r := range rows {
		first[s] = sum
		sum += int32(len(r))
	}
	for i, r := range refs {
		place[i] += first[r.Sub]
	}
	return rows, place
}
