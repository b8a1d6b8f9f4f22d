package vec

import (
	"bytes"
	"cmp"
	"math"
	"slices"

	"github.com/flightd/flightd/compute/collation"
	"github.com/flightd/flightd/kernels"
	"github.com/flightd/flightd/plan/expr"
)

// Compare orders row i of a and row j of b, which have one type, as Spark sorts:
// −1, 0 or 1. NULL is below every value and equal to NULL; NaN equals NaN and is
// above other numbers; −0 equals 0; text is ordered by its
// type's collation, which is by bytes unless it has one; arrays and structs
// by their first difference; maps, which SQL does not order, by their entries.
func Compare(a *Vec, i int, b *Vec, j int) int {
	switch an, bn := a.Null(i), b.Null(j); {
	case an && bn:
		return 0
	case an:
		return -1
	case bn:
		return 1
	}
	i, j = a.Index(i), b.Index(j)
	switch a.Type.Kind {
	case expr.KindBool:
		return int(a.Data[i>>3]>>(i&7)&1) - int(b.Data[j>>3]>>(j&7)&1)
	case expr.KindInt8:
		return cmp.Compare(Values[int8](a)[i], Values[int8](b)[j])
	case expr.KindInt16:
		return cmp.Compare(Values[int16](a)[i], Values[int16](b)[j])
	case expr.KindInt32, expr.KindDate, expr.KindYearMonth:
		return cmp.Compare(Values[int32](a)[i], Values[int32](b)[j])
	case expr.KindInt64, expr.KindTimestamp, expr.KindTimestampNTZ, expr.KindDayTime, expr.KindTime:
		return cmp.Compare(Values[int64](a)[i], Values[int64](b)[j])
	case expr.KindFloat32:
		return CompareFloat(Values[float32](a)[i], Values[float32](b)[j])
	case expr.KindFloat64:
		return CompareFloat(Values[float64](a)[i], Values[float64](b)[j])
	case expr.KindDecimal:
		return Values[kernels.Int128](a)[i].Cmp(Values[kernels.Int128](b)[j])
	case expr.KindCalendar:
		return bytes.Compare(a.Data[i*16:i*16+16], b.Data[j*16:j*16+16])
	case expr.KindString, expr.KindBinary, expr.KindVariant:
		if a.Type.Collated() && a.Type.Collation != expr.Indeterminate {
			return collation.New(a.Type.Collation).Compare(a.Data[a.Off[i]:a.Off[i+1]], b.Data[b.Off[j]:b.Off[j+1]])
		}
		return bytes.Compare(a.Data[a.Off[i]:a.Off[i+1]], b.Data[b.Off[j]:b.Off[j+1]])
	case expr.KindArray, expr.KindMap:
		x, y := int(a.Off[i]), int(b.Off[j])
		n, m := int(a.Off[i+1])-x, int(b.Off[j+1])-y
		for k := range min(n, m) {
			for c := range a.Kids {
				if r := Compare(a.Kids[c], x+k, b.Kids[c], y+k); r != 0 {
					return r
				}
			}
		}
		return cmp.Compare(n, m)
	case expr.KindStruct:
		for k := range a.Kids {
			if r := Compare(a.Kids[k], i, b.Kids[k], j); r != 0 {
				return r
			}
		}
	}
	return 0
}

// CompareFloat orders floating-point numbers with NaN last and −0 equal to 0.
func CompareFloat[T float32 | float64](a, b T) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	case a == b:
		return 0
	}
	return cmp.Compare(b2i(a != a), b2i(b != b))
}

func b2i(b bool) int {
	if b {
		return 1
	}
	return 0
}

// SortIndex returns rows (nil: all of the columns) in the order of the columns,
// the first one deciding; equal rows keep their order. desc and nullsFirst have
// an entry for each column.
func SortIndex(cols []*Vec, desc, nullsFirst []bool, rows []int32) []int32 {
	n := 0
	if len(cols) > 0 {
		n = cols[0].Len
	}
	if rows == nil {
		rows = make([]int32, n)
		for i := range rows {
			rows[i] = int32(i)
		}
	} else {
		rows = slices.Clone(rows)
	}
	if len(cols) == 0 || len(rows) < 2 {
		return rows
	}
	// The first column as one unsigned word per row decides most comparisons.
	type item struct {
		key uint64
		row int32
	}
	first, exact := sortKeys(cols[0], desc[0], nullsFirst[0])
	items := make([]item, len(rows))
	for i, r := range rows {
		items[i] = item{first(int(r)), r}
	}
	slices.SortStableFunc(items, func(x, y item) int {
		if x.key != y.key {
			if x.key < y.key {
				return -1
			}
			return 1
		}
		for k, c := range cols {
			if k == 0 && exact {
				continue
			}
			if r := compareNulls(c, int(x.row), int(y.row), desc[k], nullsFirst[k]); r != 0 {
				return r
			}
		}
		return 0
	})
	for i, it := range items {
		rows[i] = it.row
	}
	return rows
}

func compareNulls(c *Vec, i, j int, desc, nullsFirst bool) int {
	switch in, jn := c.Null(i), c.Null(j); {
	case in && jn:
		return 0
	case in || jn:
		if in == nullsFirst {
			return -1
		}
		return 1
	}
	r := Compare(c, i, c, j)
	if desc {
		return -r
	}
	return r
}

// sortKeys returns a function from a row to a word whose order does not
// contradict the column's; exact: equal words are equal values.
func sortKeys(c *Vec, desc, nullsFirst bool) (key func(i int) uint64, exact bool) {
	var word func(i int) uint64 // keeps clear of the two ends, which are for NULL
	const top = 1 << 63
	switch c.Type.Kind {
	case expr.KindInt8:
		vals := Values[int8](c)
		word, exact = func(i int) uint64 { return top + uint64(int64(vals[c.Index(i)])) }, true
	case expr.KindInt16:
		vals := Values[int16](c)
		word, exact = func(i int) uint64 { return top + uint64(int64(vals[c.Index(i)])) }, true
	case expr.KindInt32, expr.KindDate, expr.KindYearMonth:
		vals := Values[int32](c)
		word, exact = func(i int) uint64 { return top + uint64(int64(vals[c.Index(i)])) }, true
	case expr.KindInt64, expr.KindTimestamp, expr.KindTimestampNTZ, expr.KindDayTime, expr.KindTime:
		vals := Values[int64](c)
		word = func(i int) uint64 { return (top+uint64(vals[c.Index(i)]))>>1 + 1 }
	case expr.KindFloat64:
		vals := Values[float64](c)
		word = func(i int) uint64 {
			u := math.Float64bits(canonical(vals[c.Index(i)]))
			if u>>63 == 1 {
				u = ^u
			} else {
				u |= top
			}
			return u>>1 + 1
		}
	case expr.KindString, expr.KindBinary:
		if c.Type.Collated() {
			return func(int) uint64 { return 0 }, false
		}
		word = func(i int) uint64 {
			var u uint64
			s := c.Str(i)
			for k := range 8 {
				u <<= 8
				if k < len(s) {
					u |= uint64(s[k])
				}
			}
			return u>>1 + 1
		}
	default:
		return func(int) uint64 { return 0 }, false
	}
	return func(i int) uint64 {
		if c.Null(i) {
			if nullsFirst {
				return 0
			}
			return ^uint64(0)
		}
		if w := word(i); desc {
			return ^w
		} else {
			return w
		}
	}, exact
}
