package flightd

import (
	"context"
	"time"

	"github.com/flightd/flightd/internal/base"
	"github.com/flightd/flightd/plan/streaming"
	"github.com/flightd/flightd/sources"
)

// loop runs epochs until the trigger, a stop or a failure ends it.
func (r *run) loop(ctx context.Context) error {
	trigger := r.q.spec.trigger
	if r.replay != nil {
		p := *r.replay
		r.replay, r.timings = nil, newTimings(r.eng.clock)
		if err := r.runEpoch(ctx, p); err != nil {
			return err
		}
		if trigger.Kind == Once {
			return nil
		}
	}
	if trigger.Kind == AvailableNow {
		if err := r.freeze(ctx); err != nil {
			return err
		}
	}
	for !r.q.stopped() {
		waiting := r.q.takeWaiters()
		ran, err := r.trigger(ctx)
		if err != nil {
			return err
		}
		idle := !ran && trigger.Kind == ProcessingTime && trigger.Interval == 0
		if idle { // who waits for this moment must see the status that goes with it
			r.idle()
		}
		if ran {
			r.q.putBack(waiting)
		} else {
			for _, w := range waiting {
				close(w)
			}
		}
		switch {
		case trigger.Kind == Once, trigger.Kind == AvailableNow && !ran:
			return nil
		case trigger.Kind == ProcessingTime && trigger.Interval > 0:
			r.q.pause(ctx, untilNext(r.eng.clock.Now(), trigger.Interval), nil)
		case idle:
			r.q.pause(ctx, r.pollingDelay, r.q.arrived)
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
	}
	return nil
}

// untilNext is the time to the next multiple of interval since 1970. Ticks that
// an epoch overran are skipped.
func untilNext(now time.Time, interval time.Duration) time.Duration {
	ms, every := now.UnixMilli(), interval.Milliseconds()
	if every <= 0 {
		return 0
	}
	return time.Duration((ms/every+1)*every-ms) * time.Millisecond
}

// freeze fixes the end of every source for AvailableNow. If one cannot, all are
// read in a single epoch (Spark's fallback).
func (r *run) freeze(ctx context.Context) error {
	for _, in := range r.streams {
		if _, ok := in.source.(sources.Freezer); !ok {
			r.single = true
			return nil
		}
	}
	for _, in := range r.streams {
		if err := in.source.(sources.Freezer).Freeze(ctx, in.committed); err != nil {
			return base.Wrap(err, "fixing the end of %s", in.source.Describe())
		}
	}
	return nil
}

// trigger plans and runs one epoch, if there is anything to do.
func (r *run) trigger(ctx context.Context) (bool, error) {
	r.timings = newTimings(r.eng.clock)
	p, err := r.ahead, error(nil)
	if r.ahead = nil; p == nil {
		p, err = r.planEpoch(ctx)
	}
	if err != nil || p == nil {
		return false, err
	}
	if r.single && r.epochsRun > 0 && p.hasData {
		return false, nil
	}
	return true, r.runEpoch(ctx, *p)
}

// planEpoch asks the sources what is new and decides whether an epoch is due:
// because there is data, or because the watermark moved and a stateful operator
// would act on it. It returns nil if none is.
func (r *run) planEpoch(ctx context.Context) (*planned, error) {
	once := r.q.spec.trigger.Kind == Once
	p := &planned{epoch: r.epoch, watermark: r.marks.global, clock: r.eng.clock.Now().UnixMilli()}
	from := make([]base.Offset, len(r.streams))
	for i, in := range r.streams {
		from[i] = in.committed
	}
	if err := r.newRows(ctx, p, from, !once && !r.single); err != nil {
		return nil, err
	}
	if !p.hasData {
		due, err := r.noDataDue()
		if once || err != nil || !due {
			return nil, err
		}
	}
	if err := r.pinStatics(ctx, p); err != nil {
		return nil, err
	}
	return p, nil
}

// noDataDue reports whether an epoch without data would evict: the watermark of
// a stateful operator is beyond the one that it evicted with last in this run.
func (r *run) noDataDue() (bool, error) {
	if !r.noData || r.evicted == nil || r.q.spec.mode == base.Complete {
		return false, nil
	}
	inputs, err := streaming.Propagate(r.plan.Root, len(r.plan.Stateful), r.marks.global, r.multiple)
	if err != nil {
		return false, err
	}
	for i, w := range inputs {
		if !r.plan.Stateful[i].Idle && w != streaming.None && w > r.evicted[i] {
			return true, nil
		}
	}
	return false, nil
}

func (r *run) idle() {
	r.q.setStatus("Waiting for data to arrive", false, false)
	now := r.eng.clock.Now()
	if now.Sub(r.lastReport) < r.idleEvery {
		return
	}
	r.lastReport = now
	r.eng.each(func(l Listener) {
		l.QueryIdle(QueryIdle{r.q.id, r.q.runID, isoMillis(now.UnixMilli())})
	})
}

// timings measures the steps of an epoch for the progress report.
type timings struct {
	clock base.Clock
	begun time.Time
	ms    map[string]int64
}

func newTimings(c base.Clock) *timings {
	return &timings{clock: c, begun: c.Now(), ms: map[string]int64{}}
}

// start begins a step; the returned function ends it.
func (t *timings) start(step string) func() {
	at := t.clock.Now()
	return func() { t.ms[step] += t.clock.Now().Sub(at).Milliseconds() }
}
