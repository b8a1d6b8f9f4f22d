package compute

import (
	"cmp"
	"context"
	"fmt"
	"runtime/debug"
	"slices"
	"sync"
	"sync/atomic"
)

// workers run the splits of a pipeline. Splits are handed out in ascending order;
// what is made of them is taken in by split, never by who was first.
type workers struct {
	pipeline *pipeline
	lanes    []*lane

	mu    sync.Mutex
	next  int // the next split to hand out
	err   error
	errAt int // the split of err: the lowest one that failed
	// broken is what a worker panicked with; halted says that one did.
	broken *brokenWorker
	halted bool
}

// brokenWorker carries a panic to the goroutine that waits for the workers.
type brokenWorker struct {
	value any
	stack []byte
}

// String is what the worker panicked with.
func (b *brokenWorker) String() string { return fmt.Sprint(b.value) }

// Stack is where it did.
func (b *brokenWorker) Stack() []byte { return b.stack }

// newWorkers opens the pipeline's splits, and makes as many lanes as there are
// splits to share.
func newWorkers(ctx context.Context, p *pipeline) (*workers, error) {
	if err := p.open(ctx); err != nil {
		return nil, err
	}
	w := &workers{pipeline: p}
	for range max(1, min(p.env.Workers, len(p.splits))) {
		l, err := p.lane()
		if err != nil {
			w.close()
			return nil, err
		}
		w.lanes = append(w.lanes, l)
	}
	return w, nil
}

// take hands out the next split; ok is false when there is none, or one failed.
func (w *workers) take() (split int, ok bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.next == len(w.pipeline.splits) || w.err != nil || w.broken != nil || w.halted {
		return 0, false
	}
	w.next++
	return w.next - 1, true
}

// fail keeps the error of the lowest split.
func (w *workers) fail(split int, err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.err == nil || split < w.errAt {
		w.err, w.errAt = err, split
	}
}

// each calls work once for each lane, beside each other, and waits for all; a
// single lane works on the caller's goroutine.
func (w *workers) each(work func(lane int, l *lane)) {
	if len(w.lanes) == 1 {
		work(0, w.lanes[0])
		return
	}
	abreast(len(w.lanes), func(i int) {
		done := false
		defer func() {
			if !done { // a panic, on its way to the caller: the others need not go on
				w.mu.Lock()
				w.halted = true
				w.mu.Unlock()
			}
		}()
		work(i, w.lanes[i])
		done = true
	})
}

// abreast calls work(0) … work(n−1) beside each other and waits for all. A panic
// of one of them is the caller's.
func abreast(n int, work func(i int)) {
	if n == 1 {
		work(0)
		return
	}
	var wg sync.WaitGroup
	var mu sync.Mutex
	var broken *brokenWorker
	for i := range n {
		wg.Add(1)
		go func() {
			defer wg.Done()
			defer func() {
				if p := recover(); p != nil {
					mu.Lock()
					broken = &brokenWorker{p, debug.Stack()}
					mu.Unlock()
				}
			}()
			work(i)
		}()
	}
	wg.Wait()
	if broken != nil {
		panic(broken)
	}
}

// finish ends the lanes and adds what they counted to the epoch's metrics.
func (w *workers) finish(ctx context.Context) error {
	for _, l := range w.lanes {
		if err := l.finish(ctx); err != nil {
			return err
		}
	}
	w.count()
	return nil
}

// count adds what the lanes counted to the epoch's metrics: event times in the
// order of the splits, late rows too.
func (w *workers) count() {
	m := &w.pipeline.env.Metrics
	var seen []splitTimes
	var late []LateRows
	for _, l := range w.lanes {
		for i, n := range l.env.Metrics.InputRows {
			m.addInput(i, n)
		}
		for i := range l.env.Metrics.State {
			m.state(i).account(&l.env.Metrics.State[i])
		}
		seen = append(seen, l.env.Metrics.bySplit...)
		late = append(late, l.env.Metrics.Late...)
	}
	slices.SortStableFunc(late, func(a, b LateRows) int {
		return cmp.Or(cmp.Compare(a.Operator, b.Operator), cmp.Compare(a.split, b.split))
	})
	m.Late = append(m.Late, late...)
	slices.SortStableFunc(seen, func(a, b splitTimes) int { return int(a.split) - int(b.split) })
	for _, s := range seen {
		m.eventTime(s.index).Merge(s.times)
	}
}

func (w *workers) close() error {
	for _, l := range w.lanes {
		l.close()
	}
	w.lanes = nil
	return w.pipeline.close()
}

// inTurn calls work for 0 … n−1 by several workers.
func inTurn(workers, n int, work func(i int)) {
	var next atomic.Int64
	abreast(min(workers, n), func(int) {
		for {
			i := int(next.Add(1)) - 1
			if i >= n {
				return
			}
			work(i)
		}
	})
}

func firstOf(errs []error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}
