package parquetfile

import (
	"encoding/binary"
	"fmt"
	"math"

	"github.com/apache/arrow-go/v18/arrow/bitutil"

	"github.com/flightd/flightd/sources/parquetfile/encoding"
)

func (c *fixedCells[T]) pick(at, n, present int, among []int32, valid []byte) error {
	to := c.out[at : at+n]
	if len(among) < n {
		to = wordsOf[T](&c.tmp.dense, len(among))
	}
	if c.in == nil {
		c.tmp.index = grown(c.tmp.index, len(among))
		if err := c.indices.Pick(c.tmp.index, among, present); err != nil {
			return fmt.Errorf("dictionary indices: %w", err)
		}
		if err := c.lookUp(to, c.tmp.index); err != nil {
			return err
		}
	} else {
		raw, err := c.in.next(present)
		if err != nil {
			return err
		}
		c.putPicked(to, raw, among)
	}
	if len(among) < n {
		encoding.Spread(c.out[at:at+n], to, valid, at)
	}
	return nil
}

func (c *fixedCells[T]) skip(present int) error {
	if c.in == nil {
		return c.indices.Pick(nil, nil, present)
	}
	_, err := c.in.next(present)
	return err
}

// putPicked is put of the stored values that are named.
func (c *fixedCells[T]) putPicked(dst []T, raw []byte, which []int32) {
	switch dst := any(dst).(type) {
	case []uint64:
		if c.fit == nil {
			for i, k := range which {
				dst[i] = binary.LittleEndian.Uint64(raw[8*int(k):])
			}
			return
		}
	case []uint32:
		if c.fit == nil {
			for i, k := range which {
				dst[i] = binary.LittleEndian.Uint32(raw[4*int(k):])
			}
			return
		}
	}
	size := c.size
	c.tmp.picked = grown(c.tmp.picked, len(which)*size)
	for i, k := range which {
		copy(c.tmp.picked[i*size:(i+1)*size], raw[int(k)*size:])
	}
	c.put(dst, c.tmp.picked)
}

func (c *bitCells) pick(at, n, present int, among []int32, valid []byte) error {
	src, from, err := c.take(present)
	if err != nil {
		return err
	}
	some := len(among) < n
	for i := range n {
		if some && !bitutil.BitIsSet(valid, at+i) {
			continue
		}
		if bitutil.BitIsSet(src, from+int(among[0])) {
			bitutil.SetBit(c.out, at+i)
		}
		if among = among[1:]; len(among) == 0 {
			break
		}
	}
	return nil
}

func (c *bitCells) skip(present int) error {
	_, _, err := c.take(present)
	return err
}

func (c *textCells) pick(at, n, present int, among []int32, valid []byte) error {
	if c.in == &c.dict && !c.texts {
		c.makeIndex()
		to := c.index[at : at+n]
		if len(among) < n {
			c.tmp.dense32 = grown(c.tmp.dense32, len(among))
			to = c.tmp.dense32
		}
		if err := c.dict.pick(to, among, present); err != nil {
			return err
		}
		if len(among) < n {
			encoding.Spread(c.index[at:at+n], to, valid, at)
		}
		return nil
	}
	if !c.texts {
		if err := c.toTexts(at, valid); err != nil {
			return err
		}
	}
	lens, _, err := c.lengths(present)
	if err != nil {
		return err
	}
	total, last := int64(0), 0
	for _, k := range among {
		total += int64(lens[k])
	}
	have := len(c.data)
	if int64(have)+total > math.MaxInt32 {
		return errTooLong
	}
	whole, err := c.values(lens)
	if err != nil {
		return err
	}
	c.data = c.tmp.newData(have+int(total), c.data)
	c.unchecked = c.unchecked || c.in != &c.dict
	dst, src := c.data[:cap(c.data)], whole[:cap(whole)]
	to, from := have, 0
	picked := grown(c.tmp.pickedLens, len(among))
	c.tmp.pickedLens = picked
	for i, k := range among {
		for ; last < int(k); last++ {
			from += int(lens[last])
		}
		size := int(lens[k])
		putShort(dst, to, src, from, size)
		to += size
		picked[i] = int32(size)
	}
	addOffsets(c.off[at:at+n+1], picked, valid, at)
	return nil
}

func (c *textCells) skip(present int) error {
	if c.in == &c.dict {
		return c.dict.pick(nil, nil, present)
	}
	lens, _, err := c.lengths(present)
	if err == nil && c.in == &c.prefix { // it must know the last value
		_, err = c.values(lens)
	}
	return err
}

// values returns the bytes of the values whose lengths were asked for last, one after
// the other, padded.
func (c *textCells) values(lens []int32) ([]byte, error) {
	switch c.in {
	case &c.length:
		return encoding.Padded(c.length.next), nil
	case &c.fixed:
		return encoding.Padded(c.fixed.next), nil
	}
	total := int64(0)
	for _, n := range lens {
		total += int64(n)
	}
	if total > math.MaxInt32 {
		return nil, errTooLong
	}
	c.tmp.picked = grown(c.tmp.picked, int(total)+encoding.Slack)
	out := c.tmp.picked[:total]
	c.in.put(out, lens)
	return out, nil
}

// pick is numbers of those of the next n indices that are named.
func (d *textDictionary) pick(dst []uint32, which []int32, n int) error {
	if err := d.indices.Pick(dst, which, n); err != nil {
		return fmt.Errorf("dictionary indices: %w", err)
	}
	return d.check(dst)
}
