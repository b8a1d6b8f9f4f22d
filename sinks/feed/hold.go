package feed

import (
	"slices"

	"github.com/flightd/flightd/internal/base"
	"github.com/flightd/flightd/sinks"
)

// A Hold is the epochs that readers can have up to one, and keeps them from being
// removed until it is released. It is for one goroutine.
type Hold struct {
	feed    *Feed
	entries []entry
}

// Hold holds the epochs up to upTo, as far as readers can have them.
func (f *Feed) Hold(upTo base.Epoch) *Hold {
	f.mu.Lock()
	defer f.mu.Unlock()
	h := &Hold{feed: f}
	for _, e := range f.entries {
		if e.epoch <= min(upTo, f.visible) {
			h.entries = append(h.entries, e)
		}
	}
	f.holds = append(f.holds, h)
	return h
}

// Epochs are the epochs that are held, ascending.
func (h *Hold) Epochs() []base.Epoch {
	out := make([]base.Epoch, len(h.entries))
	for i, e := range h.entries {
		out[i] = e.epoch
	}
	return out
}

// Mode is that of the last epoch; false if there is none.
func (h *Hold) Mode() (sinks.Mode, bool) {
	if len(h.entries) == 0 {
		return sinks.Mode{}, false
	}
	return h.entries[len(h.entries)-1].mode, true
}

// Bytes is how many bytes the rows of all epochs are, unpacked.
func (h *Hold) Bytes() (n int64) {
	for _, e := range h.entries {
		n += e.unpacked
	}
	return n
}

// Read returns epoch i of Epochs. The caller releases it. Different epochs may be read
// at the same time.
func (h *Hold) Read(i int) (*Epoch, error) {
	return h.feed.read(&h.entries[i])
}

// Base is what the epochs that are not kept any more came to, if that is before the
// first one held; see Feed.Base.
func (h *Hold) Base() (*Epoch, error) {
	b, err := h.feed.Base()
	if b != nil && len(h.entries) > 0 && b.Number > h.entries[len(h.entries)-1].epoch {
		b.Release()
		return nil, nil
	}
	return b, err
}

// Release lets the epochs go.
func (h *Hold) Release() {
	f := h.feed
	f.mu.Lock()
	defer f.mu.Unlock()
	f.holds = slices.DeleteFunc(f.holds, func(o *Hold) bool { return o == h })
}

// held reports whether somebody holds one of entries.
func (f *Feed) held(entries []entry) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.holding(entries)
}

// holding is held for a caller who has mu.
func (f *Feed) holding(entries []entry) bool {
	last := entries[len(entries)-1].epoch
	return slices.ContainsFunc(f.holds, func(h *Hold) bool { return len(h.entries) > 0 && h.entries[0].epoch <= last })
}
