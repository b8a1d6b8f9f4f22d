package compute

import (
	"context"
	"io"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/flightd/flightd/internal/base"
	"github.com/flightd/flightd/plan/physical"
)

// recursion puts out the rows of an anchor, and then those of a step that is built
// anew for each run, over the rows of the run before. All rows are made before the
// first is put out, so that a limit is found to be exceeded before anything is read.
type recursion struct {
	node   *physical.Recursion
	anchor Operator
	// step builds the step over rows.
	step   func(ctx context.Context, rows []arrow.RecordBatch) (Operator, error)
	schema *arrow.Schema
	made   []arrow.RecordBatch
	rows   int64
	next   int
	ready  bool
}

var _ Operator = (*recursion)(nil)

// working are the rows that the Working leaves of a recursion put out.
type working map[*physical.Recursion][]arrow.RecordBatch

func (b *builder) recursion(n *physical.Recursion, anchor Operator) *recursion {
	return &recursion{node: n, anchor: anchor, schema: n.Out.Arrow(), step: func(ctx context.Context, rows []arrow.RecordBatch) (Operator, error) {
		below := working{n: rows}
		for of, r := range b.working {
			below[of] = r
		}
		return buildOver(ctx, n.Step, b.env, below)
	}}
}

func (r *recursion) Next(ctx context.Context) (Batch, error) {
	if !r.ready {
		if err := r.run(ctx); err != nil {
			return Batch{}, err
		}
		r.ready = true
	}
	if r.next > 0 {
		r.made[r.next-1].Release()
		r.made[r.next-1] = nil
	}
	if r.next == len(r.made) {
		r.made, r.next = nil, 0
		return Batch{}, io.EOF
	}
	r.next++
	return Batch{Rec: r.made[r.next-1]}, nil
}

// run makes all rows.
func (r *recursion) run(ctx context.Context) error {
	from := 0
	if err := r.take(ctx, r.anchor); err != nil {
		return err
	}
	for level := int64(1); from < len(r.made); level++ {
		if n := r.node; n.Enough >= 0 && r.rows >= n.Enough {
			return nil
		} else if n.MaxRows >= 0 && r.rows >= n.MaxRows {
			return base.UserError("RECURSION_ROW_LIMIT_EXCEEDED", "42836", "A recursive query has %d rows or more, its limit.", n.MaxRows).
				WithHint("spark.sql.cteRecursionRowLimit is the limit; does the recursion end?")
		} else if n.MaxLevel >= 0 && level > n.MaxLevel {
			return base.UserError("RECURSION_LEVEL_LIMIT_EXCEEDED", "42836", "A recursive query has not ended after %d levels, its limit.", n.MaxLevel).
				WithHint("write MAX RECURSION LEVEL before AS, or set spark.sql.cteRecursionLevelLimit; does the recursion end?")
		}
		op, err := r.step(ctx, r.made[from:])
		if err != nil {
			return err
		}
		from = len(r.made)
		if err := r.take(ctx, op); err != nil {
			Close(op)
			return err
		}
		if err := Close(op); err != nil {
			return err
		}
	}
	return nil
}

// take drains op into the rows that were made.
func (r *recursion) take(ctx context.Context, op Operator) error {
	for {
		b, err := op.Next(ctx)
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		rec, err := b.Compact()
		if err != nil {
			return err
		}
		if rec.NumRows() == 0 {
			rec.Release()
			continue
		}
		cols := make([]arrow.Array, rec.NumCols())
		for i := range cols {
			cols[i] = rec.Column(i)
			cols[i].Retain()
		}
		r.rows += rec.NumRows()
		r.made = append(r.made, newRecord(r.schema, cols, int(rec.NumRows())))
		rec.Release()
	}
}

// Close lets go of the rows.
func (r *recursion) Close() error {
	for _, rec := range r.made {
		if rec != nil {
			rec.Release()
		}
	}
	r.made = nil
	return Close(r.anchor)
}

// workingRows puts out the rows of a run of a recursion's step.
type workingRows struct {
	rows []arrow.RecordBatch
	held
}

var _ Operator = (*workingRows)(nil)

func (w *workingRows) Next(ctx context.Context) (Batch, error) {
	if len(w.rows) == 0 {
		return Batch{}, io.EOF
	}
	rec := w.rows[0]
	w.rows = w.rows[1:]
	rec.Retain()
	return Batch{Rec: w.set(rec)}, ctx.Err()
}

// Close lets go of the last batch.
func (w *workingRows) Close() error { w.set(nil); return nil }
