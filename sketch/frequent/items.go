package frequent

import (
	"encoding/binary"
	"math"
	"math/big"
	"unicode/utf16"
	"unicode/utf8"
)

// Kind is what the items of a sketch are; it says how an item's bytes lie in
// images, and what Java's hash of it is.
type Kind uint8

// The kinds. Items are given in little-endian bytes: Bool, Byte 1, Short 2, Int and
// Float 4, Long and Double 8; Text is UTF-8. Of a decimal they are the unscaled
// number: Decimal32 4, Decimal64 8, Decimal as many as are needed, big-endian.
const (
	Bool Kind = iota
	Byte
	Short
	Int
	Float
	Long
	Double
	Text
	Decimal32
	Decimal64
	Decimal
)

// width returns how many bytes an item has, 0 if they differ.
func (k Kind) width() int {
	return [...]int{1, 1, 2, 4, 4, 8, 8, 0, 4, 8, 0}[k]
}

// tag is the byte before a number in images that hold several types of numbers.
func (k Kind) tag() byte {
	return [...]byte{0, 2, 3, 9, 6, 0, 0, 0, 9, 0, 0}[k]
}

// hash returns Java's hashCode of an item; scale is that of decimals.
func (k Kind) hash(item string, scale int) int32 {
	b := []byte(item)
	switch k {
	case Bool:
		if b[0] == 1 {
			return 1231
		}
		return 1237
	case Byte:
		return int32(int8(b[0]))
	case Short:
		return int32(int16(binary.LittleEndian.Uint16(b)))
	case Int, Float:
		return int32(binary.LittleEndian.Uint32(b))
	case Long, Double:
		return foldLong(binary.LittleEndian.Uint64(b))
	case Decimal32:
		return hashDecimal(big.NewInt(int64(int32(binary.LittleEndian.Uint32(b)))), scale)
	case Decimal64:
		return hashDecimal(big.NewInt(int64(binary.LittleEndian.Uint64(b))), scale)
	case Decimal:
		return hashDecimal(Unscaled(b), scale)
	}
	var h int32
	for len(b) > 0 {
		r, n := utf8.DecodeRune(b)
		b = b[n:]
		if r > 0xffff {
			hi, lo := utf16.EncodeRune(r)
			h = 31*(31*h+int32(hi)) + int32(lo)
			continue
		}
		h = 31*h + int32(r)
	}
	return h
}

func foldLong(v uint64) int32 { return int32(v ^ v>>32) }

// Unscaled reads the item of a decimal.
func Unscaled(b []byte) *big.Int {
	v := new(big.Int).SetBytes(b)
	if len(b) > 0 && b[0] >= 0x80 {
		v.Sub(v, new(big.Int).Lsh(big.NewInt(1), uint(8*len(b))))
	}
	return v
}

// AppendUnscaled appends the item of a decimal.
func AppendUnscaled(dst []byte, v *big.Int) []byte {
	if v.Sign() >= 0 {
		b := v.Bytes()
		if len(b) == 0 || b[0] >= 0x80 {
			dst = append(dst, 0)
		}
		return append(dst, b...)
	}
	n := uint(new(big.Int).Not(v).BitLen()/8 + 1)
	return append(dst, new(big.Int).Add(v, new(big.Int).Lsh(big.NewInt(1), 8*n)).Bytes()...)
}

// hashDecimal returns the hash of Scala's BigDecimal: that of the whole number, of
// the double that is the same number, or of the digits and the scale.
func hashDecimal(unscaled *big.Int, scale int) int32 {
	digits, places := new(big.Int).Set(unscaled), scale
	ten, rest := big.NewInt(10), new(big.Int)
	for places > 0 && digits.Sign() != 0 {
		q, r := new(big.Int).QuoRem(digits, ten, rest)
		if r.Sign() != 0 {
			break
		}
		digits, places = q, places-1
	}
	if digits.Sign() == 0 {
		return 0
	}
	if places == 0 {
		return hashWhole(digits)
	}
	text := new(big.Rat).SetFrac(digits, new(big.Int).Exp(ten, big.NewInt(int64(places)), nil))
	if d, ok := sameDouble(text); ok {
		if f := float32(d); float64(f) == d {
			return int32(math.Float32bits(f))
		}
		return foldLong(math.Float64bits(d))
	}
	return mixLast(hashBig(digits), int32(places))
}

// hashWhole is the hash of Scala's BigInt.
func hashWhole(v *big.Int) int32 {
	if !v.IsInt64() {
		return hashBig(v)
	}
	n := v.Int64()
	if n == int64(int32(n)) {
		return int32(n)
	}
	return foldLong(uint64(n))
}

// hashBig is the hash of Java's BigInteger.
func hashBig(v *big.Int) int32 {
	var h int32
	b := new(big.Int).Abs(v).FillBytes(make([]byte, (v.BitLen()+31)/32*4))
	for ; len(b) > 0; b = b[4:] {
		h = 31*h + int32(binary.BigEndian.Uint32(b))
	}
	return h * int32(v.Sign())
}

// mixLast is the last step of MurmurHash3 with 32 bits.
func mixLast(h, data int32) int32 {
	k := uint32(data) * 0xcc9e2d51
	k = k<<15 | k>>17
	return h ^ int32(k*0x1b873593)
}
