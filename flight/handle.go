package flight

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/flightd/flightd/internal/base"
)

// A prepared is a prepared statement of a session.
type prepared struct {
	id        string
	statement Statement

	mu     sync.Mutex
	params []arrow.RecordBatch // the last ones bound
	bound  bool
}

// A ticket stands for one result that can be read, more than once, until it
// expires.
type ticket struct {
	id      string
	expires time.Time
	// open returns the rows anew; those of an update are kept, not run again.
	open func(context.Context) (Rows, error)
	// more are the tickets of the other parts of the result, if it has several.
	more []*ticket

	mu       sync.Mutex
	running  map[int]context.CancelFunc
	next     int
	canceled bool
}

// prepare keeps a statement under a new handle.
func (ses *session) prepare(st Statement, limit int) (*prepared, error) {
	ses.mu.Lock()
	defer ses.mu.Unlock()
	if len(ses.prepared) >= limit {
		return nil, base.Errorf(base.CodeExhausted, "the session has %d prepared statements already", len(ses.prepared)).
			WithHint("close those that are no longer used")
	}
	p := &prepared{id: newID(), statement: st}
	ses.prepared[p.id] = p
	return p, nil
}

func (ses *session) preparedBy(handle []byte) (*prepared, error) {
	ses.mu.Lock()
	defer ses.mu.Unlock()
	if p := ses.prepared[string(handle)]; p != nil {
		return p, nil
	}
	return nil, base.Errorf(base.CodeNotFound, "this session has no such prepared statement").
		WithHint("prepare it again: handles end with their session, which without a token or cookie ends with its connection")
}

func (ses *session) closePrepared(handle []byte) {
	ses.mu.Lock()
	p := ses.prepared[string(handle)]
	delete(ses.prepared, string(handle))
	ses.mu.Unlock()
	if p != nil {
		p.bind(nil)
	}
}

// bind replaces the parameters by params, which become p's.
func (p *prepared) bind(params []arrow.RecordBatch) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, rec := range p.params {
		rec.Release()
	}
	p.params, p.bound = params, params != nil
}

// parameters returns the parameters; the caller releases them.
func (p *prepared) parameters() (params []arrow.RecordBatch, bound bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, rec := range p.params {
		rec.Retain()
	}
	return slices.Clone(p.params), p.bound
}

// addTicket keeps a way to open rows under a new ticket; the oldest tickets make
// room.
func (ses *session) addTicket(o Options, open func(context.Context) (Rows, error)) *ticket {
	t := &ticket{id: newID(), expires: time.Now().Add(o.TicketLife), open: open, running: map[int]context.CancelFunc{}}
	ses.mu.Lock()
	defer ses.mu.Unlock()
	ses.expire(time.Now())
	for len(ses.order) >= o.MaxHandles {
		delete(ses.tickets, ses.order[0])
		ses.order = ses.order[1:]
	}
	ses.tickets[t.id] = t
	ses.order = append(ses.order, t.id)
	return t
}

func (ses *session) ticketBy(handle []byte) (*ticket, error) {
	ses.mu.Lock()
	defer ses.mu.Unlock()
	t := ses.tickets[string(handle)]
	if t == nil || time.Now().After(t.expires) {
		return nil, base.Errorf(base.CodeNotFound, "this session has no such ticket, or no longer").
			WithHint("execute the statement again")
	}
	return t, nil
}

// expire forgets the tickets whose time is over. The caller holds the lock.
func (ses *session) expire(now time.Time) {
	ses.order = slices.DeleteFunc(ses.order, func(id string) bool {
		t := ses.tickets[id]
		if t != nil && !now.After(t.expires) {
			return false
		}
		delete(ses.tickets, id)
		return true
	})
	for id, j := range ses.jobs {
		j.mu.Lock()
		over := now.After(j.expires)
		j.mu.Unlock()
		if over { // nobody polls any more
			j.cancel()
			delete(ses.jobs, id)
		}
	}
}

// renew gives the ticket its full life again.
func (ses *session) renew(t *ticket, life time.Duration) time.Time {
	ses.mu.Lock()
	defer ses.mu.Unlock()
	t.expires = time.Now().Add(life)
	return t.expires
}

// begin registers a reader of the ticket; cancel ends its context. The returned
// function deregisters it.
func (t *ticket) begin(cancel context.CancelFunc) (end func(), err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.canceled {
		return nil, base.Errorf(base.CodeCanceled, "the statement was canceled")
	}
	id := t.next
	t.next++
	t.running[id] = cancel
	return func() {
		t.mu.Lock()
		delete(t.running, id)
		t.mu.Unlock()
	}, nil
}

// cancel ends the readers of the ticket and lets none begin again.
func (t *ticket) cancel() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.canceled = true
	for _, cancel := range t.running {
		cancel()
	}
}
