package stream

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/flightd/flightd/internal/base"
	"github.com/flightd/flightd/internal/rowlog"
	"github.com/flightd/flightd/sources"
)

// pinsHeld is how many pins a table keeps the rows of: a query that reads ahead has
// three epochs at a time.
const pinsHeld = 4

// Table is a stream table, read as a batch.
type Table struct {
	log *rowlog.Log

	mu    sync.Mutex
	holds []func() // of the last pins, oldest first
}

var (
	_ sources.Table     = (*Table)(nil)
	_ sources.Estimator = (*Table)(nil)
)

// pin is the rows of a table at one commit.
type pin struct {
	Table string `json:"table"`
	First *int64 `json:"first"`
	End   *int64 `json:"end"`
}

// Schema returns the columns that the table was created with.
func (t *Table) Schema() *arrow.Schema { return t.log.Schema() }

// Pin returns the rows that are kept now, all of them durable. They stay until the
// table is closed or four more pins were taken.
func (t *Table) Pin(context.Context) (string, error) {
	if err := t.log.Err(); err != nil {
		return "", err
	}
	r, release := t.log.Hold()
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.holds = append(t.holds, release); len(t.holds) > pinsHeld {
		t.holds[0]()
		t.holds = t.holds[1:]
	}
	return fmt.Sprintf(`{"table":%q,"first":%d,"end":%d}`, t.log.ID(), r.First, r.End), nil
}

func (t *Table) parse(text string) (from, to int64, err error) {
	var p pin
	if err := decode(text, &p); err != nil || p.First == nil || p.End == nil || *p.First < 0 || *p.End < *p.First {
		return 0, 0, base.Errorf(base.CodeCorrupt, "%.80q does not name rows of table %s", text, t.log.Name())
	}
	if p.Table != t.log.ID() {
		return 0, 0, t.gone(*p.First, *p.End)
	}
	return *p.First, *p.End, nil
}

func (t *Table) gone(from, to int64) error {
	e := base.Errorf(base.CodeCorrupt, "the rows [%d, %d) of table %s are not kept any more", from, to, t.log.Name())
	e.Condition = "STATIC_INPUT_CHANGED"
	return e.WithHint("the table was replaced, or its retention took them before the epoch was run again")
}

// Scan returns the rows of pin.
func (t *Table) Scan(_ context.Context, text string, scan sources.Scan) ([]sources.Split, error) {
	from, to, err := t.parse(text)
	if err != nil {
		return nil, err
	}
	failed := func(err error) error {
		if errors.Is(err, rowlog.ErrDropped) {
			return t.gone(from, to)
		}
		return err
	}
	out, err := splits(t.log, from, to, scan, failed)
	if err != nil {
		return nil, failed(err)
	}
	return out, nil
}

// Estimate is the number of rows, which is known.
func (t *Table) Estimate(_ context.Context, text string) (sources.Estimate, error) {
	from, to, err := t.parse(text)
	return sources.Estimate{Rows: to - from}, err
}

// Describe returns FlightTable[t].
func (t *Table) Describe() string { return "FlightTable[" + t.log.Name() + "]" }

// Close lets go of the rows that were pinned.
func (t *Table) Close() error {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, release := range t.holds {
		release()
	}
	t.holds = nil
	return nil
}
