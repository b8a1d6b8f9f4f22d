package encoding

import "math/bits"

// Spread puts the values of src in order where valid has bits: value i of dst is
// present if bit at+i of valid is 1. src has as many values as there are bits;
// valid can be looked at Slack bytes beyond. Values of dst that are not present
// are left alone or become zero.
func Spread[T any](dst, src []T, valid []byte, at int) {
	valid = valid[:cap(valid)]
	if words, ok := any(dst).([]uint64); ok && useVectors {
		rows, taken := spreadVectors(words, any(src).([]uint64), valid, at)
		dst, src, at = dst[rows:], src[taken:], at+rows
	}
	for i := 0; i < len(dst); i += 56 {
		n := min(56, len(dst)-i)
		w := load(valid, (at+i)>>3) >> ((at + i) & 7) & (1<<n - 1)
		if w == 1<<n-1 {
			copy(dst[i:i+n], src)
			src = src[n:]
			continue
		}
		present := src[:bits.OnesCount64(w)]
		src = src[len(present):]
		out := dst[i : i+n]
		for _, v := range present {
			out[bits.TrailingZeros64(w)] = v
			w &= w - 1
		}
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
