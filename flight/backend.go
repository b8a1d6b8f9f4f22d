package flight

import (
	"context"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/flightd/flightd"
)

// A Backend is what a Server serves: an engine, or in tests something that
// behaves like one.
type Backend interface {
	// NewSession returns a session with the rights of a user.
	NewSession(u flightd.User) Session
	// Tables lists tables and views by name.
	Tables(ctx context.Context) ([]Table, error)
}

// A Session holds one client's temporary views and settings.
type Session interface {
	// Prepare analyses a statement, without effect.
	Prepare(ctx context.Context, text string) (Statement, error)
	// Set sets a setting; the notice, if any, says that it has no effect.
	Set(key, value string) (notice string, err error)
	Settings() map[string]string
	// Ingest writes the record batches that next returns, until io.EOF, into a
	// table and returns the number of rows once they are durable. Ingest releases
	// them.
	Ingest(ctx context.Context, table string, mode IngestMode, schema *arrow.Schema, next func() (arrow.RecordBatch, error)) (int64, error)
	Close() error
}

// A Statement is a prepared statement.
type Statement interface {
	Schema() *arrow.Schema
	// Params is the schema of the parameters, in order.
	Params() *arrow.Schema
	// IsUpdate reports that the statement returns no rows of its own.
	IsUpdate() bool
	// Execute runs the statement with row 0 of params, which is nil without
	// parameters.
	Execute(ctx context.Context, params arrow.RecordBatch) (Rows, error)
}

// Rows are the answer to a statement, to be read once.
type Rows interface {
	Schema() *arrow.Schema
	// Next returns the next record batch, which the caller releases, or io.EOF.
	Next(ctx context.Context) (arrow.RecordBatch, error)
	// RowsAffected is what an update changed.
	RowsAffected() int64
	// Notices are sentences for the user that are not errors.
	Notices() []string
	Close() error
}

// A Table is what the catalog commands tell of a table or view.
type Table struct {
	// Namespace is the database schema that it is in; "" is "default".
	Namespace, Name string
	// Type is one of tableTypes.
	Type    string
	Schema  *arrow.Schema
	Comment string
}

// IngestMode says what an ingest does with a table that exists or does not.
type IngestMode uint8

// The modes, as ADBC has them.
const (
	IngestCreate       IngestMode = iota // the table must not exist
	IngestAppend                         // the table must exist
	IngestReplace                        // the table is made anew
	IngestCreateAppend                   // the table is made if need be
)
