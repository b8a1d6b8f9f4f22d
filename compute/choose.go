package compute

import (
	"github.com/apache/arrow-go/v18/arrow"

	"github.com/flightd/flightd/compute/vec"
	"github.com/flightd/flightd/plan/expr"
)

// choosing is the filter that a scan applies itself. A reader that can ask decodes the
// columns of the condition first, and of the others only the rows that are left; where
// it cannot, the scan filters what it has read. Both give the same rows in the same
// order, and the condition sees all rows of a record batch either way.
type choosing struct {
	reading *reading
	env     *Env
	cond    *condition // nil: no filter
	// columns are those that the condition uses.
	columns []int
	// asks says that the current reader asks. Then sel are the wanted ones of the rows
	// of the last record batch that it asked about.
	asks bool
	sel  []int32
}

// few is what part of a record batch's rows are so few that the reader leaves out the
// others: one in few. With NULLs it costs the same from about there on, without them
// from twice as many.
const few = 4

// scanBelow returns the choosing of op if it is a scan.
func scanBelow(op Operator) *choosing {
	if c, ok := op.(*checker); ok {
		op = c.input
	}
	switch s := op.(type) {
	case *scan:
		return &s.filter
	case *laneScan:
		return &s.filter
	}
	return nil
}

// take makes the scan apply cond, compiled of e. It reports whether it will.
func (c *choosing) take(e expr.Expr, cond *condition) bool {
	if c.cond != nil || countsRows(e) {
		return false
	}
	c.cond = cond
	for i, u := range cond.view.uses {
		if u != 0 {
			c.columns = append(c.columns, i)
		}
	}
	return true
}

// askedBy lets r, which was just opened, ask.
func (c *choosing) askedBy(r RowReader) {
	a, ok := r.(Chooser)
	c.asks = ok && len(c.columns) > 0 && len(c.columns) < len(c.reading.Out) && a.Choose(c.columns, c.answer)
}

// answer says which rows are wanted, as sources.Choose does.
func (c *choosing) answer(cols []arrow.Array, rows int) (wanted []int32, taken []arrow.Array, err error) {
	c.count(int64(rows))
	have := make([]arrow.Array, len(cols))
	for _, i := range c.columns {
		if have[i] = c.reading.declaredColumn(i, cols[i]); have[i] != nil {
			defer have[i].Release()
		} else {
			have[i] = cols[i]
		}
	}
	c.sel, err = c.cond.ofColumns(have, rows, c.sel)
	if err != nil || len(c.sel)*few >= rows {
		return c.sel, nil, err
	}
	for _, i := range c.columns {
		taken = append(taken, vec.TakeArrow(cols[i], c.reading.Out[i].Type, c.sel))
	}
	return c.sel, taken, nil
}

// batch returns the rows of rec that are left, which belongs to the scan; no batch if
// there are none.
func (c *choosing) batch(rec arrow.RecordBatch, split int) (Batch, error) {
	b := Batch{Rec: rec, Split: int32(split)}
	if c.asks {
		if int(rec.NumRows()) > len(c.sel) {
			b.Sel = c.sel
		}
		return b, nil
	}
	c.count(rec.NumRows())
	if c.cond == nil {
		return b, nil
	}
	var err error
	if c.sel, err = c.cond.of(b, c.sel); err != nil || len(c.sel) == 0 {
		return Batch{}, err
	}
	if len(c.sel) < int(rec.NumRows()) {
		b.Sel = c.sel
	}
	return b, nil
}

// count counts rows that were read.
func (c *choosing) count(rows int64) {
	c.env.Metrics.addInput(c.reading.Input, rows*int64(1+c.reading.Again))
}
