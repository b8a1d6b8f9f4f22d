package flightd

import (
	"cmp"
	"context"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/google/uuid"

	"github.com/flightd/flightd/internal/base"
	"github.com/flightd/flightd/plan/catalog"
	"github.com/flightd/flightd/plan/expr"
	"github.com/flightd/flightd/plan/logical"
	"github.com/flightd/flightd/plan/planner"
	"github.com/flightd/flightd/plan/rules"
	planstreaming "github.com/flightd/flightd/plan/streaming"
	"github.com/flightd/flightd/sinks"
	"github.com/flightd/flightd/sinks/feed"
	"github.com/flightd/flightd/subscribe"
)

// querySpec is everything that CREATE STREAMING QUERY or a DataStreamWriter says
// about a query.
type querySpec struct {
	name        string
	format      string // the sink's; "" with table
	table       string
	mode        base.OutputMode
	trigger     Trigger
	options     base.Options
	partitionBy []string
	checkpoint  string
	// lateRows is the table of LATE ROWS INTO; "" for none.
	lateRows string
	// scratch says that the query belongs to one subscription: its feed lies with its
	// checkpoint.
	scratch bool
	// id and seed are those of a query that another can go on with, told what its tokens
	// are made of, resume the place where this one goes on; else none of them is set.
	id           string
	seed         uint64
	told         *told
	resume       *subscribe.Place
	foreachBatch func(ctx context.Context, rows []arrow.RecordBatch, batchID int64) error
	plan         logical.Node
	// text is the CREATE statement, script what it was parsed from: the places of
	// errors are in it.
	text, script string
}

func (q *querySpec) sinkName() string {
	if q.table != "" {
		return "table " + q.table
	}
	return q.format
}

// start analyses and checks a query, opens its checkpoint, sources and sink, and
// starts its loop.
func (s *Session) start(ctx context.Context, spec querySpec) (*StreamingQuery, error) {
	names, conf := s.snapshot()
	p, schema, err := planStream(spec.plan, names, conf, planner.Options{Mode: spec.mode, KeepLate: spec.lateRows != "", Fold: s.eng.fold(conf)})
	if err != nil {
		return nil, err
	}
	q := &StreamingQuery{runID: uuid.NewString(), name: spec.name, eng: s.eng, spec: spec,
		stopping: make(chan struct{}), done: make(chan struct{}), ready: make(chan struct{}), wake: make(chan struct{}, 1), arrived: make(chan struct{}, 1)}
	q.numRecent = intSetting(conf, "spark.sql.streaming.numRecentProgressUpdates", 100)
	q.setStatus("Initializing sources", false, false)
	if err := s.eng.claim(q); err != nil {
		return nil, err
	}
	r := &run{q: q, eng: s.eng, plan: p, conf: conf, names: names, schema: schema, arrowSchema: schema.Arrow()}
	if err := r.open(ctx); err != nil {
		r.close()
		q.finish(err, nil)
		s.eng.forget(q)
		return nil, err
	}
	q.emission = r.newEmission()
	r.live = r.newLive()
	q.mu.Lock()
	q.live = r.live
	q.mu.Unlock()
	if f, ok := r.sink.(*feed.Feed); ok {
		q.mu.Lock()
		q.feed, q.feedMode = f, r.sinkMode
		q.mu.Unlock()
	}
	loopCtx, cancel := context.WithCancel(context.Background())
	q.cancel = cancel
	s.eng.each(func(l Listener) {
		l.QueryStarted(QueryStarted{q.id, q.runID, q.name, isoMillis(s.eng.clock.Now().UnixMilli())})
	})
	go r.main(loopCtx)
	return q, nil
}

// planStream analyses, checks and plans a streaming query; o says its mode, and
// what it keeps. It returns the schema of the result as well.
func planStream(n logical.Node, names *names, conf catalog.Conf, o planner.Options) (*planner.Plan, expr.Schema, error) {
	resolved, err := analyse(n, names, conf)
	if err != nil {
		return nil, nil, err
	}
	if conf.Bool("spark.sql.streaming.unsupportedOperationCheck", true) || !isStream(resolved) {
		if err := planstreaming.Check(resolved, o.Mode); err != nil {
			return nil, nil, err
		}
	}
	meant, err := rules.Meaning(resolved, o.Fold)
	if err != nil {
		return nil, nil, err
	}
	o.Stream, o.Plain, o.FirstEventTime = true, plain(conf), !allowMultiple(conf)
	o.LocalSessions = conf.Bool("spark.sql.streaming.sessionWindow.merge.sessions.in.local.partition", false)
	o.StreamAsOf = streamAsOf(conf)
	p, err := planner.New(meant, o)
	return p, schemaOf(resolved), err
}

// main is the query's goroutine.
func (r *run) main(ctx context.Context) {
	defer r.q.cancel()
	err := r.guarded(ctx)
	if err != nil && ctx.Err() != nil && r.q.stopped() {
		err = nil
	}
	r.close()
	r.live.end()
	if err == nil && !r.q.stopped() {
		// Its trigger ended it: it is not running any more, so Open leaves it.
		if e := r.eng.markStopped(r.q.name); e != nil {
			r.eng.log.Warn("remembering that a query ended", "query", r.q.name, "err", e)
		}
	}
	err = r.q.streamFailed(inText(err, r.q.spec.script))
	if err != nil {
		r.eng.log.Error("query failed", "query", r.q.name, "id", r.q.id, "epoch", r.epoch, "err", err)
	}
	r.q.finish(err, func() {
		r.eng.each(func(l Listener) { l.QueryTerminated(QueryTerminated{r.q.id, r.q.runID, err}) })
	})
}

// guarded turns a panic of an operator or connector into the query's failure:
// the other queries go on.
func (r *run) guarded(ctx context.Context) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = panicked(p)
		}
	}()
	if err := r.recover(ctx); err != nil {
		return err
	}
	done := base.NoEpoch
	if d := r.recovered.LastDone; d != nil {
		done = d.Epoch
	}
	r.publish(done)
	close(r.q.ready)
	return r.loop(ctx)
}

// claim makes the query known under its name; the name must be free or its query
// ended.
func (e *Engine) claim(q *StreamingQuery) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.closed {
		return base.Errorf(base.CodeUnavailable, "the engine is closing")
	}
	if q.name == "" {
		e.unnamed = append(e.unnamed, q)
		return nil
	}
	key := strings.ToLower(q.name)
	if old := e.queries[key]; old != nil && old.IsActive() {
		err := base.UserError("STREAMING_QUERY_ALREADY_ACTIVE", "42710", "A query named %s is running already.", q.name)
		err.Code = base.CodeConflict
		return err.WithHint("STOP QUERY %s ends it", expr.QuoteIfNeeded(q.name))
	}
	e.queries[key] = q
	return nil
}

func (e *Engine) forget(q *StreamingQuery) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if key := strings.ToLower(q.name); e.queries[key] == q {
		delete(e.queries, key)
	}
	for i, u := range e.unnamed {
		if u == q {
			e.unnamed = append(e.unnamed[:i:i], e.unnamed[i+1:]...)
			return
		}
	}
}

// checkpointDir is where the query's ledger lives: its option, the setting
// spark.sql.streaming.checkpointLocation with the query's name below it, or the
// data folder. temporary reports that nothing named it: such a query starts
// afresh each time, which only a sink that forgets its rows may.
func (r *run) checkpointDir(p sinks.Provider) (dir string, temporary bool, err error) {
	spec := &r.q.spec
	if spec.scratch {
		return spec.checkpoint, false, nil
	}
	if d := cmp.Or(spec.checkpoint, spec.options.String("checkpointLocation", "")); d != "" {
		return d, false, r.eng.mayUse(d)
	}
	if d := r.conf.Lookup("spark.sql.streaming.checkpointLocation", ""); d != "" {
		d = filepath.Join(d, cmp.Or(r.q.name, r.q.runID))
		return d, false, r.eng.mayUse(d)
	}
	if p.Volatile {
		return filepath.Join(r.eng.dir, "checkpoints", "run-"+r.q.runID), true, nil
	}
	if r.q.name != "" {
		return filepath.Join(r.eng.dir, "checkpoints", fileName(r.q.name)), false, nil
	}
	return "", false, base.Errorf(base.CodeInvalid, "a query into %s needs a checkpoint", spec.sinkName()).
		WithHint("give the query a name, or set the option checkpointLocation")
}

// fileName makes a name safe as a file name, so that different names stay
// different.
func fileName(name string) string {
	var b strings.Builder
	for _, c := range []byte(strings.ToLower(name)) {
		if c >= 'a' && c <= 'z' || c >= '0' && c <= '9' || c == '_' || c == '-' {
			b.WriteByte(c)
		} else {
			b.WriteString("%" + strconv.FormatUint(uint64(c), 16))
		}
	}
	return b.String()
}

func intSetting(c catalog.Conf, key string, def int) int {
	if n, err := strconv.Atoi(c.Lookup(key, "")); err == nil {
		return n
	}
	return def
}

func durationSetting(c catalog.Conf, key string, def time.Duration) time.Duration {
	if d, err := base.ParseDuration(c.Lookup(key, "")); err == nil {
		return d
	}
	return def
}

// streamAsOf reports whether ASOF JOIN of two streams is allowed.
func streamAsOf(conf catalog.Conf) bool { return conf.Bool("flightd.streamAsOfJoin.enabled", false) }
