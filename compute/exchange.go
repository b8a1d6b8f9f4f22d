package compute

import (
	"context"
	"io"
	"runtime/debug"
	"slices"
	"sync"

	"github.com/flightd/flightd/plan/physical"
)

// exchange runs a pipeline with several workers and puts out what comes, in the
// order of the splits: the same batches as one worker makes.
type exchange struct {
	pipeline *pipeline
	workers  *workers
	stop     context.CancelFunc
	running  sync.WaitGroup
	// queues has, for each split, the batches that wait to be put out, in parcels; a
	// queue is closed behind the last one. opened is what is left of a parcel of the
	// split that is being put out.
	queues []chan []queued
	opened []queued
	at     int
	ended  bool
	// begun says that the workers began before the first Next.
	begun bool
	// keyer, if it is set, has workers make batches keyed; ahead is how many parcels of a
	// split may wait.
	keyer func(env *Env) *keyer
	ahead int
	held
}

// queued is a batch with a reference to its record batch, as it is, or keyed.
type queued struct {
	Batch
	keyed *keyed
}

func (q queued) release() {
	if q.keyed != nil {
		q.keyed.Rec.Release()
	} else {
		q.Rec.Release()
	}
}

// rows returns how many rows the batch holds in memory.
func (q queued) rows() int64 {
	if q.keyed != nil {
		return q.keyed.Rec.NumRows()
	}
	return q.Rec.NumRows()
}

// queueParcels is how many parcels of a split may wait. While some do, a worker fills the
// next with parcelRows: to wake the reader for each batch costs more than many a batch. A
// worker whose batches are small, for a filter left few rows, so gets as far ahead as
// any other.
const (
	queueParcels = 5
	parcelRows   = 4 * BatchRows
)

var _ Operator = (*exchange)(nil)

// newExchange returns the exchange of p, whose batches wait in queues: nothing of
// them is borrowed.
func newExchange(p *pipeline) *exchange {
	scan := *p.scan
	scan.Borrowed = false
	p.scan, p.lending = &scan, nil
	p.env.readsInput()
	x := &exchange{pipeline: p, ahead: queueParcels}
	p.env.ahead = append(p.env.ahead, x)
	return x
}

// inputsRead is 0: workers stop when queues are full.
func (x *exchange) inputsRead() int { return 0 }

// readAhead starts the workers, also a single one.
func (x *exchange) readAhead(ctx context.Context) error {
	x.begun = true
	return x.start(ctx)
}

func (x *exchange) Next(ctx context.Context) (Batch, error) {
	q, err := x.take(ctx)
	if err == nil {
		x.set(q.Rec)
	}
	return q.Batch, err
}

// take is Next for who takes over the reference to the record batch. Where it was
// alone, or there is no keyer, a batch is not keyed.
func (x *exchange) take(ctx context.Context) (queued, error) {
	if x.workers == nil {
		if err := x.start(ctx); err != nil {
			return queued{}, err
		}
	}
	if x.isAlone() {
		b, err := x.alone(ctx)
		if err == nil {
			b.Rec.Retain()
		}
		return queued{Batch: b}, err
	}
	for x.at < len(x.queues) {
		if len(x.opened) > 0 {
			q := x.opened[0]
			x.opened = x.opened[1:]
			return q, nil
		}
		select {
		case parcel, ok := <-x.queues[x.at]:
			if ok {
				x.opened = parcel
				continue
			}
		case <-ctx.Done():
			return queued{}, ctx.Err()
		}
		if err := x.failed(); err != nil {
			return queued{}, err
		}
		x.at++
	}
	if !x.ended {
		x.running.Wait()
		x.ended = true
		if err := x.failed(); err != nil {
			return queued{}, err
		}
		if err := x.workers.finish(ctx); err != nil {
			return queued{}, err
		}
		x.read()
	}
	return queued{}, io.EOF
}

// failed returns the error of the split that is being put out, if it has one.
func (x *exchange) failed() error {
	w := x.workers
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.broken != nil {
		panic(w.broken)
	}
	if w.err != nil && w.errAt <= x.at {
		return w.err
	}
	return nil
}

// read notes that all has been put out.
func (x *exchange) read() {
	x.pipeline.env.inputRead()
	x.pipeline.env.checkRead()
}

// isAlone reports whether there is one lane, which works when it is asked.
func (x *exchange) isAlone() bool { return len(x.workers.lanes) == 1 && !x.begun }

// alone is Next with one lane, which needs no goroutine.
func (x *exchange) alone(ctx context.Context) (Batch, error) {
	l := x.workers.lanes[0]
	for {
		b, err := l.top.Next(ctx)
		if err != errSplitEnd {
			if err == io.EOF && !x.ended {
				x.ended = true
				x.workers.count()
				x.read()
			}
			return b, err
		}
		split, ok := x.workers.take()
		l.scan.split, l.scan.ready, l.scan.done = split, ok, !ok
	}
}

func (x *exchange) start(ctx context.Context) error {
	w, err := newWorkers(ctx, x.pipeline)
	if err != nil {
		return err
	}
	x.workers = w
	if x.isAlone() {
		return nil
	}
	x.queues = make([]chan []queued, len(x.pipeline.splits))
	for i := range x.queues {
		x.queues[i] = make(chan []queued, x.ahead)
	}
	ctx, x.stop = context.WithCancel(ctx)
	for _, l := range w.lanes {
		x.running.Add(1)
		go x.work(ctx, l)
	}
	return nil
}

// work runs splits until there are none.
func (x *exchange) work(ctx context.Context, l *lane) {
	defer x.running.Done()
	at := -1
	var keyer *keyer
	if x.keyer != nil {
		keyer = x.keyer(l.env)
	}
	var p parcel
	defer func() {
		if v := recover(); v != nil {
			release(p.batches)
			x.workers.mu.Lock()
			x.workers.broken = &brokenWorker{v, debug.Stack()}
			x.workers.mu.Unlock()
			close(x.queues[at])
		}
	}()
	for {
		split, ok := x.workers.take()
		if !ok {
			return
		}
		at = split
		err := l.run(ctx, split, func(b Batch) error {
			q, err := handOver(b, keyer)
			if err != nil {
				return err
			}
			if p.add(q); p.rows < parcelRows && len(x.queues[split]) > 0 {
				return nil
			}
			return p.send(ctx, x.queues[split])
		})
		if e := p.send(ctx, x.queues[split]); err == nil {
			err = e
		}
		if err != nil {
			x.workers.fail(split, err)
		}
		close(x.queues[split])
		if err != nil {
			return
		}
	}
}

// parcel is what a worker has of batches that are not yet in a queue.
type parcel struct {
	batches []queued
	rows    int64
}

func (p *parcel) add(q queued) {
	p.batches = append(p.batches, q)
	p.rows += q.rows()
}

// send puts the batches into a queue, if there are any.
func (p *parcel) send(ctx context.Context, queue chan<- []queued) error {
	if len(p.batches) == 0 {
		return nil
	}
	batches := p.batches
	*p = parcel{}
	select {
	case queue <- batches:
		return nil
	case <-ctx.Done():
		release(batches)
		return ctx.Err()
	}
}

func release(batches []queued) {
	for _, q := range batches {
		q.release()
	}
}

// handOver returns what becomes of b, which is good until the lane goes on.
func handOver(b Batch, k *keyer) (queued, error) {
	if k != nil {
		keyed, err := k.of(b)
		return queued{keyed: keyed}, err
	}
	b.Rec.Retain()
	b.Sel = slices.Clone(b.Sel)
	return queued{Batch: b}, nil
}

// Close stops the workers and lets go of what waits.
func (x *exchange) Close() error {
	x.set(nil)
	if x.stop != nil {
		x.stop()
		x.running.Wait()
	}
	release(x.opened)
	x.opened = nil
	for _, q := range x.queues[min(x.at, len(x.queues)):] {
		drop(q)
	}
	if x.workers != nil {
		return x.workers.close()
	}
	return x.pipeline.close()
}

// drop releases what is in a queue that nobody writes any more.
func drop(q chan []queued) {
	for {
		select {
		case b, ok := <-q:
			if !ok {
				return
			}
			release(b)
		default:
			return
		}
	}
}

func (x *exchange) Explain() string {
	return "exchange over " + physical.Format(x.pipeline.scan.Scan.Scan, nil)
}
