package guard

import "github.com/flightd/flightd/internal/base"

// A kind is how a field's values lie in a record batch.
type kind uint8

const (
	kindNull      kind = iota // no buffers
	kindFixed                 // validity, values of width bits
	kindBytes                 // validity, offsets of width bits, data
	kindView                  // validity, views, any number of data buffers
	kindList                  // validity, offsets of width bits; one child
	kindListView              // validity, offsets and sizes of width bits; one child
	kindFixedList             // validity; one child with listSize values a row
	kindStruct                // validity; children
	kindSparse                // type ids; children as long as the union
	kindDense                 // type ids, offsets; children
	kindRunEnd                // none; run ends and values
)

// The values of Arrow's Type union (format/Schema.fbs).
const (
	typeNull = 1 + iota
	typeInt
	typeFloat
	typeBinary
	typeUtf8
	typeBool
	typeDecimal
	typeDate
	typeTime
	typeTimestamp
	typeInterval
	typeList
	typeStruct
	typeUnion
	typeFixedBinary
	typeFixedList
	typeMap
	typeDuration
	typeLargeBinary
	typeLargeUtf8
	typeLargeList
	typeRunEnd
	typeBinaryView
	typeUtf8View
	typeListView
	typeLargeListView
)

// A field is what the walk over a record batch needs to know of a schema's field.
type field struct {
	kind     kind
	width    int64 // bits of a value or of an offset
	listSize int64
	children []field
}

// has reports whether f or a field in it is of one of the kinds.
func (f *field) has(kinds ...kind) bool {
	for _, k := range kinds {
		if f.kind == k {
			return true
		}
	}
	for i := range f.children {
		if f.children[i].has(kinds...) {
			return true
		}
	}
	return false
}

// schemaWalk reads a Schema table.
type schemaWalk struct {
	limits Limits
	fields int
	dicts  map[int64]*dictionary
}

func (w *schemaWalk) schema(t table) ([]field, error) {
	endian, err := t.int16(0, 0)
	if err != nil {
		return nil, err
	}
	if endian != 0 {
		return nil, base.Errorf(base.CodeInvalid, "big-endian Arrow streams are not accepted")
	}
	if err := t.keyValues(2); err != nil {
		return nil, err
	}
	return w.list(t, 1, 1)
}

func (w *schemaWalk) list(t table, slot, depth int) ([]field, error) {
	var out []field
	err := t.tables(slot, func(t table) error {
		f, err := w.field(t, depth)
		out = append(out, f)
		return err
	})
	return out, err
}

func (w *schemaWalk) field(t table, depth int) (field, error) {
	if w.fields++; w.fields > w.limits.Fields {
		return field{}, base.Errorf(base.CodeExhausted, "the Arrow schema has more than %d fields", w.limits.Fields)
	}
	if depth > w.limits.Depth {
		return field{}, base.Errorf(base.CodeExhausted, "the Arrow schema nests deeper than %d", w.limits.Depth)
	}
	if err := t.text(0); err != nil {
		return field{}, err
	}
	if _, err := t.int8(1, 0); err != nil {
		return field{}, err
	}
	if err := t.keyValues(6); err != nil {
		return field{}, err
	}
	children, err := w.list(t, 5, depth+1)
	if err != nil {
		return field{}, err
	}
	typ, err := t.int8(2, 0)
	if err != nil {
		return field{}, err
	}
	def, ok, err := t.sub(3)
	if err != nil {
		return field{}, err
	}
	if !ok {
		return field{}, malformed("a field has no type")
	}
	f, err := fieldOfType(typ, def, children)
	if err != nil {
		return field{}, err
	}
	return w.encoded(t, f)
}

// encoded returns f, or the layout of its indices if the field of t is
// dictionary encoded.
func (w *schemaWalk) encoded(t table, f field) (field, error) {
	enc, ok, err := t.sub(4)
	if !ok || err != nil {
		return f, err
	}
	id, err := enc.int64(0, 0)
	if err != nil {
		return f, err
	}
	if _, err := enc.int8(2, 0); err != nil {
		return f, err
	}
	index, ok, err := enc.sub(1)
	if err != nil {
		return f, err
	}
	if !ok {
		return f, malformed("dictionary %d has no index type", id)
	}
	if f.has(kindSparse, kindDense, kindRunEnd) {
		return f, base.Errorf(base.CodeInvalid, "dictionaries of unions or of run-end encoded values are not accepted")
	}
	if w.dicts[id] == nil {
		w.dicts[id] = &dictionary{values: f}
	}
	return intField(index)
}

func intField(t table) (field, error) {
	bits, err := t.int32(0, 0)
	if err != nil {
		return field{}, err
	}
	if _, err := t.int8(1, 0); err != nil {
		return field{}, err
	}
	switch bits {
	case 8, 16, 32, 64:
		return field{kind: kindFixed, width: bits}, nil
	}
	return field{}, malformed("an integer has %d bits", bits)
}

// fieldOfType reads the table of one member of the Type union.
func fieldOfType(typ int64, t table, children []field) (field, error) {
	switch typ {
	case typeStruct:
		return field{kind: kindStruct, children: children}, nil
	case typeUnion:
		return unionField(t, children)
	case typeList, typeMap, typeLargeList, typeListView, typeLargeListView, typeFixedList:
		if len(children) != 1 {
			return field{}, malformed("a list has %d children", len(children))
		}
		return listField(typ, t, children)
	case typeRunEnd:
		if len(children) != 2 || children[0].kind != kindFixed {
			return field{}, malformed("a run-end encoded field has %d children", len(children))
		}
		return field{kind: kindRunEnd, children: children}, nil
	}
	if len(children) != 0 {
		return field{}, malformed("a field of type %d has %d children", typ, len(children))
	}
	return flatField(typ, t)
}

func listField(typ int64, t table, children []field) (field, error) {
	switch typ {
	case typeList:
		return field{kind: kindList, width: 32, children: children}, nil
	case typeLargeList:
		return field{kind: kindList, width: 64, children: children}, nil
	case typeListView:
		return field{kind: kindListView, width: 32, children: children}, nil
	case typeLargeListView:
		return field{kind: kindListView, width: 64, children: children}, nil
	case typeMap:
		if children[0].kind != kindStruct || len(children[0].children) != 2 {
			return field{}, malformed("a map's entries are not pairs")
		}
		_, err := t.int8(0, 0)
		return field{kind: kindList, width: 32, children: children}, err
	}
	n, err := t.int32(0, 0)
	if err != nil {
		return field{}, err
	}
	if n < 0 {
		return field{}, malformed("a list has the size %d", n)
	}
	return field{kind: kindFixedList, listSize: n, children: children}, nil
}

func unionField(t table, children []field) (field, error) {
	mode, err := t.int16(0, 0)
	if err != nil {
		return field{}, err
	}
	ids, err := t.vector(1, 4)
	if err != nil {
		return field{}, err
	}
	if mode != 0 && mode != 1 || len(children) > 128 || ids.n != 0 && ids.n != len(children) {
		return field{}, malformed("a union has mode %d, %d children and %d type ids", mode, len(children), ids.n)
	}
	for i := range ids.n {
		if id := t.h.i32(ids.pos + 4*i); id < 0 || id > 127 {
			return field{}, malformed("a union has the type id %d", id)
		}
	}
	if mode == 1 {
		return field{kind: kindDense, children: children}, nil
	}
	return field{kind: kindSparse, children: children}, nil
}

// flatField reads the types without children.
func flatField(typ int64, t table) (field, error) {
	fixed := func(bits int64, err error) (field, error) { return field{kind: kindFixed, width: bits}, err }
	switch typ {
	case typeNull:
		return field{kind: kindNull}, nil
	case typeBool:
		return fixed(1, nil)
	case typeInt:
		return intField(t)
	case typeFloat:
		p, err := t.int16(0, 0)
		if err == nil && (p < 0 || p > 2) {
			err = malformed("a float has the precision %d", p)
		}
		return fixed(16<<(p&3), err)
	case typeBinary, typeUtf8:
		return field{kind: kindBytes, width: 32}, nil
	case typeLargeBinary, typeLargeUtf8:
		return field{kind: kindBytes, width: 64}, nil
	case typeBinaryView, typeUtf8View:
		return field{kind: kindView}, nil
	case typeDecimal:
		return decimalField(t)
	case typeFixedBinary:
		n, err := t.int32(0, 0)
		if err == nil && (n < 0 || n > 1<<24) {
			err = malformed("fixed-size values have %d bytes", n)
		}
		return fixed(8*n, err)
	case typeDate:
		unit, err := t.int16(0, 1)
		if err == nil && unit != 0 && unit != 1 {
			err = malformed("a date has the unit %d", unit)
		}
		return fixed(32<<(unit&1), err)
	case typeTimestamp:
		if err := timeUnit(t, 0); err != nil {
			return field{}, err
		}
		return fixed(64, t.text(1))
	case typeTime:
		if err := timeUnit(t, 1); err != nil {
			return field{}, err
		}
		bits, err := t.int32(1, 32)
		if err == nil && bits != 32 && bits != 64 {
			err = malformed("a time of day has %d bits", bits)
		}
		return fixed(bits, err)
	case typeDuration:
		return fixed(64, timeUnit(t, 1))
	case typeInterval:
		unit, err := t.int16(0, 0)
		if err == nil && (unit < 0 || unit > 2) {
			err = malformed("an interval has the unit %d", unit)
		}
		return fixed(32<<(unit&3), err)
	}
	return field{}, malformed("there is no type %d", typ)
}

func timeUnit(t table, def int64) error {
	unit, err := t.int16(0, def)
	if err == nil && (unit < 0 || unit > 3) {
		err = malformed("a time has the unit %d", unit)
	}
	return err
}

func decimalField(t table) (field, error) {
	precision, err := t.int32(0, 0)
	if err != nil {
		return field{}, err
	}
	if _, err := t.int32(1, 0); err != nil {
		return field{}, err
	}
	bits, err := t.int32(2, 128)
	if err != nil {
		return field{}, err
	}
	switch bits {
	case 32, 64, 128, 256:
		if precision > 0 && precision <= 76 {
			return field{kind: kindFixed, width: bits}, nil
		}
	}
	return field{}, malformed("a decimal has %d bits and precision %d", bits, precision)
}
