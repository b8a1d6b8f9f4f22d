package expr

import (
	"math"
	"sync/atomic"

	"github.com/flightd/flightd/internal/base"
)

// Memory counts what the operators of a query, or of an epoch, hold beyond the record
// batch they are at, and bounds it. A nil Memory bounds nothing. Several workers may use
// one.
type Memory struct {
	// Limit is the most bytes; 0 is no bound.
	Limit int64
	held  atomic.Int64
}

// MemoryLimit is the setting that the bound comes from.
const MemoryLimit = "flightd.memoryLimit"

// Take counts n bytes more for who, an operator or a function. An Exhausted error says
// that there is no room for them; then they are not counted.
func (m *Memory) Take(who string, n int64) error {
	if m == nil || m.Limit <= 0 {
		return nil
	}
	if held := m.held.Add(n); held > m.Limit && n > 0 {
		m.held.Add(-n)
		return m.refuse(who, n, held-n)
	}
	return nil
}

// Give counts n bytes less.
func (m *Memory) Give(n int64) {
	if m != nil && m.Limit > 0 {
		m.held.Add(-n)
	}
}

// Room returns the error of Take without counting.
func (m *Memory) Room(who string, n int64) error {
	if m == nil || m.Limit <= 0 {
		return nil
	}
	if held := m.held.Load(); n > m.Limit-held {
		return m.refuse(who, n, held)
	}
	return nil
}

func (m *Memory) refuse(who string, n, held int64) error {
	e := base.UserError("UNABLE_TO_ACQUIRE_MEMORY", "53200", "Unable to acquire %d bytes of memory for %s: the query holds %d bytes already, of the %d of %s.",
		n, who, held, m.Limit, MemoryLimit)
	e.Code = base.CodeExhausted
	return e.WithHint("raise %s, or let the query keep less: fewer rows, columns or groups", MemoryLimit)
}

// cheap is how many bytes a row may make without anyone asking for room.
const cheap = 16 << 20

// room returns an error if there is no memory for n bytes more in the result of a call.
func (f *frame) room(n int64) error {
	if n < cheap {
		return nil
	}
	err := f.env.Memory.Room("the function "+f.call.Fn, n)
	if e, ok := err.(*base.Error); ok {
		return e.At(f.call.At)
	}
	return err
}

// product is a·b, or the largest number if that is larger; neither is negative.
func product(a, b int64) int64 {
	if a > 0 && b > math.MaxInt64/a {
		return math.MaxInt64
	}
	return a * b
}
