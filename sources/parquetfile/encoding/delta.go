package encoding

import (
	"fmt"
	"math"
)

// maxBlock is the most values of a block that a delta encoding may have.
const maxBlock = 1 << 24

// Delta decodes whole numbers stored as differences, in blocks of miniblocks of
// a width each (DELTA_BINARY_PACKED). Arithmetic wraps around, so numbers of 32
// bits are the low halves of what it yields.
type Delta struct {
	data []byte // what follows the current miniblock
	// left is how many values are to come; first says that the one in last is.
	left  int64
	first bool
	last  int64
	// perMini is the values of a miniblock, minis the miniblocks of a block.
	perMini, minis int
	min            int64
	widths         []byte // of the miniblocks of this block that follow
	mini           []byte
	width          int
	at, miniLeft   int
}

// Reset begins with data, whose header it decodes.
func (d *Delta) Reset(data []byte) error {
	*d = Delta{data: Padded(data), first: true}
	var head [3]uint64
	for i := range head {
		v, n, err := uvarint(d.data)
		if err != nil {
			return fmt.Errorf("delta header: %w", err)
		}
		head[i], d.data = v, d.data[n:]
	}
	v, n, err := uvarint(d.data)
	if err != nil {
		return fmt.Errorf("delta header: %w", err)
	}
	d.last, d.data = unzigzag(v), d.data[n:]
	block, minis, total := head[0], head[1], head[2]
	if block == 0 || block > maxBlock || minis == 0 || minis > block || block%minis != 0 || block/minis%8 != 0 {
		return fmt.Errorf("delta blocks of %d values in %d miniblocks", block, minis)
	}
	if total > math.MaxInt32 {
		return fmt.Errorf("%d delta values in a page", total)
	}
	d.perMini, d.minis, d.left = int(block/minis), int(minis), int64(total)
	return nil
}

// Len returns how many values are to come.
func (d *Delta) Len() int64 { return d.left }

// Next decodes the next len(dst) values.
func (d *Delta) Next(dst []int64) error {
	if int64(len(dst)) > d.left {
		return fmt.Errorf("%d delta values where %d are needed", d.left, len(dst))
	}
	d.left -= int64(len(dst))
	if d.first && len(dst) > 0 {
		d.first = false
		dst[0] = d.last
		dst = dst[1:]
	}
	for len(dst) > 0 {
		if d.miniLeft == 0 {
			if err := d.next(); err != nil {
				return err
			}
		}
		n := min(d.miniLeft, len(dst))
		d.decode(dst[:n])
		dst, d.miniLeft = dst[n:], d.miniLeft-n
	}
	return nil
}

// next begins with the next miniblock.
func (d *Delta) next() error {
	if len(d.widths) == 0 {
		v, n, err := uvarint(d.data)
		if err != nil {
			return fmt.Errorf("delta block: %w", err)
		}
		d.min, d.data = unzigzag(v), d.data[n:]
		if len(d.data) < d.minis {
			return fmt.Errorf("delta block: %w", ErrShort)
		}
		d.widths, d.data = d.data[:d.minis], d.data[d.minis:]
	}
	d.width, d.widths = int(d.widths[0]), d.widths[1:]
	if d.width > 64 {
		return fmt.Errorf("delta values of %d bits", d.width)
	}
	bytes := d.perMini / 8 * d.width
	if len(d.data) < bytes {
		return fmt.Errorf("delta miniblock: %w", ErrShort)
	}
	d.mini, d.data = d.data[:bytes], d.data[bytes:]
	d.at, d.miniLeft = 0, d.perMini
	return nil
}

// decode adds up the next differences of the miniblock.
func (d *Delta) decode(dst []int64) {
	src, last := d.mini[:cap(d.mini)], d.last
	bit := d.at * d.width
	switch {
	case d.width == 0:
		for i := range dst {
			last += d.min
			dst[i] = last
		}
	case d.width <= 57:
		m := uint64(1)<<d.width - 1
		for i := range dst {
			last += d.min + int64(load(src, bit>>3)>>(bit&7)&m)
			dst[i] = last
			bit += d.width
		}
	default:
		m := ^uint64(0) >> (64 - d.width)
		for i := range dst {
			s := bit & 7
			v := load(src, bit>>3)>>s | uint64(src[bit>>3+8])<<(64-s)
			last += d.min + int64(v&m)
			dst[i] = last
			bit += d.width
		}
	}
	d.last, d.at = last, d.at+len(dst)
}

// End passes over all values that are to come and returns the bytes behind them.
func (d Delta) End() ([]byte, error) {
	left := d.left
	if d.first {
		left--
	}
	for left -= int64(d.miniLeft); left > 0; left -= int64(d.perMini) {
		if err := d.next(); err != nil {
			return nil, err
		}
	}
	return d.data, nil
}
