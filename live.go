package flightd

import (
	"context"
	"sync"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/flightd/flightd/checkpoint"
	"github.com/flightd/flightd/compute"
	"github.com/flightd/flightd/internal/base"
	"github.com/flightd/flightd/sinks/feed"
	sinkmemory "github.com/flightd/flightd/sinks/memory"
	"github.com/flightd/flightd/state"
)

// live is what readers can have of a run of a query: its result and its state, as of
// the newest epoch that is done.
//
// From the first change of the state in an epoch until the epoch is done the state cannot
// be pinned: who comes then gets what was pinned when the epoch before was done, which
// happens as long as readers keep asking. So only the first one for a while may wait, for
// the end of the epoch that is running; and the query never waits longer than a pin
// takes, whatever readers do.
type live struct {
	q   *StreamingQuery
	eng *Engine
	// tables are those of the state; tablesErr is why they are not known.
	tables    []*compute.StateTable
	tablesErr error
	memory    *sinkmemory.Sink // of a query into memory
	feed      *feed.Feed       // of one into feed
	// checkpoint is where the state is when the query does not run; the zero one is
	// removed with the run.
	checkpoint checkpointAt
	// budget bounds what the pins of all readers hold.
	budget state.Budget

	mu sync.Mutex
	// epoch is the newest one that is done.
	epoch base.Epoch
	// store is set while the state rests.
	store state.Store
	// current is the state of epoch, once it was pinned.
	current *moment
	// asked is when somebody last wanted state, and wanted says that it was since the
	// last epoch.
	asked  time.Time
	wanted bool
	ended  bool
	// readers counts the statements that have state pinned.
	readers int
	// changed is closed, and made anew, when any of this changes.
	changed chan struct{}

	cache feedCache
}

// keepPinning is how long after a reader the state of each epoch is pinned for the
// next one; where epochs take longer, it is once more.
const keepPinning = 5 * time.Second

// A moment is one epoch of a query, for statements that read it.
type moment struct {
	live  *live
	epoch base.Epoch
	// view is the state; nil in a moment of the result alone.
	view *state.View
	// version is the result of a query into memory.
	version *sinkmemory.Version
	readers int
}

// newLive is what readers will have of the run.
func (r *run) newLive() *live {
	l := &live{q: r.q, eng: r.eng, epoch: base.NoEpoch, changed: make(chan struct{})}
	l.tables, l.tablesErr = compute.StateTables(r.plan.Root, r.eng.exprEnv(r.conf, 0))
	l.budget.Limit = r.eng.memoryLimit(r.conf)
	if r.temporary == "" && !r.q.spec.scratch {
		l.checkpoint = r.checkpoint
	}
	switch s := r.sink.(type) {
	case *sinkmemory.Sink:
		l.memory = s
	case *feed.Feed:
		l.feed = s
	}
	return l
}

// publish makes an epoch that is done what readers see.
func (r *run) publish(epoch base.Epoch) {
	r.live.publish(epoch, r.store, func() {
		switch s := r.sink.(type) {
		case *sinkmemory.Sink:
			s.Publish()
		case *feed.Feed:
			if epoch != base.NoEpoch {
				s.Publish(epoch)
			}
		}
	})
}

// begin is called before the state changes.
func (l *live) begin() {
	l.mu.Lock()
	l.store = nil
	l.mu.Unlock()
}

// publish shows readers that epoch is done; show does so for the sink. The state in
// store rests until it calls begin.
func (l *live) publish(epoch base.Epoch, store state.Store, show func()) {
	l.mu.Lock()
	show()
	l.epoch, l.store = epoch, store
	l.forget()
	if l.wanted || !l.asked.IsZero() && l.eng.clock.Now().Sub(l.asked) < keepPinning {
		l.current = l.pin()
	}
	l.wanted = false
	l.tell()
	l.mu.Unlock()
	store.Rest(l.begin) // it is this goroutine that would change the state next
}

// end is called when the run has ended.
func (l *live) end() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.store, l.ended = nil, true
	l.forget()
	l.tell()
}

func (l *live) tell() {
	close(l.changed)
	l.changed = make(chan struct{})
}

// pin makes the moment of the state as it is.
func (l *live) pin() *moment {
	m := &moment{live: l, epoch: l.epoch, view: l.store.View(&l.budget)}
	if l.memory != nil {
		m.version = l.memory.Version()
	}
	return m
}

// forget lets go of the current moment; its readers keep it.
func (l *live) forget() {
	m := l.current
	if l.current = nil; m != nil && m.readers == 0 {
		m.drop()
	}
}

// acquire returns the newest moment, for who releases it; with the state if withState.
func (l *live) acquire(ctx context.Context, withState bool) (*moment, error) {
	select { // before that the newest epoch may be about to be replayed
	case <-l.q.ready:
	case <-l.q.done:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	for {
		l.mu.Lock()
		m, wait := l.take(withState), l.changed
		ended := l.ended
		l.mu.Unlock()
		switch {
		case m != nil:
			return m, nil
		case ended:
			return l.fromCheckpoint()
		}
		select {
		case <-wait:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

// checkpointAt is where a checkpoint is.
type checkpointAt struct {
	fs  vfs.FS
	dir string
}

// fromCheckpoint returns the moment of the last epoch that is done, of a query that does
// not run, for one reader.
func (l *live) fromCheckpoint() (*moment, error) {
	if l.checkpoint.dir == "" {
		return nil, l.notRunning()
	}
	m, err := l.restored()
	if now := l.eng.Query(l.q.name); now != l.q {
		// It was started again: that run changes the checkpoint.
		if m != nil {
			m.release()
		}
		return nil, base.UserError("STATE_QUERY_NOT_RUNNING", "55000", "The query %s was started while its state was being read.", orUnnamed(l.q.name)).
			WithHint("ask again")
	}
	return m, base.Wrap(err, "reading the state of %s from its checkpoint", orUnnamed(l.q.name))
}

func (l *live) restored() (*moment, error) {
	ledger, recovered, err := checkpoint.Read(l.checkpoint.fs, l.checkpoint.dir)
	if err != nil {
		return nil, err
	}
	if recovered.Meta == nil {
		return nil, l.notRunning()
	}
	store, err := restoredState(state.Config{Seed: recovered.Meta.HashSeed, Workers: workers()}, ledger, recovered, func(base.Epoch, error) {})
	if err != nil {
		return nil, err
	}
	m := &moment{live: l, epoch: base.NoEpoch, view: store.View(&l.budget), readers: 1}
	if recovered.LastDone != nil {
		m.epoch = recovered.LastDone.Epoch
	}
	if l.memory != nil {
		m.version = l.memory.Version()
	}
	l.mu.Lock()
	l.readers++
	l.mu.Unlock()
	return m, nil
}

// take returns a moment for one more reader, or nil if there is none just now.
func (l *live) take(withState bool) *moment {
	if !withState {
		m := &moment{live: l, epoch: l.epoch, readers: 1}
		if l.memory != nil {
			m.version = l.memory.Version()
		}
		return m
	}
	l.asked, l.wanted = l.eng.clock.Now(), true
	if l.store != nil && (l.current == nil || l.current.view.Lost()) {
		l.forget()
		l.current = l.pin()
	}
	if l.current != nil {
		l.current.readers++
		l.readers++
	}
	return l.current
}

// notRunning is why there is no state to read.
func (l *live) notRunning() error {
	return base.UserError("STATE_QUERY_NOT_RUNNING", "55000", "The query %s is not running, and has no checkpoint to read its state from.", orUnnamed(l.q.name)).
		WithHint("start it with its CREATE STREAMING QUERY statement")
}

// release lets go of the moment for one reader.
func (m *moment) release() {
	l := m.live
	l.mu.Lock()
	defer l.mu.Unlock()
	if m.view != nil {
		l.readers--
	}
	if m.readers--; m.readers == 0 && l.current != m {
		m.drop()
	}
}

func (m *moment) drop() {
	if m.view != nil {
		m.view.Release()
	}
	if m.version != nil {
		m.version.Release()
	}
}

// Readers is how many statements read the state of the query now: each of them has an
// epoch of it pinned.
func (q *StreamingQuery) Readers() int {
	l := q.readable()
	if l == nil {
		return 0
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.readers
}
