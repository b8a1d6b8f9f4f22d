package compute

import "context"

// An aheadReader is an operator that can take in rows of its inputs before the state
// may be touched: what it reads depends on the epoch's plan and on nothing that the
// epoch before leaves behind.
type aheadReader interface {
	// readAhead reads. What it has read waits for Next.
	readAhead(ctx context.Context) error
	// inputsRead is how many inputs it has read to their end by that.
	inputsRead() int
}

// ReadAhead has the operators that Build made for env read as much of their inputs as
// does not depend on the state, while the epoch before still works with it. It is
// called at most once, before the first Next, by any goroutine; the first Next waits
// for its return. ctx must outlive the epoch.
func (e *Env) ReadAhead(ctx context.Context) error {
	e.readingAhead = true
	defer func() { e.readingAhead = false }()
	for _, r := range e.ahead {
		if err := r.readAhead(ctx); err != nil {
			return err
		}
	}
	return nil
}

// AllReadAhead reports whether ReadAhead, which has returned, has read all inputs to
// their end: Metrics.EventTimes then are as AllRead finds them.
func (e *Env) AllReadAhead() bool {
	n := 0
	for _, r := range e.ahead {
		n += r.inputsRead()
	}
	if n < e.unread || n == 0 {
		return false
	}
	for _, t := range e.twins {
		copyTimes(t, &e.Metrics)
	}
	return true
}

// readsInput notes that an input is to be read, by a scan or a pipeline.
func (e *Env) readsInput() { e.unread++ }

// inputRead notes that it was read to its end.
func (e *Env) inputRead() { e.unread-- }

// checkRead calls AllRead once all inputs were read to their end. It is called where
// the event times of what was read have been counted.
func (e *Env) checkRead() {
	if e.AllRead == nil || e.unread > 0 || e.readingAhead {
		return
	}
	for _, t := range e.twins {
		copyTimes(t, &e.Metrics)
	}
	f := e.AllRead
	e.AllRead = nil
	f()
}
