package hll

import (
	"encoding/binary"
	"math"
)

// The flags in images, and the type of registers of 8 bits.
const (
	family       = 7
	flagEmpty    = 1 << 2
	flagCompact  = 1 << 3
	flagUnited   = 1 << 4
	flagStale    = 1 << 5
	eightBits    = 2 << 2
	registersAt  = 40
	setCouponsAt = 12
)

// Append appends the image of the sketch in its updatable form.
func (s *Sketch) Append(dst []byte) []byte {
	s.settle()
	return s.AppendState(dst)
}

// AppendState appends the image with what a union has yet to compute.
func (s *Sketch) AppendState(dst []byte) []byte {
	flags := byte(0)
	if s.empty() {
		flags |= flagEmpty
	}
	if s.united {
		flags |= flagUnited
	}
	if s.stale {
		flags |= flagStale
	}
	head := [8]byte{2, 1, family, byte(s.lgK), byte(s.lgArr), flags, 0, eightBits | byte(s.mode)}
	switch s.mode {
	case list:
		head[6] = byte(s.n)
		dst = append(dst, head[:]...)
	case set:
		head[0] = 3
		dst = binary.LittleEndian.AppendUint32(append(dst, head[:]...), uint32(s.n))
	default:
		head[0], head[6] = 10, byte(s.least)
		dst = append(dst, head[:]...)
		for _, x := range []float64{s.hip, s.kxq0, s.kxq1} {
			dst = binary.LittleEndian.AppendUint64(dst, math.Float64bits(x))
		}
		dst = binary.LittleEndian.AppendUint32(dst, uint32(s.atLeast))
		return append(append(dst, 0, 0, 0, 0), s.regs...)
	}
	for _, c := range s.coupons {
		dst = binary.LittleEndian.AppendUint32(dst, c)
	}
	return dst
}

// Parse reads the image of a sketch with registers of 8 bits, in its updatable or
// its compact form; the error is ErrImage.
func Parse(b []byte) (*Sketch, error) {
	if len(b) < 8 || b[1] != 1 || b[2] != family || b[3] < MinLgK || b[3] > MaxLgK {
		return nil, ErrImage
	}
	s := &Sketch{lgK: int(b[3]), mode: mode(b[7] & 3)}
	compact := b[5]&flagCompact != 0
	switch {
	case s.mode == list && b[0] == 2:
		return s.parseList(b, compact)
	case s.mode == set && b[0] == 3 && s.lgK > 7 && len(b) >= setCouponsAt:
		return s.parseSet(b, compact)
	case s.mode == registers && b[0] == 10 && b[7]&12 == eightBits && len(b) >= registersAt+1<<s.lgK:
		return s.parseRegisters(b), nil
	}
	return nil, ErrImage
}

func (s *Sketch) parseList(b []byte, compact bool) (*Sketch, error) {
	n := int(b[6])
	*s = *New(s.lgK)
	if n >= len(s.coupons) || len(b) < 8+4*n || !compact && len(b) < 8+4*len(s.coupons) {
		return nil, ErrImage
	}
	for i := range n {
		s.coupon(binary.LittleEndian.Uint32(b[8+4*i:]))
	}
	if s.n != n {
		return nil, ErrImage
	}
	return s, nil
}

func (s *Sketch) parseSet(b []byte, compact bool) (*Sketch, error) {
	n := int(int32(binary.LittleEndian.Uint32(b[8:])))
	b = b[setCouponsAt:]
	if compact {
		if n < 0 || len(b) < 4*n || n > 3<<(s.lgK-3)/4 {
			return nil, ErrImage
		}
		s.lgArr, s.coupons = setLg, make([]uint32, 1<<setLg)
		for i := range n {
			s.coupon(binary.LittleEndian.Uint32(b[4*i:]))
		}
		return s, s.check(n)
	}
	s.lgArr = setLg
	for s.lgArr < s.lgK-3 && len(b) > 4<<s.lgArr {
		s.lgArr++
	}
	if len(b) < 4<<s.lgArr {
		return nil, ErrImage
	}
	s.coupons = make([]uint32, 1<<s.lgArr)
	for i := range s.coupons {
		if s.coupons[i] = binary.LittleEndian.Uint32(b[4*i:]); s.coupons[i] != 0 {
			s.n++
		}
	}
	return s, s.check(n)
}

// check reports whether the set has n coupons and room for more.
func (s *Sketch) check(n int) error {
	if s.mode != set || s.n != n || 4*n > 3*len(s.coupons) {
		return ErrImage
	}
	return nil
}

func (s *Sketch) parseRegisters(b []byte) *Sketch {
	number := func(at int) float64 { return math.Float64frombits(binary.LittleEndian.Uint64(b[at:])) }
	s.united, s.stale = b[5]&flagUnited != 0, b[5]&flagStale != 0
	s.least = int(b[6])
	s.hip, s.kxq0, s.kxq1 = number(8), number(16), number(24)
	if s.united {
		s.hip = 0
	}
	s.atLeast = int(int32(binary.LittleEndian.Uint32(b[32:])))
	s.regs = make([]byte, 1<<s.lgK)
	for i := range s.regs {
		s.regs[i] = b[registersAt+i] & 0x3f
	}
	return s
}

// ParseUnion reads the image of a union: of its result, or of its state.
func ParseUnion(max int, image []byte) (*Union, error) {
	s, err := Parse(image)
	if err != nil {
		return nil, err
	}
	return &Union{max, s}, nil
}

// AppendState appends what ParseUnion reads.
func (u *Union) AppendState(dst []byte) []byte { return u.gadget.AppendState(dst) }
