// Package checksum sums up a result so that two engines' answers can be compared:
// independent of the order of rows, of record batches and of the width of types,
// and tolerant of the last digits of doubles. peers/checksum.py does the same
// in Python; change both.
//
// The price is that it is not exact. For each column it knows the number of
// values, their sum, and their sum weighted by the row's first column, which
// notices values that moved to another row.
package checksum

import (
	"fmt"
	"hash/crc32"
	"math"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
)

// Sum is the checksum of a result.
type Sum struct {
	Rows    int64    `json:"rows"`
	Columns []Column `json:"columns"`
}

// Column is the checksum of a column.
type Column struct {
	// Count is the number of values that are not NULL.
	Count    int64   `json:"count"`
	Sum      float64 `json:"sum"`
	Weighted float64 `json:"weighted"`
	// Counted says that only Count is known: the engine cannot sum the column up.
	Counted bool `json:"counted,omitempty"`
}

// Tolerance is the relative difference at which sums are taken as equal: engines
// add in other orders.
const Tolerance = 1e-9

// Differs tells where two sums differ, or "" if they are equal.
func (s Sum) Differs(t Sum) string {
	if s.Rows != t.Rows || len(s.Columns) != len(t.Columns) {
		return fmt.Sprintf("%d rows of %d columns, not %d of %d", s.Rows, len(s.Columns), t.Rows, len(t.Columns))
	}
	near := func(x, y float64) bool { return math.Abs(x-y) <= Tolerance*max(math.Abs(x), math.Abs(y)) }
	for i, a := range s.Columns {
		b := t.Columns[i]
		sums := a.Counted || b.Counted || near(a.Sum, b.Sum) && near(a.Weighted, b.Weighted)
		if a.Count != b.Count || !sums {
			return fmt.Sprintf("column %d has %d values, sums %v and %v, not %d, %v and %v", i, a.Count, a.Sum, a.Weighted, b.Count, b.Sum, b.Weighted)
		}
	}
	return ""
}

// Add adds the rows of a record batch.
func (s *Sum) Add(rec arrow.RecordBatch) error {
	if s.Columns == nil {
		s.Columns = make([]Column, rec.NumCols())
	}
	s.Rows += rec.NumRows()
	var weights []float64
	for i, col := range rec.Columns() {
		vals, err := numbers(col)
		if err != nil {
			return fmt.Errorf("column %s: %w", rec.ColumnName(i), err)
		}
		if i == 0 {
			weights = make([]float64, len(vals))
			for row, v := range vals {
				if col.IsValid(row) {
					// The remainder of a floored division, as in Python.
					floor := math.Floor(v)
					weights[row] = 1 + floor - 1021*math.Floor(floor/1021)
				}
			}
		}
		c := &s.Columns[i]
		c.Count += int64(col.Len() - col.NullN())
		for row, v := range vals {
			if col.IsValid(row) {
				c.Sum += v
				c.Weighted += v * weights[row]
			}
		}
	}
	return nil
}

const (
	// epoch2026 is taken off what looks like microseconds of the bench's years, so
	// that a second more or less is seen in the sum.
	epoch2026 = 1767225600_000_000
	prime     = 1_000_003
)

// fold makes an integer exact in a double.
func fold(v int64) float64 {
	switch {
	case v >= 1_700_000_000_000_000 && v < 1_900_000_000_000_000:
		return float64(v - epoch2026)
	case v >= 1<<53:
		return float64(v % prime)
	}
	return float64(v)
}

// numbers are the values of a column as doubles; NULLs have any.
func numbers(col arrow.Array) ([]float64, error) {
	out := make([]float64, col.Len())
	switch col := col.(type) {
	case *array.Int32:
		for i, v := range col.Int32Values() {
			out[i] = fold(int64(v))
		}
	case *array.Int64:
		for i, v := range col.Int64Values() {
			out[i] = fold(v)
		}
	case *array.Timestamp:
		for i, v := range col.TimestampValues() {
			out[i] = fold(int64(v))
		}
	case *array.Date32:
		for i, v := range col.Date32Values() {
			out[i] = float64(v)
		}
	case *array.Decimal128:
		scale := col.DataType().(*arrow.Decimal128Type).Scale
		for i := range out {
			if col.IsValid(i) {
				out[i] = col.Value(i).ToFloat64(scale)
			}
		}
	case *array.Float64:
		for i, v := range col.Float64Values() {
			if col.IsValid(i) {
				out[i] = v
			}
		}
	case *array.String:
		for i := range out {
			out[i] = float64(crc32.ChecksumIEEE([]byte(col.Value(i))))
		}
	case *array.Dictionary:
		vals, err := numbers(col.Dictionary())
		if err != nil {
			return nil, err
		}
		for i := range out {
			if col.IsValid(i) {
				out[i] = vals[col.GetValueIndex(i)]
			}
		}
	default:
		return nil, fmt.Errorf("values of %s cannot be summed up", col.DataType())
	}
	return out, nil
}
