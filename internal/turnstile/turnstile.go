// Package turnstile lets few goroutines of many work at a time, in the order in which
// they came: the subscribers of a feed, whom each epoch makes ready all at once. Who
// has his turn does work that ends by itself; before he waits for anything that he does
// not rule, such as a client, he gives way.
//
// Invariants, held by its tests:
//
//	T1  No more have their turn than there are places.
//	T2  Who queued first has his turn first.
//	T3  A place that is given back, by whoever and however often, goes to the next one
//	    once. Nobody waits while a place is free.
//	T4  Turns that follow each other take at most about Work; then the place rests for
//	    Rest before it goes on, so that whoever else wants to work finds room. If nobody
//	    waits, it need not.
package turnstile

import (
	"context"
	"slices"
	"sync"
	"time"
)

// Work is how long turns follow each other, Rest how long a place rests then. Shorter
// ones could not be: Go's timers wait for a millisecond at least when nothing else runs.
const (
	Work = 300 * time.Microsecond
	Rest = time.Millisecond
)

// Turnstile has a number of places.
type Turnstile struct {
	mu    sync.Mutex
	free  int
	queue []*Ticket
	// worked is how long turns took since the last rest.
	worked time.Duration
}

// New returns a turnstile with places, at least one.
func New(places int) *Turnstile { return &Turnstile{free: max(1, places)} }

// Ticket is one goroutine's place in the queue. A nil ticket always has its turn.
// Enter, Turn and Cancel are for its owner, the others for any goroutine.
type Ticket struct {
	of    *Turnstile
	state state
	turn  chan struct{}
	began time.Time // of the turn
}

type state uint8

const (
	out state = iota
	queued
	in
)

// Ticket returns a new one; it needs no closing when it has given way.
func (t *Turnstile) Ticket() *Ticket { return &Ticket{of: t, turn: make(chan struct{}, 1)} }

// Queue puts the ticket at the end of the queue, unless it is in it or has its turn.
func (k *Ticket) Queue() {
	t := k.of
	t.mu.Lock()
	defer t.mu.Unlock()
	if k.state == out {
		k.state = queued
		t.queue = append(t.queue, k)
		t.admit()
	}
}

// admit gives the free places away. t is locked.
func (t *Turnstile) admit() {
	for ; t.free > 0 && len(t.queue) > 0; t.free-- {
		k := t.queue[0]
		t.queue[0] = nil
		t.queue = t.queue[1:]
		k.state, k.began = in, time.Now()
		select {
		case k.turn <- struct{}{}:
		default: // he has not seen yet that he had a turn before
		}
	}
}

// Enter waits for the ticket's turn, if it does not have it already.
func (k *Ticket) Enter(ctx context.Context) error {
	if k == nil {
		return ctx.Err()
	}
	k.of.mu.Lock()
	has := k.state == in && len(k.turn) == 0
	k.of.mu.Unlock()
	if has {
		return ctx.Err()
	}
	k.Queue()
	select {
	case <-k.turn:
		return nil
	case <-ctx.Done():
		k.Cancel()
		return ctx.Err()
	}
}

// Turn yields when a ticket that somebody has put into the queue has its turn.
func (k *Ticket) Turn() <-chan struct{} { return k.turn }

// GiveWay gives the place back, if the ticket has one. A ticket that waits goes on
// waiting.
func (k *Ticket) GiveWay() {
	if k == nil {
		return
	}
	t := k.of
	t.mu.Lock()
	defer t.mu.Unlock()
	if k.state == in {
		k.state = out
		t.giveBack(k)
	}
}

// giveBack makes a place free that k had, at once or after a rest. t is locked.
func (t *Turnstile) giveBack(k *Ticket) {
	if t.worked += time.Since(k.began); len(t.queue) == 0 {
		t.worked = 0
	}
	if t.worked < Work {
		t.free++
		t.admit()
		return
	}
	t.worked = 0
	time.AfterFunc(Rest, func() {
		t.mu.Lock()
		defer t.mu.Unlock()
		t.free++
		t.admit()
	})
}

// Cancel gives the place back, or leaves the queue.
func (k *Ticket) Cancel() {
	if k == nil {
		return
	}
	t := k.of
	t.mu.Lock()
	defer t.mu.Unlock()
	select {
	case <-k.turn:
	default:
	}
	switch k.state {
	case queued:
		t.queue = slices.DeleteFunc(t.queue, func(o *Ticket) bool { return o == k })
	case in:
		t.giveBack(k)
	}
	k.state = out
}
