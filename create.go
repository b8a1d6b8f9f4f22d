package flightd

import (
	"context"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/flightd/flightd/internal/base"
	"github.com/flightd/flightd/plan/expr"
	"github.com/flightd/flightd/plan/logical"
	"github.com/flightd/flightd/plan/sql"
	"github.com/flightd/flightd/sinks"
	"github.com/flightd/flightd/sinks/feed"
)

// managedFormat is the format of a table under the data folder.
const managedFormat = "table"

func (s *Session) createTable(ctx context.Context, st *logical.CreateTable, text string) (*Result, error) {
	name := last(st.Name)
	if old := s.eng.table(name); old != nil && st.IfNotExists {
		return done(0, "there is a table "+old.def.Name+" already"), nil
	}
	def := tableDef{Name: name, Format: strings.ToLower(st.Format), Options: st.Options, Comment: st.Comment, Schema: st.Schema}
	if st.Streaming {
		return s.createStreamingTable(ctx, st, def, text)
	}
	if err := def.absolute(); err != nil {
		return nil, err
	}
	if st.Plan != nil {
		return s.createTableAs(ctx, st, def)
	}
	if def.Format == "" || def.Format == flightFormat {
		if def.Schema == nil && def.Format == "" {
			return nil, base.Errorf(base.CodeInvalid, "a table needs columns, a connector (USING …) or a query (AS …)").At(st.At)
		}
		if err := s.stored(st, &def); err != nil {
			return nil, err
		}
		return done(0), nil
	}
	t, err := s.eng.connector(def)
	if err != nil {
		return nil, base.AsError(err).At(st.At)
	}
	// A connector that cannot be opened is refused here, not at first use.
	names, _ := s.snapshot()
	if _, err := t.describe(names); err != nil {
		return nil, err
	}
	return done(0), s.eng.addTable(t, st.Replace)
}

// stored makes the empty table of a statement under the data folder.
func (s *Session) stored(st *logical.CreateTable, def *tableDef) error {
	if def.Format == flightFormat && st.PartitionBy != nil {
		return base.UserError("UNSUPPORTED_FEATURE", "0A000", "A table USING flight has no partitions: its rows stay in the order in which they came.").At(st.At)
	}
	if err := s.eng.createStored(def, st.Replace); err != nil {
		return base.AsError(err).At(st.At)
	}
	return nil
}

// absolute makes a relative path of a table absolute, so that it means the same
// when the server is started from another directory.
func (d *tableDef) absolute() error {
	path, ok := d.Options.Lookup("path")
	if !ok || filepath.IsAbs(path) || strings.Contains(path, ":/") {
		return nil
	}
	abs, err := filepath.Abs(path)
	if err != nil {
		return base.Wrap(err, "finding %s", path)
	}
	d.Options = maps.Clone(d.Options)
	for k := range d.Options {
		if strings.EqualFold(k, "path") {
			d.Options[k] = abs
		}
	}
	return nil
}

// createManaged makes an empty table under the data folder.
func (e *Engine) createManaged(def *tableDef, replace bool) error {
	if e.table(def.Name) != nil && !replace {
		return e.addTable(&table{def: *def}, false)
	}
	if err := storable(def.Schema); err != nil {
		return err
	}
	def.Format = managedFormat
	def.Dir = filepath.Join("tables", fileName(def.Name)+"-"+uuid.NewString()[:8])
	def.Schema = def.Schema.AsNullable()
	if err := createManagedTable(filepath.Join(e.dir, def.Dir), def.Schema.Arrow()); err != nil {
		return base.Wrap(err, "creating table %s", def.Name)
	}
	t, err := e.connector(*def)
	if err != nil {
		return err
	}
	return e.addTable(t, replace)
}

func (s *Session) createTableAs(ctx context.Context, st *logical.CreateTable, def tableDef) (*Result, error) {
	r, err := s.query(ctx, st.Plan)
	if err != nil {
		return nil, err
	}
	defer r.Close()
	if def.Schema, err = expr.SchemaFromArrow(r.Schema()); err != nil {
		return nil, err
	}
	if def.Format == "" || def.Format == flightFormat {
		if err := s.stored(st, &def); err != nil {
			return nil, err
		}
		n, err := s.eng.writeBatch(ctx, s.eng.table(def.Name), r, base.Append)
		return done(n), err
	}
	p, err := s.eng.sinks.Lookup(def.Format)
	if err != nil {
		return nil, base.AsError(err).At(st.At)
	}
	sink, err := p.Open(ctx, sinks.Config{Query: def.Name, QueryID: uuid.NewString(), Options: def.Options, Schema: r.Schema(), PartitionBy: st.PartitionBy, Clock: s.eng.clock, Batch: true, Disk: s.eng.disk})
	if err != nil {
		return nil, err
	}
	defer sink.Close()
	n, err := drain(ctx, r, sink, base.Append)
	if err != nil {
		return nil, err
	}
	t, err := s.eng.connector(def)
	if err != nil {
		return nil, err
	}
	return done(n), s.eng.addTable(t, st.Replace)
}

// createStreamingTable makes a table under the data folder and a query of the
// same name that fills it.
func (s *Session) createStreamingTable(ctx context.Context, st *logical.CreateTable, def tableDef, text string) (*Result, error) {
	d := &DataFrame{s: s, plan: st.Plan}
	n, err := d.resolve()
	if err != nil {
		return nil, err
	}
	if def.Format != "" {
		return nil, base.Errorf(base.CodeInvalid, "a streaming table lies under the data folder, so it takes no USING %s", def.Format).At(st.At).
			WithHint("CREATE STREAMING QUERY … INTO %s writes elsewhere", def.Format)
	}
	if old := s.eng.table(def.Name); old == nil || st.Replace || !s.eng.fills(def.Name, statementText(st, text)) {
		def.Schema = schemaOf(n)
		if err := s.eng.createManaged(&def, st.Replace); err != nil {
			return nil, base.AsError(err).At(st.At)
		}
	}
	spec := querySpec{name: def.Name, table: def.Name, plan: st.Plan, options: base.Options{}, text: statementText(st, text), script: text}
	return s.startStatement(ctx, st, spec)
}

// fills reports whether the catalog has the query of a CREATE STREAMING TABLE
// statement: then its table is that query's own.
func (e *Engine) fills(name, text string) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.store.content.Queries[strings.ToLower(name)].Text == text
}

func statementText(st logical.Statement, text string) string {
	p := st.Pos()
	if p.End <= p.Start || p.End > len(text) {
		return text
	}
	return strings.TrimSpace(text[p.Start:p.End])
}

func (s *Session) createQuery(ctx context.Context, st *logical.CreateQuery, text string) (*Result, error) {
	if q := s.eng.Query(st.Name); q != nil && q.IsActive() && st.IfNotExists {
		return done(0, "the query "+st.Name+" is running already"), nil
	}
	spec, err := specOf(st, text)
	if err != nil {
		return nil, err
	}
	return s.startStatement(ctx, st, spec)
}

// specOf is what a CREATE STREAMING QUERY says.
func specOf(st *logical.CreateQuery, text string) (querySpec, error) {
	spec := querySpec{name: st.Name, format: strings.ToLower(st.Format), options: st.Options, partitionBy: st.PartitionBy,
		checkpoint: st.Checkpoint, plan: st.Plan, text: statementText(st, text), script: text}
	if spec.options == nil {
		spec.options = base.Options{}
	}
	if len(st.Table) > 0 {
		spec.table = last(st.Table)
	}
	if len(st.LateRows) > 0 {
		spec.lateRows = last(st.LateRows)
	}
	var err error
	if st.OutputMode != "" {
		if spec.mode, err = base.ParseOutputMode(st.OutputMode); err != nil {
			return spec, base.AsError(err).At(st.At)
		}
	}
	spec.trigger, err = triggerOf(st.Trigger)
	return spec, err
}

// triggerOf reads the TRIGGER clause; none is processing time 0.
func triggerOf(t *logical.TriggerSpec) (Trigger, error) {
	if t == nil {
		return Trigger{}, nil
	}
	switch strings.ToLower(t.Kind) {
	case "available now":
		return Trigger{Kind: AvailableNow}, nil
	case "once":
		return Trigger{Kind: Once}, nil
	case "continuous":
		return Trigger{}, base.UserError("UNSUPPORTED_FEATURE", "0A000", "flightd has no continuous processing.").At(t.At).
			WithHint("TRIGGER PROCESSING TIME '0 seconds' starts an epoch as soon as the last one ended, exactly-once, within milliseconds")
	case "real time":
		return Trigger{}, base.UserError("UNSUPPORTED_FEATURE", "0A000", "flightd has no real-time mode.").At(t.At).
			WithHint("TRIGGER PROCESSING TIME '0 seconds' starts an epoch as soon as the last one ended, within milliseconds")
	}
	months, days, micros, err := sql.ParseInterval(t.Interval)
	if err != nil {
		return Trigger{}, base.AsError(err).At(t.At)
	}
	d := time.Duration(days)*24*time.Hour + time.Duration(micros)*time.Microsecond
	if months != 0 || d < 0 {
		return Trigger{}, base.Errorf(base.CodeInvalid, "a trigger interval of %q", t.Interval).At(t.At).
			WithHint("it must be positive and without months, such as '5 seconds'")
	}
	return Trigger{Kind: ProcessingTime, Interval: d}, nil
}

// startStatement starts the query of a statement and remembers the statement, so
// that a restart of the engine starts the query again.
func (s *Session) startStatement(ctx context.Context, st logical.Statement, spec querySpec) (*Result, error) {
	def := queryDef{Name: strings.ToLower(spec.name), Text: spec.text, Owner: s.user.Name, Settings: s.Settings()}
	names, _ := s.snapshot()
	for _, k := range sortedKeys(names.views) {
		if v := names.views[k]; v.Text != "" {
			def.Views = append(def.Views, viewDef{v.Name, v.Text})
		}
	}
	// The record goes first: a query may end before start has returned.
	before, err := s.eng.remember(def)
	if err != nil {
		return nil, err
	}
	if _, err := s.start(ctx, spec); err != nil {
		if e := s.eng.forgetRecord(def.Name, before); e != nil {
			s.eng.log.Warn("taking back the record of a query", "query", def.Name, "err", e)
		}
		return nil, err
	}
	return done(0, s.clash(spec)...), nil
}

// clash is a notice if a table has the name of the query, which is not the query's own.
func (s *Session) clash(spec querySpec) []string {
	t := s.eng.table(spec.name)
	if t == nil || t.result || strings.EqualFold(spec.table, spec.name) {
		return nil
	}
	return []string{"there is a table " + t.def.Name + ", too: SELECT reads the table, SUBSCRIBE follows the query"}
}

// remember writes a query's record and returns the one it replaces, or nil.
func (e *Engine) remember(def queryDef) (before *queryDef, err error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if old, ok := e.store.content.Queries[def.Name]; ok {
		before = &old
	}
	return before, e.store.write(catalogRecord{Query: &def})
}

// forgetRecord takes back the record of a query that did not start.
func (e *Engine) forgetRecord(name string, before *queryDef) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	if before != nil {
		return e.store.write(catalogRecord{Query: before})
	}
	return e.store.write(catalogRecord{DropQuery: name})
}

func (s *Session) stopQuery(ctx context.Context, st *logical.StopQuery) (*Result, error) {
	q := s.eng.Query(st.Name)
	if q == nil {
		return nil, s.eng.noQuery(st.Name).At(st.At)
	}
	if err := q.Stop(ctx); err != nil {
		return nil, err
	}
	return done(0), s.eng.markStopped(st.Name)
}

// markStopped remembers that a query is not to be started by Open.
func (e *Engine) markStopped(name string) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	def, ok := e.store.content.Queries[strings.ToLower(name)]
	if !ok || def.Stopped {
		return nil
	}
	def.Stopped = true
	return e.store.write(catalogRecord{Query: &def})
}

// dropQuery stops a query and forgets it with its checkpoint and result.
func (e *Engine) dropQuery(ctx context.Context, name string) error {
	q := e.Query(name)
	if q == nil {
		return e.noQuery(name)
	}
	if err := q.Stop(ctx); err != nil {
		return err
	}
	e.forget(q)
	e.mu.Lock()
	defer e.mu.Unlock()
	key := strings.ToLower(name)
	if t := e.tables[key]; t != nil && t.result {
		delete(e.tables, key)
	}
	if err := e.store.write(catalogRecord{DropQuery: key}); err != nil {
		return err
	}
	if q.spec.format == "feed" {
		if err := feed.Remove(e.feedDir(name)); err != nil {
			return err
		}
	}
	return os.RemoveAll(filepath.Join(e.dir, "checkpoints", fileName(name)))
}

// dropTable forgets a table, and the rows of one under the data folder.
func (e *Engine) dropTable(name string) error {
	t := e.table(name)
	if t == nil {
		return notFound("table", name, e.tableNames())
	}
	if q := e.Query(name); q != nil && q.IsActive() && (t.result || q.spec.table != "") {
		return base.Errorf(base.CodeConflict, "the table %s is the result of a running query", t.def.Name).WithHint("DROP QUERY %s first", expr.QuoteIfNeeded(q.name))
	}
	if err := e.forgetTable(t); err != nil {
		return err
	}
	if t.def.Format == flightFormat {
		return e.dropLog(t.def.Dir)
	}
	if t.def.Dir != "" {
		return os.RemoveAll(filepath.Join(e.dir, t.def.Dir))
	}
	return nil
}

// forgetTable takes a table out of the catalog.
func (e *Engine) forgetTable(t *table) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	delete(e.tables, strings.ToLower(t.def.Name))
	if t.result {
		return nil
	}
	return e.store.write(catalogRecord{DropTable: t.def.Name})
}
