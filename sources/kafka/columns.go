package kafka

import (
	"strings"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/flightd/flightd/internal/base"
)

// The fixed columns, in order; the last one only with includeHeaders.
const (
	colKey = iota
	colValue
	colTopic
	colPartition
	colOffset
	colTimestamp
	colTimestampType
	colHeaders
)

func headerType() arrow.DataType {
	return arrow.StructOf(
		arrow.Field{Name: "key", Type: arrow.BinaryTypes.String, Nullable: true},
		arrow.Field{Name: "value", Type: arrow.BinaryTypes.Binary, Nullable: true})
}

// newSchema is the schema of every Kafka source and table.
func newSchema(headers bool) *arrow.Schema {
	fields := []arrow.Field{
		{Name: "key", Type: arrow.BinaryTypes.Binary, Nullable: true},
		{Name: "value", Type: arrow.BinaryTypes.Binary, Nullable: true},
		{Name: "topic", Type: arrow.BinaryTypes.String, Nullable: true},
		{Name: "partition", Type: arrow.PrimitiveTypes.Int32, Nullable: true},
		{Name: "offset", Type: arrow.PrimitiveTypes.Int64, Nullable: true},
		{Name: "timestamp", Type: &arrow.TimestampType{Unit: arrow.Microsecond, TimeZone: "UTC"}, Nullable: true},
		{Name: "timestampType", Type: arrow.PrimitiveTypes.Int32, Nullable: true},
	}
	if headers {
		fields = append(fields, arrow.Field{Name: "headers", Type: arrow.ListOfField(arrow.Field{Name: "element", Type: headerType(), Nullable: true}), Nullable: true})
	}
	return arrow.NewSchema(fields, nil)
}

// checkSchema refuses a declared schema that is not the fixed one.
func checkSchema(declared, fixed *arrow.Schema) error {
	if declared == nil {
		return nil
	}
	same := declared.NumFields() == fixed.NumFields()
	for i := 0; same && i < fixed.NumFields(); i++ {
		same = strings.EqualFold(declared.Field(i).Name, fixed.Field(i).Name) && arrow.TypeEqual(declared.Field(i).Type, fixed.Field(i).Type)
	}
	if !same {
		return base.UserError("", "", "source kafka: Kafka source has a fixed schema and cannot be set with a custom one").
			WithHint("leave the columns out: they are key, value, topic, partition, offset, timestamp, timestampType, and headers with includeHeaders")
	}
	return nil
}

// maxColumnBytes cuts a record batch whose records are long: a rule of the
// records alone, so that cuts do not depend on how they were fetched.
const maxColumnBytes = 16 << 20

// columns gather the rows of one record batch of the engine. Those not wanted
// are nil, and no byte of them is copied.
type columns struct {
	schema *arrow.Schema
	want   []int
	rows   int
	// bytes are the sizes of the records, wanted or not.
	bytes int

	key, value *varColumn
	offset     []int64
	time       []int64
	timeType   []int32
	headers    *headerColumn
}

// sizes are those of a record batch, a good guess for the next one.
type sizes struct{ rows, key, value int }

func (c *columns) sizes() sizes {
	s := sizes{rows: c.rows}
	if c.key != nil {
		s.key = len(c.key.buf)
	}
	if c.value != nil {
		s.value = len(c.value.buf)
	}
	return s
}

// newColumns returns empty columns with room for rows like those before.
func newColumns(full *arrow.Schema, want []int, rows int, before sizes) *columns {
	c := &columns{want: want}
	var fields []arrow.Field
	for _, i := range want {
		fields = append(fields, full.Field(i))
		switch i {
		case colKey:
			c.key = newVarColumn(rows)
		case colValue:
			c.value = newVarColumn(rows)
		case colOffset:
			c.offset = make([]int64, 0, rows)
		case colTimestamp:
			c.time = make([]int64, 0, rows)
		case colTimestampType:
			c.timeType = make([]int32, 0, rows)
		case colHeaders:
			c.headers = &headerColumn{offsets: append(make([]int32, 0, rows+1), 0), keys: newVarColumn(0), values: newVarColumn(0)}
		}
	}
	c.schema = arrow.NewSchema(fields, nil)
	if before.rows > 0 {
		guess := func(v *varColumn, bytes int) {
			if v != nil {
				v.buf = make([]byte, 0, min(int(float64(bytes)*1.05*float64(rows)/float64(before.rows)), 2*maxColumnBytes))
			}
		}
		guess(c.key, before.key)
		guess(c.value, before.value)
	}
	return c
}

// add appends one record.
func (c *columns) add(rec *record, offset, micros int64, timeType int32, size int) error {
	if c.key != nil {
		c.key.add(rec.key, rec.hasKey)
	}
	if c.value != nil {
		c.value.add(rec.value, rec.hasValue)
	}
	if c.offset != nil {
		c.offset = append(c.offset, offset)
	}
	if c.time != nil {
		c.time = append(c.time, micros)
	}
	if c.timeType != nil {
		c.timeType = append(c.timeType, timeType)
	}
	if c.headers != nil {
		if err := c.headers.add(rec); err != nil {
			return err
		}
	}
	c.rows++
	c.bytes += size
	return nil
}

// record returns the rows as a record batch; c is not used any more.
func (c *columns) record(p partition) arrow.RecordBatch {
	cols := make([]arrow.Array, len(c.want))
	for i, col := range c.want {
		var d *array.Data
		typ := c.schema.Field(i).Type
		switch col {
		case colKey:
			d = c.key.data(typ)
		case colValue:
			d = c.value.data(typ)
		case colTopic:
			d = repeat(p.topic, c.rows).data(typ)
		case colPartition:
			ids := make([]int32, c.rows)
			for j := range ids {
				ids[j] = p.id
			}
			d = fixed(typ, arrow.Int32Traits.CastToBytes(ids), c.rows)
		case colOffset:
			d = fixed(typ, arrow.Int64Traits.CastToBytes(c.offset), c.rows)
		case colTimestamp:
			d = fixed(typ, arrow.Int64Traits.CastToBytes(c.time), c.rows)
		case colTimestampType:
			d = fixed(typ, arrow.Int32Traits.CastToBytes(c.timeType), c.rows)
		case colHeaders:
			d = c.headers.data(typ)
		}
		cols[i] = array.MakeFromData(d)
		d.Release()
	}
	rec := array.NewRecordBatch(c.schema, cols, int64(c.rows))
	for _, a := range cols {
		a.Release()
	}
	return rec
}

func fixed(typ arrow.DataType, b []byte, rows int) *array.Data {
	return array.NewData(typ, rows, []*memory.Buffer{nil, memory.NewBufferBytes(b)}, nil, 0, 0)
}
