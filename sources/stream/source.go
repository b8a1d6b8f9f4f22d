package stream

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/flightd/flightd/internal/base"
	"github.com/flightd/flightd/internal/rowlog"
	"github.com/flightd/flightd/sources"
)

// Provider returns the provider of a table whose log open returns, the same each time.
func Provider(open func() (*rowlog.Log, error)) sources.Provider {
	return sources.Provider{
		Name:    "flight",
		Options: OptionNames(),
		Lasting: true,
		Stream: func(_ context.Context, cfg sources.Config) (sources.Source, error) {
			r, err := parse(cfg.Options)
			if err != nil {
				return nil, err
			}
			log, err := open()
			if err != nil {
				return nil, err
			}
			return &Source{log: log, reading: r, frozen: -1}, nil
		},
		Batch: func(context.Context, sources.Config) (sources.Table, error) {
			log, err := open()
			if err != nil {
				return nil, err
			}
			return &Table{log: log}, nil
		},
	}
}

// Source is the stream of a table's rows.
type Source struct {
	log *rowlog.Log
	reading
	lost atomic.Int64 // rows that failOnDataLoss=false has left out

	mu     sync.Mutex
	frozen int64 // the end that Latest does not go beyond; −1: none
}

var (
	_ sources.Source    = (*Source)(nil)
	_ sources.Freezer   = (*Source)(nil)
	_ sources.Announcer = (*Source)(nil)
	_ sources.Measurer  = (*Source)(nil)
)

// position is an offset.
type position struct {
	Table string `json:"table"`
	Row   *int64 `json:"row"`
}

func (s *Source) offset(row int64) base.Offset {
	return base.Offset(fmt.Sprintf(`{"table":%q,"row":%d}`, s.log.ID(), row))
}

// row reads an offset of this table.
func (s *Source) row(o base.Offset) (int64, error) {
	var p position
	if err := decode(string(o), &p); err != nil || p.Row == nil || *p.Row < 0 {
		return 0, base.Errorf(base.CodeCorrupt, "%.80q is not an offset of table %s", o, s.log.Name())
	}
	if p.Table != s.log.ID() {
		return 0, base.Errorf(base.CodeCorrupt, "the offset is one of another table %s, which was dropped or replaced", s.log.Name()).
			WithHint("start the query with a new checkpoint")
	}
	return *p.Row, nil
}

func decode(text string, into any) error {
	dec := json.NewDecoder(strings.NewReader(text))
	dec.DisallowUnknownFields()
	if err := dec.Decode(into); err != nil {
		return err
	}
	if dec.More() {
		return errors.New("there is more")
	}
	return nil
}

// Schema returns the columns that the table was created with.
func (s *Source) Schema() *arrow.Schema { return s.log.Schema() }

// Initial returns the first row that is kept, or the end of the table.
func (s *Source) Initial(context.Context) (base.Offset, error) {
	r := s.log.Range()
	if s.latest {
		return s.offset(r.End), nil
	}
	return s.offset(r.First), nil
}

// Latest returns the position after the newest durable row, or after the last one
// that the limits admit; a bound of bytes is held at record batches.
func (s *Source) Latest(_ context.Context, from base.Offset, lim sources.Limit) (base.Offset, error) {
	at, err := s.row(from)
	if err != nil {
		return "", err
	}
	if err := s.log.Err(); err != nil {
		return "", err
	}
	r := s.log.Range()
	if at > r.End {
		return "", base.Errorf(base.CodeCorrupt, "the offset is row %d, table %s ends with row %d", at, s.log.Name(), r.End)
	}
	end := r.End
	s.mu.Lock()
	if s.frozen >= 0 {
		end = min(end, s.frozen)
	}
	s.mu.Unlock()
	if end <= at {
		return from, nil
	}
	kept := at
	if at < r.First {
		if s.fail {
			return "", s.loss(at, r.First)
		}
		kept = min(r.First, end)
	}
	if lim.Options {
		if end, err = s.log.Bound(kept, end, s.rows, s.bytes); err != nil {
			return "", s.readError(err, kept)
		}
	}
	if end <= at {
		return from, nil
	}
	return s.offset(end), nil
}

// Freeze fixes the end at the rows that are there now.
func (s *Source) Freeze(context.Context, base.Offset) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.frozen = s.log.Range().End
	return nil
}

// Read returns the rows of the range, cut at record batches into splits of about 64 Ki
// rows or 16 MiB.
func (s *Source) Read(_ context.Context, from, to base.Offset, scan sources.Scan) ([]sources.Split, error) {
	a, err := s.row(from)
	if err != nil {
		return nil, err
	}
	b, err := s.row(to)
	if err != nil || a == b {
		return nil, err
	}
	if b < a {
		return nil, base.Errorf(base.CodeCorrupt, "reading table %s from row %d back to %d", s.log.Name(), a, b)
	}
	if err := s.log.Err(); err != nil {
		return nil, err
	}
	out, err := splits(s.log, a, b, scan, func(err error) error { return s.readError(err, a) })
	if errors.Is(err, rowlog.ErrDropped) && !s.fail {
		first := min(s.log.Range().First, b)
		s.lost.Add(first - a)
		return splits(s.log, first, b, scan, func(err error) error { return s.readError(err, first) })
	}
	if err != nil {
		return nil, s.readError(err, a)
	}
	return out, nil
}

// readError is err, or the loss of rows from row at on.
func (s *Source) readError(err error, at int64) error {
	if errors.Is(err, rowlog.ErrDropped) {
		return s.loss(at, s.log.Range().First)
	}
	return err
}

// loss is the error of rows that are gone before they were read, of the class of
// Kafka's lost records.
func (s *Source) loss(at, first int64) error {
	return base.UserError("FLIGHT_DATA_LOSS.ROWS_NOT_KEPT", "22000",
		"Rows that were not read yet are not in table %s any more: its retention took them. The query is at row %d, the first that is kept is row %d.", s.log.Name(), at, first).
		WithHint("set the table's option failOnDataLoss to false to go on without them, or keep them longer (retention, retentionBytes)")
}

// Announce tells of new rows.
func (s *Source) Announce(wake func()) (stop func()) { return s.log.Announce(wake) }

// Metrics returns how many durable rows are behind latest, and how many were left out
// because they were gone.
func (s *Source) Metrics(latest base.Offset) map[string]string {
	out := map[string]string{}
	if n := s.lost.Load(); n > 0 {
		out["lostRows"] = strconv.FormatInt(n, 10)
	}
	if at, err := s.row(latest); err == nil {
		out["rowsBehindLatest"] = strconv.FormatInt(max(s.log.Range().End-at, 0), 10)
	}
	return out
}

// Commit does nothing: the retention says how long rows are kept.
func (s *Source) Commit(context.Context, base.Offset) error { return nil }

// Describe returns FlightTable[t].
func (s *Source) Describe() string { return "FlightTable[" + s.log.Name() + "]" }

// Close leaves the table as it is: others use it.
func (s *Source) Close() error { return nil }
