package flightd

import (
	"context"
	"io"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/flightd/flightd/compute"
	"github.com/flightd/flightd/compute/adopt"
	"github.com/flightd/flightd/internal/base"
	"github.com/flightd/flightd/internal/layout"
	"github.com/flightd/flightd/internal/rowlog"
	"github.com/flightd/flightd/plan/catalog"
	"github.com/flightd/flightd/plan/expr"
	"github.com/flightd/flightd/plan/logical"
	"github.com/flightd/flightd/plan/planner"
	sinkstream "github.com/flightd/flightd/sinks/stream"
	"github.com/flightd/flightd/sources/memory"
)

// A Receipt tells when appended rows are durable.
type Receipt = rowlog.Receipt

// NoSeq is the sequence number of rows without a producer.
const NoSeq = rowlog.NoSeq

// An Appended is one record batch on its way into a stream table.
type Appended struct {
	// Rows are the record batch; nil or without rows it only carries a number.
	Rows arrow.RecordBatch
	// Metadata and Body, if set, are the Arrow IPC message that Rows was decoded from,
	// checked and not compressed, with metadata of version 5. Nobody writes to them
	// again. Where the table has just these columns they are stored as they are.
	Metadata, Body []byte
	// Producer and Seq say who sent the rows and as which of his record batches: the
	// first is 0 or 1, each of the others one more. A number that is there already is
	// not stored again. Without a producer rows are always stored.
	Producer string
	Seq      int64
}

// An Appender adds record batches of one schema to a stream table, each of which is
// durable by itself. It is for one goroutine; a table may have many.
type Appender struct {
	log *rowlog.Log
	// raw says that messages can be stored as they come.
	raw  bool
	form *adopt.Form
	// stored puts rows in the order and types of the table; nil if they have them.
	stored *assignment
}

// Appender opens a stream table for record batches of schema. Columns go by name, in
// any order, and are widened as INSERT does; one that does not fit is an error that
// names it and both types.
func (s *Session) Appender(ctx context.Context, name string, schema *arrow.Schema) (*Appender, error) {
	if err := s.user.Role.May(Writer, "an ingest"); err != nil {
		return nil, err
	}
	t, err := s.eng.streamTable(name)
	if err != nil {
		return nil, err
	}
	a := &Appender{}
	if a.log, err = s.eng.rowLog(&t.def); err != nil {
		return nil, err
	}
	if a.form, err = adopt.Of(schema, maxWrittenOut); err != nil {
		return nil, base.Wrap(err, "ingesting into %s", t.def.Name)
	}
	want, err := expr.SchemaFromArrow(a.log.Schema())
	if err != nil {
		return nil, err
	}
	if !sameColumns(want, a.form.Schema()) {
		if a.stored, err = s.eng.assign(ctx, want, a.form.Schema()); err != nil {
			return nil, base.Wrap(err, "ingesting into %s", t.def.Name)
		}
	}
	a.raw = a.stored == nil && flat(a.log.Schema(), schema)
	return a, nil
}

// flat reports whether rows of schema have the table's types to the byte, none of them
// nested.
func flat(table, schema *arrow.Schema) bool {
	for i, f := range table.Fields() {
		if _, nested := f.Type.(arrow.NestedType); nested || !arrow.TypeEqual(f.Type, schema.Field(i).Type) {
			return false
		}
	}
	return true
}

// Append puts the rows behind those that wait to become durable, and returns when
// there is room for them; they are not kept. The receipt is nil if there is nothing
// to store.
func (a *Appender) Append(ctx context.Context, in Appended) (*Receipt, error) {
	if in.Producer == "" && (in.Rows == nil || in.Rows.NumRows() == 0) {
		return nil, a.log.Err()
	}
	parts, err := a.parts(ctx, in)
	if err != nil {
		return nil, err
	}
	return a.log.Append(ctx, rowlog.Origin{Producer: in.Producer, Seq: in.Seq}, parts...)
}

func (a *Appender) parts(ctx context.Context, in Appended) ([]rowlog.Part, error) {
	if in.Rows == nil || in.Rows.NumRows() == 0 {
		return nil, nil
	}
	if a.raw && in.Metadata != nil {
		if err := layout.CheckNulls(a.log.Name(), a.log.Schema(), in.Rows); err != nil {
			return nil, err
		}
		return []rowlog.Part{{Rows: in.Rows.NumRows(), Metadata: in.Metadata, Body: in.Body}}, nil
	}
	rec, err := a.form.Record(in.Rows)
	if err != nil {
		return nil, err
	}
	defer rec.Release()
	recs := []arrow.RecordBatch{rec}
	if a.stored != nil {
		if recs, err = a.stored.rows(ctx, rec); err != nil {
			return nil, err
		}
		defer func() {
			for _, r := range recs {
				r.Release()
			}
		}()
	}
	var parts []rowlog.Part
	for _, r := range recs {
		if err := layout.CheckNulls(a.log.Name(), a.log.Schema(), r); err != nil {
			return nil, err
		}
		p, err := sinkstream.Encode(a.log, r)
		if err != nil {
			return nil, err
		}
		parts = append(parts, p)
	}
	return parts, nil
}

// assignment is the plan that puts record batches into a table's order and types, the
// same for all of them.
type assignment struct {
	eng  *Engine
	plan *planner.Plan
	conf catalog.Conf
	have *arrow.Schema
}

// assign plans the assignment of columns by name, as INSERT … BY NAME has it.
func (e *Engine) assign(ctx context.Context, want, have expr.Schema) (*assignment, error) {
	a := &assignment{eng: e, have: have.Arrow()}
	s := e.NewSession()
	d, err := s.FromRecords("", a.have, nil)
	if err != nil {
		return nil, err
	}
	var names *names
	names, a.conf = s.snapshot()
	resolved, err := analyse(&logical.Store{ByName: true, Schema: want, Input: d.plan}, names, a.conf)
	if err != nil {
		return nil, err
	}
	b := &batch{opened: map[*catalog.Table]*openTable{}}
	defer b.close()
	a.plan, err = e.planBatch(ctx, resolved, names, a.conf, b)
	return a, err
}

// rows runs the plan over one record batch.
func (a *assignment) rows(ctx context.Context, rec arrow.RecordBatch) (out []arrow.RecordBatch, err error) {
	t := memory.NewTable(a.have, []arrow.RecordBatch{rec})
	defer t.Close()
	pin, err := t.Pin(ctx)
	if err != nil {
		return nil, err
	}
	env := &compute.Env{Expr: a.eng.exprEnv(a.conf, a.eng.clock.Now().UnixMicro()), Workers: 1,
		Open: func(ctx context.Context, scan compute.Scan) ([]compute.Split, error) {
			splits, err := t.Scan(ctx, pin, wanted(scan))
			return computeSplits(splits), err
		}}
	root, err := compute.Build(ctx, a.plan.Root, env)
	if err != nil {
		return nil, err
	}
	defer compute.Close(root)
	defer func() {
		if err != nil {
			for _, r := range out {
				r.Release()
			}
			out = nil
		}
	}()
	for {
		b, err := root.Next(ctx)
		if err == io.EOF {
			return out, nil
		}
		if err != nil {
			return out, err
		}
		r, err := b.Compact()
		if err != nil {
			return out, err
		}
		out = append(out, r)
	}
}
