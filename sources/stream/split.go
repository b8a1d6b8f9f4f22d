package stream

import (
	"cmp"
	"context"
	"errors"
	"io"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/flightd/flightd/internal/rowlog"
	"github.com/flightd/flightd/sources"
	"github.com/flightd/flightd/sources/numbered"
)

// splitBytes is about how many bytes a split has at most.
const splitBytes = 16 << 20

// splits are the rows [from, to) of a table. failed makes the error of what cannot be
// read.
func splits(log *rowlog.Log, from, to int64, scan sources.Scan, failed func(error) error) ([]sources.Split, error) {
	pieces, err := log.Pieces(from, to, numbered.SplitRows, cmp.Or(scan.SplitBytes, splitBytes))
	if err != nil {
		return nil, err
	}
	out := make([]sources.Split, len(pieces))
	for i, p := range pieces {
		out[i] = &split{log: log, piece: p, columns: scan.Columns, schema: numbered.Project(log.Schema(), scan), rows: int64(cmp.Or(scan.BatchRows, 8192)), failed: failed}
	}
	return out, nil
}

type split struct {
	log     *rowlog.Log
	piece   rowlog.Piece
	columns []int
	schema  *arrow.Schema
	rows    int64
	failed  func(error) error
}

// String names the rows.
func (s *split) String() string { return s.piece.String() }

// Open opens the segment of the rows.
func (s *split) Open(context.Context) (sources.Reader, error) {
	in, err := s.log.Read(s.piece)
	if err != nil {
		return nil, s.failed(err)
	}
	return &reader{split: s, in: in}, nil
}

// reader cuts the record batches that producers sent into those of the engine's
// size: large ones become several, small neighbours one.
type reader struct {
	*split
	in *rowlog.Reader
	// ahead was read and does not go with what is before it; the rows before at have
	// been given out.
	ahead arrow.RecordBatch
	at    int64
}

// Next returns the next record batch.
func (r *reader) Next(ctx context.Context) (arrow.RecordBatch, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	var small []arrow.RecordBatch
	defer func() {
		for _, rec := range small {
			rec.Release()
		}
	}()
	for sum := int64(0); ; {
		if r.ahead == nil {
			rec, err := r.read()
			if err == io.EOF && len(small) > 0 {
				break
			}
			if err != nil {
				return nil, err
			}
			r.ahead, r.at = rec, 0
		}
		if n := r.ahead.NumRows(); n > r.rows || r.at > 0 {
			if len(small) > 0 {
				break
			}
			to := min(n, r.at+r.rows)
			out := r.ahead.NewSlice(r.at, to)
			if r.at = to; to == n {
				r.ahead.Release()
				r.ahead = nil
			}
			return out, nil
		} else if sum += n; sum > r.rows {
			break
		}
		small, r.ahead = append(small, r.ahead), nil
	}
	return joined(r.schema, small)
}

// read returns the next record batch as it was sent, with the columns that are wanted.
func (r *reader) read() (arrow.RecordBatch, error) {
	rec, err := r.in.Next()
	if err != nil {
		if err != io.EOF && errors.Is(err, rowlog.ErrDropped) {
			err = r.failed(err)
		}
		return nil, err
	}
	defer rec.Release()
	cols := rec.Columns()
	if r.columns != nil {
		cols = make([]arrow.Array, len(r.columns))
		for i, c := range r.columns {
			cols[i] = rec.Column(c)
		}
	}
	return array.NewRecordBatch(r.schema, cols, rec.NumRows()), nil
}

// joined returns the rows of several record batches as one.
func joined(schema *arrow.Schema, recs []arrow.RecordBatch) (arrow.RecordBatch, error) {
	if len(recs) == 1 {
		recs[0].Retain()
		return recs[0], nil
	}
	var rows int64
	for _, rec := range recs {
		rows += rec.NumRows()
	}
	cols := make([]arrow.Array, schema.NumFields())
	defer func() {
		for _, c := range cols {
			if c != nil {
				c.Release()
			}
		}
	}()
	parts := make([]arrow.Array, len(recs))
	for c := range cols {
		for i, rec := range recs {
			parts[i] = rec.Column(c)
		}
		var err error
		if cols[c], err = array.Concatenate(parts, memory.DefaultAllocator); err != nil {
			return nil, err
		}
	}
	return array.NewRecordBatch(schema, cols, rows), nil
}

// Close closes the segment.
func (r *reader) Close() error {
	if r.ahead != nil {
		r.ahead.Release()
		r.ahead = nil
	}
	return r.in.Close()
}
