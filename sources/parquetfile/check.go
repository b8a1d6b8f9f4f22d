package parquetfile

import (
	"fmt"
	"unicode/utf8"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
)

// check returns an error if a's parts do not fit together. The decoder puts
// lists together from levels and values that a damaged file may have in
// different numbers, and does not compare them.
func check(a arrow.Array) error {
	switch a := a.(type) {
	case array.ListLike:
		last, most := int64(0), int64(a.ListValues().Len())
		for i := range a.Len() {
			start, end := a.ValueOffsets(i)
			if start < last || end < start || end > most {
				return fmt.Errorf("a list of elements %d to %d of %d", start, end, most)
			}
			last = start
		}
		return check(a.ListValues())
	case *array.Struct:
		for i := range a.NumField() {
			if a.Field(i).Len() != a.Len() {
				return fmt.Errorf("a struct of %d rows with a field of %d", a.Len(), a.Field(i).Len())
			}
			if err := check(a.Field(i)); err != nil {
				return err
			}
		}
	case *array.Dictionary:
		return check(a.Dictionary())
	}
	return nil
}

// textIsValid reports whether every text in a, at any depth, is UTF-8; Arrow
// promises so to whoever gets the column.
func textIsValid(a arrow.Array) bool {
	switch a := a.(type) {
	case *array.String:
		return utf8.Valid(a.ValueBytes())
	case array.ListLike:
		return textIsValid(a.ListValues())
	case *array.Struct:
		for i := range a.NumField() {
			if !textIsValid(a.Field(i)) {
				return false
			}
		}
	}
	return true
}
