package columnar

import (
	"encoding/binary"
	"math/bits"
)

// Eight bytes at a time: a word loaded little-endian has byte k of the text in
// its bits 8k to 8k+7. A mask marks a byte by its highest bit.
const (
	ones  = 0x0101010101010101
	highs = 0x8080808080808080
)

func load(b []byte, i int) uint64 { return binary.LittleEndian.Uint64(b[i:]) }

// firstHigh returns the index of the first byte above 127 from i on; len(b) if
// there is none.
func firstHigh(b []byte, i int) int {
	for ; i+32 <= len(b); i += 32 {
		w := b[i : i+32 : i+32]
		if (load(w, 0)|load(w, 8)|load(w, 16)|load(w, 24))&highs != 0 {
			break
		}
	}
	for i < len(b) && b[i] < 0x80 {
		i++
	}
	return i
}

// IndexOf returns the index of the first c from i on, before end; end if there is
// none. b has LinePad bytes behind end.
func IndexOf(b []byte, i, end int, c byte) int {
	for ; i < end; i += 8 {
		x := load(b, i) ^ ones*uint64(c)
		if m := (x - ones) &^ x & highs; m != 0 { // the lowest mark is exact
			return min(i+bits.TrailingZeros64(m)/8, end)
		}
	}
	return end
}

// notDigits marks the bytes of w, which is a word less '0' in each byte, that
// were no digits. The lowest mark is exact.
func notDigits(w uint64) uint64 { return ((w + 0x7676767676767676) | w) & highs }

// eightDigits returns the number that eight digits (values, not characters)
// spell, the first of them in the lowest byte.
func eightDigits(w uint64) uint64 {
	w = (w * (1<<8*10 + 1)) >> 8 & 0x00ff00ff00ff00ff
	w = (w * (1<<16*100 + 1)) >> 16 & 0x0000ffff0000ffff
	return w * (1<<32*10000 + 1) >> 32
}

// digits reads up to 24 digits of b from i on behind those of v, without looking
// at the carry. It returns where they end. b has LinePad bytes behind the text.
func digits(b []byte, i int, v uint64) (uint64, int) {
	for range 3 {
		w := load(b, i) ^ ones*'0'
		m := notDigits(w)
		if m != 0 {
			n := bits.TrailingZeros64(m) / 8
			return v*whole10[n] + fewDigits(w, n), i + n
		}
		v = v*100_000_000 + eightDigits(w)
		i += 8
	}
	return v, i
}

// fewDigits returns the number that the first n < 8 digits of w spell: they move
// to the end of the word, with zeros before them.
func fewDigits(w uint64, n int) uint64 { return eightDigits(w << 8 << (56 - 8*n&63)) }

var whole10 = [8]uint64{1, 10, 100, 1000, 10_000, 100_000, 1_000_000, 10_000_000}

// ScanInt reads a whole number of up to 18 digits as JSON spells it: no plus, no
// zero in front. It returns where it ends, or ok false for what ParseInt may
// still read. b has LinePad bytes behind the text: that the end is in the text is
// for the caller to see.
func ScanInt(b []byte, i int) (v int64, end int, ok bool) {
	neg := b[i] == '-'
	if neg {
		i++
	}
	w := load(b, i) ^ ones*'0'
	var u uint64
	if m := notDigits(w); m != 0 {
		n := bits.TrailingZeros64(m) / 8
		u, end = fewDigits(w, n), i+n
	} else {
		u, end = digits(b, i+8, eightDigits(w))
	}
	if n := end - i; uint(n-1) > 17 || b[i] == '0' && n > 1 {
		return 0, 0, false
	}
	if v = int64(u); neg {
		v = -v
	}
	return v, end, true
}

// ScanFloat is ScanInt for numbers with a point, of up to 19 digits and without
// exponent; the result is the nearest double.
func ScanFloat(b []byte, i int) (v float64, end int, ok bool) {
	neg := b[i] == '-'
	if neg {
		i++
	}
	w := load(b, i) ^ ones*'0'
	var mant uint64
	if m := notDigits(w); m != 0 {
		n := bits.TrailingZeros64(m) / 8
		mant, end = fewDigits(w, n), i+n
	} else {
		mant, end = digits(b, i+8, eightDigits(w))
	}
	n, frac := end-i, 0
	if n == 0 || b[i] == '0' && n > 1 {
		return 0, 0, false
	}
	if b[end] == '.' {
		point := end + 1
		w := load(b, point) ^ ones*'0'
		if m := notDigits(w); m != 0 {
			frac = bits.TrailingZeros64(m) / 8
			mant, end = mant*whole10[frac]+fewDigits(w, frac), point+frac
		} else {
			mant, end = digits(b, point+8, mant*100_000_000+eightDigits(w))
			frac = end - point
		}
		if n += frac; frac == 0 {
			return 0, 0, false
		}
	}
	if n > 19 || b[end]|0x20 == 'e' {
		return 0, 0, false
	}
	v = scaled(mant, frac)
	if neg {
		v = -v
	}
	return v, end, true
}
