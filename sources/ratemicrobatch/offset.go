package ratemicrobatch

import (
	"encoding/json"
	"strconv"

	"github.com/flightd/flightd/internal/base"
)

// Limits far from overflow in microseconds.
const (
	maxTimestamp = 1 << 52
	maxOffset    = 1 << 62
)

// offset is the number and time of the next row.
type offset struct {
	Offset    int64 `json:"offset"`
	Timestamp int64 `json:"timestamp"` // milliseconds since 1970
}

func (o offset) encode() base.Offset {
	b := strconv.AppendInt([]byte(`{"offset":`), o.Offset, 10)
	b = strconv.AppendInt(append(b, `,"timestamp":`...), o.Timestamp, 10)
	return base.Offset(append(b, '}'))
}

func decode(text base.Offset) (offset, error) {
	var o offset
	err := json.Unmarshal([]byte(text), &o)
	if err != nil || o.encode() != text || o.Offset < 0 || o.Offset > maxOffset || o.Timestamp < 0 || o.Timestamp > maxTimestamp {
		return offset{}, base.Errorf(base.CodeCorrupt, "%.80q is not an offset of a rate-micro-batch source", text)
	}
	return o, nil
}
