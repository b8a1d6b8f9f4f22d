package expr

import (
	"math"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/flightd/flightd/compute/vec"
	"github.com/flightd/flightd/kernels"
	"github.com/flightd/flightd/plan/expr"
)

func hashRows() map[string]row {
	return map[string]row{
		"hash": lenient(func(f *frame) error {
			dst := results[int32](f)
			f.each(func(i int) {
				h := uint32(42)
				for _, v := range f.args {
					h = murmurRow(v, i, h)
				}
				dst[i] = int32(h)
			})
			return nil
		}),
		"xxhash64": lenient(func(f *frame) error {
			dst := results[int64](f)
			f.each(func(i int) {
				h := uint64(42)
				for _, v := range f.args {
					h = XXHash64(v, i, h)
				}
				dst[i] = int64(h)
			})
			return nil
		}),
	}
}

// hasher hashes the scalar kinds of values.
type hasher[H any] struct {
	int   func(v int32, h H) H
	long  func(v int64, h H) H
	bytes func(b []byte, h H) H
}

func murmurRow(v *vec.Vec, i int, h uint32) uint32 {
	return hashRow(v, i, h, hasher[uint32]{kernels.Murmur3Int, kernels.Murmur3Long, kernels.Murmur3Bytes})
}

// XXHash64 continues the hash h with row i of v as Spark's xxhash64 does: NULL
// leaves it as it is.
func XXHash64(v *vec.Vec, i int, h uint64) uint64 {
	return hashRow(v, i, h, hasher[uint64]{
		func(v int32, h uint64) uint64 { return kernels.XXH64Uint32(uint32(v), h) },
		func(v int64, h uint64) uint64 { return kernels.XXH64Uint64(uint64(v), h) },
		kernels.XXH64,
	})
}

// hashRow folds a value into h: NULL leaves it, nested values fold in their
// members, −0 hashes as 0.
func hashRow[H any](v *vec.Vec, i int, h H, by hasher[H]) H {
	if v.Null(i) {
		return h
	}
	i = v.Index(i)
	switch v.Type.Kind {
	case expr.KindBool:
		if v.Bool(i) {
			return by.int(1, h)
		}
		return by.int(0, h)
	case expr.KindInt8:
		return by.int(int32(vec.Values[int8](v)[i]), h)
	case expr.KindInt16:
		return by.int(int32(vec.Values[int16](v)[i]), h)
	case expr.KindInt32, expr.KindDate, expr.KindYearMonth:
		return by.int(vec.Values[int32](v)[i], h)
	case expr.KindInt64, expr.KindTimestamp, expr.KindTimestampNTZ, expr.KindDayTime, expr.KindTime:
		return by.long(vec.Values[int64](v)[i], h)
	case expr.KindFloat32:
		return by.int(int32(math.Float32bits(plain(vec.Values[float32](v)[i]))), h)
	case expr.KindFloat64:
		return by.long(int64(math.Float64bits(plain(vec.Values[float64](v)[i]))), h)
	case expr.KindDecimal:
		x := vec.Values[kernels.Int128](v)[i]
		if v.Type.Precision <= 18 {
			return by.long(int64(x.Lo), h)
		}
		return by.bytes(bigEndian(x), h)
	case expr.KindString, expr.KindBinary, expr.KindVariant:
		return by.bytes(v.Str(i), h)
	case expr.KindCalendar:
		x := vec.Values[arrow.MonthDayNanoInterval](v)[i]
		return by.int(x.Months, by.int(x.Days, by.long(x.Nanoseconds/1000, h)))
	case expr.KindArray, expr.KindMap:
		for e := v.Off[i]; e < v.Off[i+1]; e++ {
			for _, k := range v.Kids {
				h = hashRow(k, int(e), h, by)
			}
		}
	case expr.KindStruct:
		for _, k := range v.Kids {
			h = hashRow(k, i, h, by)
		}
	}
	return h
}

// plain has one NaN, Java's, and no −0.
func plain[T kernels.Float](x T) T {
	if x != x {
		switch p := any(&x).(type) {
		case *float32:
			*p = math.Float32frombits(0x7fc00000)
		case *float64:
			*p = math.Float64frombits(0x7ff8000000000000)
		}
		return x
	}
	return x + 0
}

// bigEndian is the shortest two's complement of x, as java.math.BigInteger gives
// it.
func bigEndian(x kernels.Int128) []byte {
	b := make([]byte, 16)
	for k := range 8 {
		b[k] = byte(uint64(x.Hi) >> (56 - 8*k))
		b[8+k] = byte(x.Lo >> (56 - 8*k))
	}
	for len(b) > 1 && (b[0] == 0 && b[1] < 0x80 || b[0] == 0xff && b[1] >= 0x80) {
		b = b[1:]
	}
	return b
}
