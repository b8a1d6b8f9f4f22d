package flight

import (
	"context"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/flightd/flightd"
)

// Engine returns e as a Backend. The caller keeps e open while it is served.
func Engine(e *flightd.Engine) Backend { return engine{e} }

type engine struct{ e *flightd.Engine }

// NewSession returns a session of the engine with the rights of a user.
func (b engine) NewSession(u flightd.User) Session { return engineSession{b.e.NewSessionFor(u)} }

// Tables lists the engine's tables.
func (b engine) Tables(ctx context.Context) ([]Table, error) {
	infos, err := b.e.Tables(ctx)
	if err != nil {
		return nil, err
	}
	out := make([]Table, len(infos))
	for i, t := range infos {
		out[i] = Table{Namespace: t.Namespace, Name: t.Name, Type: t.Type, Schema: t.Schema, Comment: t.Comment}
	}
	return out, nil
}

type engineSession struct{ *flightd.Session }

// Prepare analyses a statement.
func (s engineSession) Prepare(ctx context.Context, text string) (Statement, error) {
	p, err := s.Session.Prepare(ctx, text)
	if err != nil {
		return nil, err
	}
	return engineStatement{p}, nil
}

// Ingest writes into a table of the engine.
func (s engineSession) Ingest(ctx context.Context, table string, mode IngestMode, schema *arrow.Schema, next func() (arrow.RecordBatch, error)) (int64, error) {
	modes := map[IngestMode]flightd.IngestMode{IngestCreate: flightd.IngestCreate, IngestAppend: flightd.IngestAppend,
		IngestReplace: flightd.IngestReplace, IngestCreateAppend: flightd.IngestCreateAppend}
	return s.Session.Ingest(ctx, table, modes[mode], schema, next)
}

type engineStatement struct{ p *flightd.Prepared }

// Schema is the schema of the result.
func (s engineStatement) Schema() *arrow.Schema { return s.p.Schema }

// Params is the schema of the parameters.
func (s engineStatement) Params() *arrow.Schema {
	if s.p.Params == nil {
		return arrow.NewSchema(nil, nil)
	}
	return s.p.Params
}

// IsUpdate reports that there are no rows.
func (s engineStatement) IsUpdate() bool { return s.p.IsUpdate }

// HasEffect reports that running it, though it has rows, changes something.
func (s engineStatement) HasEffect() bool { return s.p.Effect }

// Endless reports that the rows have no end of their own: SUBSCRIBE.
func (s engineStatement) Endless() bool { return s.p.Endless }

// Execute runs the statement.
func (s engineStatement) Execute(ctx context.Context, params arrow.RecordBatch) (Rows, error) {
	r, err := s.p.Execute(ctx, params)
	if err != nil {
		return nil, err
	}
	return r, nil
}

// Epochs are the epochs of a bounded subscription.
func (s engineStatement) Epochs(ctx context.Context) (epochs, error) {
	e, err := s.p.Epochs(ctx)
	if e == nil || err != nil {
		return nil, err
	}
	return engineEpochs{e}, nil
}

type engineEpochs struct{ *flightd.Epochs }

// Rows is the result of one epoch.
func (e engineEpochs) Rows(ctx context.Context, epoch int64) (Rows, error) {
	r, err := e.Epochs.Rows(ctx, epoch)
	if err != nil {
		return nil, err
	}
	return r, nil
}
