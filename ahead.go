package flightd

import (
	"context"
	"fmt"
	"runtime/debug"

	"github.com/flightd/flightd/compute"
	"github.com/flightd/flightd/internal/base"
	"github.com/flightd/flightd/plan/streaming"
	"github.com/flightd/flightd/sources"
)

// built are the operators of an epoch that is about to run.
type built struct {
	env  *compute.Env
	root compute.Operator
	// evicted are the watermarks that the stateful operators evict with.
	evicted []int64
	// stop, if set, ends what reads ahead.
	stop context.CancelFunc
}

func (b *built) close() {
	if b.stop != nil {
		b.stop()
	}
	compute.Close(b.root)
}

// readAhead is an epoch whose rows are read while the one before it works with the
// state, writes its rows and becomes durable. Nothing of it is durable, and nothing
// that can be seen depends on it.
type readAhead struct {
	planned *planned
	built
	// done is closed when err and broken, what a panic was with and its stack, are set.
	done   chan struct{}
	err    error
	broken any
}

// brokenReader carries a panic to the goroutine that runs the epoch.
type brokenReader struct {
	value any
	stack []byte
}

func isStacked(p any) bool { _, ok := p.(stacked); return ok }

// String is what the panic was with.
func (b *brokenReader) String() string { return fmt.Sprint(b.value) }

// Stack is where the panic was.
func (b *brokenReader) Stack() []byte { return b.stack }

// build makes the operators of an epoch, or returns those that have read ahead,
// after that.
func (r *run) build(ctx context.Context, p planned) (o built, err error) {
	if len(r.reading) > 0 && r.reading[0].planned.epoch == p.epoch {
		return r.takeReading()
	}
	r.dropReading()
	return r.newOperators(ctx, p)
}

// newOperators makes the operators of an epoch. They outlive neither ctx nor the
// epoch.
func (r *run) newOperators(ctx context.Context, p planned) (o built, err error) {
	late, err := streaming.Propagate(r.plan.Root, len(r.plan.Stateful), p.before, r.multiple)
	if err != nil {
		return o, err
	}
	if o.evicted, err = streaming.Propagate(r.plan.Root, len(r.plan.Stateful), p.watermark, r.multiple); err != nil {
		return o, err
	}
	if !r.multiple {
		late = o.evicted
	}
	stop := r.timings.start("getBatch")
	o.env = r.computeEnv(p, late, o.evicted)
	stop()
	defer r.timings.start("queryPlanning")()
	o.root, err = compute.Build(ctx, r.plan.Root, o.env)
	return o, err
}

// mayPlanAhead reports whether the epoch after p may be planned before p is done.
func (r *run) mayPlanAhead(p planned) bool {
	t := r.q.spec.trigger
	return p.hasData && !r.single && !r.q.stopped() && t.Kind != Once && (t.Kind != ProcessingTime || t.Interval == 0)
}

// beginReading is called when all rows of p have been read. If more are waiting it
// plans the epoch after p, with the watermark that p's rows make, and begins to read
// it. What fails here is tried again, and reported, when p is done.
func (r *run) beginReading(ctx context.Context, p planned, env *compute.Env) {
	if len(r.reading) > 0 && r.reading[len(r.reading)-1].planned.epoch > p.epoch { // it has begun
		return
	}
	if !r.mayPlanAhead(p) || !r.conf.Bool("flightd.readAhead.enabled", true) {
		return
	}
	marks := r.marks.clone()
	times := make([]compute.EventTime, len(r.plan.Watermarks))
	copy(times, env.Metrics.EventTimes)
	marks.observe(times)
	next := &planned{epoch: p.epoch + 1, watermark: marks.global, before: p.watermark, clock: r.eng.clock.Now().UnixMilli(), written: true}
	err := r.newRows(ctx, next, p.to, true)
	r.q.setStatus("Processing new data", true, true)
	if err != nil || !next.hasData || r.pinStatics(ctx, next) != nil {
		return
	}
	ctx, stop := context.WithCancel(ctx)
	o, err := r.newOperators(ctx, *next)
	if err != nil {
		stop()
		return
	}
	o.stop = stop
	a := &readAhead{planned: next, built: o, done: make(chan struct{})}
	r.reading = append(r.reading, a)
	go a.read(ctx)
}

// readFurther begins to read the epoch after the one that has been read ahead, if
// that is read to its end: while an epoch is made durable there is nothing else to do.
func (r *run) readFurther(ctx context.Context) {
	if len(r.reading) != 1 {
		return
	}
	a := r.reading[0]
	select {
	case <-a.done:
		if a.err == nil && a.broken == nil && a.env.AllReadAhead() {
			r.beginReading(ctx, *a.planned, a.env)
		}
	default:
	}
}

func (a *readAhead) read(ctx context.Context) {
	defer close(a.done)
	defer func() {
		if p := recover(); p != nil {
			if a.broken = p; !isStacked(p) {
				a.broken = &brokenReader{p, debug.Stack()}
			}
		}
	}()
	a.err = a.env.ReadAhead(ctx)
}

// takeReading waits until the rows are read and returns their operators.
func (r *run) takeReading() (built, error) {
	a := r.reading[0]
	r.reading = r.reading[1:]
	<-a.done
	if a.broken != nil {
		a.close()
		panic(a.broken)
	}
	if a.err != nil {
		a.close()
		return built{}, a.err
	}
	return a.built, nil
}

// dropReading gives up what is being read ahead, if anything is.
func (r *run) dropReading() {
	for _, a := range r.reading {
		a.stop()
		<-a.done
		a.close()
	}
	r.reading = nil
}

// planAhead plans the epoch after p, if data is waiting for it and nothing asks
// for a pause: its plan record then shares the sync of p's done record. It is the
// epoch that is being read, if there is one.
func (r *run) planAhead(ctx context.Context, p planned) error {
	if !r.mayPlanAhead(p) {
		r.dropReading()
		return nil
	}
	var next *planned
	if len(r.reading) > 0 {
		next = r.reading[0].planned
		if next.watermark != r.marks.global {
			// A watermark node above a stateful operator has moved it further. The rows are
			// as planned: the sources may have been asked for those behind them.
			r.dropReading()
			next.watermark = r.marks.global
		}
	} else {
		var err error
		if next, err = r.planEpoch(ctx); err != nil || next == nil || !next.hasData {
			return err
		}
		next.before, next.written = p.watermark, true
	}
	r.ahead = next
	return r.step(stepPlan, next.epoch)
}

// newRows fills in how far the epoch p reads, from the positions from on; options
// asks for the sources' own limits.
func (r *run) newRows(ctx context.Context, p *planned, from []base.Offset, options bool) error {
	defer r.timings.start("latestOffset")()
	for i, in := range r.streams {
		r.q.setStatus("Getting offsets from "+in.source.Describe(), false, true)
		to, err := in.source.Latest(ctx, from[i], sources.Limit{Options: options})
		if err != nil {
			return base.Wrap(err, "finding what is new in %s", in.source.Describe())
		}
		p.from, p.to = append(p.from, from[i]), append(p.to, to)
		p.hasData = p.hasData || to != from[i]
	}
	return nil
}
