package compute_test

import (
	"context"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/flightd/flightd/compute"
	"github.com/flightd/flightd/compute/vec"
	"github.com/flightd/flightd/plan/expr"
)

// inCodes makes the splits' texts dictionaries, but for those of every fifth batch.
func inCodes(splits []compute.Split, schema expr.Schema) []compute.Split {
	out := make([]compute.Split, len(splits))
	for i, s := range splits {
		out[i] = func(ctx context.Context) (compute.RowReader, error) {
			r, err := s(ctx)
			return &codingReader{RowReader: r, schema: schema, texts: make([]codes, len(schema))}, err
		}
	}
	return out
}

// codingReader makes codes of texts. A dictionary stays the same array until a
// value comes that it has not; it has one that no row has.
type codingReader struct {
	compute.RowReader
	schema  expr.Schema
	texts   []codes
	batches int
}

type codes struct {
	values *vec.Vec
	known  map[string]int32
	array  *array.Data
}

func (r *codingReader) Next(ctx context.Context) (arrow.RecordBatch, error) {
	rec, err := r.RowReader.Next(ctx)
	r.batches++
	if err != nil || r.batches%5 == 0 {
		return rec, err
	}
	defer rec.Release()
	cols, fields := rec.Columns(), rec.Schema().Fields()
	cols = append([]arrow.Array(nil), cols...)
	for i, f := range r.schema {
		if f.Type.Kind == expr.KindString || f.Type.Kind == expr.KindBinary {
			cols[i] = r.texts[i].of(vec.FromArrow(cols[i], f.Type))
			fields[i].Type = cols[i].DataType()
		}
	}
	return array.NewRecordBatch(arrow.NewSchema(fields, nil), cols, rec.NumRows()), nil
}

func (c *codes) of(v *vec.Vec) arrow.Array {
	if c.known == nil {
		c.known = map[string]int32{}
		b := vec.NewBuilder(v.Type)
		b.AppendBytes([]byte("a value that no row has"))
		c.values = b.Vec()
	}
	numbers, b := make([]int32, v.Len), vec.NewBuilder(v.Type)
	for i := range v.Len {
		if v.Null(i) {
			continue
		}
		code, ok := c.known[v.Text(i)]
		if !ok {
			code = int32(c.values.Len + b.Len())
			c.known[string(v.Str(i))] = code
			b.AppendBytes(v.Str(i))
		}
		numbers[i] = code
	}
	if b.Len() > 0 || c.array == nil {
		c.values = vec.Concat([]*vec.Vec{c.values, b.Vec()})
		c.array = c.values.Arrow().Data().(*array.Data)
	}
	var valid *memory.Buffer
	if v.Valid != nil {
		valid = memory.NewBufferBytes(append([]byte(nil), v.Valid...))
	}
	t := &arrow.DictionaryType{IndexType: arrow.PrimitiveTypes.Int32, ValueType: c.array.DataType()}
	d := array.NewDataWithDictionary(t, v.Len, []*memory.Buffer{valid, memory.NewBufferBytes(vec.Bytes(numbers))}, v.NullCount(), 0, c.array)
	return array.MakeFromData(d)
}
