package state

import (
	"sync"
	"sync/atomic"
)

// A rest is the time in which no table of a store changes: from the end of an epoch to
// the first change of the next one. Only then can the state be pinned.
type rest struct {
	on   atomic.Bool
	mu   sync.Mutex
	over func()
}

// Rest says that the state rests: over is called once, before the next change of any
// table, which waits for its return. Until then View and Pin may be called from any
// goroutine, one at a time.
func (m *MemoryStore) Rest(over func()) {
	m.rest.mu.Lock()
	defer m.rest.mu.Unlock()
	m.rest.over = over
	m.rest.on.Store(true)
}

// end is called before a table changes. Several workers may call it at the same time.
func (r *rest) end() {
	if r == nil || !r.on.Load() {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.on.Load() {
		r.over()
		r.on.Store(false)
	}
}
