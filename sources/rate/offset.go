package rate

import (
	"encoding/json"
	"strconv"

	"github.com/flightd/flightd/internal/base"
)

// offset is a number of seconds after a query's start.
type offset struct {
	Start   int64 `json:"start"` // milliseconds since 1970
	Seconds int64 `json:"seconds"`
}

func (o offset) encode() base.Offset {
	b := strconv.AppendInt([]byte(`{"start":`), o.Start, 10)
	b = strconv.AppendInt(append(b, `,"seconds":`...), o.Seconds, 10)
	return base.Offset(append(b, '}'))
}

func decode(text base.Offset) (offset, error) {
	var o offset
	if err := json.Unmarshal([]byte(text), &o); err != nil || o.encode() != text || o.Seconds < 0 || o.Seconds > maxSeconds {
		return offset{}, base.Errorf(base.CodeCorrupt, "%.80q is not an offset of a rate source", text)
	}
	return o, nil
}
