package flightd

import (
	"context"
	"io"
	"slices"
	"strconv"
	"strings"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	arrowmem "github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/flightd/flightd/compute"
	"github.com/flightd/flightd/internal/base"
	"github.com/flightd/flightd/plan/expr"
	"github.com/flightd/flightd/sources"
	"github.com/flightd/flightd/sources/memory"
	"github.com/flightd/flightd/state"
)

// epochColumn is the name of the hidden column that says as of which epoch a result or
// a state is.
const epochColumn = "_epoch"

// epochField is that column, which stands behind the others.
var epochField = expr.Field{Name: epochColumn, Type: expr.Int64, Nullable: true}

// liveRef makes a table of the engine one of a query's result or, with state, of its
// state.
type liveRef struct {
	live  *live
	state *compute.StateTable
}

// liveTable is a liveRef as one statement reads it: as of one epoch.
type liveTable struct {
	schema *arrow.Schema // with the epoch behind
	epoch  base.Epoch
	// query is the query's identity, name the table's name.
	query, name string
	// splits are the rows, without the epoch.
	splits func(scan sources.Scan) ([]sources.Split, error)
	rows   int64 // −1: not known
	close  func()
}

var (
	_ sources.Table     = (*liveTable)(nil)
	_ sources.Estimator = (*liveTable)(nil)
)

// open returns the table as of a moment.
func (r *liveRef) open(ctx context.Context, m *moment) (sources.Table, error) {
	var t *liveTable
	var err error
	if r.state != nil {
		t = r.openState(m)
	} else {
		t, err = r.openResult(ctx, m)
	}
	if err != nil {
		return nil, err
	}
	return t.of(r.live.q.id, m.epoch), nil
}

// of says whose rows they are, and as of which epoch.
func (t *liveTable) of(query string, epoch base.Epoch) *liveTable {
	t.query, t.epoch = query, epoch
	t.schema = arrow.NewSchema(append(slices.Clone(t.schema.Fields()), expr.Schema{epochField}.Arrow().Field(0)), nil)
	return t
}

// openResult returns the result: of a query into memory what is kept there, of one into
// feed what its epochs come to.
func (r *liveRef) openResult(ctx context.Context, m *moment) (*liveTable, error) {
	if m.version != nil {
		if m.version.Epoch() == base.NoEpoch && m.epoch != base.NoEpoch {
			return nil, base.UserError("LIVE_RESULT_NOT_THERE", "55000", "The query %s was started again, and its result was in memory: it is there again with the next epoch.", r.live.q.name).
				WithHint("INTO feed and INTO TABLE keep results on disk")
		}
		return recordTable(m.live.memory.Schema(), m.version.Rows()), nil
	}
	f := r.live.feed
	h := f.Hold(m.epoch)
	t := &liveTable{schema: f.Schema(), rows: -1, close: h.Release}
	mode, ok := h.Mode()
	switch {
	case ok && mode.Kind == base.Update && mode.Keys != nil:
		defer h.Release()
		v, err := r.live.cache.result(ctx, h, f.Schema(), r.live.budget.Limit)
		if err != nil {
			return nil, err
		}
		defer v.Release()
		return recordTable(f.Schema(), v.Rows()), nil
	case ok && mode.Kind == base.Complete:
		t.splits = func(scan sources.Scan) ([]sources.Split, error) { return feedSplits(h, len(h.Epochs())-1, scan), nil }
	default:
		t.splits = func(scan sources.Scan) ([]sources.Split, error) { return feedSplits(h, 0, scan), nil }
	}
	return t, nil
}

// recordTable is the table of record batches, which it retains.
func recordTable(schema *arrow.Schema, recs []arrow.RecordBatch) *liveTable {
	in := memory.NewTable(schema, recs)
	t := &liveTable{schema: schema, close: func() { in.Close() }}
	for _, rec := range recs {
		t.rows += rec.NumRows()
	}
	t.splits = func(scan sources.Scan) ([]sources.Split, error) {
		pin, err := in.Pin(context.Background())
		if err != nil {
			return nil, err
		}
		return in.Scan(context.Background(), pin, scan)
	}
	return t
}

// openState returns a table of the state.
func (r *liveRef) openState(m *moment) *liveTable {
	t := &liveTable{schema: r.state.Schema(), rows: -1, close: func() {}}
	view := m.view.Table(r.state.ID())
	if view == nil { // no epoch has made it yet
		t.rows = 0
		t.splits = func(sources.Scan) ([]sources.Split, error) { return nil, nil }
		return t
	}
	t.splits = func(scan sources.Scan) ([]sources.Split, error) {
		refs, found, err := lookUp(r.state, view, scan.Where)
		if err != nil {
			return nil, err
		}
		if found {
			return []sources.Split{&stateSplit{table: r.state, view: view, scan: scan, refs: refs}}, nil
		}
		var out []sources.Split
		for i := range view.Subs() {
			out = append(out, &stateSplit{table: r.state, view: view, scan: scan, sub: i})
		}
		return out, nil
	}
	return t
}

// mostKeys is how many keys a filter may name for their rows to be looked up one by one.
const mostKeys = 256

// lookUp finds the rows with the keys that a filter names, if it names all columns of
// them; else found is false.
func lookUp(t *compute.StateTable, view *state.TableView, where []sources.Predicate) (refs []state.Ref, found bool, err error) {
	columns := t.KeyColumns()
	if len(columns) == 0 {
		return nil, false, nil
	}
	combos := []map[int]any{{}}
	for _, c := range columns {
		at := slices.IndexFunc(where, func(p sources.Predicate) bool { return p.Column == c && p.Test == sources.Equal })
		if at < 0 || len(where[at].Values)*len(combos) > mostKeys {
			return nil, false, nil
		}
		var next []map[int]any
		for _, combo := range combos {
			for _, v := range where[at].Values {
				one := map[int]any{c: literalOf(v, t.Columns[c].Type)}
				for k, x := range combo {
					one[k] = x
				}
				next = append(next, one)
			}
		}
		combos = next
	}
	seen := map[state.Ref]bool{}
	for _, combo := range combos {
		keys := view.NewKeys()
		ok, err := t.Normalise(keys, combo)
		if err != nil || !ok {
			return nil, false, err
		}
		rows, err := view.Find(keys)
		if err != nil {
			return nil, false, err
		}
		for _, ref := range rows {
			if !seen[ref] {
				seen[ref] = true
				refs = append(refs, ref)
			}
		}
	}
	return refs, true, nil
}

// literalOf gives the value of a predicate the form that a literal of type t has.
func literalOf(v any, t *expr.Type) any {
	switch x := v.(type) {
	case string:
		if t.Kind == expr.KindBinary {
			return []byte(x)
		}
	case float64:
		if t.Kind == expr.KindFloat32 {
			return float32(x)
		}
	}
	return v
}

// stateSplit is the rows of a sub-table, or those that were looked up.
type stateSplit struct {
	table *compute.StateTable
	view  *state.TableView
	scan  sources.Scan
	sub   int
	refs  []state.Ref
}

// String names the sub-table.
func (s *stateSplit) String() string { return s.table.Name + ", sub-table " + strconv.Itoa(s.sub) }

// Open begins to read.
func (s *stateSplit) Open(context.Context) (sources.Reader, error) {
	columns := s.scan.Columns
	if columns == nil {
		columns = make([]int, len(s.table.Columns))
		for i := range columns {
			columns[i] = i
		}
	}
	r := &stateReader{stateSplit: s, columns: columns}
	var fields []arrow.Field
	for _, c := range columns {
		fields = append(fields, s.table.Schema().Field(c))
	}
	r.schema = arrow.NewSchema(fields, nil)
	return r, nil
}

// stateReader reads the state page by page.
type stateReader struct {
	*stateSplit
	columns []int
	schema  *arrow.Schema
	page    int
}

// Next returns the rows of the next page that has some.
func (r *stateReader) Next(ctx context.Context) (arrow.RecordBatch, error) {
	for {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		page, rows, err := r.next()
		if err != nil {
			return nil, err
		}
		if len(rows) == 0 {
			continue
		}
		cols, err := r.table.Read(page, rows, r.columns)
		if err != nil {
			return nil, base.Wrap(err, "reading the state %s", r.table.Name)
		}
		rec := array.NewRecordBatch(r.schema, cols, int64(len(rows)))
		for _, c := range cols {
			c.Release()
		}
		return rec, nil
	}
}

// next returns rows of a page.
func (r *stateReader) next() (*state.Page, []int32, error) {
	if r.refs != nil {
		if r.page == len(r.refs) {
			return nil, nil, io.EOF
		}
		ref := r.refs[r.page]
		r.page++
		at, row := state.PageOf(ref.Row)
		p, err := r.view.Page(int(ref.Sub), at)
		if err != nil || !p.Alive(row) {
			return nil, nil, err
		}
		return p, []int32{row}, nil
	}
	if r.page == r.view.Pages(r.sub) {
		return nil, nil, io.EOF
	}
	p, err := r.view.Page(r.sub, r.page)
	if err != nil {
		return nil, nil, err
	}
	r.page++
	return p, p.Live(), nil
}

// Close does nothing: the statement has the pin.
func (r *stateReader) Close() error { return nil }

// Schema returns the columns and the epoch.
func (t *liveTable) Schema() *arrow.Schema { return t.schema }

// Pin returns {"query":"id","epoch":n}.
func (t *liveTable) Pin(context.Context) (string, error) { return t.pin(), nil }

func (t *liveTable) pin() string {
	return `{"query":` + strconv.Quote(t.query) + `,"epoch":` + epochText(t.epoch) + `}`
}

func epochText(e base.Epoch) string { return strconv.FormatInt(int64(e), 10) }

// Scan reads the rows, and the epoch if it is wanted.
func (t *liveTable) Scan(_ context.Context, pin string, scan sources.Scan) ([]sources.Split, error) {
	if pin != t.pin() {
		err := base.Errorf(base.CodeCorrupt, "the result %.80s is not there any more: it is %s now", pin, t.pin())
		err.Condition = "STATIC_INPUT_CHANGED"
		return nil, err
	}
	last := t.schema.NumFields() - 1
	columns := scan.Columns
	if columns == nil {
		for i := range last + 1 {
			columns = append(columns, i)
		}
	}
	wanted := len(columns) > 0 && columns[len(columns)-1] == last
	if wanted {
		columns = columns[:len(columns)-1]
	}
	scan.Columns = append([]int{}, columns...)
	splits, err := t.splits(scan)
	if err != nil || !wanted {
		return splits, err
	}
	for i, s := range splits {
		splits[i] = &epochSplit{s, t.epoch}
	}
	return splits, nil
}

// Estimate knows the rows of what lies in memory.
func (t *liveTable) Estimate(context.Context, string) (sources.Estimate, error) {
	if t.rows < 0 {
		return sources.Estimate{}, base.Errorf(base.CodeInvalid, "the number of rows is not known")
	}
	return sources.Estimate{Rows: t.rows}, nil
}

// Describe names the table.
func (t *liveTable) Describe() string { return t.name }

// Close lets go of what was read.
func (t *liveTable) Close() error {
	t.close()
	t.close = func() {}
	return nil
}

// epochSplit adds the epoch behind the columns of a split.
type epochSplit struct {
	sources.Split
	epoch base.Epoch
}

// Open begins to read.
func (s *epochSplit) Open(ctx context.Context) (sources.Reader, error) {
	r, err := s.Split.Open(ctx)
	if err != nil {
		return nil, err
	}
	return &epochReader{r, s.epoch}, nil
}

type epochReader struct {
	sources.Reader
	epoch base.Epoch
}

// Next returns the next record batch with the epoch.
func (r *epochReader) Next(ctx context.Context) (arrow.RecordBatch, error) {
	rec, err := r.Reader.Next(ctx)
	if err != nil {
		return nil, err
	}
	defer rec.Release()
	b := array.NewInt64Builder(arrowmem.DefaultAllocator)
	defer b.Release()
	b.Reserve(int(rec.NumRows()))
	for range rec.NumRows() {
		b.UnsafeAppend(int64(r.epoch))
	}
	col := b.NewArray()
	defer col.Release()
	fields := append(slices.Clone(rec.Schema().Fields()), expr.Schema{epochField}.Arrow().Field(0))
	return array.NewRecordBatch(arrow.NewSchema(fields, nil), append(slices.Clone(rec.Columns()), col), rec.NumRows()), nil
}

// columnsOf returns columns of rec.
func columnsOf(rec arrow.RecordBatch, columns []int) arrow.RecordBatch {
	if columns == nil {
		rec.Retain()
		return rec
	}
	var fields []arrow.Field
	var cols []arrow.Array
	for _, c := range columns {
		fields, cols = append(fields, rec.Schema().Field(c)), append(cols, rec.Column(c))
	}
	return array.NewRecordBatch(arrow.NewSchema(fields, nil), cols, rec.NumRows())
}

// stateNamespace is the schema that the state tables of a query are in.
func stateNamespace(query string) string { return "state." + query }

// stateName splits the name of a state table: state.<query>.<operator>, or the same
// with the schema `state.<query>` as one part, with or without the catalog.
func stateName(name []string) (query, table string, ok bool) {
	if len(name) > 2 && strings.EqualFold(name[0], "spark_catalog") {
		name = name[1:]
	}
	switch {
	case len(name) == 3 && strings.EqualFold(name[0], "state"):
		return name[1], name[2], true
	case len(name) == 2 && len(name[0]) > len("state.") && strings.EqualFold(name[0][:len("state.")], "state."):
		return name[0][len("state."):], name[1], true
	}
	return "", "", false
}
