package flightd

import (
	"cmp"
	"context"
	"fmt"
	"os"
	"runtime/debug"
	"sync/atomic"
	"time"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/flightd/flightd/checkpoint"
	"github.com/flightd/flightd/compute"
	"github.com/flightd/flightd/internal/base"
	"github.com/flightd/flightd/internal/invariants"
	"github.com/flightd/flightd/plan/catalog"
	"github.com/flightd/flightd/plan/expr"
	"github.com/flightd/flightd/plan/planner"
	"github.com/flightd/flightd/sinks"
	"github.com/flightd/flightd/sources"
	"github.com/flightd/flightd/state"
)

// run is one start of a query: what its goroutine works with.
type run struct {
	q     *StreamingQuery
	eng   *Engine
	plan  *planner.Plan
	conf  catalog.Conf
	names *names
	// schema is that of the result, in SQL and in Arrow.
	schema      expr.Schema
	arrowSchema *arrow.Schema

	streams   []*streamInput
	statics   map[int]sources.Table
	sink      sinks.Sink
	sinkMode  sinks.Mode
	late      *lateSink // nil without LATE ROWS INTO
	live      *live
	ledger    *checkpoint.Ledger
	recovered *checkpoint.Recovered
	temporary string // a checkpoint directory to remove at the end
	// checkpoint is where the ledger is.
	checkpoint checkpointAt
	store      state.Store
	subTables  int

	// Read once at the start.
	noData       bool
	multiple     bool
	single       bool
	pollingDelay time.Duration
	idleEvery    time.Duration

	// What moves from epoch to epoch.
	epoch         base.Epoch
	epochsRun     int
	replay        *planned
	ahead         *planned     // the next epoch, if its plan is written already
	reading       []*readAhead // the epochs that come next and are being read already, at most two
	marks         *watermarks
	planWatermark int64   // the watermark of the last epoch's plan
	evicted       []int64 // what the last epoch of this run evicted with
	timings       *timings
	lastTrigger   time.Time
	lastReport    time.Time
	pinned        chan error // the outcome of a snapshot that is being written
	sinceSnapshot int
	// changedBytes is the size of the changes since the last snapshot, snapshotBytes
	// that of the snapshot.
	changedBytes  int64
	snapshotBytes atomic.Int64
}

// streamInput is a stream that the plan reads.
type streamInput struct {
	input     int // index among the plan's inputs
	name      string
	source    sources.Source
	committed base.Offset
	fold      []byte
	// unannounce ends the announcements of the source, if it makes any.
	unannounce func()
}

// open opens the checkpoint, the inputs and the sink of the query.
func (r *run) open(ctx context.Context) error {
	provider, err := r.sinkProvider()
	if err != nil {
		return err
	}
	dir, temporary, err := r.checkpointDir(provider)
	if err != nil {
		return err
	}
	if temporary {
		r.temporary = dir
	}
	r.noData = r.conf.Bool("spark.sql.streaming.noDataMicroBatches.enabled", true)
	r.multiple = allowMultiple(r.conf)
	r.pollingDelay = durationSetting(r.conf, "spark.sql.streaming.pollingDelay", 10*time.Millisecond)
	r.idleEvery = durationSetting(r.conf, "spark.sql.streaming.noDataProgressEventInterval", 10*time.Second)
	if err := r.openLedger(dir); err != nil {
		return base.Wrap(err, "opening the checkpoint %s", dir)
	}
	if err := r.openInputs(ctx); err != nil {
		return err
	}
	if err := r.openSink(ctx, provider); err != nil {
		return err
	}
	return r.openLate()
}

// allowMultiple reports whether each stateful operator has a watermark of its own.
func allowMultiple(c catalog.Conf) bool {
	return c.Bool("spark.sql.streaming.statefulOperator.allowMultiple", true)
}

// openInputs opens every stream and static table of the plan.
func (r *run) openInputs(ctx context.Context) error {
	r.statics = map[int]sources.Table{}
	for i, in := range r.plan.Inputs {
		t := in.Table.Handle.(*table)
		if !in.Stream {
			b, err := t.openBatch(ctx, r.names)
			if err != nil {
				return base.Wrap(err, "opening %s", in.Table.Name)
			}
			r.statics[i] = b
			continue
		}
		s, err := t.openStream(ctx, r.names)
		if err != nil {
			return base.Wrap(err, "opening %s", cmp.Or(in.Table.Name, in.Table.Format))
		}
		in := &streamInput{input: i, name: fmt.Sprintf("%d", len(r.streams)), source: s}
		if a, ok := s.(sources.Announcer); ok {
			in.unannounce = a.Announce(r.q.announced)
		}
		r.streams = append(r.streams, in)
	}
	return nil
}

// close lets go of everything; the query's rows and state stay on disk.
func (r *run) close() {
	r.dropReading()
	if r.pinned != nil {
		<-r.pinned
	}
	for _, in := range r.streams {
		if in.unannounce != nil {
			in.unannounce()
		}
		in.source.Close()
	}
	for _, t := range r.statics {
		t.Close()
	}
	if r.sink != nil {
		r.sink.Close()
	}
	if r.late != nil {
		r.late.Close()
	}
	if r.ledger != nil {
		r.ledger.Close()
	}
	if r.temporary != "" {
		os.RemoveAll(r.temporary)
	}
}

// pinStatics names the static inputs of the epoch as they are now.
func (r *run) pinStatics(ctx context.Context, p *planned) error {
	p.pins = map[int]string{}
	for i, t := range r.statics {
		pin, err := t.Pin(ctx)
		if err != nil {
			return base.Wrap(err, "reading %s", t.Describe())
		}
		p.pins[i] = pin
	}
	return nil
}

// computeEnv is what the operators of the epoch work with.
func (r *run) computeEnv(p planned, late, evict []int64) *compute.Env {
	env := r.eng.exprEnv(r.conf, p.clock*1000)
	env.Epoch = int64(p.epoch)
	env.Seed = int64(r.recovered.Meta.HashSeed)
	return &compute.Env{Expr: env, Store: r.store, Seed: r.recovered.Meta.HashSeed, Late: late, Evict: evict, Workers: workers(),
		Open: func(ctx context.Context, scan compute.Scan) ([]compute.Split, error) {
			splits, err := r.splits(ctx, p, scan)
			return computeSplits(splits), err
		}}
}

// splits are the parts of what the epoch reads of an input.
func (r *run) splits(ctx context.Context, p planned, scan compute.Scan) ([]sources.Split, error) {
	want := wanted(scan)
	want.BatchRows = intSetting(r.conf, "flightd.batchRows", 0)
	if t := r.statics[scan.Input]; t != nil {
		return r.static(ctx, t, p, scan, want)
	}
	for i, in := range r.streams {
		if in.input == scan.Input {
			if p.from[i] == p.to[i] {
				return nil, nil
			}
			return in.source.Read(ctx, p.from[i], p.to[i], want)
		}
	}
	return nil, base.Errorf(base.CodeInternal, "the plan scans input %d, which is not open", scan.Input)
}

// static are the splits of a static input as the plan pinned it. If that is gone,
// the query stops with a class of its own, unless a replay may go on with what is
// there now.
func (r *run) static(ctx context.Context, t sources.Table, p planned, scan compute.Scan, want sources.Scan) ([]sources.Split, error) {
	pin := p.pins[scan.Input]
	if !p.replay || !r.conf.Bool("flightd.allowNonDeterministicReplay", false) {
		return t.Scan(ctx, pin, want)
	}
	now, err := t.Pin(ctx)
	if err != nil {
		return nil, err
	}
	if now != pin {
		r.eng.log.Warn("a static input changed since the epoch was planned", "query", r.q.name, "epoch", p.epoch, "input", t.Describe())
	}
	return t.Scan(ctx, now, want)
}

// collect takes over what the operators counted.
func (r *run) collect(out *outcome, env *compute.Env) {
	out.inputs = make([]int64, len(r.plan.Inputs))
	copy(out.inputs, env.Metrics.InputRows)
	out.times = make([]compute.EventTime, len(r.plan.Watermarks))
	copy(out.times, env.Metrics.EventTimes)
	out.state = make([]compute.StateMetrics, len(r.plan.Stateful))
	copy(out.state, env.Metrics.State)
	for i, m := range out.state {
		out.late += m.LateRows
		if invariants.Enabled && m.Unaccounted() != 0 {
			panic(invariants.AssertionFailedf("operator %d (%s): %d of %d rows are neither used nor late nor refused", i, r.plan.Stateful[i].Name, m.Unaccounted(), m.Input))
		}
	}
}

// panicked makes an error of a recovered panic: the stack goes to the log of
// whoever prints its cause, not to the user. A panic that came from another
// goroutine has a stack of its own.
func panicked(p any) error {
	stack := debug.Stack()
	if s, ok := p.(stacked); ok {
		stack = s.Stack()
	}
	return base.Errorf(base.CodeInternal, "a bug in flightd: %v", p).
		WithHint("please report it with the query").Because(&stackTrace{stack})
}

// stacked is what a goroutine panicked with, carried to another.
type stacked interface{ Stack() []byte }

// stackTrace carries a stack without showing it in messages.
type stackTrace struct{ stack []byte }

// Error is empty on purpose: a user has no use for the stack.
func (s *stackTrace) Error() string { return "internal error" }
