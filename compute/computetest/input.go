package computetest

import (
	"context"
	"io"
	"math/rand/v2"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/flightd/flightd/compute"
	"github.com/flightd/flightd/compute/vec"
	"github.com/flightd/flightd/plan/expr"
)

// reader cuts rows into record batches in poisoned memory.
type reader struct {
	schema expr.Schema
	cols   []*vec.Vec
	at, to int
	cut    int
	mem    *poisoned
}

func (r *reader) Next(ctx context.Context) (arrow.RecordBatch, error) {
	n := min(r.cut, r.to-r.at)
	if n <= 0 {
		return nil, io.EOF
	}
	arrs := make([]arrow.Array, len(r.cols))
	for i, c := range r.cols {
		arrs[i] = r.mem.own(c.Slice(r.at, r.at+n).Arrow())
	}
	r.at += n
	rec := array.NewRecordBatch(r.schema.Arrow(), arrs, int64(n))
	for _, a := range arrs {
		a.Release()
	}
	return rec, ctx.Err()
}

func (r *reader) Close() error { return nil }

// scrambler spreads the rows of batches over larger ones, among dead rows, and
// keeps poison behind its selections.
type scrambler struct {
	input  compute.Operator
	schema expr.Schema
	rnd    *rand.Rand
	mem    *poisoned
	rec    arrow.RecordBatch
}

func (s *scrambler) Next(ctx context.Context) (compute.Batch, error) {
	s.release()
	b, err := s.input.Next(ctx)
	if err != nil {
		return b, err
	}
	n := int(b.Rec.NumRows())
	idx := make([]int32, 0, 3*n+1)
	sel := make([]int32, 0, n+3)
	dead := func() {
		for s.rnd.IntN(2) == 0 {
			idx = append(idx, int32(s.rnd.IntN(n+1))-1) // −1: NULL in every column
		}
	}
	for i := range n {
		dead()
		sel = append(sel, int32(len(idx)))
		idx = append(idx, int32(i))
	}
	dead()
	for i := len(sel); i < cap(sel); i++ {
		sel[:cap(sel)][i] = -1
	}
	arrs := make([]arrow.Array, len(s.schema))
	for i, f := range s.schema {
		arrs[i] = s.mem.own(vec.FromArrow(b.Rec.Column(i), f.Type).Take(idx).Arrow())
	}
	s.rec = array.NewRecordBatch(b.Rec.Schema(), arrs, int64(len(idx)))
	for _, a := range arrs {
		a.Release()
	}
	return compute.Batch{Rec: s.rec, Sel: sel, Split: b.Split}, nil
}

func (s *scrambler) release() {
	if s.rec != nil {
		s.rec.Release()
		s.rec = nil
	}
}

func (s *scrambler) Close() error {
	s.release()
	return compute.Close(s.input)
}

// vandal stands above an operator and overwrites the selection that it got as
// soon as it may: before it asks for the next one.
type vandal struct {
	input compute.Operator
	last  []int32
}

func (v *vandal) Next(ctx context.Context) (compute.Batch, error) {
	for i := range v.last {
		v.last[i] = -7
	}
	b, err := v.input.Next(ctx)
	v.last = b.Sel
	return b, err
}

func (v *vandal) Close() error { return compute.Close(v.input) }
