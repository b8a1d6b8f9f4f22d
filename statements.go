package flightd

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/flightd/flightd/internal/base"
	"github.com/flightd/flightd/plan/catalog"
	"github.com/flightd/flightd/plan/conf"
	"github.com/flightd/flightd/plan/logical"
	"github.com/flightd/flightd/plan/sql"
)

// execute parses, analyses and runs one statement.
func (s *Session) execute(ctx context.Context, text string, list parameters, params arrow.RecordBatch) (*Result, error) {
	stmt, err := s.parse(text)
	if err == nil {
		stmt, err = s.bind(stmt, list, params)
	}
	if err != nil {
		return nil, inText(err, text)
	}
	r, err := s.run(ctx, stmt, text)
	return located(r, text), inText(err, text)
}

// located gives errors that come up while a result is read the text that their
// places are in.
func located(r *Result, text string) *Result {
	if r == nil || r.next == nil {
		return r
	}
	next := r.next
	r.next = func(ctx context.Context) (arrow.RecordBatch, error) {
		rec, err := next(ctx)
		if err != nil && err != io.EOF {
			err = inText(err, text)
		}
		return rec, err
	}
	return r
}

// dialect is how the session's settings have SQL read.
func (s *Session) dialect() sql.Dialect {
	_, c := s.snapshot()
	return conf.Dialect(c)
}

func (s *Session) parse(text string) (logical.Statement, error) { return s.dialect().Parse(text) }

// ExecuteScript runs the statements of a script one after another, calling each
// with its text and result; it stops at the first error that each returns.
func (s *Session) ExecuteScript(ctx context.Context, text string, each func(stmt string, r *Result, err error) error) error {
	stmts, err := s.dialect().ParseScript(text)
	if err != nil {
		return inText(err, text)
	}
	for _, stmt := range stmts {
		p := stmt.Pos()
		one := strings.TrimSpace(text[p.Start:p.End])
		r, err := s.run(ctx, stmt, text)
		if err := each(one, located(r, text), inText(err, text)); err != nil {
			return err
		}
	}
	return nil
}

// inText gives an error the SQL text that its place is in.
func inText(err error, text string) error {
	var e *base.Error
	for cur := err; cur != nil; cur = errors.Unwrap(cur) {
		if x, ok := cur.(*base.Error); ok && x.Pos.Valid() && x.Query == "" {
			e = x
		}
	}
	if e != nil {
		e.Query = text
		hinted(e)
	}
	return err
}

// run runs a parsed statement; text is what it was parsed from.
func (s *Session) run(ctx context.Context, stmt logical.Statement, text string) (*Result, error) {
	if err := s.allow(stmt); err != nil {
		return nil, err
	}
	switch st := stmt.(type) {
	case *logical.Query:
		return s.query(ctx, st.Plan)
	case *logical.CreateView:
		return s.createView(st)
	case *logical.CreateTable:
		return s.createTable(ctx, st, text)
	case *logical.CreateQuery:
		return s.createQuery(ctx, st, text)
	case *logical.Insert:
		return s.insert(ctx, st)
	case *logical.Drop:
		return s.drop(ctx, st)
	case *logical.StopQuery:
		return s.stopQuery(ctx, st)
	case *logical.Show:
		return s.show(st)
	case *logical.Describe:
		return s.describe(st)
	case *logical.Set:
		return s.set(st)
	case *logical.Explain:
		return s.explainStatement(st)
	case *logical.Refused:
		names, _ := s.snapshot()
		if err := names.mustHave(st.Table, st.TableAt); err != nil {
			return nil, err
		}
		return nil, st.Err
	case *logical.Use:
		if err := noSchema(st.Name); err != nil {
			return nil, err
		}
		return done(0, "flightd has one catalog with one schema: USE changes nothing"), nil
	case *logical.Subscribe:
		return s.subscribe(ctx, st, text)
	case *logical.Immediate:
		return s.runImmediate(ctx, st)
	}
	return nil, base.Errorf(base.CodeInternal, "the statement %T", stmt)
}

// done is the result of a statement without rows.
func done(affected int64, notices ...string) *Result {
	b := array.NewInt64Builder(memory.DefaultAllocator)
	defer b.Release()
	b.Append(affected)
	col := b.NewArray()
	defer col.Release()
	rec := array.NewRecordBatch(affectedSchema, []arrow.Array{col}, 1)
	r := rowsResult(nil, []arrow.RecordBatch{rec})
	r.schema, r.update, r.affected, r.notices = affectedSchema, true, affected, notices
	return r
}

// textResult is a result of STRING columns; nil is NULL.
func textResult(columns []string, rows [][]any) *Result {
	fields := make([]arrow.Field, len(columns))
	for i, c := range columns {
		fields[i] = arrow.Field{Name: c, Type: arrow.BinaryTypes.String, Nullable: true}
	}
	schema := arrow.NewSchema(fields, nil)
	b := array.NewRecordBuilder(memory.DefaultAllocator, schema)
	defer b.Release()
	for _, row := range rows {
		for i, v := range row {
			f := b.Field(i).(*array.StringBuilder)
			if v == nil {
				f.AppendNull()
			} else {
				f.Append(fmt.Sprint(v))
			}
		}
	}
	r := rowsResult(nil, []arrow.RecordBatch{b.NewRecordBatch()})
	r.schema = schema
	return r
}

func (s *Session) createView(st *logical.CreateView) (*Result, error) {
	plan := st.Plan
	if err := s.checkViewColumns(st); err != nil {
		return nil, err
	}
	if st.Columns != nil {
		plan = &logical.Alias{At: st.At, Name: last(st.Name), Columns: st.Columns, Input: plan}
	}
	d := &DataFrame{s: s, plan: plan}
	if _, err := d.resolve(); err != nil {
		return nil, err
	}
	err := s.setView(last(st.Name), plan, st.Text, st.Replace)
	if err != nil && st.IfNotExists {
		return done(0), nil
	}
	if err != nil {
		return nil, err
	}
	return done(0), nil
}

// checkViewColumns refuses a view with two columns of a name, or with other columns than
// its query has.
func (s *Session) checkViewColumns(st *logical.CreateView) error {
	d := &DataFrame{s: s, plan: st.Plan}
	n, err := d.resolve()
	if err != nil {
		return err
	}
	var columns []string
	for _, c := range n.Output() {
		columns = append(columns, c.Name)
	}
	if st.Columns != nil {
		condition := ".NOT_ENOUGH_DATA_COLUMNS"
		if len(columns) > len(st.Columns) {
			condition = ".TOO_MANY_DATA_COLUMNS"
		}
		if len(columns) != len(st.Columns) {
			return base.UserError("CREATE_VIEW_COLUMN_ARITY_MISMATCH"+condition, "21S01", "The view %s names %d columns, and its query has %d.", last(st.Name), len(st.Columns), len(columns)).At(st.At)
		}
		columns = st.Columns
	}
	seen := map[string]bool{}
	for _, c := range columns {
		if key := strings.ToLower(c); !seen[key] {
			seen[key] = true
			continue
		}
		return base.UserError("COLUMN_ALREADY_EXISTS", "42711", "The view %s has two columns named %s.", last(st.Name), c).At(st.At).
			WithHint("name the columns: CREATE VIEW %s (a, b) AS …, or AS behind each", last(st.Name))
	}
	return nil
}

func last(name []string) string { return name[len(name)-1] }

func (s *Session) drop(ctx context.Context, st *logical.Drop) (*Result, error) {
	name := last(st.Name)
	key := strings.ToLower(name)
	var err error
	if e := notState(st.Name, "dropped"); e != nil && st.What != "FUNCTION" {
		return nil, e.At(st.At)
	}
	switch st.What {
	case "VIEW":
		s.mu.Lock()
		found := s.views[key] != nil
		delete(s.views, key)
		s.mu.Unlock()
		if !found {
			names, _ := s.snapshot()
			err = notFound("view", name, names.Names())
		}
	case "FUNCTION":
		err = s.dropFunction(st)
	case "QUERY":
		err = s.eng.dropQuery(ctx, name)
	default:
		err = s.eng.dropTable(name)
	}
	var e *base.Error
	if errors.As(err, &e) {
		if e.Code == base.CodeNotFound && st.IfExists {
			return done(0), nil
		}
		e.At(st.At)
	}
	if err != nil {
		return nil, err
	}
	return done(0), nil
}

func (s *Session) set(st *logical.Set) (*Result, error) {
	switch {
	case st.Reset:
		s.mu.Lock()
		if st.Key == "" {
			s.conf = catalog.Conf{}
		} else {
			delete(s.conf, strings.ToLower(st.Key))
		}
		s.mu.Unlock()
		return done(0), nil
	case st.HasValue:
		notice, err := s.Set(st.Key, st.Value)
		if err != nil {
			var e *base.Error
			if errors.As(err, &e) {
				e.At(st.At)
			}
			return nil, err
		}
		r := textResult([]string{"key", "value"}, [][]any{{st.Key, st.Value}})
		if notice != "" {
			r.notices = []string{notice}
		}
		return r, nil
	case st.Key != "":
		return s.showSetting(st)
	}
	settings := s.Settings()
	var rows [][]any
	for _, k := range sortedKeys(settings) {
		rows = append(rows, []any{k, settings[k]})
	}
	return textResult([]string{"key", "value"}, rows), nil
}

func (s *Session) explainStatement(st *logical.Explain) (*Result, error) {
	emission := strings.EqualFold(st.Mode, "EMISSION")
	if emission && st.Inner == nil {
		return s.explainEmission(st)
	}
	var plan logical.Node
	mode := base.Append
	switch in := st.Inner.(type) {
	case *logical.Query:
		plan = in.Plan
	case *logical.CreateQuery:
		plan = in.Plan
		var err error
		if in.OutputMode != "" {
			if mode, err = base.ParseOutputMode(in.OutputMode); err != nil {
				return nil, base.AsError(err).At(st.At)
			}
		}
	case *logical.CreateView:
		plan = in.Plan
	case *logical.CreateTable:
		plan = in.Plan
	case *logical.Insert:
		plan = in.Plan
	}
	if plan == nil {
		return nil, base.UserError("UNSUPPORTED_FEATURE", "0A000", "EXPLAIN %s of this statement cannot be run yet.", st.Mode).At(st.At)
	}
	if emission {
		return s.explainRules(plan, mode)
	}
	text, err := s.explain(plan)
	if err != nil {
		return nil, err
	}
	return textResult([]string{"plan"}, [][]any{{text}}), nil
}

// Prepare parses and analyses a statement without any effect.
func (s *Session) Prepare(ctx context.Context, text string) (*Prepared, error) {
	stmt, err := s.parse(text)
	if err != nil {
		return nil, inText(err, text)
	}
	if err := s.allow(stmt); err != nil {
		return nil, inText(err, text)
	}
	p := &Prepared{Schema: affectedSchema, IsUpdate: true, text: text, session: s}
	if stmt, p.list, err = s.infer(stmt); err == nil {
		p.Params = p.list.schema()
		err = s.prepare(stmt, p)
	}
	if err != nil {
		return nil, inText(err, text)
	}
	return p, nil
}

// prepare finds out what the statement will return.
func (s *Session) prepare(stmt logical.Statement, p *Prepared) error {
	names, c := s.snapshot()
	switch st := stmt.(type) {
	case *logical.Query:
		n, err := analyse(st.Plan, names, c)
		if err == nil {
			err = noStream(n)
		}
		if err != nil {
			return err
		}
		p.Schema, p.IsUpdate = schemaOf(n).Arrow(), false
	case *logical.Immediate:
		inner, text, err := s.immediate(st)
		if err == nil {
			err = s.allow(inner)
		}
		if err == nil {
			err = s.prepare(inner, p)
		}
		return inText(err, text)
	case *logical.Subscribe:
		sub, err := s.subscription(st)
		if err != nil {
			return err
		}
		p.Schema, p.IsUpdate, p.Endless = sub.schema, false, true
	case *logical.Show, *logical.Describe, *logical.Explain, *logical.Set:
		// They only read, so running them tells their schema.
		if set, ok := st.(*logical.Set); ok && (set.HasValue || set.Reset) {
			p.Schema, p.IsUpdate = textResult([]string{"key", "value"}, nil).schema, set.Reset
			p.Effect = true
			return nil
		}
		r, err := s.run(context.Background(), stmt, p.text)
		if err != nil {
			return err
		}
		defer r.Close()
		p.Schema, p.IsUpdate = r.schema, false
	}
	return nil
}
