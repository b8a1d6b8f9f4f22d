package flightd

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"runtime"
	"sort"
	"strings"
	"sync"
	"time"

	cexpr "github.com/flightd/flightd/compute/expr"
	"github.com/flightd/flightd/internal/base"
	"github.com/flightd/flightd/internal/roots"
	"github.com/flightd/flightd/internal/turnstile"
	"github.com/flightd/flightd/plan/expr"
	"github.com/flightd/flightd/sinks"
	"github.com/flightd/flightd/sources"
)

// Version is what `flightd version` prints. Releases set it when they link.
var Version = "0.1.0-dev"

// Engine owns the tables, the streaming queries and their checkpoints of one
// data folder. Tables and queries are seen by all its sessions.
type Engine struct {
	opts    Options
	dir     string
	temp    bool
	clock   base.Clock
	log     *slog.Logger
	sources *sources.Registry
	sinks   *sinks.Registry
	store   *catalogStore
	// disk bounds the files that SQL names; nil is the process's rights.
	disk *roots.Set
	// functions are the evaluators of all expressions.
	functions *cexpr.Library
	// memory is how many bytes a query may hold that has no other limit.
	memory int64

	logs logs
	// turns are those of subscribers.
	turns  *turnstile.Turnstile
	tokens tokenKey

	mu        sync.Mutex
	closed    bool
	tables    map[string]*table
	queries   map[string]*StreamingQuery // by lower-case name
	unnamed   []*StreamingQuery
	listeners []Listener
	// users are the functions registered with the engine, by lower-case name.
	users map[string]*expr.Function
}

// Open opens or makes the data folder and starts the queries that ran when it
// was closed. It fails with a Conflict if another process has the folder open.
func Open(ctx context.Context, o Options) (*Engine, error) {
	e := &Engine{opts: o, dir: o.DataDir, clock: o.Clock, log: o.Logger, functions: cexpr.NewLibrary(), memory: machineMemory() / 10 * 6,
		turns:  turnstile.New(runtime.GOMAXPROCS(0) / 2),
		tables: map[string]*table{}, queries: map[string]*StreamingQuery{}, users: map[string]*expr.Function{}}
	for _, f := range o.Functions {
		if err := e.RegisterFunction(f); err != nil {
			return nil, err
		}
	}
	if e.clock == nil {
		e.clock = base.RealClock{}
	}
	if e.log == nil {
		e.log = slog.New(slog.DiscardHandler)
	}
	if e.dir == "" {
		dir, err := os.MkdirTemp("", "flightd-")
		if err != nil {
			return nil, base.Wrap(err, "making a temporary data folder")
		}
		e.dir, e.temp = dir, true
	}
	dir, err := filepath.Abs(e.dir)
	if err != nil {
		return nil, base.Wrap(err, "opening the data folder %s", e.dir)
	}
	e.dir = dir
	if err := e.confine(); err != nil {
		return nil, err
	}
	e.sources = sources.NewRegistry(append(builtinSources(), o.Sources...)...)
	e.sinks = sinks.NewRegistry(append(builtinSinks(e), o.Sinks...)...)
	if e.store, err = openCatalogStore(filepath.Join(e.dir, "catalog")); err != nil {
		return nil, base.Wrap(err, "opening the data folder %s", e.dir)
	}
	if err := os.RemoveAll(e.scratchDir()); err != nil { // left by a crash
		e.log.Warn("removing what a subscription left", "err", err)
	}
	if err := e.restore(ctx); err != nil {
		e.Close()
		return nil, err
	}
	return e, nil
}

// Close stops the queries after their running epochs, and remembers that they
// were running: the next Open of the folder starts them again.
func (e *Engine) Close() error {
	e.mu.Lock()
	e.closed = true
	e.mu.Unlock()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	for _, q := range e.Queries() {
		_ = q.Stop(ctx)
	}
	err := e.closeLogs()
	if e.store != nil {
		err = errors.Join(err, e.store.close())
	}
	if e.temp {
		os.RemoveAll(e.dir)
	}
	return errors.Join(err, e.disk.Close())
}

// Queries lists the queries that are running, by name; those without a name
// last.
func (e *Engine) Queries() []*StreamingQuery {
	e.mu.Lock()
	defer e.mu.Unlock()
	var out []*StreamingQuery
	for _, q := range e.queries {
		if q.IsActive() {
			out = append(out, q)
		}
	}
	sort.Slice(out, func(i, j int) bool { return out[i].name < out[j].name })
	for _, q := range e.unnamed {
		if q.IsActive() {
			out = append(out, q)
		}
	}
	return out
}

// Query returns the query of a name, running or ended, or nil.
func (e *Engine) Query(name string) *StreamingQuery {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.queries[strings.ToLower(name)]
}

// AddListener adds a listener to all queries.
func (e *Engine) AddListener(l Listener) {
	e.mu.Lock()
	e.listeners = append(e.listeners, l)
	e.mu.Unlock()
}

// RemoveListener removes a listener.
func (e *Engine) RemoveListener(l Listener) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for i, m := range e.listeners {
		if m == l {
			e.listeners = append(e.listeners[:i:i], e.listeners[i+1:]...)
			return
		}
	}
}

// each calls f with every listener.
func (e *Engine) each(f func(Listener)) {
	e.mu.Lock()
	ls := append([]Listener(nil), e.listeners...)
	e.mu.Unlock()
	for _, l := range ls {
		f(l)
	}
}

// AwaitAnyTermination waits until one of the running queries ends and returns
// its failure, or nil.
func (e *Engine) AwaitAnyTermination(ctx context.Context) error {
	qs := e.Queries()
	if len(qs) == 0 {
		return nil
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	ended := make(chan error, len(qs))
	for _, q := range qs {
		go func() { ended <- q.AwaitTermination(ctx) }()
	}
	return <-ended
}
