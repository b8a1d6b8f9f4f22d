package state

import "fmt"

// Kind is how a column is stored; what it means is in Field.Type, which this
// package does not read.
type Kind uint8

// The kinds. Bool is a bitmap in a Vector and one byte a row in a Column; Wide is
// 16 bytes (decimals, intervals); Bytes is text, binary and anything encoded.
const (
	Bool Kind = iota
	Int8
	Int16
	Int32
	Int64
	Float32
	Float64
	Wide
	Bytes
)

var kindNames = [...]string{"bool", "int8", "int16", "int32", "int64", "float32", "float64", "wide", "bytes"}

// String returns the kind's name.
func (k Kind) String() string {
	if int(k) < len(kindNames) {
		return kindNames[k]
	}
	return fmt.Sprintf("Kind(%d)", uint8(k))
}

// width is the number of bytes of a value in a column; 0 for Bytes.
func (k Kind) width() int {
	return [...]int{1, 1, 2, 4, 8, 4, 8, 16, 0}[k]
}

// Word16 is a value of kind Wide: 16 bytes, little-endian halves.
type Word16 struct{ Lo, Hi uint64 }

// A Field is one column of a table.
type Field struct {
	Name string
	// Type names the logical type. It is opaque here, but kept in snapshots, so
	// that a restart with another type is seen.
	Type string
	Kind Kind
	// Nullable columns keep a validity bitmap; the others are always present and
	// 0 in a new row. Keys need not say it: any key may be NULL.
	Nullable bool
}

// A Schema is what the rows of a table are.
type Schema struct {
	Keys   []Field
	Values []Field
	// Many says that a key may have several rows: Insert adds one, whether or not the
	// key is there.
	Many bool `json:",omitempty"`
	// Time, if set, is the column by which Expire judges rows. It may be another one
	// after a restart.
	Time *TimeColumn `json:",omitempty"`
}

// A TimeColumn is a column of kind Int64, by its index among the keys or the values.
type TimeColumn struct {
	Key bool `json:",omitempty"`
	At  int
	// Fixed says that a row's time does not change as long as it lives, as that of a
	// key never does.
	Fixed bool `json:",omitempty"`
}

// Equal reports whether the key columns and the value columns are the same, in
// name, type, kind and order. A key of one row is not the same as one of many.
func (s Schema) Equal(o Schema) (keys, values bool) {
	return equalFields(s.Keys, o.Keys, false) && s.Many == o.Many, equalFields(s.Values, o.Values, true)
}

func equalFields(a, b []Field, nullable bool) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if a[i].Name != b[i].Name || a[i].Type != b[i].Type || a[i].Kind != b[i].Kind || nullable && a[i].Nullable != b[i].Nullable {
			return false
		}
	}
	return true
}

// String returns "name type, …", as error messages show a schema.
func fieldsString(fields []Field) string {
	s := ""
	for i, f := range fields {
		if i > 0 {
			s += ", "
		}
		s += f.Name + " " + f.Type
	}
	return s
}
