package flightd

import (
	"context"
	"slices"
	"strings"

	"github.com/flightd/flightd/compute"
	"github.com/flightd/flightd/compute/vec"
	"github.com/flightd/flightd/internal/base"
	"github.com/flightd/flightd/plan/expr"
	"github.com/flightd/flightd/sinks"
)

// LateSchema is the schema of a table of LATE ROWS INTO: the query's name (its id,
// if it has none), the epoch, and what compute.LateSchema says.
func LateSchema() expr.Schema {
	return append(expr.Schema{{Name: "query", Type: expr.String}, {Name: "epoch", Type: expr.Int64}}, compute.LateSchema()...)
}

// lateSink is the table of a query's LATE ROWS INTO. It is committed after the
// query's own sink and before the done record, with a digest of its own, so a
// crash anywhere keeps each late row once.
type lateSink struct {
	sinks.Sink
	query  string
	schema expr.Schema
	mode   sinks.Mode
}

// openLate opens the table of LATE ROWS INTO, which is made if it is not there.
func (r *run) openLate() error {
	name := r.q.spec.lateRows
	if name == "" {
		return nil
	}
	if strings.EqualFold(name, r.q.spec.table) {
		return base.Errorf(base.CodeInvalid, "the late rows of a query cannot go into its result, table %s", name)
	}
	schema := LateSchema()
	t := r.eng.table(name)
	if t == nil {
		def := tableDef{Name: name, Schema: slices.Clone(schema), Comment: "late rows"}
		if err := r.eng.createManaged(&def, false); err != nil {
			return err
		}
		t = r.eng.table(name)
	}
	if t.def.Format != managedFormat && t.def.Format != flightFormat || !sameColumns(t.def.Schema, schema) {
		return base.Errorf(base.CodeInvalid, "the table %s cannot take late rows: it must lie under the data folder and have the columns (%s)", t.def.Name, ddl(schema)).
			WithHint("name a table that does not exist: it is made")
	}
	var s sinks.Sink
	var err error
	if t.def.Format == flightFormat {
		s, err = r.eng.openStreamSink(t, sinks.Config{QueryID: r.q.id, Schema: schema.Arrow(), OutputMode: base.Append})
	} else {
		s, err = r.eng.openManagedSink(t, r.q.id, schema.Arrow(), base.Append)
	}
	if err != nil {
		return base.Wrap(err, "opening the table %s of late rows", name)
	}
	query := r.q.name
	if query == "" {
		query = r.q.id
	}
	r.late = &lateSink{Sink: s, query: query, schema: schema, mode: sinks.Mode{Kind: base.Append}}
	return nil
}

// write writes the epoch's late rows, by operator, and returns their digest.
func (s *lateSink) write(ctx context.Context, epoch base.Epoch, late []compute.LateRows) (base.Digest, error) {
	digest, schema := newDigester(s.schema), s.schema.Arrow()
	late = slices.Clone(late)
	slices.SortStableFunc(late, func(a, b compute.LateRows) int { return a.Operator - b.Operator })
	for _, l := range late {
		query, epochs := vec.NewBuilder(expr.String), vec.NewBuilder(expr.Int64)
		for range l.Rows {
			query.AppendBytes([]byte(s.query))
			epochs.AppendInt(int64(epoch))
		}
		rec := l.Record(schema, query.Vec(), epochs.Vec())
		digest.write(rec)
		err := s.Write(ctx, epoch, s.mode, rec)
		rec.Release()
		if err != nil {
			return base.Digest{}, base.Wrap(err, "writing late rows")
		}
	}
	return digest.sum(), nil
}
