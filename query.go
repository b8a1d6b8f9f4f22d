package flightd

import (
	"context"
	"sync"
	"time"

	"github.com/flightd/flightd/internal/base"
	"github.com/flightd/flightd/sinks"
	"github.com/flightd/flightd/sinks/feed"
)

// StreamingQuery is a query that was started. It goes on until it is stopped,
// fails, or its trigger ends it. All methods may be called from any goroutine.
type StreamingQuery struct {
	id, runID, name string
	eng             *Engine
	spec            querySpec
	numRecent       int

	// stopping asks the loop to end after the running epoch, cancel at once.
	stopping chan struct{}
	cancel   context.CancelFunc
	done     chan struct{}
	// ready closes when the query is where its checkpoint says.
	ready chan struct{}
	// wake ends the loop's pause for who waits for an idle moment, arrived for rows
	// that a source announced.
	wake, arrived chan struct{}

	mu       sync.Mutex
	status   Status
	recent   []Progress
	err      error
	waiters  []chan struct{}
	feed     *feed.Feed
	feedMode sinks.Mode
	emission *emission
	// def is the catalog's record of a query that did not run in this process, atRest what
	// readers have of its state.
	def    *queryDef
	atRest *live
	// live is what readers can have of the run; nil until it is open.
	live     *live
	stopOnce sync.Once
}

// ID is the query's identity, kept in its checkpoint over restarts.
func (q *StreamingQuery) ID() string { return q.id }

// RunID is new with each start.
func (q *StreamingQuery) RunID() string { return q.runID }

// Name is the query's name, or "".
func (q *StreamingQuery) Name() string { return q.name }

// Trigger says when the query's epochs start.
func (q *StreamingQuery) Trigger() Trigger { return q.spec.trigger }

// IsActive reports whether the query is running.
func (q *StreamingQuery) IsActive() bool {
	select {
	case <-q.done:
		return false
	default:
		return true
	}
}

// Status is what the query is doing now.
func (q *StreamingQuery) Status() Status {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.status
}

// LastProgress is the report of the newest epoch, or nil before the first.
func (q *StreamingQuery) LastProgress() *Progress {
	q.mu.Lock()
	defer q.mu.Unlock()
	if len(q.recent) == 0 {
		return nil
	}
	p := q.recent[len(q.recent)-1]
	return &p
}

// RecentProgress is the reports of the last epochs of this run, oldest first;
// spark.sql.streaming.numRecentProgressUpdates says how many are kept.
func (q *StreamingQuery) RecentProgress() []Progress {
	q.mu.Lock()
	defer q.mu.Unlock()
	return append([]Progress(nil), q.recent...)
}

// Exception is why the query failed, or nil.
func (q *StreamingQuery) Exception() error {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.err
}

// AwaitTermination waits for the end of the query and returns its failure, or
// ctx's error if that comes first.
func (q *StreamingQuery) AwaitTermination(ctx context.Context) error {
	select {
	case <-q.done:
		return q.Exception()
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Stop ends the query after the epoch that is running. If ctx ends first, that
// epoch is given up; the next start runs it again.
func (q *StreamingQuery) Stop(ctx context.Context) error {
	q.stopOnce.Do(func() { close(q.stopping) })
	select {
	case <-q.done:
	case <-ctx.Done():
		q.cancel()
		<-q.done
	}
	return nil
}

// ProcessAllAvailable waits until the query has worked off everything that was
// there when it was called, no-data epochs included. For tests: a source that
// never pauses keeps it waiting.
func (q *StreamingQuery) ProcessAllAvailable(ctx context.Context) error {
	w := make(chan struct{})
	q.mu.Lock()
	q.waiters = append(q.waiters, w)
	select {
	case q.wake <- struct{}{}:
	default:
	}
	q.mu.Unlock()
	select {
	case <-w:
		return nil
	case <-q.done:
		return q.Exception()
	case <-ctx.Done():
		return ctx.Err()
	}
}

// takeWaiters returns who waits for an idle moment. The
// wake-ups that they sent have done their work: one left over would look for data
// when nobody asked.
func (q *StreamingQuery) takeWaiters() []chan struct{} {
	q.mu.Lock()
	defer q.mu.Unlock()
	for _, done := range []chan struct{}{q.wake, q.arrived} {
		select {
		case <-done:
		default:
		}
	}
	w := q.waiters
	q.waiters = nil
	return w
}

func (q *StreamingQuery) putBack(w []chan struct{}) {
	q.mu.Lock()
	q.waiters = append(w, q.waiters...)
	q.mu.Unlock()
}

func (q *StreamingQuery) setStatus(message string, data, active bool) {
	q.mu.Lock()
	q.status = Status{message, data, active}
	q.mu.Unlock()
}

func (q *StreamingQuery) report(p Progress) {
	q.mu.Lock()
	q.recent = append(q.recent, p)
	if n := len(q.recent) - q.numRecent; n > 0 {
		q.recent = append([]Progress(nil), q.recent[n:]...)
	}
	q.mu.Unlock()
}

func (q *StreamingQuery) stopped() bool {
	select {
	case <-q.stopping:
		return true
	default:
		return false
	}
}

// announced ends the pause of a query that waits for data.
func (q *StreamingQuery) announced() {
	select {
	case q.arrived <- struct{}{}:
	default:
	}
}

// pause waits for d on the engine's clock, for somebody who waits for an idle
// moment, for the stop, or for something in arrived, which may be nil.
func (q *StreamingQuery) pause(ctx context.Context, d time.Duration, arrived <-chan struct{}) {
	ctx, cancel := context.WithCancel(ctx)
	over := make(chan struct{})
	go func() {
		defer close(over)
		defer cancel()
		for {
			select {
			case <-q.wake:
				// The wake-up may be that of a waiter who was served already.
				if q.awaited() {
					return
				}
			case <-arrived:
				return
			case <-q.stopping:
				return
			case <-ctx.Done():
				return
			}
		}
	}()
	_ = q.eng.clock.Sleep(ctx, d)
	cancel()
	<-over // else it could take the wake-up of a later pause
}

// awaited reports whether somebody waits for an idle moment.
func (q *StreamingQuery) awaited() bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	return len(q.waiters) > 0
}

// finish ends the query with its failure, or nil. last is called when the
// failure can be read and nobody who waits for the end has been told yet.
func (q *StreamingQuery) finish(err error, last func()) {
	q.mu.Lock()
	q.err = err
	q.status = Status{Message: "Stopped"}
	if err != nil {
		q.status.Message = "Terminated with exception: " + err.Error()
	}
	q.mu.Unlock()
	if last != nil {
		last()
	}
	close(q.done)
}

// streamFailed wraps what stopped a query as Spark's STREAM_FAILED does; the
// cause keeps its own condition.
func (q *StreamingQuery) streamFailed(err error) error {
	if err == nil {
		return nil
	}
	if base.DiskFull(err) && base.AsError(err).Condition == "" {
		full := base.UserError("DISK_FULL", "53100", "There is no room on the disk.")
		full.Code = base.CodeExhausted
		err = full.WithHint("make room and start the query again: it goes on at its checkpoint").Because(err)
	}
	e := base.UserError("", "", "query %s [id = %s, runId = %s] terminated", orUnnamed(q.name), q.id, q.runID)
	e.Code = base.CodeOf(err)
	return e.Because(err)
}

func orUnnamed(name string) string {
	if name == "" {
		return "<unnamed>"
	}
	return name
}
