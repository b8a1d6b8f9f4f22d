package difftest

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"math/big"
	"slices"
	"strings"

	"github.com/duckdb/duckdb-go/v2"

	"github.com/flightd/flightd/internal/base"
)

// difference says how two answers differ, or nothing. Rows are compared in their
// order if it is said, else as multisets. A fault of DuckDB's own is no difference.
func difference(a, b answer, ordered bool) string {
	switch {
	case b.broken:
		return ""
	case a.err != nil && b.err != nil:
		if ofValue(a.err) && ofValue(b.err) {
			return ""
		}
		return "at least one refuses the query"
	case a.err != nil:
		return "only flightd raises an error"
	case b.err != nil:
		return "only DuckDB raises an error"
	case len(a.rows) != len(b.rows):
		return fmt.Sprintf("%d rows and %d", len(a.rows), len(b.rows))
	}
	x, y := a.rows, b.rows
	if !ordered {
		x, y = slices.SortedStableFunc(slices.Values(x), compareRows), slices.SortedStableFunc(slices.Values(y), compareRows)
	}
	for i := range x {
		if len(x[i]) != len(y[i]) {
			return fmt.Sprintf("%d columns and %d", len(x[i]), len(y[i]))
		}
		for c := range x[i] {
			if !same(x[i][c], y[i][c]) {
				return fmt.Sprintf("row %d, column %d: %s and %s", i, c, show(x[i][c]), show(y[i][c]))
			}
		}
	}
	return ""
}

// ofValue reports whether an error is one that a value raises: an overflow, or a cast
// of what the type cannot hold. Any other error of either engine means that the query
// is refused, and says that the generator draws what one of them does not know.
func ofValue(err error) bool {
	if e := new(base.Error); errors.As(err, &e) {
		c := e.Condition
		return strings.Contains(c, "OVERFLOW") || strings.HasPrefix(c, "CAST_INVALID_INPUT") || strings.HasPrefix(c, "DATETIME_FIELD_OUT_OF_BOUNDS") || strings.HasPrefix(c, "NUMERIC_VALUE_OUT_OF_RANGE")
	}
	if e := new(duckdb.Error); errors.As(err, &e) {
		return e.Type == duckdb.ErrorTypeOutOfRange || e.Type == duckdb.ErrorTypeConversion
	}
	return false
}

// compareRows orders rows by what is exact in them first, so that doubles that differ
// in their last digits do not change which rows are compared.
func compareRows(a, b []any) int {
	for c := range min(len(a), len(b)) {
		if _, ok := a[c].(float64); ok {
			continue
		}
		if _, ok := b[c].(float64); ok {
			continue
		}
		if d := compareValues(a[c], b[c]); d != 0 {
			return d
		}
	}
	for c := range min(len(a), len(b)) {
		if d := compareValues(a[c], b[c]); d != 0 && !same(a[c], b[c]) {
			return d
		}
	}
	return 0
}

// compareValues orders values of any kind: NULL first, NaN last.
func compareValues(a, b any) int {
	if d := cmp.Compare(rank(a), rank(b)); d != 0 {
		return d
	}
	switch x := a.(type) {
	case bool:
		return cmp.Compare(pick(x, "t", "f"), pick(b.(bool), "t", "f"))
	case string:
		return cmp.Compare(x, b.(string))
	case moment:
		return cmp.Compare(x.at, b.(moment).at)
	case *big.Rat:
		if y, ok := b.(*big.Rat); ok {
			return x.Cmp(y)
		}
	}
	if a == nil {
		return 0
	}
	x, y := float(a), float(b)
	if math.IsNaN(x) || math.IsNaN(y) {
		return cmp.Compare(pick(math.IsNaN(x), "b", "a"), pick(math.IsNaN(y), "b", "a"))
	}
	return cmp.Compare(x, y)
}

func rank(v any) int {
	switch v := v.(type) {
	case nil:
		return 0
	case bool:
		return 1
	case *big.Rat, float64:
		return 2
	case string:
		return 3
	case moment:
		if v.date {
			return 4
		}
	}
	return 5
}

func float(v any) float64 {
	if r, ok := v.(*big.Rat); ok {
		f, _ := r.Float64()
		return f
	}
	return v.(float64)
}

// same reports whether two values are equal; doubles may differ by a part in 10⁹.
func same(a, b any) bool {
	if rank(a) != rank(b) {
		return false
	}
	if _, ok := a.(float64); !ok {
		if _, ok := b.(float64); !ok {
			return compareValues(a, b) == 0
		}
	}
	x, y := float(a), float(b)
	if x == y || math.IsNaN(x) && math.IsNaN(y) {
		return true
	}
	return math.Abs(x-y) <= 1e-9*max(1, math.Abs(x), math.Abs(y)) && !math.IsInf(x, 0) && !math.IsInf(y, 0)
}

func show(v any) string {
	switch v := v.(type) {
	case nil:
		return "NULL"
	case string:
		return fmt.Sprintf("%q", v)
	case *big.Rat:
		return v.RatString()
	case moment:
		if v.date {
			return fmt.Sprintf("day %d", v.at)
		}
		return fmt.Sprintf("%d µs", v.at)
	}
	return fmt.Sprint(v)
}

// String shows the first rows, or the error.
func (a answer) String() string {
	if a.err != nil {
		return "error: " + a.err.Error()
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%d rows", len(a.rows))
	for i, row := range slices.SortedStableFunc(slices.Values(a.rows), compareRows) {
		if i == 12 {
			b.WriteString("\n  …")
			break
		}
		b.WriteString("\n  ")
		for c, v := range row {
			b.WriteString(pick(c > 0, " | ", "") + show(v))
		}
	}
	return b.String()
}
