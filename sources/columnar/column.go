package columnar

import (
	"encoding/binary"
	"math"
	"slices"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/decimal128"

	"github.com/flightd/flightd/internal/base"
)

// Kind is the closed set of column layouts, so that a cell costs one switch and
// no interface call.
type Kind uint8

// The kinds. Fixed-width kinds keep their values little-endian.
const (
	Null Kind = iota
	Bool
	Int8
	Int16
	Int32
	Int64
	Float32
	Float64
	Decimal
	String
	Binary
	Date
	Timestamp    // microseconds, with a zone: an instant
	TimestampNTZ // microseconds, without: a wall clock
	MonthInterval
	Duration
	List
	Map
	Struct
)

// Column grows cell by cell and becomes an Arrow array.
type Column struct {
	Kind Kind
	Type arrow.DataType
	// Name is the field's name; empty for the element of a list.
	Name string
	// Children are a struct's fields, a list's element, or a map's key and value.
	Children []*Column

	wide     int // bytes of a value in data
	n, nulls int
	valid    []byte // bit 1 = present; nil while nothing is null
	data     []byte // fixed-width values, or the bytes of strings; bool is one byte a value
	offsets  []int32
	// lastRows and lastData are the sizes of the array before.
	lastRows, lastData int
}

// NewColumn returns an empty column of type t. It is an Invalid error if cells of
// t cannot be gathered.
func NewColumn(name string, t arrow.DataType) (*Column, error) {
	c := &Column{Name: name, Type: t}
	var fields []arrow.Field
	switch t := t.(type) {
	case *arrow.NullType:
		c.Kind = Null
	case *arrow.BooleanType:
		c.Kind = Bool
	case *arrow.Int8Type:
		c.Kind = Int8
	case *arrow.Int16Type:
		c.Kind = Int16
	case *arrow.Int32Type:
		c.Kind = Int32
	case *arrow.Int64Type:
		c.Kind = Int64
	case *arrow.Float32Type:
		c.Kind = Float32
	case *arrow.Float64Type:
		c.Kind = Float64
	case *arrow.Decimal128Type:
		c.Kind = Decimal
	case *arrow.StringType:
		c.Kind = String
	case *arrow.BinaryType:
		c.Kind = Binary
	case *arrow.Date32Type:
		c.Kind = Date
	case *arrow.TimestampType:
		if t.Unit != arrow.Microsecond {
			return nil, base.Errorf(base.CodeInvalid, "column %s: type %s: only microsecond timestamps are supported", name, t)
		}
		c.Kind = TimestampNTZ
		if t.TimeZone != "" {
			c.Kind = Timestamp
		}
	case *arrow.MonthIntervalType:
		c.Kind = MonthInterval
	case *arrow.DurationType:
		if t.Unit != arrow.Microsecond {
			return nil, base.Errorf(base.CodeInvalid, "column %s: type %s: only microsecond durations are supported", name, t)
		}
		c.Kind = Duration
	case *arrow.ListType:
		c.Kind, fields = List, []arrow.Field{t.ElemField()}
	case *arrow.MapType:
		c.Kind, fields = Map, []arrow.Field{t.KeyField(), t.ItemField()}
	case *arrow.StructType:
		c.Kind, fields = Struct, t.Fields()
	default:
		return nil, base.Errorf(base.CodeInvalid, "column %s: type %s is not supported", name, t)
	}
	for _, f := range fields {
		child, err := NewColumn(f.Name, f.Type)
		if err != nil {
			return nil, err
		}
		c.Children = append(c.Children, child)
	}
	c.wide = widthOf(c.Kind)
	c.reset()
	return c, nil
}

func (c *Column) reset() {
	c.lastRows, c.lastData = c.n, len(c.data)
	c.n, c.nulls, c.valid, c.data, c.offsets = 0, 0, nil, nil, nil
	if c.variable() {
		c.offsets = append(make([]int32, 0, 64), 0)
	}
}

func (c *Column) variable() bool {
	return c.Kind == String || c.Kind == Binary || c.Kind == List || c.Kind == Map
}

// widthOf returns the bytes that a value of kind takes in data; 0 for the kinds
// whose values are elsewhere.
func widthOf(k Kind) int {
	switch k {
	case Bool, Int8:
		return 1
	case Int16:
		return 2
	case Int32, Float32, Date, MonthInterval:
		return 4
	case Int64, Float64, Timestamp, TimestampNTZ, Duration:
		return 8
	case Decimal:
		return 16
	}
	return 0
}

// Len returns the number of cells.
func (c *Column) Len() int { return c.n }

// reserve makes room for as many cells and bytes as there were when Finish was
// called last, so that appending them rarely grows.
func (c *Column) reserve() {
	c.data = slices.Grow(c.data, c.lastData+c.lastData/16)
	if c.variable() {
		c.offsets = slices.Grow(c.offsets, c.lastRows)
	}
	for _, ch := range c.Children {
		ch.reserve()
	}
}

func (c *Column) present() {
	if c.valid != nil {
		if c.n&7 == 0 {
			c.valid = append(c.valid, 0)
		}
		c.valid[c.n>>3] |= 1 << (c.n & 7)
	}
	c.n++
}

// AppendNull appends an absent cell.
func (c *Column) AppendNull() {
	if c.valid == nil {
		c.valid = make([]byte, (c.n+7)/8, max(64, c.n/4))
		for i := range c.valid {
			c.valid[i] = 0xff
		}
		if r := c.n & 7; r != 0 {
			c.valid[len(c.valid)-1] = 1<<r - 1
		}
	}
	if c.n&7 == 0 {
		c.valid = append(c.valid, 0)
	}
	c.n++
	c.nulls++
	var zero [16]byte
	c.data = append(c.data, zero[:c.wide]...)
	if c.variable() {
		c.offsets = append(c.offsets, c.offsets[len(c.offsets)-1])
	}
	if c.Kind == Struct {
		for _, ch := range c.Children {
			ch.AppendNull()
		}
	}
}

// AppendBool appends a truth value.
func (c *Column) AppendBool(v bool) {
	b := byte(0)
	if v {
		b = 1
	}
	c.data = append(c.data, b)
	c.present()
}

// AppendInt appends v to a column of whole numbers, dates, timestamps or
// intervals. It reports false, and appends nothing, if v does not fit.
func (c *Column) AppendInt(v int64) bool {
	switch c.wide {
	case 8:
		c.append8(uint64(v))
	case 4:
		if v != int64(int32(v)) {
			return false
		}
		c.append4(uint32(v))
	case 2:
		if v != int64(int16(v)) {
			return false
		}
		c.data = binary.LittleEndian.AppendUint16(c.data, uint16(v))
	default:
		if v != int64(int8(v)) {
			return false
		}
		c.data = append(c.data, byte(v))
	}
	c.present()
	return true
}

// append8 appends a word to data. Data is cut from itself rather than assigned
// what append returns, so that no pointer is written.
func (c *Column) append8(v uint64) {
	n := len(c.data)
	if cap(c.data)-n < 8 {
		c.data = slices.Grow(c.data, 8)
	}
	c.data = c.data[:n+8]
	binary.LittleEndian.PutUint64(c.data[n:], v)
}

func (c *Column) append4(v uint32) {
	n := len(c.data)
	if cap(c.data)-n < 4 {
		c.data = slices.Grow(c.data, 4)
	}
	c.data = c.data[:n+4]
	binary.LittleEndian.PutUint32(c.data[n:], v)
}

// AppendFloat appends v to a column of Float32 (rounded) or Float64.
func (c *Column) AppendFloat(v float64) {
	if c.Kind == Float32 {
		c.append4(math.Float32bits(float32(v)))
	} else {
		c.append8(math.Float64bits(v))
	}
	c.present()
}

// AppendDecimal appends the unscaled value v.
func (c *Column) AppendDecimal(v decimal128.Num) {
	c.append8(v.LowBits())
	c.append8(uint64(v.HighBits()))
	c.present()
}

// AppendBytes appends a copy of b to a String or Binary column. It reports false
// if the column's bytes would pass what an Arrow array can hold.
func (c *Column) AppendBytes(b []byte) bool {
	if len(b) > math.MaxInt32-len(c.data) {
		return false
	}
	c.data = append(c.data, b...)
	c.offsets = append(c.offsets, int32(len(c.data)))
	c.present()
	return true
}

// AppendWithin appends a copy of b[from:to] as AppendBytes does. b has LinePad
// bytes behind to, so that short texts are copied by words.
func (c *Column) AppendWithin(b []byte, from, to int) bool {
	n := len(c.data)
	if to-from > 16 || cap(c.data)-n < 16 {
		return c.AppendBytes(b[from:to])
	}
	if n > math.MaxInt32-16 {
		return false
	}
	into := c.data[n : n+16]
	binary.LittleEndian.PutUint64(into, load(b, from))
	binary.LittleEndian.PutUint64(into[8:], load(b, from+8))
	c.data = c.data[:n+to-from]
	c.offsets = append(c.offsets, int32(len(c.data)))
	c.present()
	return true
}

// CloseList ends a list or map cell: its elements are those that were appended
// to the children since the cell before.
func (c *Column) CloseList() {
	c.offsets = append(c.offsets, int32(c.Children[0].n))
	c.present()
}

// CloseStruct ends a struct cell; fields that got no value become null.
func (c *Column) CloseStruct() {
	for _, ch := range c.Children {
		if ch.n == c.n {
			ch.AppendNull()
		}
	}
	c.present()
}

// Truncate removes the cells from index n on, and whatever was appended below
// them, also of a cell that was not closed.
func (c *Column) Truncate(n int) {
	if c.valid != nil && n < c.n {
		c.valid = c.valid[:(n+7)/8]
		if r := n & 7; r != 0 {
			c.valid[len(c.valid)-1] &= 1<<r - 1
		}
		c.nulls = n - popcount(c.valid)
		if c.nulls == 0 {
			c.valid = nil
		}
	}
	c.n = min(c.n, n)
	if w := c.wide; w > 0 {
		c.data = c.data[:w*c.n]
		return
	}
	if c.variable() {
		c.offsets = c.offsets[:c.n+1]
		end := int(c.offsets[c.n])
		if c.Kind == String || c.Kind == Binary {
			c.data = c.data[:end]
			return
		}
		for _, ch := range c.Children {
			ch.Truncate(end)
		}
		return
	}
	for _, ch := range c.Children {
		ch.Truncate(c.n)
	}
}
