package flight

import (
	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/flightd/flightd/internal/base"
)

// cut calls write with rec, cut by rows into pieces of about target bytes. A
// single row of more than limit bytes is an error.
func cut(rec arrow.RecordBatch, target, limit int, write func(arrow.RecordBatch) error) error {
	n := rec.NumRows()
	if recordBytes(rec, 0, n) <= int64(target) {
		return write(rec)
	}
	for from := int64(0); from < n; {
		to := fit(rec, from, n, int64(target))
		if size := recordBytes(rec, from, to); size > int64(limit) {
			return base.Errorf(base.CodeExhausted, "[ROW_TOO_LARGE] row %d of a record batch has %d bytes; a message may have %d", from, size, limit).
				WithHint("select fewer or shorter columns, or raise the limit: with_max_msg_size of the client and the session option max_message_bytes")
		}
		piece := rec.NewSlice(from, to)
		err := write(piece)
		piece.Release()
		if err != nil {
			return err
		}
		from = to
	}
	return nil
}

// fit returns the end of the largest piece from row from on that has at most
// target bytes, but at least one row.
func fit(rec arrow.RecordBatch, from, n, target int64) int64 {
	lo, hi := from+1, n
	for lo < hi {
		mid := lo + (hi-lo+1)/2
		if recordBytes(rec, from, mid) <= target {
			lo = mid
		} else {
			hi = mid - 1
		}
	}
	return lo
}

// recordBytes is about the size of rows [from, to) in a message.
func recordBytes(rec arrow.RecordBatch, from, to int64) int64 {
	var sum int64 = 256
	for _, col := range rec.Columns() {
		sum += arrayBytes(col, int(from), int(to)) + 16
	}
	return sum
}

// arrayBytes is about the size of the values [from, to) of col. Dictionaries are
// not counted: they are messages of their own.
func arrayBytes(col arrow.Array, from, to int) int64 {
	n := int64(to - from)
	sum := (n + 7) / 8
	if n == 0 {
		return sum
	}
	switch a := col.(type) {
	case *array.Binary:
		return sum + 4*n + span(a, from, to)
	case *array.String:
		return sum + 4*n + span(a, from, to)
	case *array.LargeBinary:
		return sum + 8*n + span(a, from, to)
	case *array.LargeString:
		return sum + 8*n + span(a, from, to)
	case array.ViewLike:
		for i := from; i < to; i++ {
			sum += 16 + int64(a.ValueHeader(i).Len())
		}
		return sum
	case array.ListLike:
		start, _ := a.ValueOffsets(from)
		_, end := a.ValueOffsets(to - 1)
		return sum + 4*n + arrayBytes(a.ListValues(), int(start), max(int(start), int(end)))
	case *array.Struct:
		for i := range a.NumField() {
			sum += arrayBytes(a.Field(i), from, to)
		}
		return sum
	case *array.Dictionary:
		return sum + arrayBytes(a.Indices(), from, to)
	case array.ExtensionArray:
		return arrayBytes(a.Storage(), from, to)
	case array.Union:
		for i := range a.NumFields() {
			sum += arrayBytes(a.Field(i), 0, a.Field(i).Len())
		}
		return sum + 5*n
	}
	if dt, ok := col.DataType().(arrow.FixedWidthDataType); ok {
		return sum + n*int64(dt.BitWidth())/8
	}
	return sum
}

// span is the size of the data of the values [from, to), which are not none.
func span(a array.BinaryLike, from, to int) int64 {
	return a.ValueOffset64(to-1) + int64(a.ValueLen(to-1)) - a.ValueOffset64(from)
}
