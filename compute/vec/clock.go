package vec

import (
	"github.com/apache/arrow-go/v18/arrow"

	"github.com/flightd/flightd/plan/expr"
)

// clockTimes returns n values from off on of a column of times of the day as
// nanoseconds. Those that are nanoseconds are shared, coarser ones a new slice:
// columns from outside may count seconds to microseconds.
func clockTimes(d arrow.ArrayData, off, n int) []byte {
	raw := d.Buffers()[1].Bytes()
	unit := int64(1)
	switch dt := d.DataType().(type) {
	case *arrow.Time32Type:
		if unit = 1_000_000_000; dt.Unit == arrow.Millisecond {
			unit = 1_000_000
		}
		out := make([]int64, n)
		for i, v := range arrow.Int32Traits.CastFromBytes(raw)[off : off+n] {
			out[i] = int64(v) * unit
		}
		return Bytes(out)
	case *arrow.Time64Type:
		if dt.Unit == arrow.Microsecond {
			out := make([]int64, n)
			for i, v := range arrow.Int64Traits.CastFromBytes(raw)[off : off+n] {
				out[i] = v * 1000
			}
			return Bytes(out)
		}
	}
	w := expr.Time(0).Width()
	return raw[off*w : (off+n)*w]
}
