package kafka

import (
	"math"
	"time"
)

// prorate cuts the way from begin to end down to limit offsets, shared among the
// partitions in proportion to their lag. A short partition gets at least one
// offset, so that none starves and the sum may be a little over the limit.
func prorate(begin, end positions, limit int64) positions {
	var total float64
	for p, e := range end {
		total += float64(max(e-begin[p], 0))
	}
	if total <= float64(limit) {
		return end
	}
	out := positions{}
	for p, e := range end {
		size := e - begin[p]
		if size <= 0 {
			out[p] = e
			continue
		}
		part := float64(limit) * (float64(size) / total)
		if part < 1 {
			part = math.Ceil(part)
		}
		out[p] = begin[p] + min(int64(part), size)
	}
	return out
}

// patience delays an epoch until enough records are there, or long enough has
// passed since the last one. The first epoch is never delayed.
type patience struct {
	least int64
	delay time.Duration
	last  time.Time
}

// wait reports whether the epoch should wait, given how many offsets are new.
func (p *patience) wait(now time.Time, news int64) bool {
	if p.least == 0 || news >= p.least || p.last.IsZero() || now.Sub(p.last) >= p.delay {
		p.last = now
		return false
	}
	return true
}
