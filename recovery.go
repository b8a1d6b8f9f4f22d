package flightd

import (
	"cmp"
	"context"
	"crypto/rand"
	"encoding/binary"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/google/uuid"

	"github.com/flightd/flightd/checkpoint"
	"github.com/flightd/flightd/internal/base"
	"github.com/flightd/flightd/plan/streaming"
	"github.com/flightd/flightd/sources"
	"github.com/flightd/flightd/state"
)

// pinnedSettings are the settings whose value at the first start of a query wins
// over later ones (semantics, section 4).
var pinnedSettings = []string{
	"spark.sql.shuffle.partitions",
	"spark.sql.streaming.stateStore.providerClass",
	"spark.sql.streaming.multipleWatermarkPolicy",
	"spark.sql.streaming.aggregation.stateFormatVersion",
	"spark.sql.streaming.join.stateFormatVersion",
	"flightd.subTables",
}

// checkpointFS is the file system of a checkpoint in dir.
func (r *run) checkpointFS(dir string) vfs.FS {
	if fs := r.eng.opts.CheckpointFS; fs != nil {
		return fs
	}
	// Outside the engine's own folder the place is a user's.
	if own := filepath.Join(r.eng.dir, "checkpoints"); filepath.Dir(dir) != own && !r.q.spec.scratch {
		return r.eng.disk.FS()
	}
	return vfs.Default
}

// openLedger opens the checkpoint and takes or makes the query's identity.
func (r *run) openLedger(dir string) error {
	fs := r.checkpointFS(dir)
	r.checkpoint = checkpointAt{fs, dir}
	ledger, recovered, err := checkpoint.Open(fs, dir, checkpoint.Options{
		MinEpochs: intSetting(r.conf, "spark.sql.streaming.minBatchesToRetain", 100)})
	if err != nil {
		return err
	}
	r.ledger, r.recovered = ledger, recovered
	if recovered.Meta != nil {
		r.q.id = recovered.Meta.QueryID
		for k, v := range recovered.Meta.Conf {
			r.conf[strings.ToLower(k)] = v
		}
	} else {
		r.q.id = cmp.Or(r.q.spec.id, uuid.NewString())
	}
	r.subTables = intSetting(r.conf, "flightd.subTables", state.DefaultSubTables)
	return nil
}

// recover brings the query to where the ledger says it was: identity, sources,
// state, watermark and, if an epoch was cut short, the plan to replay.
func (r *run) recover(ctx context.Context) error {
	rec := r.recovered
	if rec.Meta == nil {
		if err := r.begin(ctx); err != nil {
			return base.Wrap(err, "beginning the checkpoint")
		}
	} else if err := r.checkSame(rec); err != nil {
		return err
	}
	if err := r.checkWatermarks(); err != nil {
		return err
	}
	if err := r.restoreState(); err != nil {
		return base.Wrap(err, "restoring state")
	}
	if err := r.restoreOffsets(ctx); err != nil {
		return base.Wrap(err, "restoring offsets")
	}
	if err := r.restoreWatermark(); err != nil {
		return err
	}
	if t := r.q.spec.told; t != nil {
		t.begin(r.recovered.Meta, r.marks.global)
	}
	return r.restoreFeed()
}

// begin writes who the query is, and where its sources start.
func (r *run) begin(ctx context.Context) error {
	m := &checkpoint.Meta{QueryID: r.q.id, CreatedMs: r.eng.clock.Now().UnixMilli(), Conf: map[string]string{}, SubTables: r.subTables}
	var seed [8]byte
	if _, err := rand.Read(seed[:]); err != nil {
		return err
	}
	m.HashSeed = cmp.Or(r.q.spec.seed, binary.LittleEndian.Uint64(seed[:]))
	for _, k := range pinnedSettings {
		if v, ok := r.conf[strings.ToLower(k)]; ok {
			m.Conf[k] = v
		}
	}
	for _, s := range r.plan.Stateful {
		m.Operators = append(m.Operators, checkpoint.Operator{ID: s.Operator, Name: s.Name})
	}
	r.recovered.Meta = m
	if at := r.q.spec.resume; at != nil {
		return r.goOn(ctx, at, m)
	}
	for _, in := range r.streams {
		at, err := in.source.Initial(ctx)
		if err != nil {
			return base.Wrap(err, "finding the start of %s", in.source.Describe())
		}
		m.Sources, m.Initial = append(m.Sources, in.source.Describe()), append(m.Initial, at)
	}
	return r.ledger.WriteMeta(*m)
}

// checkSame refuses a query that is not the one of the checkpoint: another number
// of sources, or other stateful operators (Spark refuses the same, in the first
// epoch).
func (r *run) checkSame(rec *checkpoint.Recovered) error {
	if r.q.spec.format == "memory" && r.q.spec.mode != base.Complete && rec.LastPlan != nil {
		return base.UserError("", "", "A query into memory cannot go on from a checkpoint: its result is gone.").
			WithHint("start it without checkpointLocation, or in output mode complete")
	}
	if n, m := len(rec.Meta.Sources), len(r.streams); n != m {
		return base.UserError("", "", "The checkpoint is of a query with %d sources, this one has %d.", n, m).
			WithHint("give the changed query a new checkpoint")
	}
	want := make([]checkpoint.Operator, len(r.plan.Stateful))
	for i, s := range r.plan.Stateful {
		want[i] = checkpoint.Operator{ID: s.Operator, Name: s.Name}
	}
	if slices.Equal(want, rec.Meta.Operators) {
		return nil
	}
	if len(rec.Meta.Operators) == 0 && rec.LastPlan != nil {
		return base.UserError("STREAMING_STATEFUL_OPERATOR_MISSING_STATE_DIRECTORY", "42K03",
			"The checkpoint has no state; the query has the stateful operators %s.", operators(want)).
			WithHint("give the changed query a new checkpoint")
	}
	return base.UserError("STREAMING_STATEFUL_OPERATOR_NOT_MATCH_IN_STATE_METADATA", "42K03",
		"The checkpoint has state of %s, the query has the stateful operators %s.", operators(rec.Meta.Operators), operators(want)).
		WithHint("give the changed query a new checkpoint")
}

// checkWatermarks refuses what the support check would have refused, had it not
// been switched off: append mode never ends a group without a watermark.
func (r *run) checkWatermarks() error {
	for _, s := range r.plan.Stateful {
		if s.Name == "stateStoreSave" && s.Mode == base.Append && s.EventKey < 0 {
			return base.UserError("UNSUPPORTED_STREAMING_OPERATOR_WITHOUT_WATERMARK", "0A000",
				"Output mode append needs a watermark among the grouping columns of an aggregation.")
		}
	}
	return nil
}

func operators(ops []checkpoint.Operator) string {
	parts := make([]string, len(ops))
	for i, o := range ops {
		parts[i] = fmt.Sprintf("%d %s", o.ID, o.Name)
	}
	return "[" + strings.Join(parts, ", ") + "]"
}

// restoreState rebuilds the state.
func (r *run) restoreState() (err error) {
	cfg := state.Config{Seed: r.recovered.Meta.HashSeed, SubTables: r.subTables, Workers: workers()}
	r.store, err = restoredState(cfg, r.ledger, r.recovered, func(epoch base.Epoch, err error) {
		r.eng.log.Warn("a damaged snapshot is skipped", "query", r.q.name, "epoch", epoch, "err", err)
	})
	return err
}

// restoredState is the state of the last epoch that is done, from the newest snapshot
// that can be read and the changes after it. A damaged snapshot falls back to the one
// before; skipped is told.
func restoredState(cfg state.Config, ledger *checkpoint.Ledger, recovered *checkpoint.Recovered, skipped func(base.Epoch, error)) (state.Store, error) {
	store, err := state.Memory().Open(cfg)
	if err != nil {
		return nil, err
	}
	var damaged error
	for _, s := range recovered.Snapshots {
		err := ledger.ReadSnapshot(s, func(in io.Reader) error {
			_, err := store.Restore(in)
			return err
		})
		if err == nil {
			damaged = nil
			break
		}
		skipped(s.Epoch, err)
		damaged = err
		store.Rollback()
	}
	if damaged != nil && (len(recovered.Changes) == 0 || recovered.Changes[0].Epoch != 0) {
		return nil, damaged
	}
	last := store.Epoch()
	for _, c := range recovered.Changes {
		if c.Epoch <= last {
			continue
		}
		blob, err := ledger.ReadChanges(c)
		if err == nil {
			err = store.Apply(c.Epoch, blob)
		}
		if err != nil {
			return nil, base.Wrap(err, "epoch %d", c.Epoch)
		}
	}
	return store, nil
}

// restoreOffsets tells the sources what was planned and sets where they go on.
func (r *run) restoreOffsets(ctx context.Context) error {
	rec := r.recovered
	r.epoch = rec.NextEpoch()
	for i, in := range r.streams {
		if i < len(rec.Meta.Initial) {
			in.committed = rec.Meta.Initial[i]
		}
		if rec.LastPlan != nil {
			in.committed = rec.LastPlan.To[i]
		}
		f, ok := in.source.(sources.Folder)
		if !ok {
			continue
		}
		if rec.Folds != nil {
			in.fold = rec.Folds.Sources[i]
		}
		for _, p := range rec.Plans {
			if p.From[i] == p.To[i] {
				continue
			}
			var err error
			if in.fold, err = f.Fold(in.fold, p.To[i]); err != nil {
				return base.Wrap(err, "%s, epoch %d", in.source.Describe(), p.Epoch)
			}
		}
		if err := f.Restore(ctx, in.fold); err != nil {
			return base.Wrap(err, "%s", in.source.Describe())
		}
	}
	return nil
}

// restoreWatermark takes the global watermark of the last plan or done record,
// and the epoch to replay if there is one.
func (r *run) restoreWatermark() error {
	rec := r.recovered
	var global int64
	if rec.LastPlan != nil {
		global, r.planWatermark = rec.LastPlan.WatermarkMs, rec.LastPlan.WatermarkMs
	}
	if rec.LastDone != nil && !rec.Replay {
		global = max(global, rec.LastDone.NextWatermarkMs)
	}
	if at := r.q.spec.resume; at != nil {
		global = max(global, at.Watermark)
	}
	r.marks = newWatermarks(r.plan.Watermarks, r.conf.Lookup("spark.sql.streaming.multipleWatermarkPolicy", "min"), global)
	if !rec.Replay {
		return r.restoreEvicted()
	}
	p := rec.LastPlan
	r.replay = &planned{epoch: p.Epoch, from: p.From, to: p.To, watermark: p.WatermarkMs, before: p.LateWatermarkMs, clock: p.ClockMs,
		pins: map[int]string{}, replay: true, hasData: !slices.Equal(p.From, p.To)}
	for k, pin := range p.StaticPins {
		if i, err := strconv.Atoi(k); err == nil {
			r.replay.pins[i] = pin
		}
	}
	return nil
}

// restoreEvicted takes what the last epoch evicted with, so that an epoch without
// data which a crash kept from running is still due: what a query puts out does
// not depend on where it was cut.
func (r *run) restoreEvicted() (err error) {
	if r.recovered.LastPlan != nil {
		r.evicted, err = streaming.Propagate(r.plan.Root, len(r.plan.Stateful), r.recovered.LastPlan.WatermarkMs, r.multiple)
	}
	return err
}

// How often the state is written whole, and the offsets are folded: at the
// earliest after snapshotDefault epochs, and then as soon as their changes are as
// many bytes as the snapshot before was, or there are snapshotMost of them. So
// snapshots cost no more than the changes do, and a restart replays no more than
// twice the state.
const (
	foldEvery       = 100
	snapshotDefault = 10
	snapshotMost    = 1000
)

// snapshotDue reports whether the state is to be written whole. Who sets Spark's
// number of deltas gets a snapshot after that many.
func (r *run) snapshotDue() bool {
	if len(r.plan.Stateful) == 0 {
		return false
	}
	if n := intSetting(r.conf, "spark.sql.streaming.stateStore.minDeltasForSnapshot", 0); n > 0 {
		return r.sinceSnapshot >= n
	}
	return r.sinceSnapshot >= snapshotMost || r.sinceSnapshot >= snapshotDefault && r.changedBytes >= r.snapshotBytes.Load()
}

// countingWriter counts what is written through it.
type countingWriter struct {
	w io.Writer
	n int64
}

func (c *countingWriter) Write(b []byte) (int, error) {
	c.n += int64(len(b))
	return c.w.Write(b)
}

// snapshot writes, every so many epochs, the state as a whole and the folded
// offsets, after which older records may go. The state is encoded beside the
// epochs that follow, from pages that do not change.
func (r *run) snapshot(epoch base.Epoch) error {
	r.sinceSnapshot++
	due := r.snapshotDue()
	if err := r.collectSnapshot(due); err != nil {
		return err
	}
	if (int64(epoch)+1)%foldEvery == 0 {
		if err := r.writeFolds(epoch); err != nil {
			return base.Wrap(err, "folding the offsets up to epoch %d", epoch)
		}
	}
	if !due {
		return nil
	}
	r.sinceSnapshot, r.changedBytes = 0, 0
	pinned, ledger := r.store.Pin(), r.ledger
	r.pinned = make(chan error, 1)
	go func() {
		err := ledger.WriteSnapshot(epoch, func(w io.Writer) error {
			c := &countingWriter{w: w}
			defer func() { r.snapshotBytes.Store(c.n) }()
			return pinned.Encode(c)
		})
		r.pinned <- base.Wrap(err, "writing the snapshot of epoch %d", epoch)
	}()
	return nil
}

// collectSnapshot takes the outcome of the snapshot that is being written, if it
// is there. With wait it waits for it: the next one is due, and a state that
// changes faster than it can be written must not grow its changelog without end.
func (r *run) collectSnapshot(wait bool) error {
	if r.pinned == nil {
		return nil
	}
	if wait {
		err := <-r.pinned
		r.pinned = nil
		return err
	}
	select {
	case err := <-r.pinned:
		r.pinned = nil
		return err
	default:
		return nil
	}
}

// writeFolds compacts the offsets of all plans so far.
func (r *run) writeFolds(epoch base.Epoch) error {
	var folds [][]byte
	for _, in := range r.streams {
		folds = append(folds, in.fold)
	}
	return r.ledger.Compact(epoch, folds)
}

// fold adds the epoch's offsets to the folds of sources that have them.
func (r *run) fold(p planned) error {
	for i, in := range r.streams {
		f, ok := in.source.(sources.Folder)
		if !ok || p.from[i] == p.to[i] || p.replay {
			continue
		}
		var err error
		if in.fold, err = f.Fold(in.fold, p.to[i]); err != nil {
			return base.Wrap(err, "%s, epoch %d", in.source.Describe(), p.epoch)
		}
	}
	return nil
}
