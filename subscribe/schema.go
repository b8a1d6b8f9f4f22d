package subscribe

import (
	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/flightd/flightd/sinks/feed"
)

// The values of the column _op.
const (
	// OpProgress is no row of the result: all rows of _epoch have been told.
	OpProgress int8 = 0
	OpInsert   int8 = 1
	OpDelete   int8 = 2
	// OpUpdateAfter is the new row, OpUpdateBefore the one that it replaces.
	OpUpdateAfter  int8 = 3
	OpUpdateBefore int8 = 4
	// OpGap is no row of the result: epochs up to _epoch were left out.
	OpGap int8 = 5
)

// inBand are the columns that stand before those of the query.
var inBand = []arrow.Field{
	{Name: "_epoch", Type: arrow.PrimitiveTypes.Uint64},
	{Name: "_op", Type: arrow.PrimitiveTypes.Int8},
	{Name: "_watermark", Type: &arrow.TimestampType{Unit: arrow.Microsecond, TimeZone: "UTC"}, Nullable: true},
}

// columns reports whether the rows have the columns of inBand.
func (r *Request) columns() bool {
	return r.Progress || r.Policy == Skip || r.Envelope != Append
}

// schema is that of the subscription over rows of a schema. Where there are rows
// that are none of the result, every column may be null.
func (r *Request) schema(rows *arrow.Schema) *arrow.Schema {
	if !r.columns() {
		return arrow.NewSchema(rows.Fields(), nil)
	}
	fields := append([]arrow.Field(nil), inBand...)
	for _, f := range rows.Fields() {
		f.Nullable = f.Nullable || r.Progress || r.Policy == Skip
		fields = append(fields, f)
	}
	return arrow.NewSchema(fields, nil)
}

// dressed is a record batch of the feed as subscribers with the same options get it.
type dressed struct {
	derived *feed.Derived
	dress   dressKey
}

// dressKey says what the columns depend on that stand before those of record batch at
// of an epoch.
type dressKey struct {
	at                int
	op                int8
	columns, nullable bool
}

type ofDressed struct {
	dress dressKey
	key   any
}

// dress gives the rows of a part from one on the schema of the subscription; those of a
// whole record batch of the feed are made once for all.
func (s *Stream) dress(p part, from int64, at *Batch) (arrow.RecordBatch, *dressed) {
	if o := p.of; o != nil && o.derived != nil && from == 0 {
		d := &dressed{o.derived, dressKey{at: o.at, op: p.ops[0], columns: s.o.columns(), nullable: s.o.Progress || s.o.Policy == Skip}}
		return o.derived.Rows(d.dress, func() []arrow.RecordBatch {
			return []arrow.RecordBatch{dress(s.schema, p.rec, uint64(at.Epoch), p.ops, at.Watermark)}
		})[0], d
	}
	rec, ops := p.rec.NewSlice(from, p.rec.NumRows()), p.ops
	defer rec.Release()
	if len(ops) > 1 {
		ops = ops[from:]
	}
	return dress(s.schema, rec, uint64(at.Epoch), ops, at.Watermark), nil
}

// dress gives rows the schema of the subscription: ops has one value per row, or
// one for all. The caller keeps its reference to rec.
func dress(schema *arrow.Schema, rec arrow.RecordBatch, epoch uint64, ops []int8, watermark int64) arrow.RecordBatch {
	n := int(rec.NumRows())
	if schema.NumFields() == int(rec.NumCols()) {
		return array.NewRecordBatch(schema, rec.Columns(), int64(n))
	}
	epochs, kinds := array.NewUint64Builder(memory.DefaultAllocator), array.NewInt8Builder(memory.DefaultAllocator)
	marks := array.NewTimestampBuilder(memory.DefaultAllocator, inBand[2].Type.(*arrow.TimestampType))
	defer epochs.Release()
	defer kinds.Release()
	defer marks.Release()
	for i := range n {
		epochs.Append(epoch)
		kinds.Append(ops[min(i, len(ops)-1)])
		if watermark == 0 {
			marks.AppendNull()
		} else {
			marks.Append(arrow.Timestamp(watermark * 1000))
		}
	}
	cols := []arrow.Array{epochs.NewArray(), kinds.NewArray(), marks.NewArray()}
	defer func() {
		for _, c := range cols[:3] {
			c.Release()
		}
	}()
	return array.NewRecordBatch(schema, append(cols, rec.Columns()...), int64(n))
}

// nulls are n rows of nothing but null.
func nulls(schema *arrow.Schema, n int) arrow.RecordBatch {
	cols := make([]arrow.Array, schema.NumFields())
	for i, f := range schema.Fields() {
		cols[i] = array.MakeArrayOfNull(memory.DefaultAllocator, f.Type, n)
		defer cols[i].Release()
	}
	return array.NewRecordBatch(schema, cols, int64(n))
}
