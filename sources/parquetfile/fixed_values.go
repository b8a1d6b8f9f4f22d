package parquetfile

import (
	"encoding/binary"
	"fmt"

	"github.com/flightd/flightd/sources/parquetfile/encoding"
)

// plainValues are stored one after the other.
type plainValues struct {
	data []byte
	size int
}

func (p *plainValues) next(n int) ([]byte, error) {
	if n > len(p.data)/p.size {
		return nil, fmt.Errorf("%d bytes where %d values of %d bytes are needed", len(p.data), n, p.size)
	}
	out := p.data[:n*p.size]
	p.data = p.data[n*p.size:]
	return out, nil
}

// deltaValues are whole numbers of 4 or 8 bytes stored as differences.
type deltaValues struct {
	deltas encoding.Delta
	size   int
	ints   []int64
	buf    []byte
}

func (d *deltaValues) next(n int) ([]byte, error) {
	if int64(n) > d.deltas.Len() {
		return nil, fmt.Errorf("%d delta values where %d are needed", d.deltas.Len(), n)
	}
	d.ints = grown(d.ints, n)
	if err := d.deltas.Next(d.ints); err != nil {
		return nil, err
	}
	if d.size == 8 {
		return bytesOf(d.ints), nil
	}
	d.buf = grown(d.buf, 4*n)
	for i, v := range d.ints {
		binary.LittleEndian.PutUint32(d.buf[4*i:], uint32(v))
	}
	return d.buf, nil
}

// splitValues are stored byte by byte.
type splitValues struct {
	split encoding.Split
	size  int
	buf   []byte
}

func (s *splitValues) next(n int) ([]byte, error) {
	if n > s.split.Len() {
		return nil, fmt.Errorf("%d split values where %d are needed", s.split.Len(), n)
	}
	s.buf = grown(s.buf, n*s.size)
	return s.buf, s.split.Next(s.buf)
}

// textValues are stored as bytes of any length, of which each must have size.
type textValues struct {
	in   prefixedText
	size int
	lens []int32
	buf  []byte
}

func (t *textValues) next(n int) ([]byte, error) {
	t.lens = grown(t.lens, n)
	if _, err := t.in.lengths(t.lens); err != nil {
		return nil, err
	}
	for _, have := range t.lens {
		if int(have) != t.size {
			return nil, fmt.Errorf("a value of %d bytes where %d are needed", have, t.size)
		}
	}
	t.buf = grown(t.buf, n*t.size+encoding.Slack)[:n*t.size]
	t.in.put(t.buf, t.lens)
	return t.buf, nil
}
