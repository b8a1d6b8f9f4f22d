package encoding

import (
	"errors"
	"fmt"
)

// ErrShort says that the bytes end inside what was to be decoded.
var ErrShort = errors.New("the bytes end too early")

// compact reads Thrift's compact protocol. After an error its position is of no
// use.
type compact struct {
	b  []byte
	at int
}

// The types of Thrift's compact protocol.
const (
	typeTrue   = 1
	typeFalse  = 2
	typeByte   = 3
	typeI16    = 4
	typeI32    = 5
	typeI64    = 6
	typeDouble = 7
	typeBinary = 8
	typeList   = 9
	typeSet    = 10
	typeMap    = 11
	typeStruct = 12
)

// maxDepth is how deep structs may nest in what is skipped.
const maxDepth = 16

func (c *compact) byte() (byte, error) {
	if c.at >= len(c.b) {
		return 0, ErrShort
	}
	c.at++
	return c.b[c.at-1], nil
}

func (c *compact) uvarint() (uint64, error) {
	v, n, err := uvarint(c.b[c.at:])
	c.at += n
	return v, err
}

// uvarint decodes an unsigned number of seven bits a byte.
func uvarint(b []byte) (v uint64, n int, err error) {
	for i, x := range b {
		if i == 9 && x > 1 || i > 9 {
			return 0, i, fmt.Errorf("a number of more than 64 bits")
		}
		v |= uint64(x&0x7f) << (7 * i)
		if x < 0x80 {
			return v, i + 1, nil
		}
	}
	return 0, len(b), ErrShort
}

func unzigzag(v uint64) int64 { return int64(v>>1) ^ -int64(v&1) }

// int32 decodes a signed number that must fit 32 bits.
func (c *compact) int32() (int32, error) {
	v, err := c.uvarint()
	n := unzigzag(v)
	if err == nil && n != int64(int32(n)) {
		err = fmt.Errorf("%d is beyond 32 bits", n)
	}
	return int32(n), err
}

// fields calls each for the fields of a struct; each consumes the field's value.
func (c *compact) fields(each func(id int32, typ byte) error) error {
	id := int32(0)
	for {
		head, err := c.byte()
		if err != nil || head == 0 {
			return err
		}
		if delta := int32(head >> 4); delta != 0 {
			id += delta
		} else if id, err = c.int32(); err != nil {
			return err
		}
		if err := each(id, head&15); err != nil {
			return err
		}
	}
}

// skip passes over a value of type typ.
func (c *compact) skip(typ byte, depth int) error {
	if depth > maxDepth {
		return fmt.Errorf("a page header of more than %d levels", maxDepth)
	}
	switch typ {
	case typeTrue, typeFalse:
		return nil
	case typeByte:
		return c.pass(1)
	case typeI16, typeI32, typeI64:
		_, err := c.uvarint()
		return err
	case typeDouble:
		return c.pass(8)
	case typeBinary:
		n, err := c.uvarint()
		if err != nil {
			return err
		}
		return c.pass(n)
	case typeList, typeSet:
		head, err := c.byte()
		if err != nil {
			return err
		}
		n := uint64(head >> 4)
		if n == 15 {
			if n, err = c.uvarint(); err != nil {
				return err
			}
		}
		return c.skipAll(n, depth, head&15)
	case typeMap:
		n, err := c.uvarint()
		if err != nil || n == 0 {
			return err
		}
		types, err := c.byte()
		if err != nil {
			return err
		}
		return c.skipAll(n, depth, types>>4, types&15)
	case typeStruct:
		return c.fields(func(_ int32, typ byte) error { return c.skip(typ, depth+1) })
	}
	return fmt.Errorf("a page header with a field of type %d", typ)
}

// skipAll passes over n groups of values. A truth value takes a byte here.
func (c *compact) skipAll(n uint64, depth int, types ...byte) error {
	for range n {
		for _, t := range types {
			if t == typeTrue || t == typeFalse {
				t = typeByte
			}
			if err := c.skip(t, depth+1); err != nil {
				return err
			}
		}
	}
	return nil
}

func (c *compact) pass(n uint64) error {
	if n > uint64(len(c.b)-c.at) {
		c.at = len(c.b)
		return ErrShort
	}
	c.at += int(n)
	return nil
}
