package agg

import (
	"encoding/binary"
	"math"

	"github.com/flightd/flightd/compute/vec"
	"github.com/flightd/flightd/kernels"
	"github.com/flightd/flightd/plan/expr"
)

// hashRow continues the hash seed with row i of v as Spark's xxhash64 does; NULL
// leaves it as it is.
func hashRow(v *vec.Vec, i int, seed uint64) uint64 {
	if v.Null(i) {
		return seed
	}
	i = v.Index(i)
	switch v.Type.Kind {
	case expr.KindBool:
		return kernels.XXH64Uint32(uint32(v.Data[i>>3]>>(i&7)&1), seed)
	case expr.KindFloat32:
		f := vec.Values[float32](v)[i]
		if f != f {
			f = float32(math.NaN())
		}
		return kernels.XXH64Uint32(math.Float32bits(f+0), seed)
	case expr.KindFloat64:
		f := vec.Values[float64](v)[i]
		bits := math.Float64bits(f + 0)
		if f != f {
			bits = 0x7ff8000000000000
		}
		return kernels.XXH64Uint64(bits, seed)
	case expr.KindDecimal:
		x := vec.Values[kernels.Int128](v)[i]
		if v.Type.Precision <= 18 {
			return kernels.XXH64Uint64(x.Lo, seed)
		}
		return kernels.XXH64(bigEndian(x), seed)
	case expr.KindCalendar:
		b := v.Data[16*i : 16*i+16]
		micros := int64(binary.LittleEndian.Uint64(b[8:])) / 1000
		h := kernels.XXH64Uint64(uint64(micros), seed)
		return kernels.XXH64Uint32(binary.LittleEndian.Uint32(b), kernels.XXH64Uint32(binary.LittleEndian.Uint32(b[4:]), h))
	case expr.KindArray, expr.KindMap:
		for j := v.Off[i]; j < v.Off[i+1]; j++ {
			for _, k := range v.Kids {
				seed = hashRow(k, int(j), seed)
			}
		}
		return seed
	case expr.KindStruct:
		for _, k := range v.Kids {
			seed = hashRow(k, i, seed)
		}
		return seed
	}
	if v.Type.Kind == expr.KindTime { // Spark counts nanoseconds
		return kernels.XXH64Uint64(vec.Values[uint64](v)[i]*1000, seed)
	}
	switch v.Type.Width() {
	case 1:
		return kernels.XXH64Uint32(uint32(int32(vec.Values[int8](v)[i])), seed)
	case 2:
		return kernels.XXH64Uint32(uint32(int32(vec.Values[int16](v)[i])), seed)
	case 4:
		return kernels.XXH64Uint32(vec.Values[uint32](v)[i], seed)
	case 8:
		return kernels.XXH64Uint64(vec.Values[uint64](v)[i], seed)
	}
	return kernels.XXH64(v.Str(i), seed)
}

// bigEndian returns the shortest two's complement of x, most significant byte
// first.
func bigEndian(x kernels.Int128) []byte {
	var b [16]byte
	binary.BigEndian.PutUint64(b[:], uint64(x.Hi))
	binary.BigEndian.PutUint64(b[8:], x.Lo)
	s := b[:]
	for len(s) > 1 && (s[0] == 0 && s[1] < 0x80 || s[0] == 0xff && s[1] >= 0x80) {
		s = s[1:]
	}
	return s
}
