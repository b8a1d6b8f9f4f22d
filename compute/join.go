package compute

import (
	"context"
	"fmt"
	"io"

	"github.com/apache/arrow-go/v18/arrow"

	cexpr "github.com/flightd/flightd/compute/expr"
	"github.com/flightd/flightd/compute/vec"
	"github.com/flightd/flightd/plan/expr"
	"github.com/flightd/flightd/plan/physical"
)

// join reads one side, the build side, into memory and pairs the other, the
// probe side, with it batch by batch. Rows come out in the order of the probe
// side; for one of them in the order of the build side; build rows that are kept
// without a partner come last.
type join struct {
	node  *physical.Join
	build *buildSide
	// closes says that the build side is this operator's own.
	closes bool
	probe  Operator
	// table finds the build rows of a key.
	table *joinTable
	side  joinSide
	cond  *pairCondition
	batch *probing
	out   *arrow.Schema
	// matched marks build rows that have a partner, where that matters.
	matched []bool
	rest    *batches
	// lending, if set, says that record batches are borrowed.
	lending *lending
	lent    []lentColumn
	held
}

// joinSide says what a join does with the rows of its two sides.
type joinSide struct {
	probeLeft bool
	// probeOuter and buildOuter rows come out without a partner too.
	probeOuter, buildOuter bool
	// probeOnly joins put out probe rows as they are, buildOnly ones build rows at
	// the end: those with a partner, or with anti those without.
	probeOnly, buildOnly, anti bool
}

func sideOf(n *physical.Join) joinSide {
	s := joinSide{probeLeft: n.BuildRight}
	leftOuter := n.Kind == physical.LeftOuter || n.Kind == physical.FullOuter
	rightOuter := n.Kind == physical.RightOuter || n.Kind == physical.FullOuter
	s.probeOuter, s.buildOuter = leftOuter, rightOuter
	if !s.probeLeft {
		s.probeOuter, s.buildOuter = rightOuter, leftOuter
	}
	switch n.Kind {
	case physical.LeftSemi, physical.LeftAnti, physical.NullAwareAnti, physical.Existence:
		s.probeOnly, s.buildOnly = s.probeLeft, !s.probeLeft
		s.anti = n.Kind == physical.LeftAnti || n.Kind == physical.NullAwareAnti
	}
	return s
}

var _ Operator = (*join)(nil)

func newJoin(n *physical.Join, left, right Operator, env *Env) (*join, error) {
	build, probe := right, left
	if !n.BuildRight {
		build, probe = left, right
	}
	side, err := newBuildSide(n, build, env)
	if err != nil {
		return nil, err
	}
	j, err := newJoinOver(n, side, probe, env)
	if err == nil {
		j.closes = true
	}
	return j, err
}

// newJoinOver makes a join whose build side may serve others beside it.
func newJoinOver(n *physical.Join, build *buildSide, probe Operator, env *Env) (*join, error) {
	j := &join{node: n, side: sideOf(n), build: build, table: build.table, probe: probe, out: n.Out.Arrow()}
	keys, schema := n.LeftKeys, n.Left.Schema()
	if !n.BuildRight {
		keys, schema = n.RightKeys, n.Right.Schema()
	}
	var err error
	if j.batch, err = newProbing(j, keys, schema, env); err != nil {
		return nil, err
	}
	if n.Cond != nil {
		j.cond, err = newPairCondition(n, env)
	}
	return j, err
}

func (j *join) Next(ctx context.Context) (Batch, error) {
	if err := j.build.fill(ctx); err != nil {
		return Batch{}, err
	}
	if j.matched == nil && (j.side.buildOuter || j.side.buildOnly) {
		j.matched = make([]bool, j.table.rows.rows)
	}
	if j.node.Kind == physical.NullAwareAnti && j.side.probeOnly && j.table.anyNull {
		return Batch{}, io.EOF // nothing can pass; like Spark, do not even read the left side
	}
	for j.rest == nil {
		// Whoever asks may take all pairs of a product without reading another batch.
		if err := ctx.Err(); err != nil {
			return Batch{}, err
		}
		if j.batch.done() {
			b, err := j.probe.Next(ctx)
			if err == io.EOF {
				j.rest = j.remainder()
				break
			}
			if err != nil {
				return Batch{}, err
			}
			if err := j.batch.begin(b); err != nil {
				return Batch{}, err
			}
		}
		out, ok, err := j.batch.next()
		if err != nil || ok {
			return out, err
		}
	}
	return j.rest.Next(ctx)
}

// remainder is the build rows that come out at the end.
func (j *join) remainder() *batches {
	all := j.table.rows
	var rows []int32
	if j.side.buildOuter || j.side.buildOnly {
		for i, m := range j.matched {
			if j.node.Kind == physical.Existence || m == (j.side.buildOnly && !j.side.anti) {
				rows = append(rows, int32(i))
			}
		}
	}
	if j.node.Kind == physical.NullAwareAnti && j.side.buildOnly {
		rows = j.nullAwareRest(rows)
	}
	cols := all.cols
	switch {
	case j.node.Kind == physical.Existence:
		cols = append(cols[:len(cols):len(cols)], boolColumn(j.matched))
	case j.side.buildOuter:
		// The probe side's columns are NULL.
		var probe []*vec.Vec
		for _, t := range j.batch.view.types {
			probe = append(probe, vec.NewNull(t, all.rows))
		}
		if j.side.probeLeft {
			cols = append(probe, cols...)
		} else {
			cols = append(cols[:len(cols):len(cols)], probe...)
		}
	}
	return &batches{schema: j.out, from: &collected{cols: cols, rows: all.rows}, rows: rows, split: j.batch.batch.Split}
}

// nullAwareRest is NOT IN where the left side was built: a NULL on the right
// refuses every row, and any row on the right refuses rows whose key is NULL.
func (j *join) nullAwareRest(rows []int32) []int32 {
	if j.batch.sawNull {
		return nil
	}
	if !j.batch.sawRow {
		return rows
	}
	kept := rows[:0]
	for _, r := range rows {
		if !j.table.nullKey[r] {
			kept = append(kept, r)
		}
	}
	return kept
}

func boolColumn(flags []bool) *vec.Vec {
	bits := make([]byte, (len(flags)+7)/8)
	for i, f := range flags {
		if f {
			bits[i>>3] |= 1 << (i & 7)
		}
	}
	return &vec.Vec{Type: expr.Bool, Len: len(flags), Data: bits}
}

// columns gathers the output columns of pairs: a negative row gives NULLs.
func (j *join) columns(probe []*vec.Vec, probeRows, buildRows []int32) []*vec.Vec {
	out := make([]*vec.Vec, 0, len(probe)+len(j.table.rows.cols))
	take := func(cols []*vec.Vec, rows []int32) {
		for _, c := range cols {
			out = append(out, c.Take(rows))
		}
	}
	if j.side.probeLeft {
		take(probe, probeRows)
		take(j.table.rows.cols, buildRows)
	} else {
		take(j.table.rows.cols, buildRows)
		take(probe, probeRows)
	}
	return out
}

// Close lets go of all rows and closes both inputs.
func (j *join) Close() error {
	j.set(nil)
	if j.rest != nil {
		j.rest.set(nil)
	}
	if j.closes {
		return closeAll(j.build.input, j.probe)
	}
	return Close(j.probe)
}

func (j *join) Explain() string {
	side := map[bool]string{true: "right", false: "left"}[j.node.BuildRight]
	return fmt.Sprintf("%s join on %d keys, %s side built", j.node.Kind, len(j.node.LeftKeys), side)
}

// pairCondition is what must hold of a pair besides equal keys.
type pairCondition struct {
	pred cexpr.Predicate
	uses uses
	cols []*vec.Vec
	left int
	sel  []int32
}

func newPairCondition(n *physical.Join, env *Env) (*pairCondition, error) {
	pred, err := cexpr.CompilePredicate(n.Cond, env.Expr)
	schema := append(append(expr.Schema(nil), n.Left.Schema()...), n.Right.Schema()...)
	v := newView(schema, n.Cond)
	return &pairCondition{pred: pred, uses: v.uses, cols: v.in.Cols, left: len(n.Left.Schema())}, err
}

// pass returns which pairs of rows the condition holds for. A pair with a
// negative row is not asked.
func (c *pairCondition) pass(left, right []*vec.Vec, leftRows, rightRows []int32) ([]int32, error) {
	for i, u := range c.uses {
		switch {
		case u == 0:
		case i < c.left:
			c.cols[i] = left[i].Take(leftRows)
		default:
			c.cols[i] = right[i-c.left].Take(rightRows)
		}
	}
	sel := make([]int32, 0, len(leftRows))
	for i := range leftRows {
		if leftRows[i] >= 0 && rightRows[i] >= 0 {
			sel = append(sel, int32(i))
		}
	}
	var err error
	c.sel, err = c.pred.Select(&cexpr.Input{Cols: c.cols, Rows: len(leftRows), Sel: sel}, c.sel)
	return c.sel, err
}
