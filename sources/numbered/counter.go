package numbered

import (
	"cmp"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/flightd/flightd/internal/base"
)

// CounterSchema is the schema of sources that make their rows: a time and the
// row's number.
func CounterSchema() *arrow.Schema {
	return arrow.NewSchema([]arrow.Field{
		{Name: "timestamp", Type: arrow.FixedWidthTypes.Timestamp_us, Nullable: true},
		{Name: "value", Type: arrow.PrimitiveTypes.Int64, Nullable: true},
	}, nil)
}

// Counter returns the rows lo up to and without hi of a source with
// CounterSchema, or the columns of it that schema has. times fills in the
// microseconds since 1970 of len(dst) rows from lo on.
func Counter(schema *arrow.Schema, lo, hi int64, times func(dst []int64, lo int64)) arrow.RecordBatch {
	cols := make([]arrow.Array, schema.NumFields())
	for i, f := range schema.Fields() {
		vals := make([]int64, hi-lo)
		if f.Type.ID() == arrow.TIMESTAMP {
			times(vals, lo)
		} else {
			for k := range vals {
				vals[k] = lo + int64(k)
			}
		}
		data := array.NewData(f.Type, len(vals), []*memory.Buffer{nil, memory.NewBufferBytes(arrow.Int64Traits.CastToBytes(vals))}, nil, 0, 0)
		cols[i] = array.MakeFromData(data)
		data.Release()
		defer cols[i].Release()
	}
	return array.NewRecordBatch(schema, cols, hi-lo)
}

// Partitions reads the option numPartitions; 0 means that it was not given.
func Partitions(o base.Options) (int64, error) {
	n, err := o.Int("numPartitions", 0)
	if _, given := o.Lookup("numPartitions"); err == nil && given && n <= 0 {
		err = base.Errorf(base.CodeInvalid, "option numPartitions: %d is not positive", n)
	}
	return n, err
}

// PartitionRows is how many rows a split has when n rows go into so many
// partitions, or SplitRows for 0 partitions.
func PartitionRows(n, partitions int64) int64 {
	if partitions == 0 {
		return SplitRows
	}
	return cmp.Or((n+partitions-1)/partitions, 1)
}
