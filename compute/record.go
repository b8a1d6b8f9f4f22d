package compute

import (
	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"

	cexpr "github.com/flightd/flightd/compute/expr"
	"github.com/flightd/flightd/compute/vec"
)

// newRecord makes a record batch of cols, whose references it takes over. Their
// types may differ from the schema's in the nullability and names of members, and
// texts and bytes may be coded.
func newRecord(schema *arrow.Schema, cols []arrow.Array, n int) arrow.RecordBatch {
	schema = schemaOver(schema, cols)
	for i := range cols {
		if f := schema.Field(i); !arrow.TypeEqual(cols[i].DataType(), f.Type) {
			d := retyped(cols[i].Data(), f.Type)
			cols[i].Release()
			cols[i] = array.MakeFromData(d)
			d.Release()
		}
	}
	rec := array.NewRecordBatch(schema, cols, int64(n))
	for _, c := range cols {
		c.Release()
	}
	return rec
}

// schemaOver returns schema with the types of those of cols that are coded.
func schemaOver(schema *arrow.Schema, cols []arrow.Array) *arrow.Schema {
	var fields []arrow.Field
	for i, c := range cols {
		if c.DataType().ID() == arrow.DICTIONARY {
			if fields == nil {
				fields = schema.Fields()
			}
			fields[i].Type = c.DataType()
		}
	}
	if fields == nil {
		return schema
	}
	m := schema.Metadata()
	return arrow.NewSchema(fields, &m)
}

// retyped returns d as data of type t, which has the same layout.
func retyped(d arrow.ArrayData, t arrow.DataType) *array.Data {
	var members []arrow.DataType
	switch t := t.(type) {
	case *arrow.StructType:
		for _, f := range t.Fields() {
			members = append(members, f.Type)
		}
	case *arrow.MapType:
		members = append(members, t.Elem())
	case *arrow.ListType:
		members = append(members, t.Elem())
	}
	kids := make([]arrow.ArrayData, len(d.Children()))
	for i, k := range d.Children() {
		kid := retyped(k, members[i])
		defer kid.Release()
		kids[i] = kid
	}
	return array.NewData(t, d.Len(), d.Buffers(), kids, d.NullN(), d.Offset())
}

// recordOf makes a record batch of columns that nobody writes.
func recordOf(schema *arrow.Schema, cols []*vec.Vec, n int) arrow.RecordBatch {
	arrs := make([]arrow.Array, len(cols))
	for i, c := range cols {
		arrs[i] = c.Arrow()
	}
	return newRecord(schema, arrs, n)
}

// held is the record batch that an operator put out last: it is released when
// the next one is asked for.
type held struct{ rec arrow.RecordBatch }

// set releases the last record batch and keeps rec, whose reference it takes
// over.
func (h *held) set(rec arrow.RecordBatch) arrow.RecordBatch {
	if h.rec != nil {
		h.rec.Release()
	}
	h.rec = rec
	return rec
}

// arrayOf returns the result of an evaluator over the rows of rec as an array
// that lives on its own: buffers that may be rec's keep rec alive.
func arrayOf(v *vec.Vec, rec arrow.RecordBatch) arrow.Array {
	shared := v.Own == vec.Shared && !v.Const
	arr := cexpr.Fresh(v).Arrow()
	if !shared || rec == nil {
		return arr
	}
	defer arr.Release()
	d := arr.Data()
	bufs := append([]*memory.Buffer(nil), d.Buffers()...)
	for i, b := range bufs {
		if b == nil {
			continue
		}
		rec.Retain()
		bufs[i] = memory.NewBufferWithAllocator(b.Bytes(), tether{rec})
		defer bufs[i].Release()
		break
	}
	data := array.NewData(d.DataType(), d.Len(), bufs, d.Children(), d.NullN(), d.Offset())
	defer data.Release()
	return array.MakeFromData(data)
}

// tether is the allocator of a buffer that is a part of rec's memory: freeing
// the buffer lets go of rec.
type tether struct{ rec arrow.RecordBatch }

func (t tether) Allocate(int) []byte           { return nil }
func (t tether) Reallocate(int, []byte) []byte { return nil }
func (t tether) Free([]byte)                   { t.rec.Release() }

// sparse reports whether so few rows are alive that it costs less to gather them before
// expressions than to compute every lane.
func (b Batch) sparse() bool { return b.Sel != nil && int64(len(b.Sel))*4 < b.Rec.NumRows() }

// rows lists the live rows of a batch; identity is reused.
type rowList struct{ identity []int32 }

func (l *rowList) of(b Batch) []int32 {
	if b.Sel != nil {
		return b.Sel
	}
	return l.first(int(b.Rec.NumRows()))
}

// first returns 0 … n−1. It must not be written.
func (l *rowList) first(n int) []int32 {
	for i := len(l.identity); i < n; i++ {
		l.identity = append(l.identity, int32(i))
	}
	return l.identity[:n]
}
