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

// reader cuts rows into record batches in poisoned memory. Where dictionaries are
// allowed, every other record batch has them.
type reader struct {
	schema       expr.Schema
	cols         []*vec.Vec
	at, to       int
	cut          int
	mem          *poisoned
	dictionaries bool
	coded        []*codedText
	batches      int
}

func (r *reader) Next(ctx context.Context) (arrow.RecordBatch, error) {
	n := min(r.cut, r.to-r.at)
	if n <= 0 {
		return nil, io.EOF
	}
	arrs := make([]arrow.Array, len(r.cols))
	for i, c := range r.cols {
		arrs[i] = r.mem.own(c.Slice(r.at, r.at+n).Arrow())
		if k := c.Type.Kind; r.dictionaries && r.batches%2 == 0 && (k == expr.KindString || k == expr.KindBinary) {
			arrs[i].Release()
			arrs[i] = r.mem.own(r.text(i).array(r.at, r.at+n))
		}
	}
	r.at += n
	r.batches++
	rec := array.NewRecordBatch(schemaOver(r.schema.Arrow(), arrs), arrs, int64(n))
	for _, a := range arrs {
		a.Release()
	}
	return rec, ctx.Err()
}

func (r *reader) Close() error { return nil }

// text returns column i, coded.
func (r *reader) text(i int) *codedText {
	if r.coded == nil {
		r.coded = make([]*codedText, len(r.cols))
	}
	if r.coded[i] == nil {
		r.coded[i] = newCodedText(r.cols[i])
	}
	return r.coded[i]
}

// codedText is a column of texts as a dictionary, which has a value that no row
// has, and codes.
type codedText struct {
	codes *vec.Vec
	dict  arrow.ArrayData
}

func newCodedText(c *vec.Vec) *codedText {
	b, codes := vec.NewBuilder(c.Type), vec.NewBuilder(expr.Int32)
	b.AppendBytes([]byte("a text that no row has, and a long one"))
	seen := map[string]int64{}
	for i := range c.Len {
		if c.Null(i) {
			codes.AppendNull()
			continue
		}
		code, ok := seen[c.Text(i)]
		if !ok {
			code = int64(b.Len())
			seen[c.Text(i)] = code
			b.AppendBytes(c.Str(i))
		}
		codes.AppendInt(code)
	}
	return &codedText{codes.Vec(), b.Vec().Arrow().Data()}
}

func (c *codedText) array(from, to int) arrow.Array {
	return overDictionary(c.codes.Slice(from, to), c.dict)
}

// overDictionary returns codes as an array over dict.
func overDictionary(codes *vec.Vec, dict arrow.ArrayData) arrow.Array {
	d := codes.Arrow().Data()
	t := &arrow.DictionaryType{IndexType: arrow.PrimitiveTypes.Int32, ValueType: dict.DataType()}
	return array.MakeFromData(array.NewDataWithDictionary(t, d.Len(), d.Buffers(), d.NullN(), d.Offset(), dict.(*array.Data)))
}

// schemaOver returns schema with the types of arrs.
func schemaOver(schema *arrow.Schema, arrs []arrow.Array) *arrow.Schema {
	fields := schema.Fields()
	for i, a := range arrs {
		if a.DataType().ID() == arrow.DICTIONARY {
			fields[i].Type = a.DataType()
		}
	}
	return arrow.NewSchema(fields, nil)
}

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
		if arr := b.Rec.Column(i); arr.DataType().ID() == arrow.DICTIONARY {
			codes := *vec.Coded(arr, f.Type)
			codes.Type, codes.Dict = expr.Int32, nil
			arrs[i] = s.mem.own(overDictionary(codes.Take(idx), arr.Data().Dictionary()))
			continue
		}
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
