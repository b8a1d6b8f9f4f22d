package agg

import (
	"math"

	"github.com/flightd/flightd/compute/vec"
	"github.com/flightd/flightd/kernels"
	"github.com/flightd/flightd/plan/expr"
)

// openOrder returns the numbers of hashes, whose values are distinct, in the order in
// which Spark's OpenHashMap iterates over the values after they were put into it.
func openOrder(hashes []int32) []int32 {
	slots := make([]int32, 64) // one more than the number, 0 is free
	put := func(slots []int32, i int32) {
		mask := uint32(len(slots) - 1)
		at := kernels.Murmur3Int(hashes[i-1], 0) & mask
		for step := uint32(1); slots[at] != 0; step++ {
			at = (at + step) & mask
		}
		slots[at] = i
	}
	for i := range hashes {
		put(slots, int32(i+1))
		if 10*(i+1) > 7*len(slots) {
			grown := make([]int32, 2*len(slots))
			for _, j := range slots {
				if j != 0 {
					put(grown, j)
				}
			}
			slots = grown
		}
	}
	out := make([]int32, 0, len(hashes))
	for _, i := range slots {
		if i != 0 {
			out = append(out, i-1)
		}
	}
	return out
}

// javaHash is the hashCode of the Java object that row i of v is in Spark; ok is
// false if it is of a type whose hash follows Spark's layout in memory.
func javaHash(v *vec.Vec, i int) (hash int32, ok bool) {
	switch v.Type.Kind {
	case expr.KindBool:
		if v.Bool(i) {
			return 1231, true
		}
		return 1237, true
	case expr.KindString:
		return int32(kernels.Murmur3Bytes(v.Str(i), 42)), true
	case expr.KindFloat32:
		return int32(math.Float32bits(vec.Values[float32](v)[i])), true
	case expr.KindFloat64:
		return foldBits(int64(math.Float64bits(vec.Values[float64](v)[i]))), true
	case expr.KindInt8, expr.KindInt16, expr.KindInt32, expr.KindDate, expr.KindYearMonth:
		return int32(v.Int(i)), true
	case expr.KindInt64, expr.KindTimestamp, expr.KindTimestampNTZ, expr.KindDayTime:
		return foldBits(v.Int(i)), true
	case expr.KindDecimal:
		return numberHash(decimalFloat(vec.Values[kernels.Int128](v)[i], v.Type.Scale)), true
	}
	return 0, false
}

func foldBits(n int64) int32 { return int32(n ^ int64(uint64(n)>>32)) }

// numberHash is the hash of a number that is the same for all of Scala's types.
func numberHash(x float64) int32 {
	switch {
	case x == float64(int32(x)):
		return int32(x)
	case math.Abs(x) < 1<<63 && x == math.Trunc(x):
		return foldBits(int64(x))
	case x == float64(float32(x)):
		return int32(math.Float32bits(float32(x)))
	}
	return foldBits(int64(math.Float64bits(x)))
}
