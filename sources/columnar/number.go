package columnar

import (
	"math"
	"math/bits"
	"strconv"
	"unsafe"

	"github.com/apache/arrow-go/v18/arrow/decimal128"
)

// text views b as a string for the time of a call.
func text(b []byte) string { return unsafe.String(unsafe.SliceData(b), len(b)) }

// ParseInt reads a whole number: an optional sign and digits, nothing else.
func ParseInt(b []byte) (int64, bool) {
	i, neg := 0, false
	if len(b) > 0 && (b[0] == '-' || b[0] == '+') {
		neg = b[0] == '-'
		i = 1
	}
	if i == len(b) {
		return 0, false
	}
	if len(b)-i > 18 {
		v, err := strconv.ParseInt(text(b), 10, 64)
		return v, err == nil
	}
	var v int64
	for ; i < len(b); i++ {
		d := b[i] - '0'
		if d > 9 {
			return 0, false
		}
		v = v*10 + int64(d)
	}
	if neg {
		v = -v
	}
	return v, true
}

// pow10 are the powers of ten that are exact doubles.
var pow10 = [...]float64{1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22}

// ParseFloat reads a decimal number with optional fraction and exponent. What
// is too large is an infinity, as in Java. Words (NaN) and hexadecimal are not
// numbers here.
func ParseFloat(b []byte) (float64, bool) {
	i, neg := 0, false
	if len(b) > 0 && (b[0] == '-' || b[0] == '+') {
		neg = b[0] == '-'
		i = 1
	}
	var mant uint64
	digits, frac, start := 0, 0, i
	for ; i < len(b); i++ {
		d := b[i] - '0'
		if d > 9 {
			break
		}
		mant = mant*10 + uint64(d)
		digits++
	}
	if i < len(b) && b[i] == '.' {
		for i++; i < len(b); i++ {
			d := b[i] - '0'
			if d > 9 {
				break
			}
			mant = mant*10 + uint64(d)
			digits++
			frac++
		}
	}
	if digits == 0 {
		return 0, false
	}
	if i == len(b) && digits <= 19 {
		v := scaled(mant, frac)
		if neg {
			v = -v
		}
		return v, true
	}
	for j := start; j < len(b); j++ {
		switch c := b[j]; {
		case c >= '0' && c <= '9', c == '.', c == 'e', c == 'E', c == '+', c == '-':
		default:
			return 0, false
		}
	}
	v, err := strconv.ParseFloat(text(b), 64)
	if err != nil && !math.IsInf(v, 0) {
		return 0, false
	}
	return v, true
}

// ParseSpecialFloat reads the words that stand for no number: NaN, Infinity,
// INF, with a sign except for NaN.
func ParseSpecialFloat(b []byte) (float64, bool) {
	switch string(b) {
	case "NaN":
		return math.NaN(), true
	case "Infinity", "+Infinity", "INF", "+INF":
		return math.Inf(1), true
	case "-Infinity", "-INF":
		return math.Inf(-1), true
	}
	return 0, false
}

// ParseDecimal reads a number, with exponent if it has one, as the unscaled
// value of DECIMAL(precision, scale). Surplus fraction digits round half up,
// away from zero. A value of more digits is refused.
func ParseDecimal(b []byte, precision, scale int32) (decimal128.Num, bool) {
	var zero decimal128.Num
	i, neg := 0, false
	if len(b) > 0 && (b[0] == '-' || b[0] == '+') {
		neg = b[0] == '-'
		i = 1
	}
	digits := b[i:]
	end, point, count := len(digits), -1, 0
	exp := 0
scan:
	for j, c := range digits {
		switch {
		case c >= '0' && c <= '9':
			count++
		case c == '.' && point < 0:
			point = j
		case c == 'e' || c == 'E':
			e, ok := ParseInt(digits[j+1:])
			if !ok || e > 1<<20 || e < -(1<<20) {
				return zero, false
			}
			exp, end = int(e), j
			break scan
		default:
			return zero, false
		}
	}
	if count == 0 {
		return zero, false
	}
	digits = digits[:end]
	if point < 0 {
		point = end
	}
	// keep is the number of integer and fraction digits up to the scale.
	keep := point + exp + int(scale)
	var hi, lo uint64
	seen, roundUp := 0, false
	for j, c := range digits {
		if j == point && c == '.' {
			continue
		}
		if seen == keep {
			roundUp = c >= '5'
		}
		if seen++; seen > keep {
			continue
		}
		if hi > math.MaxUint64/20 {
			return zero, false
		}
		hi, lo = mul10add(hi, lo, uint64(c-'0'))
	}
	if hi|lo != 0 {
		for ; seen < keep; seen++ {
			if hi > math.MaxUint64/20 {
				return zero, false
			}
			hi, lo = mul10add(hi, lo, 0)
		}
	}
	if roundUp {
		var carry uint64
		lo, carry = bits.Add64(lo, 1, 0)
		hi += carry
	}
	if hi > math.MaxInt64 {
		return zero, false
	}
	v := decimal128.New(int64(hi), lo)
	if !v.FitsInPrecision(precision) {
		return zero, false
	}
	if neg {
		v = v.Negate()
	}
	return v, true
}

func mul10add(hi, lo, d uint64) (uint64, uint64) {
	h, l := bits.Mul64(lo, 10)
	l, carry := bits.Add64(l, d, 0)
	return hi*10 + h + carry, l
}

// ParseFloat32 is ParseFloat rounded once, to the nearest single.
func ParseFloat32(b []byte) (float64, bool) {
	if _, ok := ParseFloat(b); !ok {
		return 0, false
	}
	v, err := strconv.ParseFloat(text(b), 32)
	return v, err == nil || math.IsInf(v, 0)
}
