package hll

import (
	"errors"
	"math"
	"math/bits"
)

// ErrImage says that bytes are no image of a sketch.
var ErrImage = errors.New("not the image of a sketch")

// MinLgK and MaxLgK bound the logarithm of the number of registers, DefaultLgK is
// what functions take if none is given.
const (
	MinLgK     = 4
	MaxLgK     = 21
	DefaultLgK = 12
)

type mode byte

const (
	list mode = iota
	set
	registers
)

const (
	addressBits = 26
	addressMask = 1<<addressBits - 1
	listLg      = 3
	setLg       = 5
)

// A Sketch counts distinct keys.
type Sketch struct {
	lgK  int
	mode mode

	// Of a list and a set.
	lgArr   int
	n       int
	coupons []uint32

	// Of registers. kxq0 and kxq1 are the sum of 2^−register, for registers below
	// 32 and the others; stale says that they and zeros are to be computed anew.
	regs       []byte
	united     bool
	stale      bool
	least      int
	atLeast    int
	hip        float64
	kxq0, kxq1 float64
}

// New returns an empty sketch of 1<<lgK registers.
func New(lgK int) *Sketch {
	return &Sketch{lgK: lgK, lgArr: listLg, coupons: make([]uint32, 1<<listLg)}
}

// LgK returns the logarithm of the number of registers.
func (s *Sketch) LgK() int { return s.lgK }

func (s *Sketch) empty() bool { return s.mode != registers && s.n == 0 }

// Update offers a key by the two halves of its hash.
func (s *Sketch) Update(h1, h2 uint64) {
	value := min(bits.LeadingZeros64(h2), 62) + 1
	s.coupon(uint32(value)<<addressBits | uint32(h1&addressMask))
}

func (s *Sketch) coupon(c uint32) {
	switch s.mode {
	case list:
		for i, have := range s.coupons {
			if have == c {
				return
			}
			if have == 0 {
				s.coupons[i] = c
				s.n++
				break
			}
		}
		if s.n == len(s.coupons) {
			s.promoteList()
		}
	case set:
		at := find(s.coupons, s.lgArr, c)
		if s.coupons[at] == c {
			return
		}
		s.coupons[at] = c
		s.n++
		if 4*s.n <= 3*len(s.coupons) {
			return
		}
		if s.lgArr >= s.lgK-3 {
			s.promote()
			return
		}
		s.lgArr++
		bigger := make([]uint32, 1<<s.lgArr)
		for _, have := range s.coupons {
			if have != 0 {
				bigger[find(bigger, s.lgArr, have)] = have
			}
		}
		s.coupons = bigger
	default:
		s.raise(int(c)&(1<<s.lgK-1), byte(c>>addressBits))
	}
}

// find returns the place of c in a set that is not full, or the free one where it
// belongs.
func find(coupons []uint32, lg int, c uint32) int {
	mask := uint32(len(coupons) - 1)
	at := c & mask
	stride := c&addressMask>>lg | 1
	for coupons[at] != 0 && coupons[at] != c {
		at = (at + stride) & mask
	}
	return int(at)
}

func (s *Sketch) promoteList() {
	if s.lgK < 8 {
		s.promote()
		return
	}
	old := s.coupons
	s.mode, s.lgArr, s.n, s.coupons = set, setLg, 0, make([]uint32, 1<<setLg)
	for _, c := range old {
		s.coupon(c)
	}
}

// promote turns coupons into registers.
func (s *Sketch) promote() {
	estimate, old := s.Estimate(), s.coupons
	k := 1 << s.lgK
	*s = Sketch{lgK: s.lgK, mode: registers, regs: make([]byte, k), atLeast: k, kxq0: float64(k)}
	for _, c := range old {
		if c != 0 {
			s.coupon(c)
		}
	}
	s.hip = estimate
}

// raise makes register at v if it is less.
func (s *Sketch) raise(at int, v byte) {
	old := s.regs[at]
	if v <= old {
		return
	}
	s.regs[at] = v
	s.hip += float64(int(1)<<s.lgK) / (s.kxq0 + s.kxq1)
	if old < 32 {
		s.kxq0 -= inverse(old)
	} else {
		s.kxq1 -= inverse(old)
	}
	if v < 32 {
		s.kxq0 += inverse(v)
	} else {
		s.kxq1 += inverse(v)
	}
	if old == 0 {
		s.atLeast--
	}
}

// inverse returns 2^−v.
func inverse(v byte) float64 { return math.Float64frombits(uint64(1023-int(v)) << 52) }

// settle computes what depends on the registers alone, if it is stale.
func (s *Sketch) settle() {
	if !s.stale || s.mode != registers {
		return
	}
	s.least, s.atLeast = 64, 0
	s.kxq0, s.kxq1 = float64(len(s.regs)), 0
	for _, v := range s.regs {
		switch {
		case v == 0:
		case v < 32:
			s.kxq0 += inverse(v) - 1
		default:
			s.kxq1 += inverse(v) - 1
		}
		switch least := int(v); {
		case least < s.least:
			s.least, s.atLeast = least, 1
		case least == s.least:
			s.atLeast++
		}
	}
	s.stale = false
}

// Estimate returns the estimated number of distinct keys.
func (s *Sketch) Estimate() float64 {
	if s.mode != registers {
		n := float64(s.n)
		return max(couponEstimate(n), n)
	}
	s.settle()
	if s.united {
		return s.composite()
	}
	return s.hip
}

func (s *Sketch) clone() *Sketch {
	c := *s
	c.coupons = append([]uint32(nil), s.coupons...)
	c.regs = append([]byte(nil), s.regs...)
	return &c
}

// fold returns the sketch of registers with fewer of them.
func (s *Sketch) fold(lgK int) *Sketch {
	k := 1 << lgK
	out := &Sketch{lgK: lgK, mode: registers, regs: make([]byte, k), atLeast: k, kxq0: float64(k)}
	for i, v := range s.regs {
		if v != 0 {
			out.raise(i&(k-1), v)
		}
	}
	out.hip, out.united = s.hip, s.united
	if s.united {
		out.hip = 0
	}
	return out
}

// A Union is the union of the sketches added so far, with no more registers than
// any of them that has registers.
type Union struct {
	max    int
	gadget *Sketch
}

// NewUnion returns the union of no sketch, of at most 1<<lgK registers.
func NewUnion(lgK int) *Union { return &Union{lgK, New(lgK)} }

// LgK returns the logarithm of the number of registers that the union has now.
func (u *Union) LgK() int { return u.gadget.lgK }

// Add adds s. copied says that s is a sketch of its own, not the view of an image:
// its coupon set may be taken as it lies.
func (u *Union) Add(s *Sketch, copied bool) {
	g := u.gadget
	switch {
	case s.empty():
	case s.mode == set && copied && g.empty() && g.lgK == s.lgK:
		u.gadget = s.clone()
	case s.mode != registers:
		for _, c := range s.coupons {
			if c != 0 {
				g.coupon(c)
			}
		}
	case g.mode != registers:
		into := s.clone()
		if s.lgK > u.max {
			into = s.fold(u.max)
		}
		for _, c := range g.coupons {
			if c != 0 {
				into.coupon(c)
			}
		}
		u.gadget = into
	default:
		if s.lgK < g.lgK {
			g = g.fold(s.lgK)
		}
		for i, v := range s.regs {
			at := i & (len(g.regs) - 1)
			g.regs[at] = max(g.regs[at], v)
		}
		g.stale, g.united, g.hip = true, true, 0
		u.gadget = g
	}
}

// Result returns the union. The caller must not change it.
func (u *Union) Result() *Sketch {
	u.gadget.settle()
	return u.gadget
}

// MaxLgK returns the logarithm of the number of registers that the union began
// with.
func (u *Union) MaxLgK() int { return u.max }
