package flightd

import (
	"context"
	"io"
	"runtime"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/flightd/flightd/compute"
	cexpr "github.com/flightd/flightd/compute/expr"
	"github.com/flightd/flightd/internal/base"
	"github.com/flightd/flightd/plan/catalog"
	"github.com/flightd/flightd/plan/expr"
	"github.com/flightd/flightd/plan/logical"
	"github.com/flightd/flightd/plan/planner"
	"github.com/flightd/flightd/plan/resolve"
	"github.com/flightd/flightd/plan/rules"
	"github.com/flightd/flightd/sources"
)

// analyse resolves a plan and applies the rules that belong to its meaning.
func analyse(n logical.Node, names *names, conf catalog.Conf) (logical.Node, error) {
	resolved, err := resolve.Plan(n, &resolve.Env{Catalog: names, Conf: conf, Fold: foldOf(conf)})
	if err != nil {
		return nil, err
	}
	return resolved, nil
}

// noStream refuses a batch query over a stream.
func noStream(n logical.Node) error {
	if !isStream(n) {
		return nil
	}
	return base.UserError("STREAMING_QUERY_AS_BATCH", "0A000", "A query over a stream never ends, so it cannot be read as a result.").
		At(n.Pos()).WithHint("run it with CREATE STREAMING QUERY … AS, or follow it with SUBSCRIBE TO; to read a stream's table as it is now, leave out STREAM")
}

// query runs a plan as a batch. Inputs are pinned now; rows are made as the
// result is read.
func (s *Session) query(ctx context.Context, plan logical.Node) (*Result, error) {
	names, conf := s.snapshot()
	resolved, err := analyse(plan, names, conf)
	if err != nil {
		return nil, err
	}
	if err := noStream(resolved); err != nil {
		return nil, err
	}
	return s.eng.runBatch(ctx, resolved, names, conf)
}

func (e *Engine) runBatch(ctx context.Context, resolved logical.Node, names *names, conf catalog.Conf) (*Result, error) {
	b := &batch{opened: map[*catalog.Table]*openTable{}}
	p, err := e.planBatch(ctx, resolved, names, conf, b)
	if err != nil {
		b.close()
		return nil, err
	}
	for _, in := range p.Inputs {
		t, err := b.take(ctx, in.Table, names)
		if err != nil {
			b.close()
			return nil, base.Wrap(err, "reading %s", in.Table.Name)
		}
		b.tables, b.pins = append(b.tables, t.table), append(b.pins, t.pin)
	}
	env := &compute.Env{Expr: e.exprEnv(conf, e.clock.Now().UnixMicro()), Open: b.open, Workers: workers()}
	root, err := compute.Build(ctx, p.Root, env)
	if err != nil {
		b.close()
		return nil, err
	}
	b.root, b.schema = root, schemaOf(resolved).Arrow()
	r := &Result{affected: -1, next: b.next, close: b.close, epochs: b.epochs()}
	b.schema = withEpochs(b.schema, r.epochs)
	r.schema = b.schema
	return r, nil
}

// planBatch plans a batch. The tables whose sizes it asks for are opened in b.
func (e *Engine) planBatch(ctx context.Context, resolved logical.Node, names *names, conf catalog.Conf, b *batch) (*planner.Plan, error) {
	rewrite := func(n logical.Node) (logical.Node, error) {
		if plain(conf) {
			return rules.Meaning(n, e.fold(conf))
		}
		n, err := rules.Meaning(rules.Factor(n), e.fold(conf))
		if err != nil {
			return nil, err
		}
		return rules.Tidy(rules.Reorder(rules.Tidy(n), func(t *catalog.Table) (int64, map[string][2]int64, bool) { return b.statistics(ctx, t, names) })), nil
	}
	n, err := rewrite(resolved)
	if err != nil {
		return nil, err
	}
	return planner.New(n, planner.Options{Plain: plain(conf), Fold: e.fold(conf), Rewrite: rewrite})
}

// openTable is a table as a batch reads it.
type openTable struct {
	table sources.Table
	pin   string
	// estimate is what the table knows about its rows, once it was asked; nil: nothing.
	estimate *sources.Estimate
	asked    bool
}

// take opens a table, once.
func (b *batch) take(ctx context.Context, t *catalog.Table, names *names) (*openTable, error) {
	if o := b.opened[t]; o != nil {
		return o, nil
	}
	opened, err := b.openTable(ctx, t.Handle.(*table), names)
	if err != nil {
		return nil, err
	}
	o := &openTable{table: opened}
	if o.pin, err = opened.Pin(ctx); err != nil {
		opened.Close()
		return nil, err
	}
	b.opened[t] = o
	return o, nil
}

func (b *batch) openTable(ctx context.Context, t *table, names *names) (sources.Table, error) {
	if t.live == nil {
		return t.openBatch(ctx, names)
	}
	m, err := b.moment(ctx, t.live.live, names)
	if err != nil {
		return nil, err
	}
	return t.live.open(ctx, m)
}

// ask asks the table about its rows, once: the order of joins is found by asking
// about the same tables again and again.
func (o *openTable) ask(ctx context.Context) *sources.Estimate {
	if o.asked {
		return o.estimate
	}
	o.asked = true
	if e, ok := o.table.(sources.Estimator); ok {
		if estimate, err := e.Estimate(ctx, o.pin); err == nil {
			o.estimate = &estimate
		}
	}
	return o.estimate
}

// statistics is what a table knows about itself before it is read. What goes wrong
// here does so again when it is read, and is told then.
func (b *batch) statistics(ctx context.Context, t *catalog.Table, names *names) (int64, map[string][2]int64, bool) {
	o, err := b.take(ctx, t, names)
	if err != nil {
		return 0, nil, false
	}
	estimate := o.ask(ctx)
	if estimate == nil {
		return 0, nil, false
	}
	ranges := make(map[string][2]int64, len(estimate.Ranges))
	for name, r := range estimate.Ranges {
		ranges[name] = [2]int64{r.Min, r.Max}
	}
	return estimate.Rows, ranges, true
}

// batch is a running batch query.
type batch struct {
	// opened are the tables that were opened for it, and tables those of the plan's
	// inputs.
	opened map[*catalog.Table]*openTable
	tables []sources.Table
	pins   []string
	root   compute.Operator
	schema *arrow.Schema
	// moments are the epochs of the queries that are read.
	moments map[*live]*moment
}

func (b *batch) open(ctx context.Context, scan compute.Scan) ([]compute.Split, error) {
	splits, err := b.tables[scan.Input].Scan(ctx, b.pins[scan.Input], wanted(scan))
	if err != nil {
		return nil, err
	}
	return computeSplits(splits), nil
}

// wanted is what a scan asks a source or table for.
func wanted(scan compute.Scan) sources.Scan {
	return sources.Scan{Columns: scan.Columns, Borrowed: scan.Borrowed, Dictionaries: scan.Dictionaries, Where: predicates(scan.Scan)}
}

// computeSplits hands the splits of a source or table to the operators.
func computeSplits(splits []sources.Split) []compute.Split {
	out := make([]compute.Split, len(splits))
	for i, s := range splits {
		out[i] = func(ctx context.Context) (compute.RowReader, error) {
			r, err := s.Open(ctx)
			if err != nil {
				return nil, base.Wrap(err, "opening %s", s)
			}
			return r, nil
		}
	}
	return out
}

func (b *batch) next(ctx context.Context) (arrow.RecordBatch, error) {
	for {
		out, err := b.root.Next(ctx)
		if err == io.EOF {
			b.release()
		}
		if err != nil {
			return nil, err
		}
		rec, err := out.Compact()
		if err != nil {
			return nil, err
		}
		if rec.NumRows() > 0 {
			return conform(rec, b.schema), nil
		}
		rec.Release()
	}
}

// conform gives rec the schema that the result was announced with: a plan that
// passes a scan's columns on passes on the connector's nullability and metadata,
// too. It takes over the reference to rec.
func conform(rec arrow.RecordBatch, schema *arrow.Schema) arrow.RecordBatch {
	if rec.Schema() == schema || rec.Schema().Equal(schema) && rec.Schema().Metadata().Equal(schema.Metadata()) {
		return rec
	}
	defer rec.Release()
	return array.NewRecordBatch(schema, rec.Columns(), rec.NumRows())
}

func (b *batch) close() error {
	if b.root != nil {
		compute.Close(b.root)
	}
	for _, o := range b.opened {
		o.table.Close()
	}
	b.release()
	b.opened = nil
	return nil
}

// release lets go of the epochs that were read.
func (b *batch) release() {
	for _, m := range b.moments {
		m.release()
	}
	b.moments = nil
}

// rowsResult is the result of a statement that makes its rows at once.
func rowsResult(schema expr.Schema, rows []arrow.RecordBatch) *Result {
	return &Result{schema: schema.Arrow(), affected: -1, next: func(context.Context) (arrow.RecordBatch, error) {
		if len(rows) == 0 {
			return nil, io.EOF
		}
		rec := rows[0]
		rows = rows[1:]
		return rec, nil
	}}
}

// plain reports that the rules for speed are switched off.
func plain(conf catalog.Conf) bool { return !conf.Bool("flightd.speedRules.enabled", true) }

// exprEnv is what expressions depend on in a session: its time zone and now, in
// microseconds.
func (e *Engine) exprEnv(conf catalog.Conf, now int64) *cexpr.Env {
	return &cexpr.Env{Zone: zoneOf(conf), Now: now, Library: e.functions, Memory: &cexpr.Memory{Limit: e.memoryLimit(conf)},
		LastKeyWins: conf.Lookup("spark.sql.mapKeyDedupPolicy", "EXCEPTION") == "LAST_WIN"}
}

// foldOf evaluates the constants that types depend on. It makes its functions
// when it is first asked, which is seldom.
func foldOf(conf catalog.Conf) expr.Fold {
	return func(e expr.Expr) (*expr.Literal, bool) {
		lit, err := cexpr.Fold(e, &cexpr.Env{Zone: zoneOf(conf)})
		return lit, err == nil
	}
}

// fold evaluates constants while a query is planned.
func (e *Engine) fold(conf catalog.Conf) expr.Fold {
	env := e.exprEnv(conf, e.clock.Now().UnixMicro())
	return func(c expr.Expr) (*expr.Literal, bool) {
		l, err := cexpr.Fold(c, env)
		return l, err == nil
	}
}

// workers is how many goroutines share the work of an epoch.
func workers() int { return runtime.GOMAXPROCS(0) }
