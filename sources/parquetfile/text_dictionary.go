package parquetfile

import (
	"fmt"
	"math"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/flightd/flightd/sources/parquetfile/encoding"
)

// textDictionary is the dictionary of a column of texts, and decodes the pages
// that have indices of it.
type textDictionary struct {
	// off has an offset more than there are values, and one more, so that an index
	// of 0 at a null row is one of an empty dictionary too.
	off  []int32
	data []byte // padded
	made *array.Data

	indices encoding.Runs
	next    []uint32
}

// fill takes the n values of in, which has at most most.
func (d *textDictionary) fill(in byteValues, most, n int, t arrow.DataType) error {
	if n > most {
		return fmt.Errorf("a dictionary of %d values in a page of at most %d", n, most)
	}
	lens := make([]int32, n)
	total, err := in.lengths(lens)
	if err != nil {
		return err
	}
	if total > math.MaxInt32 {
		return errTooLong
	}
	d.off = make([]int32, n+2)
	addOffsets(d.off[:n+1], lens, nil, 0)
	d.off[n+1] = d.off[n]
	d.data = make([]byte, total, total+encoding.Slack)
	in.put(d.data, lens)
	if t.ID() == arrow.STRING && !validTexts(d.data, d.off[:n+1]) {
		return errNotText
	}
	return nil
}

// array returns the values as an array, always the same.
func (d *textDictionary) array(t arrow.DataType) *array.Data {
	if d.made == nil {
		if d.off == nil { // no page had one: all rows are null
			d.off = make([]int32, 2)
		}
		n := len(d.off) - 2
		d.made = textData(t, n, 0, nil, d.off[:n+1:n+1], d.data)
	}
	return d.made
}

// numbers decodes the next indices and checks them.
func (d *textDictionary) numbers(dst []uint32) error {
	if err := d.indices.Numbers(dst); err != nil {
		return fmt.Errorf("dictionary indices: %w", err)
	}
	return d.check(dst)
}

// check returns an error for an index that has no value.
func (d *textDictionary) check(dst []uint32) error {
	top := uint32(0)
	for _, k := range dst {
		top = max(top, k)
	}
	if n := len(d.off) - 2; int64(top) >= int64(n) && len(dst) > 0 {
		return fmt.Errorf("index %d of a dictionary of %d values", top, n)
	}
	return nil
}

func (d *textDictionary) lengths(dst []int32) (int64, error) {
	d.next = grown(d.next, len(dst))
	if err := d.numbers(d.next); err != nil {
		return 0, err
	}
	total := int64(0)
	for i, k := range d.next {
		dst[i] = d.off[k+1] - d.off[k]
		total += int64(dst[i])
	}
	return total, nil
}

func (d *textDictionary) put(dst []byte, lens []int32) {
	dst, src, to := dst[:cap(dst)], d.data[:cap(d.data)], 0
	for i, k := range d.next {
		putShort(dst, to, src, int(d.off[k]), int(lens[i]))
		to += int(lens[i])
	}
}
