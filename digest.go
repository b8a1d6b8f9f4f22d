package flightd

import (
	"encoding/binary"
	"math/bits"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/flightd/flightd/compute/vec"
	"github.com/flightd/flightd/internal/base"
	"github.com/flightd/flightd/plan/expr"
)

// digester computes the digest of an epoch's output: a hash of the values and
// their order, column by column, that does not depend on how the rows were cut
// into record batches nor on the bytes under NULLs.
type digester struct {
	types []*expr.Type
	cols  []columnHash
	rows  uint64
}

// columnHash is a 128-bit running hash of one column: two independently keyed
// 64-bit multiply-and-fold chains.
type columnHash struct{ a, b uint64 }

const (
	digestA = 0x9E3779B97F4A7C15
	digestB = 0xC2B2AE3D27D4EB4F
	nullTag = 0xA5A5F00DDEADBEEF
)

func newDigester(schema expr.Schema) *digester {
	d := &digester{cols: make([]columnHash, len(schema))}
	for i, f := range schema {
		d.types = append(d.types, f.Type)
		d.cols[i] = columnHash{digestA + uint64(i), digestB ^ uint64(i)}
	}
	return d
}

func (h *columnHash) add(x uint64) {
	hi, lo := bits.Mul64(h.a^x, digestA)
	h.a = hi ^ lo + 0x2545F4914F6CDD1D
	hi, lo = bits.Mul64(h.b+x, digestB)
	h.b = bits.RotateLeft64(hi^lo, 29) + x
}

func (h *columnHash) addBytes(b []byte) {
	h.add(uint64(len(b)))
	for len(b) >= 8 {
		h.add(binary.LittleEndian.Uint64(b))
		b = b[8:]
	}
	if len(b) > 0 {
		var tail [8]byte
		copy(tail[:], b)
		h.add(binary.LittleEndian.Uint64(tail[:]))
	}
}

// write adds the rows of rec.
func (d *digester) write(rec arrow.RecordBatch) {
	d.rows += uint64(rec.NumRows())
	for i, t := range d.types {
		d.cols[i].column(vec.FromArrow(rec.Column(i), t), 0, int(rec.NumRows()))
	}
}

// column adds rows [from, to) of v.
func (h *columnHash) column(v *vec.Vec, from, to int) {
	switch v.Type.Width() {
	case 1:
		fixedHash(h, v, vec.Values[uint8](v), from, to)
		return
	case 2:
		fixedHash(h, v, vec.Values[uint16](v), from, to)
		return
	case 4:
		fixedHash(h, v, vec.Values[uint32](v), from, to)
		return
	case 8:
		fixedHash(h, v, vec.Values[uint64](v), from, to)
		return
	}
	for i := from; i < to; i++ {
		if v.Null(i) {
			h.add(nullTag)
			continue
		}
		switch v.Type.Kind {
		case expr.KindBool:
			if v.Bool(i) {
				h.add(1)
			} else {
				h.add(0)
			}
		case expr.KindArray, expr.KindMap:
			lo, hi := int(v.Off[i]), int(v.Off[i+1])
			h.add(uint64(hi - lo))
			for _, k := range v.Kids {
				h.column(k, lo, hi)
			}
		case expr.KindStruct:
			for _, k := range v.Kids {
				h.column(k, i, i+1)
			}
		case expr.KindDecimal, expr.KindCalendar:
			w := vec.Values[vec.Wide](v)[i]
			h.add(w.Lo)
			h.add(w.Hi)
		default:
			h.addBytes(v.Str(i))
		}
	}
}

func fixedHash[T uint8 | uint16 | uint32 | uint64](h *columnHash, v *vec.Vec, vals []T, from, to int) {
	if v.Valid == nil {
		for _, x := range vals[from:to] {
			h.add(uint64(x))
		}
		return
	}
	for i := from; i < to; i++ {
		if v.Valid[i>>3]>>(i&7)&1 == 1 {
			h.add(uint64(vals[i]))
		} else {
			h.add(nullTag)
		}
	}
}

// sum returns the digest of everything written so far.
func (d *digester) sum() base.Digest {
	total := columnHash{digestB, digestA}
	total.add(d.rows)
	for _, c := range d.cols {
		total.add(c.a)
		total.add(c.b)
	}
	var out base.Digest
	binary.BigEndian.PutUint64(out[:8], total.a)
	binary.BigEndian.PutUint64(out[8:], total.b)
	return out
}
