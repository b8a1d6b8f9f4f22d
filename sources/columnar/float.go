package columnar

import (
	"math"
	"math/bits"
)

// scaled returns the double that is nearest to mant / 10^frac, ties to even, for
// frac up to 27.
func scaled(mant uint64, frac int) float64 {
	// Both are exact doubles, so one correctly rounded division is right.
	if mant <= 1<<53 && frac < len(pow10) {
		return float64(int64(mant)) / pow10[frac]
	}
	if mant == 0 {
		return 0
	}
	// mant / 10^frac = (mant·2^a / (5^frac·2^c)) · 2^(c−a−frac), where both sides of
	// the inner division are moved to the top of 64 bits, the numerator one bit
	// lower, so that the quotient has 63 or 64 bits: 53 to keep, and at least ten to
	// round by, with the remainder for what is behind them.
	den := pow5[frac]
	a, c := bits.LeadingZeros64(mant), bits.LeadingZeros64(den)
	q, rem := bits.Div64(mant<<a>>1, mant<<a<<63, den<<c)
	exp := c - a - frac - 63 // q·2^exp is the value, but for the remainder
	drop := 64 - bits.LeadingZeros64(q) - 53
	kept, rest, half := q>>drop, q&(1<<drop-1), uint64(1)<<(drop-1)
	if rest > half || rest == half && (rem != 0 || kept&1 == 1) {
		kept++
	}
	// Neither end of the exponents is in reach: the value is between 1e-27 and 2e19.
	return math.Float64frombits(uint64(1023+exp+drop)<<52) * float64(int64(kept))
}

// pow5 are the powers of five that fit a word.
var pow5 = [28]uint64{1, 5, 25, 125, 625, 3125, 15625, 78125, 390625, 1953125, 9765625, 48828125, 244140625, 1220703125, 6103515625, 30517578125,
	152587890625, 762939453125, 3814697265625, 19073486328125, 95367431640625, 476837158203125, 2384185791015625, 11920928955078125,
	59604644775390625, 298023223876953125, 1490116119384765625, 7450580596923828125}
