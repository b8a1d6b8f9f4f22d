package arrowtext

import (
	"bytes"
	"math"
	"math/big"
	"math/bits"
	"strconv"

	"github.com/flightd/flightd/kernels"
)

// AppendFloat64 appends the shortest text that reads back as f, as Java spells it:
// 1.0, 1.0E7, 1.0E-4, NaN, Infinity.
func AppendFloat64(dst []byte, f float64) []byte { return appendFloat(dst, f, 64) }

// AppendFloat32 is AppendFloat64 for a FLOAT.
func AppendFloat32(dst []byte, f float32) []byte { return appendFloat(dst, float64(f), 32) }

func appendFloat(dst []byte, f float64, size int) []byte {
	switch {
	case math.IsNaN(f):
		return append(dst, "NaN"...)
	case math.IsInf(f, 1):
		return append(dst, "Infinity"...)
	case math.IsInf(f, -1):
		return append(dst, "-Infinity"...)
	}
	a := math.Abs(f)
	if a == 0 || a >= 1e-3 && a < 1e7 {
		n := len(dst)
		dst = strconv.AppendFloat(dst, f, 'f', -1, size)
		for _, c := range dst[n:] {
			if c == '.' {
				return dst
			}
		}
		return append(dst, ".0"...)
	}
	var buf [32]byte
	s := strconv.AppendFloat(buf[:0], f, 'e', -1, size)
	switch m, _ := math.Frexp(a); {
	case a < 1<<63 && a == math.Trunc(a):
		s = appendInteger(buf[:0], f, size)
	case m == 0.5 && (a >= 0x1p-1022 && size == 64 || a >= 0x1p-126):
		s = appendPowerOfTwo(buf[:0], f, size)
	case s[1] == 'e' || s[0] == '-' && s[2] == 'e': // of two digits the nearest
		var two [32]byte
		t := strconv.AppendFloat(two[:0], f, 'e', 1, size)
		if g, _ := strconv.ParseFloat(string(t), size); g == f {
			s = append(buf[:0], t...)
		}
	}
	if i := bytes.Index(s, []byte(".0e")); i >= 0 {
		s = append(s[:i], s[i+2:]...)
	}
	e := len(s) - 1
	for s[e] != 'e' {
		e--
	}
	dst = append(dst, s[:e]...)
	if i := e; i < 3 || s[0] == '-' && i < 4 { // one digit: no point yet
		dst = append(dst, ".0"...)
	}
	exp, _ := strconv.Atoi(string(s[e+1:]))
	dst = append(dst, 'E')
	return strconv.AppendInt(dst, int64(exp), 10)
}

// appendInteger appends a whole number below 2^62 in exponent form. Java (before
// 19) does not look for the shortest text there: it shows the digits of the
// integer but for those that lie below the precision, so that 2^31 as a FLOAT is
// 2.14748365E9.
func appendInteger(dst []byte, f float64, size int) []byte {
	precision := 53
	if size == 32 {
		precision = 24
	}
	v := int64(math.Abs(f))
	drop := 0
	if p := bits.Len64(uint64(v)) - 1 - precision - 1; p > 1 {
		drop = p * 30103 / 100000
	}
	exp := 0
	if drop > 0 {
		unit := kernels.Pow10(drop)
		rest := v % int64(unit.Lo)
		if v /= int64(unit.Lo); rest >= int64(unit.Lo)>>1 {
			v++
		}
		exp = drop
	}
	digits := strconv.AppendInt(nil, v, 10)
	exp += len(digits) - 1
	for len(digits) > 1 && digits[len(digits)-1] == '0' {
		digits = digits[:len(digits)-1]
	}
	if f < 0 {
		dst = append(dst, '-')
	}
	dst = append(dst, digits[0])
	if len(digits) > 1 {
		dst = append(append(dst, '.'), digits[1:]...)
	}
	return strconv.AppendInt(append(dst, 'e'), int64(exp), 10)
}

// appendPowerOfTwo appends a power of two in exponent form with the digits that
// Java (before 19) shows: it stops a quarter of a unit in the last place from the
// number, on both sides.
func appendPowerOfTwo(dst []byte, f float64, size int) []byte {
	precision := 53
	if size == 32 {
		precision = 24
	}
	v := new(big.Rat).SetFloat64(math.Abs(f))
	_, e := math.Frexp(f)
	near := new(big.Rat).SetInt64(1)
	if k := e - precision - 2; k < 0 {
		near.SetFrac(big.NewInt(1), new(big.Int).Lsh(big.NewInt(1), uint(-k)))
	} else {
		near.SetInt(new(big.Int).Lsh(big.NewInt(1), uint(k)))
	}
	exp := int(math.Floor(math.Log10(math.Abs(f))))
	ten := new(big.Rat).SetInt(new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(max(exp, -exp))), nil))
	if exp > 0 {
		ten.Inv(ten)
	}
	v.Mul(v, ten)
	near.Mul(near, ten)
	var digits []byte
	one := big.NewRat(1, 1)
	for {
		q := new(big.Int).Quo(v.Num(), v.Denom())
		v.Sub(v, new(big.Rat).SetInt(q))
		digits = append(digits, byte('0'+q.Int64()))
		low := v.Cmp(near) < 0
		high := new(big.Rat).Add(v, near).Cmp(one) >= 0
		if (low || high) && len(digits) > 1 || len(digits) > 25 {
			if high && (!low || v.Cmp(big.NewRat(1, 2)) > 0) {
				digits[len(digits)-1]++ // the last digit is never 9 here
			}
			break
		}
		v.Mul(v, big.NewRat(10, 1))
		near.Mul(near, big.NewRat(10, 1))
	}
	for len(digits) > 1 && digits[len(digits)-1] == '0' {
		digits = digits[:len(digits)-1]
	}
	if f < 0 {
		dst = append(dst, '-')
	}
	dst = append(dst, digits[0])
	if len(digits) > 1 {
		dst = append(append(dst, '.'), digits[1:]...)
	}
	return strconv.AppendInt(append(dst, 'e'), int64(exp), 10)
}

// AppendDecimal appends an unscaled decimal with scale digits after the point,
// never in exponent form.
func AppendDecimal(dst []byte, x kernels.Int128, scale int) []byte {
	var buf [48]byte
	hi, lo := x.Abs()
	n := len(buf)
	if hi == 0 {
		for lo != 0 {
			n--
			buf[n] = byte('0' + lo%10)
			lo /= 10
		}
	} else {
		b := kernels.Int128{Lo: lo, Hi: int64(hi)}.Big().Append(nil, 10)
		n -= len(b)
		copy(buf[n:], b)
	}
	for len(buf)-n <= scale {
		n--
		buf[n] = '0'
	}
	if x.Hi < 0 {
		dst = append(dst, '-')
	}
	point := len(buf) - scale
	dst = append(dst, buf[n:point]...)
	if scale > 0 {
		dst = append(dst, '.')
		dst = append(dst, buf[point:]...)
	}
	return dst
}

// DecimalFloat64 returns the double nearest to a decimal.
func DecimalFloat64(x kernels.Int128, scale int) float64 {
	if v, ok := x.Int64(); ok && v > -1<<53 && v < 1<<53 && scale <= 22 {
		return float64(v) / pow10f[scale]
	}
	f, _ := strconv.ParseFloat(string(AppendDecimal(nil, x, scale)), 64)
	return f
}

var pow10f = [...]float64{1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22}

// Trim returns s without the white space and control characters of ASCII around
// it.
func Trim(s []byte) []byte {
	for len(s) > 0 && (s[0] <= ' ' || s[0] == 0x7f) {
		s = s[1:]
	}
	for len(s) > 0 && (s[len(s)-1] <= ' ' || s[len(s)-1] == 0x7f) {
		s = s[:len(s)-1]
	}
	return s
}

// ParseInt reads an integer. With fraction, digits after a point are allowed and
// cut off, as Spark does outside ANSI mode.
func ParseInt(s []byte, fraction bool) (int64, bool) {
	s = Trim(s)
	neg := false
	if len(s) > 0 && (s[0] == '-' || s[0] == '+') {
		neg = s[0] == '-'
		s = s[1:]
	}
	if len(s) == 0 {
		return 0, false
	}
	var v int64 // kept negative: the smallest number has no positive
	digits := 0
	for i, c := range s {
		if c == '.' && fraction {
			for _, d := range s[i+1:] {
				if d < '0' || d > '9' {
					return 0, false
				}
			}
			break
		}
		if c < '0' || c > '9' {
			return 0, false
		}
		d := int64(c - '0')
		if v < (math.MinInt64+d)/10 {
			return 0, false
		}
		v = v*10 - d
		digits++
	}
	if neg {
		return v, true
	}
	return -v, v != math.MinInt64
}

// ParseFloat reads a DOUBLE (size 64) or FLOAT (size 32): what Java reads, with
// a suffix d or f, and inf and nan in any case. Text beyond the range gives an
// infinity.
func ParseFloat(s []byte, size int) (float64, bool) {
	s = Trim(s)
	if n := len(s); n > 1 {
		switch s[n-1] {
		case 'd', 'D', 'f', 'F':
			hex := n > 2 && (s[1]|0x20 == 'x' || s[2]|0x20 == 'x')
			if p := s[n-2]; (p >= '0' && p <= '9' || p == '.') && (!hex || hasExponent(s)) {
				s = s[:n-1]
			}
		}
	}
	for _, c := range s {
		if c == '_' {
			return 0, false
		}
	}
	f, err := strconv.ParseFloat(string(s), size)
	if err != nil && err.(*strconv.NumError).Err != strconv.ErrRange {
		return 0, false
	}
	return f, true
}

func hasExponent(s []byte) bool {
	for _, c := range s {
		if c|0x20 == 'p' {
			return true
		}
	}
	return false
}

// ParseBool reads t, true, y, yes, 1 and f, false, n, no, 0 in any case.
func ParseBool(s []byte) (value, ok bool) {
	s = Trim(s)
	var buf [5]byte
	if len(s) > len(buf) {
		return false, false
	}
	for i, c := range s {
		buf[i] = c
		if c >= 'A' && c <= 'Z' {
			buf[i] |= 0x20
		}
	}
	switch string(buf[:len(s)]) {
	case "t", "true", "y", "yes", "1":
		return true, true
	case "f", "false", "n", "no", "0":
		return false, true
	}
	return false, false
}

// DecimalStatus is how ParseDecimal ended.
type DecimalStatus uint8

// The statuses: a value; no number; a number of more than 38 digits before the
// point; a number that does not fit the type.
const (
	DecimalOK DecimalStatus = iota
	DecimalMalformed
	DecimalTooLarge
	DecimalOutOfRange
)

// ParseDecimal reads a number as DECIMAL(precision, scale), rounded half up.
func ParseDecimal(s []byte, precision, scale int) (kernels.Int128, DecimalStatus) {
	d, ok := ScanDecimal(s)
	if !ok {
		return kernels.Int128{}, DecimalMalformed
	}
	if d.Point > 38 && len(d.Digits) > 0 {
		return kernels.Int128{}, DecimalTooLarge
	}
	return d.Round(precision, scale)
}

// Number is a number in text: 0.Digits · 10^Point. Digits has no leading zero.
type Number struct {
	Negative bool
	Digits   []byte
	Point    int
}

// ScanDecimal takes a number apart: sign, digits, point, exponent.
func ScanDecimal(s []byte) (Number, bool) {
	s = Trim(s)
	for _, c := range s {
		if c >= 0x80 {
			s = asciiDigits(s)
			break
		}
	}
	var n Number
	if len(s) > 0 && (s[0] == '-' || s[0] == '+') {
		n.Negative = s[0] == '-'
		s = s[1:]
	}
	digits := make([]byte, 0, 48)
	seen, point, i := 0, -1, 0
	for ; i < len(s); i++ {
		c := s[i]
		if c == '.' && point < 0 {
			point = seen
		} else if c >= '0' && c <= '9' {
			seen++
			digits = append(digits, c)
		} else {
			break
		}
	}
	if seen == 0 {
		return n, false
	}
	if point < 0 {
		point = seen
	}
	exp := 0
	if i < len(s) {
		if s[i]|0x20 != 'e' {
			return n, false
		}
		e, ok := ParseInt(s[i+1:], false)
		if !ok || len(Trim(s[i+1:])) != len(s[i+1:]) || e > math.MaxInt32 || e < math.MinInt32 {
			return n, false
		}
		exp = int(e)
	}
	for len(digits) > 0 && digits[0] == '0' {
		digits = digits[1:]
		point--
	}
	for len(digits) > 0 && digits[len(digits)-1] == '0' {
		digits = digits[:len(digits)-1]
	}
	n.Digits, n.Point = digits, point+exp
	return n, true
}

// Round returns n as DECIMAL(precision, scale), rounded half up.
func (n Number) Round(precision, scale int) (kernels.Int128, DecimalStatus) {
	take := n.Point + scale // digits before the cut
	var x kernels.Int128
	if len(n.Digits) == 0 || take < 0 {
		return x, DecimalOK
	}
	if take > 39 {
		return x, DecimalOutOfRange
	}
	for i := 0; i < take; i++ {
		d := int64(0)
		if i < len(n.Digits) {
			d = int64(n.Digits[i] - '0')
		}
		if !x.Fits(37) {
			return x, DecimalOutOfRange
		}
		y := x.Add(x) // ×10 = ×2 + ×8
		y4 := y.Add(y)
		x = y.Add(y4.Add(y4)).Add(kernels.From64(d))
	}
	if take < len(n.Digits) && n.Digits[take] >= '5' {
		x = x.Add(kernels.From64(1))
	}
	if !x.Fits(precision) {
		return x, DecimalOutOfRange
	}
	if n.Negative {
		x = x.Neg()
	}
	return x, DecimalOK
}

// FloatDecimal returns a finite double as DECIMAL(precision, scale): its shortest
// text, rounded half up.
func FloatDecimal(f float64, precision, scale int) (kernels.Int128, DecimalStatus) {
	var buf [32]byte
	n, ok := ScanDecimal(strconv.AppendFloat(buf[:0], f, 'e', -1, 64))
	if !ok {
		return kernels.Int128{}, DecimalMalformed
	}
	return n.Round(precision, scale)
}

// asciiDigits replaces the decimal digits of other scripts by ASCII's.
func asciiDigits(s []byte) []byte {
	out := make([]byte, 0, len(s))
	for _, r := range string(s) {
		if d, ok := digitValue(r); ok && r > 0x7f {
			out = append(out, byte('0'+d))
		} else if r < 0x80 {
			out = append(out, byte(r))
		} else {
			out = append(out, '?')
		}
	}
	return out
}

// BigDecimal returns n as an integer and the scale it has.
func (n Number) BigDecimal() (*big.Int, int) {
	b := new(big.Int)
	if len(n.Digits) > 0 {
		b.SetString(string(n.Digits), 10)
	}
	if n.Negative {
		b.Neg(b)
	}
	return b, len(n.Digits) - n.Point
}

// BigDecimal returns an unscaled decimal of any size as text.
func BigDecimal(b *big.Int, scale int) string {
	s := new(big.Int).Abs(b).String()
	for len(s) <= scale {
		s = "0" + s
	}
	if scale > 0 {
		s = s[:len(s)-scale] + "." + s[len(s)-scale:]
	}
	if b.Sign() < 0 {
		return "-" + s
	}
	return s
}

// AppendScientific appends a decimal as java.math.BigDecimal prints it: plain, but
// in exponent form where the number is below 10^-6 or its scale says 0E-18.
func AppendScientific(dst []byte, x kernels.Int128, scale int) []byte {
	hi, lo := x.Abs()
	digits := kernels.Int128{Lo: lo, Hi: int64(hi)}.Big().Append(nil, 10)
	exp := len(digits) - 1 - scale
	if scale == 0 || exp >= -6 {
		return AppendDecimal(dst, x, scale)
	}
	if x.Hi < 0 {
		dst = append(dst, '-')
	}
	dst = append(dst, digits[0])
	if len(digits) > 1 {
		dst = append(append(dst, '.'), digits[1:]...)
	}
	return strconv.AppendInt(append(dst, 'E'), int64(exp), 10)
}
