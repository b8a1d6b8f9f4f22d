package parquetfile

import (
	"encoding/binary"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/parquet"
	"github.com/apache/arrow-go/v18/parquet/schema"
)

// newCells returns the cells for a column that is stored as leaf says and has the
// type have to pqarrow. It returns nil for one that pqarrow must read.
func newCells(leaf *schema.Column, have arrow.DataType, asDictionary bool) cells {
	switch t := have.(type) {
	case *arrow.DictionaryType:
		return newCells(leaf, t.ValueType, asDictionary)
	case arrow.ExtensionType:
		return newCells(leaf, t.StorageType(), asDictionary)
	}
	switch leaf.PhysicalType() {
	case parquet.Types.Boolean:
		if have.ID() == arrow.BOOL {
			return &bitCells{}
		}
	case parquet.Types.Int32:
		switch have.ID() {
		case arrow.INT8, arrow.UINT8:
			return &fixedCells[uint8]{typ: have, size: 4, fit: func(dst []uint8, src []byte) { narrow(dst, src) }}
		case arrow.INT16, arrow.UINT16:
			return &fixedCells[uint16]{typ: have, size: 4, fit: func(dst []uint16, src []byte) { narrow(dst, src) }}
		case arrow.INT32, arrow.UINT32, arrow.DATE32:
			return &fixedCells[uint32]{typ: have, size: 4}
		case arrow.DECIMAL128:
			return &fixedCells[wide]{typ: have, size: 4, fit: decimal32}
		}
	case parquet.Types.Int64:
		switch have.ID() {
		case arrow.INT64, arrow.UINT64, arrow.TIMESTAMP, arrow.DURATION:
			return &fixedCells[uint64]{typ: have, size: 8}
		case arrow.DECIMAL128:
			return &fixedCells[wide]{typ: have, size: 8, fit: decimal64, narrow: true}
		}
	case parquet.Types.Int96:
		if t, ok := have.(*arrow.TimestampType); ok && t.Unit == arrow.Nanosecond {
			return &fixedCells[uint64]{typ: &arrow.TimestampType{Unit: arrow.Microsecond, TimeZone: t.TimeZone}, size: 12, fit: int96Micros}
		}
	case parquet.Types.Float:
		if have.ID() == arrow.FLOAT32 {
			return &fixedCells[uint32]{typ: have, size: 4}
		}
	case parquet.Types.Double:
		if have.ID() == arrow.FLOAT64 {
			return &fixedCells[uint64]{typ: have, size: 8}
		}
	case parquet.Types.ByteArray:
		if t := textType(have); t != nil {
			return &textCells{typ: t, asDictionary: asDictionary}
		}
	case parquet.Types.FixedLenByteArray:
		return newFixedBytes(have, leaf.TypeLength(), asDictionary)
	}
	return nil
}

func newFixedBytes(have arrow.DataType, size int, asDictionary bool) cells {
	switch {
	case size <= 0:
	case have.ID() == arrow.FIXED_SIZE_BINARY:
		return &textCells{typ: arrow.BinaryTypes.Binary, size: size, asDictionary: asDictionary}
	case have.ID() == arrow.FLOAT16 && size == 2:
		return &fixedCells[uint16]{typ: have, size: 2}
	case have.ID() == arrow.DECIMAL128 && size <= 16:
		return &fixedCells[wide]{typ: have, size: size, fit: func(dst []wide, src []byte) { decimalBytes(dst, src, size) }}
	}
	return nil
}

// textType returns the type of cells for texts or bytes; nil for others.
func textType(have arrow.DataType) arrow.DataType {
	switch have.ID() {
	case arrow.STRING, arrow.LARGE_STRING, arrow.STRING_VIEW:
		return arrow.BinaryTypes.String
	case arrow.BINARY, arrow.LARGE_BINARY, arrow.BINARY_VIEW:
		return arrow.BinaryTypes.Binary
	}
	return nil
}

func narrow[T uint8 | uint16](dst []T, src []byte) {
	for i := range dst {
		dst[i] = T(binary.LittleEndian.Uint32(src[4*i:]))
	}
}

func decimal32(dst []wide, src []byte) {
	for i := range dst {
		v := int64(int32(binary.LittleEndian.Uint32(src[4*i:])))
		dst[i] = wide{uint64(v), uint64(v >> 63)}
	}
}

func decimal64(dst []wide, src []byte) {
	for i := range dst {
		v := int64(binary.LittleEndian.Uint64(src[8*i:]))
		dst[i] = wide{uint64(v), uint64(v >> 63)}
	}
}

// decimalBytes turns two's complement of size bytes, the highest first, around.
func decimalBytes(dst []wide, src []byte, size int) {
	for i := range dst {
		b := src[i*size : (i+1)*size]
		hi := uint64(int64(int8(b[0])) >> 63)
		lo := hi
		for _, x := range b {
			hi = hi<<8 | lo>>56
			lo = lo<<8 | uint64(x)
		}
		dst[i] = wide{lo, hi}
	}
}

// int96Micros makes microseconds since 1970 of nanoseconds of a day and a Julian
// day, towards minus infinity.
func int96Micros(dst []uint64, src []byte) {
	const epochDay, dayMicros = 2440588, 86_400_000_000
	for i := range dst {
		nanos := int64(binary.LittleEndian.Uint64(src[12*i:]))
		day := int64(binary.LittleEndian.Uint32(src[12*i+8:])) - epochDay
		micros := nanos / 1000
		if nanos%1000 < 0 {
			micros--
		}
		dst[i] = uint64(day*dayMicros + micros)
	}
}
