package parquetfile

import (
	"encoding/binary"
	"fmt"
	"math"

	"github.com/flightd/flightd/sources/parquetfile/encoding"
)

// byteValues decode texts or bytes of a page.
type byteValues interface {
	// lengths decodes the lengths of the next len(dst) values and returns their
	// sum.
	lengths(dst []int32) (int64, error)
	// put puts the values whose lengths were the last ones asked for, lens, one
	// after the other. dst is padded, and what is behind it may be overwritten.
	put(dst []byte, lens []int32)
}

// putShort copies n bytes of src from at on to dst at to. Both have Slack bytes
// more than they need: most values are short, and moving 16 or 32 bytes costs less
// than a call that asks how many there are.
func putShort(dst []byte, to int, src []byte, at, n int) {
	d, s := dst[to:], src[at:]
	if n > 32 {
		copy(d[:n], s)
		return
	}
	*(*[16]byte)(d) = *(*[16]byte)(s)
	if n > 16 {
		*(*[16]byte)(d[16:]) = *(*[16]byte)(s[16:])
	}
}

// plainText is stored as lengths of 4 bytes, each before its value.
type plainText struct {
	data []byte // padded
	at   int    // of the first value whose length was not asked for
	from int    // of the first value that was not put
}

func (p *plainText) lengths(dst []int32) (int64, error) {
	data, at, total := p.data, p.at, int64(0)
	p.from = at
	for i := range dst {
		if len(data)-at < 4 {
			return 0, fmt.Errorf("texts: %w", encoding.ErrShort)
		}
		n := binary.LittleEndian.Uint32(data[at:])
		if uint64(n) > uint64(len(data)-at-4) {
			return 0, fmt.Errorf("a text of %d bytes where %d are left", n, len(data)-at-4)
		}
		at += 4 + int(n)
		dst[i] = int32(n)
		total += int64(n)
	}
	p.at = at
	return total, nil
}

func (p *plainText) put(dst []byte, lens []int32) {
	dst, src := dst[:cap(dst)], p.data[:cap(p.data)]
	to, at := 0, p.from
	for _, n := range lens {
		putShort(dst, to, src, at+4, int(n))
		to, at = to+int(n), at+4+int(n)
	}
}

// fixedText are values of size bytes each.
type fixedText struct {
	data []byte
	size int
	next []byte
}

func (f *fixedText) lengths(dst []int32) (int64, error) {
	n := len(dst) * f.size
	if n > len(f.data) {
		return 0, fmt.Errorf("%d bytes where %d values of %d bytes are needed", len(f.data), len(dst), f.size)
	}
	for i := range dst {
		dst[i] = int32(f.size)
	}
	f.next, f.data = f.data[:n], f.data[n:]
	return int64(n), nil
}

func (f *fixedText) put(dst []byte, _ []int32) { copy(dst, f.next) }

// splitText are values of size bytes each that are stored byte by byte.
type splitText struct{ splitValues }

func (s *splitText) lengths(dst []int32) (int64, error) {
	for i := range dst {
		dst[i] = int32(s.size)
	}
	_, err := s.next(len(dst))
	return int64(len(dst) * s.size), err
}

func (s *splitText) put(dst []byte, _ []int32) { copy(dst, s.buf) }

// lengthText is stored as all lengths, then all values (DELTA_LENGTH_BYTE_ARRAY).
type lengthText struct {
	lens encoding.Delta
	ints []int64
	data []byte
	next []byte
}

func (l *lengthText) reset(data []byte) error {
	if err := l.lens.Reset(data); err != nil {
		return err
	}
	var err error
	l.data, err = l.lens.End()
	return err
}

func (l *lengthText) lengths(dst []int32) (int64, error) {
	total, err := smallNumbers(&l.lens, &l.ints, dst)
	if err != nil {
		return 0, err
	}
	if total > int64(len(l.data)) {
		return 0, fmt.Errorf("texts of %d bytes where %d are left", total, len(l.data))
	}
	l.next, l.data = l.data[:total], l.data[total:]
	return total, nil
}

func (l *lengthText) put(dst []byte, _ []int32) { copy(dst, l.next) }

// smallNumbers decodes lengths and returns their sum.
func smallNumbers(from *encoding.Delta, scratch *[]int64, dst []int32) (int64, error) {
	if int64(len(dst)) > from.Len() {
		return 0, fmt.Errorf("%d lengths where %d are needed", from.Len(), len(dst))
	}
	*scratch = grown(*scratch, len(dst))
	ints := *scratch
	if err := from.Next(ints); err != nil {
		return 0, err
	}
	total := int64(0)
	for i, v := range ints {
		v = int64(int32(v)) // lengths are numbers of 32 bits, which may wrap around
		if v < 0 {
			return 0, fmt.Errorf("a length of %d", v)
		}
		dst[i] = int32(v)
		total += v
	}
	return total, nil
}

// prefixedText is stored as what each value shares with the one before, then what
// it has besides (DELTA_BYTE_ARRAY).
type prefixedText struct {
	shared encoding.Delta
	rest   lengthText
	ints   []int64
	// last is the value before the next one; prefix and suffix are the lengths last
	// asked for.
	last           []byte
	prefix, suffix []int32
}

func (p *prefixedText) reset(data []byte) error {
	p.last = p.last[:0]
	if err := p.shared.Reset(data); err != nil {
		return err
	}
	rest, err := p.shared.End()
	if err != nil {
		return err
	}
	return p.rest.reset(rest)
}

func (p *prefixedText) lengths(dst []int32) (int64, error) {
	if int64(len(dst)) > p.shared.Len() {
		return 0, fmt.Errorf("%d prefixes where %d are needed", p.shared.Len(), len(dst))
	}
	p.prefix, p.suffix = grown(p.prefix, len(dst)), grown(p.suffix, len(dst))
	if _, err := smallNumbers(&p.shared, &p.ints, p.prefix); err != nil {
		return 0, err
	}
	if _, err := p.rest.lengths(p.suffix); err != nil {
		return 0, err
	}
	total, before := int64(0), int64(len(p.last))
	for i := range dst {
		if int64(p.prefix[i]) > before {
			return 0, fmt.Errorf("a prefix of %d bytes of a text of %d", p.prefix[i], before)
		}
		if before = int64(p.prefix[i]) + int64(p.suffix[i]); before > math.MaxInt32 {
			return 0, fmt.Errorf("a text of %d bytes", before)
		}
		dst[i] = int32(before)
		total += before
	}
	return total, nil
}

func (p *prefixedText) put(dst []byte, lens []int32) {
	before, src, to := p.last, p.rest.next, 0
	for i, n := range lens {
		v := dst[to : to+int(n)]
		shared := p.prefix[i]
		copy(v, before[:shared])
		copy(v[shared:], src[:p.suffix[i]])
		src = src[p.suffix[i]:]
		before, to = v, to+int(n)
	}
	p.last = append(p.last[:0], before...)
}
