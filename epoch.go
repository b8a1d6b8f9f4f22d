package flightd

import (
	"context"
	"errors"
	"io"
	"strconv"
	"time"

	"github.com/flightd/flightd/checkpoint"
	"github.com/flightd/flightd/compute"
	"github.com/flightd/flightd/internal/base"
	"github.com/flightd/flightd/sinks/feed"
	"github.com/flightd/flightd/sources"
	"github.com/flightd/flightd/state"
)

// planned is an epoch that is about to run: everything its outcome depends on.
type planned struct {
	epoch base.Epoch
	// from and to are the ranges of the streams, in the order of run.streams.
	from, to []base.Offset
	// watermark is the query's global one, in milliseconds; before is that of the
	// epoch before, which makes rows late.
	watermark, before int64
	// clock is the epoch's now(), in milliseconds since 1970.
	clock int64
	// pins name the static inputs, by index of the plan's inputs.
	pins    map[int]string
	hasData bool
	replay  bool
	// written says that the plan record is in the ledger already.
	written bool
}

// The durable steps of an epoch, in order; BeforeStep is told their names.
const (
	stepPlan   = "plan"
	stepWrite  = "write"
	stepCommit = "commit"
	stepLate   = "late"
	stepDone   = "done"
	stepAdvise = "advise"
)

// runEpoch is the one place that orders what is durable: the plan record, the
// rows into the sink, the sink's commit, that of the late rows, the done record with the state changes,
// and the advice to the sources (design.md §5; invariants E1 to E3). A crash
// between any two of them replays this epoch, and no other.
func (r *run) runEpoch(ctx context.Context, p planned) error {
	if p.hasData {
		r.q.setStatus("Processing new data", true, true)
	} else {
		r.q.setStatus("No new data but cleaning up state", false, true)
	}
	if !p.replay && !p.written {
		p.before = r.planWatermark
		stop := r.timings.start("walCommit")
		if err := r.step(stepPlan, p.epoch); err != nil {
			return err
		}
		if err := r.ledger.WritePlan(r.planRecord(p)); err != nil {
			return base.Wrap(err, "planning epoch %d", p.epoch)
		}
		stop()
	}
	out, err := r.process(ctx, p)
	if err != nil {
		return base.Wrap(err, "running epoch %d", p.epoch)
	}
	if err := r.asTold(p, out); err != nil {
		return err
	}
	if err := r.step(stepCommit, p.epoch); err != nil {
		return err
	}
	stop := r.timings.start("addBatch")
	if f, ok := r.sink.(*feed.Feed); ok && len(r.plan.Watermarks) > 0 {
		f.SetWatermark(p.watermark)
	}
	if err := r.sink.Commit(ctx, p.epoch, r.sinkMode, out.digest); err != nil {
		return base.Wrap(err, "committing epoch %d to %s", p.epoch, r.sink.Describe())
	}
	stop()
	if err := r.commitLate(ctx, p, out); err != nil {
		return err
	}
	if err := r.finishEpoch(ctx, p, out); err != nil {
		return err
	}
	if t := r.q.spec.told; t != nil {
		t.add(p, out.digest, r.marks.global)
	}
	r.publish(p.epoch)
	r.observeEmission(p, out)
	r.progress(p, out)
	return r.advise(ctx, p)
}

// commitLate makes the epoch's late rows durable, where they are kept.
func (r *run) commitLate(ctx context.Context, p planned, out *outcome) error {
	if r.late == nil {
		return nil
	}
	if err := r.step(stepLate, p.epoch); err != nil {
		return err
	}
	return base.Wrap(r.late.Commit(ctx, p.epoch, r.late.mode, out.lateDigest), "committing the late rows of epoch %d", p.epoch)
}

// finishEpoch makes the epoch done: state changes and the next watermark in one
// synced record; if more data is waiting, the plan of the next epoch goes with it.
func (r *run) finishEpoch(ctx context.Context, p planned, out *outcome) error {
	r.marks.observe(out.times)
	r.readFurther(ctx)
	changes, err := r.store.Commit(p.epoch)
	if err != nil {
		return base.Wrap(err, "finishing epoch %d", p.epoch)
	}
	r.changedBytes += int64(len(changes))
	if err := r.step(stepDone, p.epoch); err != nil {
		return err
	}
	r.evicted, r.planWatermark = out.evicted, p.watermark
	r.epoch, r.epochsRun = p.epoch+1, r.epochsRun+1
	for i, in := range r.streams {
		in.committed = p.to[i]
	}
	if err := r.planAhead(ctx, p); err != nil {
		return err
	}
	stop := r.timings.start("commitOffsets")
	done := checkpoint.Done{Epoch: p.epoch, NextWatermarkMs: r.marks.global, Digests: []checkpoint.SinkDigest{{Sink: "main", Digest: out.digest}}}
	if r.late != nil {
		done.Digests = append(done.Digests, checkpoint.SinkDigest{Sink: "late", Digest: out.lateDigest})
	}
	if len(r.plan.Stateful) > 0 {
		done.Changes = changes
	}
	if r.ahead != nil {
		err = r.ledger.WriteDoneAndPlan(done, r.planRecord(*r.ahead))
	} else {
		err = r.ledger.WriteDone(done)
	}
	if err != nil {
		return base.Wrap(err, "finishing epoch %d", p.epoch)
	}
	stop()
	if err := r.fold(p); err != nil {
		return err
	}
	return r.snapshot(p.epoch)
}

// advise tells the sources that they may forget the epoch's rows.
func (r *run) advise(ctx context.Context, p planned) error {
	if err := r.step(stepAdvise, p.epoch); err != nil {
		return err
	}
	for i, in := range r.streams {
		if err := in.source.Commit(ctx, p.to[i]); err != nil {
			r.eng.log.Warn("committing to a source", "query", r.q.name, "source", in.source.Describe(), "epoch", p.epoch, "err", err)
		}
	}
	return nil
}

// step tells the engine's options, and so a test, that a durable step is next.
func (r *run) step(name string, epoch base.Epoch) error {
	if f := r.eng.opts.BeforeStep; f != nil {
		return f(r.q.name, name, epoch)
	}
	return nil
}

// outcome is what the operators and the sink made of an epoch.
type outcome struct {
	digest  base.Digest
	rows    int64
	inputs  []int64 // rows read per input of the plan
	times   []compute.EventTime
	state   []compute.StateMetrics
	evicted []int64
	late    int64
	// lateDigest is that of the rows of LATE ROWS INTO.
	lateDigest base.Digest
	began      time.Time
}

// process reads the epoch's rows, pushes them through the operators and writes
// what comes out to the sink.
func (r *run) process(ctx context.Context, p planned) (*outcome, error) {
	out := &outcome{began: r.eng.clock.Now()}
	o, err := r.build(ctx, p)
	if err != nil {
		return nil, stateMismatch(err)
	}
	root, env := o.root, o.env
	out.evicted = o.evicted
	defer o.close()
	env.AllRead = func() { r.beginReading(ctx, p, env) }
	if err := r.step(stepWrite, p.epoch); err != nil {
		return nil, err
	}
	defer r.timings.start("addBatch")()
	digest := newDigester(r.schema)
	for {
		b, err := root.Next(ctx)
		if err == io.EOF {
			break
		}
		if err != nil {
			return nil, stateMismatch(err)
		}
		rec, err := b.Compact()
		if err != nil {
			return nil, err
		}
		if rec.NumRows() > 0 {
			rec = conform(rec, r.arrowSchema)
			digest.write(rec)
			out.rows += rec.NumRows()
			err = r.sink.Write(ctx, p.epoch, r.sinkMode, rec)
		}
		rec.Release()
		if err != nil {
			return nil, base.Wrap(err, "writing to %s", r.sink.Describe())
		}
	}
	out.digest = digest.sum()
	r.collect(out, env)
	if r.late != nil {
		out.lateDigest, err = r.late.write(ctx, p.epoch, env.Metrics.Late)
	}
	return out, err
}

// stateMismatch gives Spark's condition to state whose columns are not those of
// the query.
func stateMismatch(err error) error {
	var m *state.MismatchError
	if !errors.As(err, &m) {
		return err
	}
	condition := "STATE_STORE_VALUE_SCHEMA_NOT_COMPATIBLE"
	if m.Keys {
		condition = "STATE_STORE_KEY_SCHEMA_NOT_COMPATIBLE"
	}
	return base.UserError(condition, "XXKST", "The query has changed: %s.", m).WithHint("give the changed query a new checkpoint")
}

// planRecord is the plan as the ledger keeps it.
func (r *run) planRecord(p planned) checkpoint.Plan {
	rec := checkpoint.Plan{Epoch: p.epoch, From: p.from, To: p.to, WatermarkMs: p.watermark, LateWatermarkMs: p.before, ClockMs: p.clock}
	if len(p.pins) > 0 {
		rec.StaticPins = map[string]string{}
		for i, pin := range p.pins {
			rec.StaticPins[strconv.Itoa(i)] = pin
		}
	}
	return rec
}

// progress reports the epoch to whoever asks and to the listeners.
func (r *run) progress(p planned, out *outcome) {
	now := r.eng.clock.Now()
	r.lastReport = now
	took := now.Sub(r.timings.begun)
	r.timings.ms["triggerExecution"] = took.Milliseconds()
	pr := Progress{ID: r.q.id, RunID: r.q.runID, Name: r.q.name, Timestamp: isoMillis(r.timings.begun.UnixMilli()), BatchID: p.epoch,
		BatchDuration: took.Milliseconds(), DurationMs: r.timings.ms, StateOps: []StateProgress{}, LateInputRows: out.late}
	since := took
	if !r.lastTrigger.IsZero() {
		since = r.timings.begun.Sub(r.lastTrigger)
	}
	r.lastTrigger = r.timings.begun
	for i, in := range r.streams {
		n := out.inputs[in.input]
		pr.NumInputRows += n
		sp := SourceProgress{Description: in.source.Describe(), StartOffset: offsetJSON(p.from[i]), EndOffset: offsetJSON(p.to[i]),
			LatestOffset: offsetJSON(p.to[i]), NumInputRows: n, InputRate: perSecond(n, since), ProcessedRate: perSecond(n, took)}
		if m, ok := in.source.(sources.Measurer); ok {
			sp.Metrics = m.Metrics(p.to[i])
		}
		pr.Sources = append(pr.Sources, sp)
	}
	pr.InputRate, pr.ProcessedRate = perSecond(pr.NumInputRows, since), perSecond(pr.NumInputRows, took)
	if len(r.plan.Watermarks) > 0 {
		pr.EventTime = eventTimeReport(p.watermark, out.times)
		pr.NextWatermark = isoMillis(r.marks.global)
	}
	for i, m := range out.state {
		pr.StateOps = append(pr.StateOps, StateProgress{OperatorName: r.plan.Stateful[i].Name, NumRowsTotal: m.Total, NumRowsUpdated: m.Updated,
			NumRowsRemoved: m.Removed, NumRowsDroppedByWatermark: m.Dropped, MemoryUsedBytes: m.Bytes, NumShufflePartitions: int64(r.subTables),
			NumStateStoreInstances: int64(r.subTables), CustomMetrics: m.Custom, Rows: accounts(&m)})
	}
	pr.Sink = SinkProgress{Description: r.sink.Describe(), NumOutputRows: out.rows}
	r.q.report(pr)
	r.eng.log.Debug("epoch", "query", r.q.name, "epoch", p.epoch, "input", pr.NumInputRows, "output", out.rows, "took", took)
	r.eng.each(func(l Listener) { l.QueryProgress(pr) })
}

// eventTimeReport is the progress report's eventTime: the watermark that the
// epoch ran with, and what the first node that had rows saw.
func eventTimeReport(watermark int64, times []compute.EventTime) map[string]string {
	out := map[string]string{"watermark": isoMillis(watermark)}
	for _, t := range times {
		if t.Count > 0 {
			out["min"], out["max"], out["avg"] = isoMillis(t.Min), isoMillis(t.Max), isoMillis(int64(t.Avg))
			break
		}
	}
	return out
}

func perSecond(n int64, d time.Duration) Rate { return Rate(float64(n) / d.Seconds()) }
