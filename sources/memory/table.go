package memory

import (
	"context"
	"encoding/json"
	"strconv"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/flightd/flightd/internal/base"
	"github.com/flightd/flightd/internal/invariants"
	"github.com/flightd/flightd/sources"
)

// Table is record batches as a table. It never changes.
type Table struct{ rows rows }

var _ sources.Table = (*Table)(nil)

// NewTable returns the table of recs, in their order. It retains them until Close;
// each must have the columns of schema.
func NewTable(schema *arrow.Schema, recs []arrow.RecordBatch) sources.Table {
	t := &Table{newRows(schema)}
	for _, rec := range recs {
		if err := t.rows.fits(rec); err != nil {
			panic(invariants.AssertionFailedf("a table of other columns: %v", err))
		}
		t.rows.add(rec)
	}
	return t
}

// Schema returns the schema that the table was made with.
func (t *Table) Schema() *arrow.Schema { return t.rows.schema }

// Pin returns {"rows":n}.
func (t *Table) Pin(context.Context) (string, error) { return t.pin(), nil }

func (t *Table) pin() string {
	return `{"rows":` + strconv.FormatInt(t.rows.starts[len(t.rows.recs)], 10) + `}`
}

// Scan reads the rows. A pin of another number of rows is of a table that is no
// longer there.
func (t *Table) Scan(_ context.Context, pin string, scan sources.Scan) ([]sources.Split, error) {
	if pin != t.pin() {
		var p struct{ Rows *int64 }
		if json.Unmarshal([]byte(pin), &p) != nil || p.Rows == nil {
			return nil, base.Errorf(base.CodeCorrupt, "%.80q does not name the rows of a table in memory", pin)
		}
		err := base.Errorf(base.CodeCorrupt, "the table in memory was pinned with %d rows and is gone", *p.Rows)
		err.Condition = "STATIC_INPUT_CHANGED"
		return nil, err
	}
	return t.rows.splits("memory", 0, int64(len(t.rows.recs)), scan), nil
}

// Estimate knows how many rows there are.
func (t *Table) Estimate(context.Context, string) (sources.Estimate, error) {
	return sources.Estimate{Rows: t.rows.starts[len(t.rows.recs)]}, nil
}

// Describe returns "memory".
func (t *Table) Describe() string { return "memory" }

// Close releases the record batches. Closing twice is allowed.
func (t *Table) Close() error {
	t.rows.release()
	return nil
}
