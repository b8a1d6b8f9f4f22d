package encoding

// unpack decodes len(dst) numbers of width bits each, width from 1 to 32, from
// the bit-packed run src, beginning with number at. src is padded.
func unpack(dst []uint32, src []byte, at, width int) {
	for len(dst) > 0 && at&7 != 0 {
		dst[0] = one(src, at, width)
		dst, at = dst[1:], at+1
	}
	n := len(dst) &^ 7
	unpackGroups(dst[:n], src[at>>3*width:cap(src)], width)
	for i := n; i < len(dst); i++ {
		dst[i] = one(src, at+i, width)
	}
}

// one returns number at of the run src.
func one(src []byte, at, width int) uint32 {
	bit := at * width
	return uint32(load(src[:cap(src)], bit>>3) >> (bit & 7) & (1<<width - 1))
}

// unpackGroups decodes groups of eight numbers. A group of up to 8 bits a number
// is one load, of up to 16 bits two, of up to 28 bits four: of numbers wider than
// that two need not lie within eight bytes.
func unpackGroups(dst []uint32, src []byte, width int) {
	m := uint64(1)<<width - 1
	s := uint(width) & 63
	switch {
	case width <= 8:
		for ; len(dst) >= 8; dst = dst[8:] {
			x := load(src, 0)
			src = src[width:]
			d := (*[8]uint32)(dst)
			d[0] = uint32(x & m)
			x >>= s
			d[1] = uint32(x & m)
			x >>= s
			d[2] = uint32(x & m)
			x >>= s
			d[3] = uint32(x & m)
			x >>= s
			d[4] = uint32(x & m)
			x >>= s
			d[5] = uint32(x & m)
			x >>= s
			d[6] = uint32(x & m)
			x >>= s
			d[7] = uint32(x & m)
		}
	case width <= 16:
		mid, off := width>>1, uint(4*width&7)
		for ; len(dst) >= 8; dst = dst[8:] {
			x, y := load(src, 0), load(src, mid)>>off
			src = src[width:]
			d := (*[8]uint32)(dst)
			d[0], d[4] = uint32(x&m), uint32(y&m)
			x, y = x>>s, y>>s
			d[1], d[5] = uint32(x&m), uint32(y&m)
			x, y = x>>s, y>>s
			d[2], d[6] = uint32(x&m), uint32(y&m)
			x, y = x>>s, y>>s
			d[3], d[7] = uint32(x&m), uint32(y&m)
		}
	case width <= 28:
		for ; len(dst) >= 8; dst = dst[8:] {
			d := (*[8]uint32)(dst)
			for k := 0; k < 8; k += 2 {
				bit := k * width
				x := load(src, bit>>3) >> (bit & 7)
				d[k], d[k+1] = uint32(x&m), uint32(x>>s&m)
			}
			src = src[width:]
		}
	default:
		for ; len(dst) >= 8; dst = dst[8:] {
			d := (*[8]uint32)(dst)
			for k := range d {
				bit := k * width
				d[k] = uint32(load(src, bit>>3) >> (bit & 7) & m)
			}
			src = src[width:]
		}
	}
}
