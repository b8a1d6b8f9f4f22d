package kafka

import (
	"math"
	"strings"
	"unicode/utf8"

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

func newColumns(full *arrow.Schema, want []int, rows int) *columns {
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

// repeat is a column of one text.
func repeat(s string, rows int) *varColumn {
	v := &varColumn{offsets: make([]int32, rows+1), buf: []byte(strings.Repeat(s, rows))}
	for i := range v.offsets {
		v.offsets[i] = int32(i * len(s))
	}
	return v
}

// varColumn is a column of texts or bytes.
type varColumn struct {
	offsets []int32
	buf     []byte
	// valid is nil as long as no value was null.
	valid []byte
	nulls int
}

func newVarColumn(rows int) *varColumn {
	return &varColumn{offsets: append(make([]int32, 0, rows+1), 0)}
}

func (v *varColumn) add(b []byte, has bool) {
	n := len(v.offsets) - 1
	if !has && v.valid == nil {
		v.valid = allValid(n, cap(v.offsets))
	}
	if v.valid != nil {
		v.valid = addBit(v.valid, n, has)
		if !has {
			v.nulls++
		}
	}
	v.buf = append(v.buf, b...)
	v.offsets = append(v.offsets, int32(len(v.buf)))
}

func (v *varColumn) data(typ arrow.DataType) *array.Data {
	return array.NewData(typ, len(v.offsets)-1,
		[]*memory.Buffer{bitmap(v.valid), memory.NewBufferBytes(arrow.Int32Traits.CastToBytes(v.offsets)), memory.NewBufferBytes(v.buf)}, nil, v.nulls, 0)
}

// headerColumn is array<struct<key: string, value: binary>>; a record without
// headers has null.
type headerColumn struct {
	offsets      []int32
	valid        []byte
	nulls        int
	keys, values *varColumn
}

func (h *headerColumn) add(rec *record) error {
	n := len(h.offsets) - 1
	if rec.count == 0 && h.valid == nil {
		h.valid = allValid(n, cap(h.offsets))
	}
	if h.valid != nil {
		h.valid = addBit(h.valid, n, rec.count > 0)
		if rec.count == 0 {
			h.nulls++
		}
	}
	at := 0
	for range rec.count {
		key, value, has, next, err := rec.header(at)
		if err != nil {
			return err
		}
		if !utf8.Valid(key) {
			key = []byte(strings.ToValidUTF8(string(key), "�"))
		}
		h.keys.add(key, true)
		h.values.add(value, has)
		at = next
	}
	h.offsets = append(h.offsets, int32(len(h.keys.offsets)-1))
	return nil
}

func (h *headerColumn) data(typ arrow.DataType) *array.Data {
	elem := typ.(*arrow.ListType).Elem()
	k, v := h.keys.data(arrow.BinaryTypes.String), h.values.data(arrow.BinaryTypes.Binary)
	defer k.Release()
	defer v.Release()
	st := array.NewData(elem, len(h.keys.offsets)-1, []*memory.Buffer{nil}, []arrow.ArrayData{k, v}, 0, 0)
	defer st.Release()
	return array.NewData(typ, len(h.offsets)-1, []*memory.Buffer{bitmap(h.valid), memory.NewBufferBytes(arrow.Int32Traits.CastToBytes(h.offsets))}, []arrow.ArrayData{st}, h.nulls, 0)
}

func bitmap(valid []byte) *memory.Buffer {
	if valid == nil {
		return nil
	}
	return memory.NewBufferBytes(valid)
}

// allValid is a bitmap of n set bits, with room for rows.
func allValid(n, rows int) []byte {
	b := make([]byte, (n+7)/8, max(rows, n)/8+1)
	for i := range b {
		b[i] = math.MaxUint8
	}
	return b
}

// addBit sets or clears bit n, the one behind the last.
func addBit(b []byte, n int, set bool) []byte {
	if n/8 == len(b) {
		b = append(b, 0)
	}
	if bit := byte(1) << (n % 8); set {
		b[n/8] |= bit
	} else {
		b[n/8] &^= bit
	}
	return b
}
