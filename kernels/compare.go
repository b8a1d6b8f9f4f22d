package kernels

// Int is the set of integers that columns hold.
type Int interface {
	~int8 | ~int16 | ~int32 | ~int64
}

// Float is the set of floating-point numbers that columns hold.
type Float interface{ ~float32 | ~float64 }

// Number is every type that arithmetic and comparison loops run over.
type Number interface{ Int | Float }

// Op is a comparison. For floating-point numbers NaN equals NaN and is above
// every other value; −0 equals 0.
type Op uint8

// The comparisons. EQ and LT and LE are the ones that have loops; the others are
// a swap of operands (GT, GE) or a complement (NE).
const (
	EQ Op = iota
	NE
	LT
	LE
	GT
	GE
)

// Swap returns the comparison of b with a that means the same as o of a with b.
func (o Op) Swap() Op {
	switch o {
	case LT:
		return GT
	case LE:
		return GE
	case GT:
		return LT
	case GE:
		return LE
	}
	return o
}

func b2u(b bool) uint8 {
	var u uint8
	if b {
		u = 1
	}
	return u
}

func eq[T Number](a, b T) bool { return a == b || (a != a && b != b) }

// lt is a < b, NaN last: if b is NaN every other a is below it.
func lt[T Number](a, b T) bool { return a < b || (b != b && a == a) }

func le[T Number](a, b T) bool { return a <= b || b != b }

// Compare sets bit i of dst to a[i] op b[i]. len(dst) is BitmapBytes(len(a)).
func Compare[T Number](op Op, dst []byte, a, b []T) {
	b = b[:len(a)]
	switch op {
	case EQ:
		for i := range dst {
			dst[i] = 0
			for j := i << 3; j < min(i<<3+8, len(a)); j++ {
				dst[i] |= b2u(eq(a[j], b[j])) << (j & 7)
			}
		}
	case NE:
		Compare(EQ, dst, a, b)
		Not(dst, dst)
	case LT:
		for i := range dst {
			var m uint8
			for j := i << 3; j < min(i<<3+8, len(a)); j++ {
				m |= b2u(lt(a[j], b[j])) << (j & 7)
			}
			dst[i] = m
		}
	case LE:
		for i := range dst {
			var m uint8
			for j := i << 3; j < min(i<<3+8, len(a)); j++ {
				m |= b2u(le(a[j], b[j])) << (j & 7)
			}
			dst[i] = m
		}
	case GT, GE:
		Compare(op.Swap(), dst, b, a)
	}
}

// CompareInt is Compare for integers.
func CompareInt[T Int](op Op, dst []byte, a, b []T) {
	dst, b = dst[:BitmapBytes(len(a))], b[:len(a)]
	if useAVX2 && len(a) >= 8 {
		i := compareIntAVX2(op, dst, a, b)
		dst, a, b = dst[i>>3:], a[i:], b[i:]
	}
	compareIntGo(op, dst, a, b)
}

// compareIntGo takes eight lanes to a byte, without a branch.
func compareIntGo[T Int](op Op, dst []byte, a, b []T) {
	n := len(a)
	b = b[:n]
	full := n >> 3
	switch op {
	case EQ:
		for i := range full {
			x, y := a[i<<3:i<<3+8:i<<3+8], b[i<<3:i<<3+8:i<<3+8]
			dst[i] = b2u(x[0] == y[0]) | b2u(x[1] == y[1])<<1 | b2u(x[2] == y[2])<<2 | b2u(x[3] == y[3])<<3 |
				b2u(x[4] == y[4])<<4 | b2u(x[5] == y[5])<<5 | b2u(x[6] == y[6])<<6 | b2u(x[7] == y[7])<<7
		}
	case LT:
		for i := range full {
			x, y := a[i<<3:i<<3+8:i<<3+8], b[i<<3:i<<3+8:i<<3+8]
			dst[i] = b2u(x[0] < y[0]) | b2u(x[1] < y[1])<<1 | b2u(x[2] < y[2])<<2 | b2u(x[3] < y[3])<<3 |
				b2u(x[4] < y[4])<<4 | b2u(x[5] < y[5])<<5 | b2u(x[6] < y[6])<<6 | b2u(x[7] < y[7])<<7
		}
	case LE:
		compareIntGo(LT, dst, b, a)
		Not(dst, dst)
		return
	case NE:
		compareIntGo(EQ, dst, a, b)
		Not(dst, dst)
		return
	default:
		compareIntGo(op.Swap(), dst, b, a)
		return
	}
	if full<<3 < n {
		Compare(op, dst[full:], a[full<<3:], b[full<<3:])
	}
}

// CompareIntScalar sets bit i of dst to a[i] op s.
func CompareIntScalar[T Int](op Op, dst []byte, a []T, s T) {
	dst = dst[:BitmapBytes(len(a))]
	if useAVX2 && len(a) >= 8 {
		i := compareIntScalarAVX2(op, dst, a, s)
		dst, a = dst[i>>3:], a[i:]
	}
	compareIntScalarGo(op, dst, a, s)
}

func compareIntScalarGo[T Int](op Op, dst []byte, a []T, s T) {
	n := len(a)
	full := n >> 3
	switch op {
	case EQ:
		for i := range full {
			x := a[i<<3 : i<<3+8 : i<<3+8]
			dst[i] = b2u(x[0] == s) | b2u(x[1] == s)<<1 | b2u(x[2] == s)<<2 | b2u(x[3] == s)<<3 |
				b2u(x[4] == s)<<4 | b2u(x[5] == s)<<5 | b2u(x[6] == s)<<6 | b2u(x[7] == s)<<7
		}
	case LT:
		for i := range full {
			x := a[i<<3 : i<<3+8 : i<<3+8]
			dst[i] = b2u(x[0] < s) | b2u(x[1] < s)<<1 | b2u(x[2] < s)<<2 | b2u(x[3] < s)<<3 |
				b2u(x[4] < s)<<4 | b2u(x[5] < s)<<5 | b2u(x[6] < s)<<6 | b2u(x[7] < s)<<7
		}
	case LE:
		for i := range full {
			x := a[i<<3 : i<<3+8 : i<<3+8]
			dst[i] = b2u(x[0] <= s) | b2u(x[1] <= s)<<1 | b2u(x[2] <= s)<<2 | b2u(x[3] <= s)<<3 |
				b2u(x[4] <= s)<<4 | b2u(x[5] <= s)<<5 | b2u(x[6] <= s)<<6 | b2u(x[7] <= s)<<7
		}
	case NE:
		compareIntScalarGo(EQ, dst, a, s)
		Not(dst, dst)
		return
	case GT:
		compareIntScalarGo(LE, dst, a, s)
		Not(dst, dst)
		return
	case GE:
		compareIntScalarGo(LT, dst, a, s)
		Not(dst, dst)
		return
	}
	if full<<3 < n {
		var m uint8
		for j := full << 3; j < n; j++ {
			m |= b2u(op == EQ && a[j] == s || op != EQ && a[j] < s || op == LE && a[j] == s) << (j & 7)
		}
		dst[full] = m
	}
}

// CompareScalar sets bit i of dst to a[i] op s.
func CompareScalar[T Number](op Op, dst []byte, a []T, s T) {
	dst = dst[:BitmapBytes(len(a))]
	if useAVX2 && len(a) >= 8 {
		i := compareScalarAVX2(op, dst, a, s)
		dst, a = dst[i>>3:], a[i:]
	}
	compareScalarGo(op, dst, a, s)
}

func compareScalarGo[T Number](op Op, dst []byte, a []T, s T) {
	for i := range dst {
		var m uint8
		lane := a[i<<3 : min(i<<3+8, len(a))]
		switch op {
		case EQ, NE:
			for j, v := range lane {
				m |= b2u(eq(v, s)) << j
			}
		case LT, GE:
			for j, v := range lane {
				m |= b2u(lt(v, s)) << j
			}
		case LE, GT:
			for j, v := range lane {
				m |= b2u(le(v, s)) << j
			}
		}
		if op == NE || op == GE || op == GT {
			m = ^m
		}
		dst[i] = m
	}
}
