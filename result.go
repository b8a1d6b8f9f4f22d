package flightd

import (
	"context"
	"io"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/flightd/flightd/subscribe"
)

// Result is the answer to one statement: record batches of one schema, to be
// read once. A statement that returns no rows (DDL, INSERT) has run when the
// Result exists; its schema is the one column rows_affected BIGINT and it has
// one row.
type Result struct {
	schema   *arrow.Schema
	update   bool
	affected int64
	notices  []string
	next     func(context.Context) (arrow.RecordBatch, error)
	close    func() error
	// live is the subscription behind an endless result, batch the last one that it
	// gave.
	live  *subscribe.Stream
	batch *subscribe.Batch
	// epochs are those of the queries that were read.
	epochs []readEpoch
}

// Schema is the schema of every record batch.
func (r *Result) Schema() *arrow.Schema { return r.schema }

// IsUpdate reports whether the statement was not a query.
func (r *Result) IsUpdate() bool { return r.update }

// RowsAffected is the number of rows that an INSERT or CREATE TABLE AS wrote; 0
// for other statements without rows; −1 for a query.
func (r *Result) RowsAffected() int64 { return r.affected }

// Notices are sentences for the user that are not errors, such as a setting that
// has no effect here.
func (r *Result) Notices() []string { return r.notices }

// Endless reports that the result is that of SUBSCRIBE: Next waits for rows that
// come, and returns record batches without rows now and then.
func (r *Result) Endless() bool { return r.live != nil }

// Annotation is what SUBSCRIBE says beside rows [from, to) of the record batch
// that Next returned last, as JSON (docs/subscribe.md), or as of which epochs a SELECT
// has read running queries (docs/live-results.md); nil for other results. It may be kept
// and called later.
func (r *Result) Annotation() func(from, to int64) []byte {
	if len(r.epochs) > 0 {
		text := epochsJSON(r.epochs)
		return func(int64, int64) []byte { return text }
	}
	if r.batch == nil {
		return nil
	}
	return r.batch.Annotation
}

// Derived makes something of the record batch that Next returned last, for a key that
// says what it depends on beside it: once for all subscribers of a query who get the
// same rows at about the same time, anew for everybody else. It may be kept and called later.
func (r *Result) Derived() func(key any, build func() any) any {
	if r.batch == nil {
		return nil
	}
	return r.batch.Derived
}

// KeepTurn is for the reader of an endless result who is one of many and does nothing
// but hand its record batches on. Few of them work at a time, by turns; with KeepTurn
// the turn goes on when Next returns. GiveWay, which may be called from any goroutine,
// ends it, and must be called when the reader waits for anybody.
func (r *Result) KeepTurn() {
	if r.live != nil {
		r.live.KeepTurn()
	}
}

// GiveWay ends the turn; see KeepTurn.
func (r *Result) GiveWay() {
	if r.live != nil {
		r.live.GiveWay()
	}
}

// Resume is the token that goes on behind the record batch that Next returned
// last: SUBSCRIBE TO … RESUME 'token'. It is "" if there is none.
func (r *Result) Resume() string {
	if r.batch == nil {
		return ""
	}
	return r.batch.Resume(r.batch.Rec.NumRows())
}

// Drain asks an endless result for its end: Next returns a last record batch
// without rows, whose annotation has the resume token, then io.EOF. Unlike the
// other methods it may be called from any goroutine, as may Check.
func (r *Result) Drain() {
	if r.live != nil {
		r.live.Drain()
	}
}

// Check returns why an endless result ends whose reader is too slow, if its policy
// is to disconnect; else nil.
func (r *Result) Check() error {
	if r.live == nil {
		return nil
	}
	return r.live.Check()
}

// Next returns the next record batch, or io.EOF after the last. The caller
// releases it.
func (r *Result) Next(ctx context.Context) (arrow.RecordBatch, error) {
	if r.next == nil {
		return nil, io.EOF
	}
	return r.next(ctx)
}

// Close ends the query behind the result. It may be called at any time and more
// than once.
func (r *Result) Close() error {
	r.next = nil
	if r.close == nil {
		return nil
	}
	f := r.close
	r.close = nil
	return f()
}

// Collect reads the whole result.
func (r *Result) Collect(ctx context.Context) ([]arrow.RecordBatch, error) {
	defer r.Close()
	var out []arrow.RecordBatch
	for {
		rec, err := r.Next(ctx)
		if err == io.EOF {
			return out, nil
		}
		if err != nil {
			for _, rec := range out {
				rec.Release()
			}
			return nil, err
		}
		out = append(out, rec)
	}
}

// Prepared is a statement that was parsed and analysed and has had no effect.
type Prepared struct {
	// Schema is the result's schema; for a statement without rows that of
	// rows_affected.
	Schema *arrow.Schema
	// Params is the schema of the parameters: one column for each ?, in order, or for
	// each :name, in the order in which the names first stand in the text. The type is
	// that of the parameter's place, utf8 where no place has one.
	Params   *arrow.Schema
	IsUpdate bool
	// Effect says that the statement changes something although it has rows: SET with a
	// value.
	Effect bool
	// Endless says that the rows have no end of their own: SUBSCRIBE.
	Endless bool
	text    string
	session *Session
	list    parameters
}

// Execute runs the statement with one value per parameter: row 0 of params,
// which may be nil if there are none. A value need not have the type of Params: where
// it is compared or computed with it counts with its own, and what is stored, or taken
// by LIMIT or a function, is converted if nothing of it is lost, else refused.
func (p *Prepared) Execute(ctx context.Context, params arrow.RecordBatch) (*Result, error) {
	return p.session.execute(ctx, p.text, p.list, params)
}
