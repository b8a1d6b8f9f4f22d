package columnar

import (
	"encoding/base64"

	"github.com/apache/arrow-go/v18/arrow"
)

// AppendDecimalText appends the number b to a Decimal column; false if it is
// none or does not fit.
func (c *Column) AppendDecimalText(b []byte) bool {
	t := c.Type.(*arrow.Decimal128Type)
	v, ok := ParseDecimal(b, t.Precision, t.Scale)
	if ok {
		c.AppendDecimal(v)
	}
	return ok
}

// AppendDateText appends the date b to a Date column; false if it is none.
func (c *Column) AppendDateText(b []byte) bool {
	d, ok := ParseDate(b)
	return ok && c.AppendInt(int64(d))
}

// AppendTimestampText appends the timestamp b to a Timestamp or TimestampNTZ
// column; false if it is none. z reads texts without a zone.
func (c *Column) AppendTimestampText(b []byte, z *Zone) bool {
	if c.Kind == Timestamp {
		v, ok := ParseTimestamp(b, z)
		return ok && c.AppendInt(v)
	}
	v, zone, ok := z.parseISO(b)
	if !ok || len(zone) > 0 {
		v, ok = ParseTimestampNTZ(b, true)
	}
	return ok && c.AppendInt(v)
}

// AppendBase64 appends the bytes that b encodes to a Binary column; false if b
// is not base64 (padding may be missing).
func (c *Column) AppendBase64(b []byte) bool {
	for len(b) > 0 && b[len(b)-1] == '=' {
		b = b[:len(b)-1]
	}
	at := len(c.data)
	out, err := base64.RawStdEncoding.AppendDecode(c.data, b)
	if err != nil || len(out) > 1<<31-1 {
		c.data = c.data[:at]
		return false
	}
	c.data = out
	c.offsets = append(c.offsets, int32(len(c.data)))
	c.present()
	return true
}
