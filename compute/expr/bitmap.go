package expr

import "math/bits"

// BitmapBits is how many bits the bitmaps of bitmap_construct_agg have.
const BitmapBits = 32768

func bitmapRows() map[string]row {
	return map[string]row{
		"bitmap_bit_position": strict(func(f *frame) error {
			dst, a := results[int64](f), argument[int64](f, 0)
			f.each(func(i int) {
				if v := a.at(i); v > 0 {
					dst[i] = (v - 1) % BitmapBits
				} else {
					dst[i] = -v % BitmapBits
				}
			})
			return nil
		}),
		"bitmap_bucket_number": strict(func(f *frame) error {
			dst, a := results[int64](f), argument[int64](f, 0)
			f.each(func(i int) {
				if v := a.at(i); v > 0 {
					dst[i] = 1 + (v-1)/BitmapBits
				} else {
					dst[i] = v / BitmapBits
				}
			})
			return nil
		}),
		"bitmap_count": strict(func(f *frame) error {
			dst, a := results[int64](f), f.text(0)
			f.each(func(i int) {
				n := 0
				for _, b := range a.at(i) {
					n += bits.OnesCount8(b)
				}
				dst[i] = int64(n)
			})
			return nil
		}),
	}
}
