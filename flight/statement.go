package flight

import (
	"context"
	"io"
	"slices"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/flightd/flightd/internal/base"
)

// parse prepares a statement's text in its session.
func (s *service) parse(ctx context.Context, ses *session, text string, transaction []byte) (Statement, error) {
	if len(transaction) > 0 {
		return nil, invalid("there are no transactions; every statement takes effect at once")
	}
	if len(text) > s.opts.MaxStatement {
		return nil, base.Errorf(base.CodeExhausted, "the statement has %d bytes; the limit is %d", len(text), s.opts.MaxStatement)
	}
	st, err := ses.Prepare(ctx, text)
	if err != nil {
		if again, ok := backquoted(text); ok {
			st, err = ses.Prepare(ctx, again)
		}
	}
	if err != nil || st.IsUpdate() || !withoutZone(ctx, ses) {
		return st, err
	}
	return zoneless{st}, nil
}

// resultSchema is the schema of what a client reads: an update's is its count.
func resultSchema(st Statement) *arrow.Schema {
	if st.IsUpdate() {
		return affectedSchema
	}
	return st.Schema()
}

// statement makes the ticket of a statement without parameters.
func (s *service) statement(ctx context.Context, ses *session, text string, transaction []byte) (*ticket, *arrow.Schema, error) {
	st, err := s.parse(ctx, ses, text, transaction)
	if err != nil {
		return nil, nil, err
	}
	return s.ticketFor(ctx, ses, st, nil, false)
}

// preparedQuery makes the ticket of a prepared statement with the parameters
// that are bound now.
func (s *service) preparedQuery(ctx context.Context, ses *session, handle []byte) (*ticket, *arrow.Schema, error) {
	p, err := ses.preparedBy(handle)
	if err != nil {
		return nil, nil, err
	}
	params, bound := p.parameters()
	return s.ticketFor(ctx, ses, p.statement, params, bound)
}

// ticketFor runs an update, now and once, and keeps its answer; a query runs
// whenever the ticket is read. It takes over the references of params.
func (s *service) ticketFor(ctx context.Context, ses *session, st Statement, params []arrow.RecordBatch, bound bool) (*ticket, *arrow.Schema, error) {
	t, schema, err := s.open(ctx, ses, st, params, bound)
	if err != nil || st.IsUpdate() {
		releaseAll(params)
	}
	return t, schema, err
}

func (s *service) open(ctx context.Context, ses *session, st Statement, params []arrow.RecordBatch, bound bool) (*ticket, *arrow.Schema, error) {
	if err := checkParams(st, params, bound); err != nil {
		return nil, nil, err
	}
	if st.IsUpdate() {
		n, err := update(ctx, st, params)
		if err != nil {
			return nil, nil, err
		}
		return ses.addTicket(s.opts, func(context.Context) (Rows, error) { return fixed(affectedRow(n)), nil }), affectedSchema, nil
	}
	if e, ok := st.(interface{ HasEffect() bool }); ok && e.HasEffect() && !bound {
		return runNow(ctx, ses, st, s.opts)
	}
	if !bound {
		run := func(ctx context.Context) (Rows, error) { return st.Execute(ctx, nil) }
		ses.mu.Lock()
		n := ses.parallel
		ses.mu.Unlock()
		if e, ok := st.(interface{ Endless() bool }); n > 1 && !(ok && e.Endless()) {
			t := parallel(ses, s.opts, n, run)
			t[0].more = t[1:]
			return t[0], st.Schema(), nil
		}
		return ses.addTicket(s.opts, run), st.Schema(), nil
	}
	schema, err := boundSchema(ctx, st, params)
	if err != nil {
		return nil, nil, err
	}
	return ses.addTicket(s.opts, func(context.Context) (Rows, error) {
		for _, rec := range params {
			rec.Retain()
		}
		return &chain{statement: st, schema: schema, params: params}, nil
	}), schema, nil
}

// runNow runs a statement that has rows and changes something, SET, and keeps the
// rows: clients need not read them for the setting to hold (F1).
func runNow(ctx context.Context, ses *session, st Statement, o Options) (*ticket, *arrow.Schema, error) {
	rows, err := st.Execute(ctx, nil)
	if err != nil {
		return nil, nil, err
	}
	defer rows.Close()
	notify(ctx, rows.Notices())
	var recs []arrow.RecordBatch
	for {
		rec, err := rows.Next(ctx)
		if err == io.EOF {
			break
		}
		if err != nil {
			releaseAll(recs)
			return nil, nil, err
		}
		recs = append(recs, rec)
	}
	schema := st.Schema()
	return ses.addTicket(o, func(context.Context) (Rows, error) {
		for _, rec := range recs {
			rec.Retain()
		}
		return &records{schema: schema, recs: slices.Clone(recs)}, nil
	}), schema, nil
}

// boundSchema is the schema that a query has with the types of its parameters,
// which clients choose. Whether a column may be null differs from row to row of
// the parameters, so all may.
func boundSchema(ctx context.Context, st Statement, params []arrow.RecordBatch) (*arrow.Schema, error) {
	schema := st.Schema()
	for _, rec := range params {
		if rec.NumRows() == 0 {
			continue
		}
		one := rec.NewSlice(0, 1)
		defer one.Release()
		rows, err := st.Execute(ctx, one)
		if err != nil {
			return nil, err
		}
		schema = rows.Schema()
		if err := rows.Close(); err != nil {
			return nil, err
		}
		break
	}
	fields := schema.Fields()
	for i := range fields {
		fields[i].Nullable = true
	}
	return arrow.NewSchema(fields, nil), nil
}

// checkParams holds bound parameters against those that the statement has.
func checkParams(st Statement, params []arrow.RecordBatch, bound bool) error {
	want := st.Params().NumFields()
	switch {
	case want == 0 && !bound:
		return nil
	case !bound:
		return base.UserError("UNBOUND_SQL_PARAMETER", "42P02", "The statement has %d parameters and none is bound.", want)
	case len(params) > 0 && int(params[0].NumCols()) != want:
		return base.UserError("WRONG_NUM_PARAMETERS", "07001", "The statement has %d parameters; %d were bound.", want, params[0].NumCols())
	}
	return nil
}

// update runs a statement once for every row of its parameters, or once without
// any, and returns the number of rows that were changed in all.
func update(ctx context.Context, st Statement, params []arrow.RecordBatch) (int64, error) {
	if st.Params().NumFields() == 0 {
		return updateOnce(ctx, st, nil)
	}
	var sum int64
	for _, rec := range params {
		for i := range rec.NumRows() {
			one := rec.NewSlice(i, i+1)
			n, err := updateOnce(ctx, st, one)
			one.Release()
			if err != nil {
				return sum, err
			}
			sum += n
		}
	}
	return sum, nil
}

func updateOnce(ctx context.Context, st Statement, params arrow.RecordBatch) (int64, error) {
	rows, err := st.Execute(ctx, params)
	if err != nil {
		return 0, err
	}
	defer rows.Close()
	notify(ctx, rows.Notices())
	return max(0, rows.RowsAffected()), nil
}

func releaseAll(recs []arrow.RecordBatch) {
	for _, rec := range recs {
		rec.Release()
	}
}
