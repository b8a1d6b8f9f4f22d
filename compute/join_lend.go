package compute

import (
	"github.com/flightd/flightd/compute/vec"
	"github.com/flightd/flightd/internal/invariants"
	"github.com/flightd/flightd/plan/physical"
)

// lending is what is known of who takes the record batches of a join and lets go of
// them before asking for the next one: needed has the columns of the build side
// that are looked at.
type lending struct{ needed []bool }

// lentColumn is the memory of a column of the build side: that of the last record
// batch, or NULLs where nobody looks.
type lentColumn struct {
	data  []byte
	nulls *vec.Vec
}

// newLending returns what n may do, where its columns are used so.
func newLending(n *physical.Join, used uses) *lending {
	at, width := 0, len(n.Left.Schema())
	if n.BuildRight {
		at, width = len(n.Left.Schema()), len(n.Right.Schema())
	}
	l := &lending{needed: make([]bool, width)}
	for i := range l.needed {
		l.needed[i] = used[at+i] != 0
	}
	return l
}

// lent returns what read has found out about n, if it is a join.
func (b *builder) lent(n physical.Node) *lending {
	j, ok := n.(*physical.Join)
	if !ok {
		return nil
	}
	return b.lending[j]
}

// lend returns column i of the build side beside n probe rows, as align wants it.
func (j *join) lend(i int, c *vec.Vec, n int) *vec.Vec {
	if j.lent == nil {
		j.lent = make([]lentColumn, len(j.table.rows.cols))
	}
	l := &j.lent[i]
	if !j.lending.needed[i] {
		if l.nulls == nil || l.nulls.Len < n {
			l.nulls = vec.NewNull(c.Type, n)
		}
		return l.nulls.Slice(0, n)
	}
	if invariants.Enabled {
		for k := range l.data {
			l.data[k] = 0xA5
		}
	}
	out := c.Scatter(j.batch.buildRows, j.batch.probeRows, n, l.data)
	l.data = out.Data
	return out
}
