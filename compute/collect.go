package compute

import (
	"context"
	"io"

	"github.com/apache/arrow-go/v18/arrow"

	cexpr "github.com/flightd/flightd/compute/expr"
	"github.com/flightd/flightd/compute/vec"
	"github.com/flightd/flightd/plan/expr"
)

// collected is all rows of an input, column by column, in memory.
type collected struct {
	cols []*vec.Vec
	rows int
}

// collect drains op for who, which holds all of it.
func collect(ctx context.Context, op Operator, schema expr.Schema, who string, memory *cexpr.Memory) (*collected, error) {
	var recs []arrow.RecordBatch
	defer func() {
		for _, rec := range recs {
			rec.Release()
		}
	}()
	out := &collected{cols: make([]*vec.Vec, len(schema))}
	for {
		b, err := op.Next(ctx)
		if err == io.EOF {
			break
		}
		if err != nil {
			return nil, err
		}
		rec, err := b.Compact()
		if err != nil {
			return nil, err
		}
		recs = append(recs, rec)
		if err := memory.Take(who, bytesOf(rec)); err != nil {
			return nil, err
		}
		out.rows += int(rec.NumRows())
	}
	for c, f := range schema {
		parts := make([]*vec.Vec, 0, len(recs)+1)
		for _, rec := range recs {
			parts = append(parts, vec.FromArrow(rec.Column(c), f.Type))
		}
		if len(parts) == 0 {
			parts = append(parts, vec.NewNull(f.Type, 0))
		}
		out.cols[c] = vec.Concat(parts)
	}
	return out, nil
}

// batches puts out rows of collected columns, in the order of rows.
type batches struct {
	schema *arrow.Schema
	from   *collected
	rows   []int32
	split  int32
	held
}

func (o *batches) Next(ctx context.Context) (Batch, error) {
	if err := ctx.Err(); err != nil {
		return Batch{}, err
	}
	n := min(len(o.rows), BatchRows)
	if n == 0 {
		return Batch{}, io.EOF
	}
	cols := make([]*vec.Vec, len(o.from.cols))
	for i, c := range o.from.cols {
		cols[i] = c.Take(o.rows[:n])
	}
	o.rows = o.rows[n:]
	return Batch{Rec: o.set(recordOf(o.schema, cols, n)), Split: o.split}, nil
}
