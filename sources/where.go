package sources

import (
	"bytes"
	"cmp"

	"github.com/apache/arrow-go/v18/arrow/decimal128"
)

// A Test is what a Predicate says of a value.
type Test uint8

// The tests. All but Missing are of values that are present.
const (
	Missing Test = iota
	Present
	Equal // to one of the values
	Less
	LessEqual
	Greater
	GreaterEqual
	Prefix // begins with the value, a text
)

// A Predicate holds for every row of a scan that anybody wants: a source may leave out
// rows for which it does not hold, all or some of them, and need not look.
type Predicate struct {
	// Column is the index of the column in Schema.
	Column int
	Test   Test
	// Values are one for a comparison, any number for Equal, none for Missing and
	// Present: int64 for integers, dates, timestamps and other numbers of fixed size,
	// float64, decimal128.Num of the column's scale, string for texts and bytes.
	Values []any
	// Text is the predicate as SQL, for people.
	Text string
}

// Bounds are what is known of a column's values in some rows.
type Bounds struct {
	// Min and Max are bounds of the values, in the form of Predicate's, without NaN, which
	// may be among the values all the same. They need not be values themselves. nil: not
	// known.
	Min, Max any
	// Rows is how many rows there are, and Nulls in how many of them the value is missing,
	// −1 if that is not known.
	Rows, Nulls int64
}

// May reports whether p may hold in one of the rows.
func (p *Predicate) May(b Bounds) bool {
	if p.Test == Missing {
		return b.Nulls != 0
	}
	if b.Rows == 0 || b.Nulls == b.Rows {
		return false
	}
	if p.Test == Present || b.Min == nil || b.Max == nil {
		return true
	}
	if c, ok := compare(b.Min, b.Max); !ok || c > 0 {
		return true // nothing that bounds anything
	}
	_, float := b.Min.(float64)
	for _, v := range p.Values {
		lo, ok := compare(v, b.Min)
		if !ok {
			return true
		}
		hi, ok := compare(v, b.Max)
		if !ok {
			return true
		}
		may := true
		switch p.Test {
		case Equal:
			may = lo >= 0 && hi <= 0
		case Less:
			may = lo > 0
		case LessEqual:
			may = lo >= 0
		case Greater:
			may = float || hi < 0 // NaN is greater than all numbers
		case GreaterEqual:
			may = float || hi <= 0
		case Prefix:
			may = prefixMay(v, b)
		}
		if may {
			return true
		}
	}
	return len(p.Values) == 0 && p.Test != Equal
}

// prefixMay reports whether a text between the bounds may begin with v.
func prefixMay(v any, b Bounds) bool {
	p, ok := v.(string)
	lo, low := b.Min.(string)
	hi, high := b.Max.(string)
	return !ok || !low || !high || hi >= p && lo[:min(len(lo), len(p))] <= p
}

// compare compares two values of one type; ok is false for others, and for NaN.
func compare(a, b any) (c int, ok bool) {
	switch a := a.(type) {
	case int64:
		if b, ok := b.(int64); ok {
			return cmp.Compare(a, b), true
		}
	case float64:
		if b, ok := b.(float64); ok && a == a && b == b {
			switch {
			case a < b:
				return -1, true
			case a > b:
				return 1, true
			}
			return 0, true
		}
	case string:
		if b, ok := b.(string); ok {
			return bytes.Compare([]byte(a), []byte(b)), true
		}
	case decimal128.Num:
		if b, ok := b.(decimal128.Num); ok {
			return a.Cmp(b), true
		}
	}
	return 0, false
}
