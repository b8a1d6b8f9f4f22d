package feed

import (
	"sync"

	"github.com/apache/arrow-go/v18/arrow"
)

// Derived is what the readers of an epoch have made of its rows: the first who needs
// something makes it, the others share it. It goes with the epoch when newer ones take
// its place.
type Derived struct {
	mu     sync.Mutex
	rows   map[any][]arrow.RecordBatch
	values map[any]any
	closed bool
}

// Rows returns what build makes, for a key that says what it depends on beside the
// epoch. The caller releases it. A nil Derived makes it anew.
func (c *Derived) Rows(key any, build func() []arrow.RecordBatch) []arrow.RecordBatch {
	if c == nil {
		return build()
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	out, ok := c.rows[key]
	if !ok {
		out = build()
		if c.closed {
			return out
		}
		if c.rows == nil {
			c.rows = map[any][]arrow.RecordBatch{}
		}
		c.rows[key] = out
	}
	for _, rec := range out {
		rec.Retain()
	}
	return append([]arrow.RecordBatch(nil), out...)
}

// Value is Rows for what needs no releasing.
func (c *Derived) Value(key any, build func() any) any {
	if c == nil {
		return build()
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	v, ok := c.values[key]
	if !ok {
		v = build()
		if !c.closed {
			if c.values == nil {
				c.values = map[any]any{}
			}
			c.values[key] = v
		}
	}
	return v
}

// release forgets all.
func (c *Derived) release() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, rows := range c.rows {
		release(rows)
	}
	c.rows, c.values, c.closed = nil, nil, true
}
