package kernels

import "math/bits"

// A Modulus reduces numbers modulo a fixed divisor without dividing.
//
// With m = ⌊(2⁶⁴−1)/d⌋ we have m·d = 2⁶⁴−e for some 1 ≤ e ≤ d, so for any
// u < 2⁶⁴ the estimate q = ⌊u·m/2⁶⁴⌋ lies below u/d by less than
// u·e/(d·2⁶⁴) + 1 < 2. Hence q is ⌊u/d⌋ or one less, and one conditional
// subtraction mends the remainder.
type Modulus struct {
	d, m uint64
	// bias is a multiple of d, at least 2⁶¹, that makes every dividend in
	// (−2⁶¹, 2⁶¹) non-negative.
	bias, biasOver uint64
}

const modulusRange = 1 << 61

// NewModulus returns the modulus of d, 0 < d < 2⁶¹.
func NewModulus(d int64) Modulus {
	u := uint64(d)
	over := (modulusRange + u - 1) / u
	return Modulus{d: u, m: ^uint64(0) / u, bias: over * u, biasOver: over}
}

// FloorMod returns x modulo d in [0, d), also for negative x.
func (r Modulus) FloorMod(x int64) int64 {
	if x <= -modulusRange || x >= modulusRange {
		x %= int64(r.d)
		if x < 0 {
			x += int64(r.d)
		}
		return x
	}
	u := uint64(x) + r.bias
	q, _ := bits.Mul64(u, r.m)
	rem := u - q*r.d
	if rem >= r.d {
		rem -= r.d
	}
	return int64(rem)
}

// FloorDiv returns ⌊x/d⌋.
func (r Modulus) FloorDiv(x int64) int64 {
	if x <= -modulusRange || x >= modulusRange {
		q := x / int64(r.d)
		if x%int64(r.d) < 0 {
			q--
		}
		return q
	}
	u := uint64(x) + r.bias
	q, _ := bits.Mul64(u, r.m)
	if u-q*r.d >= r.d {
		q++
	}
	return int64(q - r.biasOver)
}

// WindowNumbers stores in out[i] the number of the last window that begins at or
// before ts[i], where window 0 begins at origin and each next one the modulus
// later.
func WindowNumbers(out, ts []int64, origin int64, slide Modulus) {
	out = out[:len(ts)]
	// Times that come in order stay in a window for long.
	first, last, misses := int64(0), int64(0), 0
	d := slide.d
	for i, t := range ts {
		if uint64(t-first) >= d || i == 0 {
			if misses++; misses > 64 && misses > i/8 {
				windowNumbers(out[i:], ts[i:], origin, slide)
				return
			}
			last = slide.FloorDiv(t - origin)
			first = last*int64(d) + origin
		}
		out[i] = last
	}
}

func windowNumbers(out, ts []int64, origin int64, slide Modulus) {
	for i, t := range ts {
		out[i] = slide.FloorDiv(t - origin)
	}
}

// WindowStarts stores in out[i] the start of the last window that begins at or
// before ts[i], plus shift, where windows begin at origin plus multiples of the
// modulus: for all i, or with sel for those of sel.
func WindowStarts(out, ts []int64, sel []int32, origin, shift int64, slide Modulus) {
	out = out[:len(ts)]
	first, misses, d := int64(0), 0, slide.d
	if sel != nil {
		for i, r := range sel {
			t := ts[r]
			if uint64(t-first) >= d || i == 0 {
				if misses++; misses > 64 && misses > i/8 {
					for _, r := range sel[i:] {
						out[r] = ts[r] - slide.FloorMod(ts[r]-origin) + shift
					}
					return
				}
				first = t - slide.FloorMod(t-origin)
			}
			out[r] = first + shift
		}
		return
	}
	for i, t := range ts {
		if uint64(t-first) >= d || i == 0 {
			if misses++; misses > 64 && misses > i/8 {
				for k, t := range ts[i:] {
					out[i+k] = t - slide.FloorMod(t-origin) + shift
				}
				return
			}
			first = t - slide.FloorMod(t-origin)
		}
		out[i] = first + shift
	}
}
