// Package wkb reads and writes well-known binary, the form of points, lines, polygons
// and collections of them of ISO 19125 (type codes plus 1000 for Z, 2000 for M and
// 3000 for both).
package wkb

import (
	"encoding/binary"
	"fmt"
	"math"
)

// maxDepth bounds collections within collections.
const maxDepth = 256

// Error says what is wrong with a shape, and at which byte.
type Error struct {
	What string
	At   int
}

// Error is the message.
func (e *Error) Error() string { return fmt.Sprintf("%s at byte %d", e.What, e.At) }

// Convert appends the shape in src to dst with all its numbers in one byte order.
// What follows the shape is left out. geographic shapes have degrees: −180 to 180 and
// −90 to 90. The error is an *Error.
func Convert(dst, src []byte, order binary.AppendByteOrder, geographic bool) ([]byte, error) {
	if len(src) == 0 {
		return dst, &Error{"there is no shape", 0}
	}
	c := &converter{src: src, dst: dst, out: order, geographic: geographic}
	_, err := c.shape(0)
	return c.dst, err
}

type converter struct {
	src, dst   []byte
	at         int
	in         binary.ByteOrder
	out        binary.AppendByteOrder
	geographic bool
}

func (c *converter) need(n int) error {
	if len(c.src)-c.at < n {
		return &Error{"the shape ends early", c.at}
	}
	return nil
}

func (c *converter) uint32() (uint32, error) {
	if err := c.need(4); err != nil {
		return 0, err
	}
	v := c.in.Uint32(c.src[c.at:])
	c.at += 4
	c.dst = c.out.AppendUint32(c.dst, v)
	return v, nil
}

// The kinds of shapes, which the type codes have modulo 1000.
const (
	point = iota + 1
	line
	polygon
	points
	lines
	polygons
	collection
)

// shape converts one shape and returns its kind.
func (c *converter) shape(depth int) (kind int, err error) {
	if depth > maxDepth {
		return 0, &Error{"collections are nested too deep", c.at}
	}
	if err := c.need(5); err != nil {
		return 0, err
	}
	switch c.src[c.at] {
	case 0:
		c.in = binary.BigEndian
	case 1:
		c.in = binary.LittleEndian
	default:
		return 0, &Error{"the byte order is neither 0 nor 1", c.at}
	}
	c.at++
	mark := byte(1)
	if c.out == binary.AppendByteOrder(binary.BigEndian) {
		mark = 0
	}
	c.dst = append(c.dst, mark)
	from := c.at
	code, err := c.uint32()
	if err != nil {
		return 0, err
	}
	kind = int(code % 1000)
	if code >= 4000 || kind < point || kind > collection {
		return 0, &Error{fmt.Sprintf("there is no shape of type %d", code), from}
	}
	width := 2 + [4]int{0, 1, 1, 2}[code/1000]
	switch kind {
	case point:
		return kind, c.point(width)
	case line:
		at := c.at
		n, _, _, err := c.line(width)
		if err == nil && n == 1 {
			err = &Error{"a line has one point", at}
		}
		return kind, err
	case polygon:
		return kind, c.rings(width)
	}
	n, err := c.uint32()
	if err != nil {
		return 0, err
	}
	for range n {
		at := c.at
		member, err := c.shape(depth + 1)
		if err != nil {
			return 0, err
		}
		if kind != collection && member != kind-points+point {
			return 0, &Error{"a member of a collection is of another type", at}
		}
	}
	return kind, nil
}

// point is one point, NaN throughout for none.
func (c *converter) point(width int) error {
	at := c.at
	p, err := c.coordinates(width)
	if err != nil {
		return err
	}
	empty := true
	for _, v := range p[:width] {
		empty = empty && v != v
	}
	if empty {
		return nil
	}
	return c.check(p[:width], at)
}

func (c *converter) coordinates(width int) (p [4]float64, err error) {
	if err := c.need(8 * width); err != nil {
		if len(c.src)-c.at >= 8 { // the number that is cut off
			err.(*Error).At += (len(c.src) - c.at) / 8 * 8
		}
		return p, err
	}
	for i := range width {
		bits := c.in.Uint64(c.src[c.at:])
		p[i] = math.Float64frombits(bits)
		c.dst = c.out.AppendUint64(c.dst, bits)
		c.at += 8
	}
	return p, nil
}

func (c *converter) check(p []float64, at int) error {
	for i, v := range p {
		limit := math.MaxFloat64
		if c.geographic && i < 2 {
			limit = [2]float64{180, 90}[i]
		}
		if !(v >= -limit && v <= limit) {
			return &Error{"a coordinate is out of range", at}
		}
	}
	return nil
}

// line is a number of points; it returns how many, the first and the last.
func (c *converter) line(width int) (n int, first, last [4]float64, err error) {
	count, err := c.uint32()
	if err != nil {
		return 0, first, last, err
	}
	for i := range count {
		at := c.at
		if last, err = c.coordinates(width); err != nil {
			return 0, first, last, err
		}
		if err := c.check(last[:width], at); err != nil {
			return 0, first, last, err
		}
		if i == 0 {
			first = last
		}
	}
	return int(count), first, last, nil
}

func (c *converter) rings(width int) error {
	n, err := c.uint32()
	if err != nil {
		return err
	}
	for range n {
		at := c.at
		count, first, last, err := c.line(width)
		switch {
		case err != nil:
			return err
		case count < 4:
			return &Error{"a ring has fewer than four points", at}
		case first != last:
			return &Error{"a ring does not end where it begins", at}
		}
	}
	return nil
}
