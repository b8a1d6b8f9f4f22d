package guard

import (
	"fmt"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
)

// Validate checks every value of rec; a panic on the way is an error.
func Validate(rec arrow.RecordBatch) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = malformed("checking its values: %s", firstLine(p))
		}
	}()
	for i, col := range rec.Columns() {
		if err := validate(col); err != nil {
			return malformed("column %q: %s", rec.ColumnName(i), firstLine(err))
		}
	}
	return nil
}

// validate checks col and what is in it. array.ValidateFull does so for all but
// null columns, whose missing buffers it takes for an error, and empty unions,
// at which it panics: around null columns, each level is checked by itself.
func validate(col arrow.Array) error {
	if col.Len() == 0 {
		return nil
	}
	if !holdsNull(col.DataType()) {
		return array.ValidateFull(col)
	}
	switch a := col.(type) {
	case *array.Null:
		return nil
	case array.ExtensionArray:
		return validate(a.Storage())
	case interface{ ValidateFull() error }:
		if err := a.ValidateFull(); err != nil {
			return err
		}
	}
	for _, data := range col.Data().Children() {
		child := array.MakeFromData(data)
		err := validate(child)
		child.Release()
		if err != nil {
			return err
		}
	}
	return nil
}

func holdsNull(dt arrow.DataType) bool {
	switch dt := dt.(type) {
	case *arrow.NullType:
		return true
	case arrow.ExtensionType:
		return holdsNull(dt.StorageType())
	case *arrow.DictionaryType:
		return holdsNull(dt.ValueType)
	case arrow.NestedType:
		for _, f := range dt.Fields() {
			if holdsNull(f.Type) {
				return true
			}
		}
	}
	return false
}

// firstLine is what a panic or a decoder says, without a stack.
func firstLine(p any) string {
	s := fmt.Sprint(p)
	for i, c := range s {
		if c == '\n' {
			return s[:i]
		}
	}
	return s
}
