package feed

import (
	"slices"
	"sync"

	"github.com/flightd/flightd/internal/base"
)

// recentBytes is how much of the newest epochs is kept unpacked for all readers.
const recentBytes = 16 << 20

// recent are epochs that readers had last, the newest: those who follow a feed read the
// same epoch at about the same time, and the first of them reads it for all. It may be
// used by several goroutines.
type recent struct {
	mu    sync.Mutex
	list  []*shared // ascending
	bytes int64
	limit int64
}

// shared is an epoch that one reads and others wait for.
type shared struct {
	number  base.Epoch
	bytes   int64
	once    sync.Once
	epoch   *Epoch
	err     error
	derived Derived
	// users are the readers that have not got their rows yet, one more as long as it is
	// in the list.
	users int
}

// get returns the epoch of e as read makes it.
func (r *recent) get(e *entry, read func(*entry) (*Epoch, error)) (*Epoch, error) {
	s := r.take(e)
	defer r.leave(s)
	s.once.Do(func() { s.epoch, s.err = read(e) })
	if s.err != nil {
		r.drop(s)
		return nil, s.err
	}
	out := *s.epoch
	out.Derived = &s.derived
	out.Rows = slices.Clone(out.Rows)
	for _, rec := range out.Rows {
		rec.Retain()
	}
	return &out, nil
}

func (r *recent) take(e *entry) *shared {
	r.mu.Lock()
	defer r.mu.Unlock()
	i, ok := slices.BinarySearchFunc(r.list, e.epoch, func(s *shared, want base.Epoch) int { return int(s.number - want) })
	if ok {
		r.list[i].users++
		return r.list[i]
	}
	s := &shared{number: e.epoch, bytes: e.unpacked, users: 2}
	r.list = slices.Insert(r.list, i, s)
	for r.bytes += s.bytes; r.bytes > r.limit; { // the oldest go, which may be s itself
		r.remove(0)
	}
	return s
}

// remove takes an epoch off the list. r is locked.
func (r *recent) remove(i int) {
	s := r.list[i]
	r.list = slices.Delete(r.list, i, i+1)
	r.bytes -= s.bytes
	r.unuse(s)
}

func (r *recent) unuse(s *shared) {
	if s.users--; s.users == 0 && s.epoch != nil {
		s.derived.release()
		s.epoch.Release()
	}
}

func (r *recent) leave(s *shared) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.unuse(s)
}

// drop forgets s, which could not be read.
func (r *recent) drop(s *shared) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if i := slices.Index(r.list, s); i >= 0 {
		r.remove(i)
	}
}

// clear forgets all.
func (r *recent) clear() {
	r.mu.Lock()
	defer r.mu.Unlock()
	for len(r.list) > 0 {
		r.remove(len(r.list) - 1)
	}
}
