package encoding

import "math/bits"

// Spread puts the values of src in order where valid has bits: value i of dst is
// present if bit at+i of valid is 1. src has as many values as there are bits;
// valid can be looked at Slack bytes beyond. Values of dst that are not present
// are left alone or become zero.
func Spread[T any](dst, src []T, valid []byte, at int) {
	valid = valid[:cap(valid)]
	for i := 0; i < len(dst); i += 56 {
		n := min(56, len(dst)-i)
		w := load(valid, (at+i)>>3) >> ((at + i) & 7) & (1<<n - 1)
		if w == 1<<n-1 {
			copy(dst[i:i+n], src)
			src = src[n:]
			continue
		}
		present := src[:bits.OnesCount64(w)]
		if n < 56 || len(src) < 64 || !spread56(dst[i:], src, w) {
			out, rest := dst[i:i+n], w
			for _, v := range present {
				out[bits.TrailingZeros64(rest)] = v
				rest &= rest - 1
			}
		}
		src = src[len(present):]
	}
}

// spread56 spreads over 56 values without a branch, where they are words. There are 64
// in src.
func spread56[T any](dst, src []T, w uint64) bool {
	switch dst := any(dst).(type) {
	case []uint64:
		spreadWords(dst, any(src).([]uint64), w)
		return true
	case []uint32:
		spreadWords(dst, any(src).([]uint32), w)
		return true
	}
	return false
}

func spreadWords[T uint32 | uint64](dst, src []T, w uint64) {
	d, s := (*[56]T)(dst), (*[64]T)(src)
	k := uint64(0)
	for i := range d {
		d[i] = s[k&63] & -T(w&1)
		k += w & 1
		w >>= 1
	}
}

// Gather puts dict[index[i]] at dst[i]. It returns the place of the first index
// that is beyond dict, −1 if there is none.
func Gather[T any](dst, dict []T, index []uint32) int {
	dst = dst[:len(index)]
	for i, k := range index {
		if uint64(k) >= uint64(len(dict)) {
			return i
		}
		dst[i] = dict[k]
	}
	return -1
}

// GatherWide is Gather of signed numbers that become twice as wide: low half first.
func GatherWide[W ~[2]uint64](dst []W, dict []uint64, index []uint32) int {
	dst = dst[:len(index)]
	for i, k := range index {
		if uint64(k) >= uint64(len(dict)) {
			return i
		}
		x := dict[k]
		dst[i] = W{x, uint64(int64(x) >> 63)}
	}
	return -1
}
