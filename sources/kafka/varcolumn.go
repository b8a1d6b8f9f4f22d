package kafka

import (
	"math"
	"strings"
	"unicode/utf8"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"
)

// varColumn is a column of texts or bytes.
type varColumn struct {
	offsets []int32
	buf     []byte
	// valid is nil as long as no value was null.
	valid []byte
	nulls int
}

func newVarColumn(rows int) *varColumn {
	return &varColumn{offsets: append(make([]int32, 0, rows+1), 0)}
}

func (v *varColumn) add(b []byte, has bool) {
	n := len(v.offsets) - 1
	if !has && v.valid == nil {
		v.valid = allValid(n, cap(v.offsets))
	}
	if v.valid != nil {
		v.valid = addBit(v.valid, n, has)
		if !has {
			v.nulls++
		}
	}
	v.buf = append(v.buf, b...)
	v.offsets = append(v.offsets, int32(len(v.buf)))
}

func (v *varColumn) data(typ arrow.DataType) *array.Data {
	return array.NewData(typ, len(v.offsets)-1,
		[]*memory.Buffer{bitmap(v.valid), memory.NewBufferBytes(arrow.Int32Traits.CastToBytes(v.offsets)), memory.NewBufferBytes(v.buf)}, nil, v.nulls, 0)
}

// headerColumn is array<struct<key: string, value: binary>>; a record without
// headers has null.
type headerColumn struct {
	offsets      []int32
	valid        []byte
	nulls        int
	keys, values *varColumn
}

func (h *headerColumn) add(rec *record) error {
	n := len(h.offsets) - 1
	if rec.count == 0 && h.valid == nil {
		h.valid = allValid(n, cap(h.offsets))
	}
	if h.valid != nil {
		h.valid = addBit(h.valid, n, rec.count > 0)
		if rec.count == 0 {
			h.nulls++
		}
	}
	at := 0
	for range rec.count {
		key, value, has, next, err := rec.header(at)
		if err != nil {
			return err
		}
		if !utf8.Valid(key) {
			key = []byte(strings.ToValidUTF8(string(key), "�"))
		}
		h.keys.add(key, true)
		h.values.add(value, has)
		at = next
	}
	h.offsets = append(h.offsets, int32(len(h.keys.offsets)-1))
	return nil
}

func (h *headerColumn) data(typ arrow.DataType) *array.Data {
	elem := typ.(*arrow.ListType).Elem()
	k, v := h.keys.data(arrow.BinaryTypes.String), h.values.data(arrow.BinaryTypes.Binary)
	defer k.Release()
	defer v.Release()
	st := array.NewData(elem, len(h.keys.offsets)-1, []*memory.Buffer{nil}, []arrow.ArrayData{k, v}, 0, 0)
	defer st.Release()
	return array.NewData(typ, len(h.offsets)-1, []*memory.Buffer{bitmap(h.valid), memory.NewBufferBytes(arrow.Int32Traits.CastToBytes(h.offsets))}, []arrow.ArrayData{st}, h.nulls, 0)
}

func bitmap(valid []byte) *memory.Buffer {
	if valid == nil {
		return nil
	}
	return memory.NewBufferBytes(valid)
}

// allValid is a bitmap of n set bits, with room for rows.
func allValid(n, rows int) []byte {
	b := make([]byte, (n+7)/8, max(rows, n)/8+1)
	for i := range b {
		b[i] = math.MaxUint8
	}
	return b
}

// addBit sets or clears bit n, the one behind the last.
func addBit(b []byte, n int, set bool) []byte {
	if n/8 == len(b) {
		b = append(b, 0)
	}
	if bit := byte(1) << (n % 8); set {
		b[n/8] |= bit
	} else {
		b[n/8] &^= bit
	}
	return b
}

// repeat is a column of one text.
func repeat(s string, rows int) *varColumn {
	v := &varColumn{offsets: make([]int32, rows+1), buf: []byte(strings.Repeat(s, rows))}
	for i := range v.offsets {
		v.offsets[i] = int32(i * len(s))
	}
	return v
}
