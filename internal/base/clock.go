package base

import (
	"context"
	"sync"
	"time"
)

// Clock is where the engine gets the time from, so that a month of minute
// triggers runs in a second in a test.
type Clock interface {
	// Now returns the current time.
	Now() time.Time
	// Sleep returns nil after d, or ctx's error when it ends first.
	Sleep(ctx context.Context, d time.Duration) error
}

// RealClock is the computer's clock.
type RealClock struct{}

var _ Clock = RealClock{}

// Now returns time.Now.
func (RealClock) Now() time.Time { return time.Now() }

// Sleep waits for d or for ctx.
func (RealClock) Sleep(ctx context.Context, d time.Duration) error {
	if d <= 0 {
		return ctx.Err()
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// VirtualClock stands still until Advance moves it.
type VirtualClock struct {
	mu      sync.Mutex
	now     time.Time
	waiters map[chan struct{}]time.Time
}

var _ Clock = (*VirtualClock)(nil)

// NewVirtualClock returns a clock that shows now.
func NewVirtualClock(now time.Time) *VirtualClock {
	return &VirtualClock{now: now, waiters: map[chan struct{}]time.Time{}}
}

// Now returns the time that the clock shows.
func (c *VirtualClock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

// Advance moves the clock by d and wakes every sleeper that is due.
func (c *VirtualClock) Advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
	for ch, due := range c.waiters {
		if !due.After(c.now) {
			close(ch)
			delete(c.waiters, ch)
		}
	}
}

// Sleep waits until the clock has been advanced by d, or for ctx.
func (c *VirtualClock) Sleep(ctx context.Context, d time.Duration) error {
	if d <= 0 {
		return ctx.Err()
	}
	ch := make(chan struct{})
	c.mu.Lock()
	c.waiters[ch] = c.now.Add(d)
	c.mu.Unlock()
	select {
	case <-ch:
		return nil
	case <-ctx.Done():
		c.mu.Lock()
		delete(c.waiters, ch)
		c.mu.Unlock()
		return ctx.Err()
	}
}
