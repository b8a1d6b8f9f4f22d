package flightd

import (
	"context"
	"errors"
	"io"
	"strings"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/google/uuid"

	"github.com/flightd/flightd/compute/adopt"
	"github.com/flightd/flightd/internal/base"
	"github.com/flightd/flightd/plan/expr"
	"github.com/flightd/flightd/plan/logical"
	"github.com/flightd/flightd/sinks"
)

// insert is INSERT INTO: a batch query whose rows, put into the table's order and
// types, become one commit of a sink.
func (s *Session) insert(ctx context.Context, st *logical.Insert) (*Result, error) {
	t, plan, err := s.insertPlan(st)
	if err != nil {
		return nil, err
	}
	r, err := s.query(ctx, plan)
	if err != nil {
		return nil, err
	}
	defer r.Close()
	mode := base.Append
	if st.Overwrite {
		mode = base.Complete
	}
	n, err := s.eng.writeBatch(ctx, t, r, mode)
	if err != nil {
		return nil, base.Wrap(err, "inserting into %s", t.def.Name)
	}
	return done(n), nil
}

// insertPlan is the table of an INSERT and the plan of the rows as they are stored.
func (s *Session) insertPlan(st *logical.Insert) (*table, logical.Node, error) {
	if err := notState(st.Table, "written"); err != nil {
		return nil, nil, err.At(st.TableAt)
	}
	t := s.eng.table(last(st.Table))
	if t == nil {
		names, _ := s.snapshot()
		if v, err := names.View(st.Table); err == nil && v != nil {
			return nil, nil, base.UserError("EXPECT_TABLE_NOT_VIEW.NO_ALTERNATIVE", "42809", "INSERT expects a table, but %s is a view.", last(st.Table)).At(st.TableAt)
		}
		return nil, nil, notFound("table", last(st.Table), s.eng.tableNames()).At(st.TableAt)
	}
	names, _ := s.snapshot()
	d, err := t.describe(names)
	if err != nil {
		return nil, nil, err
	}
	var plan logical.Node = &logical.Store{At: st.At, Columns: st.Columns, ByName: st.ByName, Schema: d.Schema, Input: st.Plan}
	if p, err := s.eng.sinks.Lookup(t.def.Format); err == nil && p.AnySchema && st.Columns == nil {
		plan = st.Plan
	}
	return t, plan, nil
}

// writeBatch writes a result into a table as one commit.
func (e *Engine) writeBatch(ctx context.Context, t *table, r *Result, mode base.OutputMode) (int64, error) {
	var sink sinks.Sink
	var err error
	id := uuid.NewString()
	if t.def.Format == managedFormat {
		sink, err = e.openManagedSink(t, id, r.Schema(), mode)
	} else if t.def.Format == flightFormat {
		sink, err = e.openStreamSink(t, sinks.Config{QueryID: id, Schema: r.Schema(), OutputMode: mode, Batch: true})
	} else {
		var p sinks.Provider
		if p, err = e.sinks.Lookup(t.def.Format); err == nil {
			sink, err = p.Open(ctx, sinks.Config{Query: t.def.Name, QueryID: id, Options: t.def.Options, Schema: r.Schema(), OutputMode: mode, Clock: e.clock, Batch: true, Disk: e.disk})
		}
	}
	if err != nil {
		return 0, err
	}
	defer sink.Close()
	return drain(ctx, r, sink, mode)
}

// drain writes all rows of a result as epoch 0 of a sink and commits it.
func drain(ctx context.Context, r *Result, sink sinks.Sink, mode base.OutputMode) (int64, error) {
	schema, err := expr.SchemaFromArrow(r.Schema())
	if err != nil {
		return 0, err
	}
	digest, rows := newDigester(schema), int64(0)
	m := sinks.Mode{Kind: mode}
	for {
		rec, err := r.Next(ctx)
		if err == io.EOF {
			break
		}
		if err != nil {
			return 0, err
		}
		digest.write(rec)
		rows += rec.NumRows()
		err = sink.Write(ctx, 0, m, rec)
		rec.Release()
		if err != nil {
			return 0, err
		}
	}
	return rows, sink.Commit(ctx, 0, m, digest.sum())
}

// IngestMode says what Ingest does with a table that exists or does not.
type IngestMode uint8

// The modes of Ingest, as ADBC has them.
const (
	IngestCreate       IngestMode = iota // the table must not exist
	IngestAppend                         // the table must exist
	IngestReplace                        // the table is made anew
	IngestCreateAppend                   // the table is made if need be
)

// Ingest writes record batches, all of schema, into a table under the data
// folder as one durable commit, and returns their number of rows. next returns
// io.EOF after the last one; Ingest releases them. Columns go by name.
func (e *Engine) Ingest(ctx context.Context, name string, mode IngestMode, schema *arrow.Schema, next func() (arrow.RecordBatch, error)) (int64, error) {
	return e.ingest(ctx, name, mode, "", schema, next)
}

// ingest is Ingest that makes a table of format, if it makes one.
func (e *Engine) ingest(ctx context.Context, name string, mode IngestMode, format string, schema *arrow.Schema, next func() (arrow.RecordBatch, error)) (int64, error) {
	form, err := adopt.Of(schema, maxWrittenOut)
	if err != nil {
		return 0, base.Wrap(err, "ingesting into %s", name)
	}
	s := form.Schema()
	schema, next = s.Arrow(), inForm(form, next)
	t := e.table(name)
	made := false
	switch {
	case t == nil && mode == IngestAppend:
		return 0, notFound("table", name, e.tableNames())
	case t == nil || mode == IngestReplace || mode == IngestCreate:
		def := tableDef{Name: name, Schema: s, Format: format}
		for i := range def.Schema {
			def.Schema[i].Nullable = true
		}
		if err := e.createStored(&def, mode == IngestReplace); err != nil {
			return 0, err
		}
		t, made = e.table(name), true
	}
	n, err := e.ingestInto(ctx, t, s, schema, next)
	if err != nil && made && mode != IngestReplace {
		// The client may try again: the table is not left behind, in its way.
		err = errors.Join(err, e.dropTable(name))
	}
	return n, err
}

// ingestInto appends to a table.
func (e *Engine) ingestInto(ctx context.Context, t *table, s expr.Schema, schema *arrow.Schema, next func() (arrow.RecordBatch, error)) (int64, error) {
	session := e.NewSession()
	names, _ := session.snapshot()
	d, err := t.describe(names)
	if err != nil {
		return 0, err
	}
	r := &Result{schema: schema, next: func(context.Context) (arrow.RecordBatch, error) { return next() }}
	if !sameColumns(d.Schema, s) {
		if r, err = e.reshaped(ctx, d.Schema, s, next); err != nil {
			return 0, base.Wrap(err, "ingesting into %s", t.def.Name)
		}
	}
	return e.writeBatch(ctx, t, r, base.Append)
}

// maxWrittenOut bounds what the dictionaries, views and runs of one record batch
// from outside may become once they are written out.
const maxWrittenOut = 1 << 30

// inForm returns next with its record batches in the engine's types.
func inForm(form *adopt.Form, next func() (arrow.RecordBatch, error)) func() (arrow.RecordBatch, error) {
	return func() (arrow.RecordBatch, error) {
		rec, err := next()
		if err != nil {
			return nil, err
		}
		defer rec.Release()
		return form.Record(rec)
	}
}

// Ingest is Engine.Ingest with the rights of the session's user.
func (s *Session) Ingest(ctx context.Context, name string, mode IngestMode, schema *arrow.Schema, next func() (arrow.RecordBatch, error)) (int64, error) {
	if err := s.user.Role.May(Writer, "an ingest"); err != nil {
		return 0, err
	}
	if mode == IngestReplace {
		if err := s.owns(&logical.Insert{}, name); err != nil {
			return 0, err
		}
	}
	_, c := s.snapshot()
	format := ""
	if strings.EqualFold(c.Lookup("flightd.ingest.format", "table"), flightFormat) {
		format = flightFormat
	}
	return s.eng.ingest(ctx, name, mode, format, schema, next)
}

func sameColumns(a, b expr.Schema) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if a[i].Name != b[i].Name || !a[i].Type.Equal(b[i].Type) {
			return false
		}
	}
	return true
}
