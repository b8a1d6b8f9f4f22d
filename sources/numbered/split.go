package numbered

import (
	"cmp"
	"context"
	"fmt"
	"io"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/flightd/flightd/internal/base"
	"github.com/flightd/flightd/internal/invariants"
	"github.com/flightd/flightd/sources"
)

// SplitRows is how many rows a split has where nothing else says it.
const SplitRows = 1 << 16

// LargeSplitRows is how many rows a split has, of n that lie in memory: more than
// SplitRows where enough splits remain. An aggregation begins each of them with no
// group and merges its groups at the end.
func LargeSplitRows(n int64) int64 { return SplitRows * min(max(n/(32*SplitRows), 1), 4) }

// defaultBatchRows is what sources.Scan says of BatchRows 0.
const defaultBatchRows = 8192

// A Rows makes the record batch of the rows from lo on: at least one row, at most
// up to and without hi, with the columns that the scan wants. The caller owns it.
type Rows func(lo, hi int64) (arrow.RecordBatch, error)

// Splits cuts the rows from lo up to and without hi into splits of rows rows,
// the last one perhaps shorter. name begins the splits' names.
func Splits(name string, lo, hi, rows int64, scan sources.Scan, make Rows) []sources.Split {
	var out []sources.Split
	for at := lo; at < hi; at += rows {
		out = append(out, &split{name: name, lo: at, hi: min(hi, at+rows), batch: int64(cmp.Or(scan.BatchRows, defaultBatchRows)), make: make})
	}
	return out
}

// Project returns the fields of schema that scan wants.
func Project(schema *arrow.Schema, scan sources.Scan) *arrow.Schema {
	if scan.Columns == nil {
		return schema
	}
	fields := make([]arrow.Field, len(scan.Columns))
	for i, c := range scan.Columns {
		fields[i] = schema.Field(c)
	}
	return arrow.NewSchema(fields, nil)
}

// CheckSchema refuses a declared schema that is not the one that the source has;
// nil declares nothing.
func CheckSchema(source string, declared, has *arrow.Schema) error {
	if declared == nil {
		return nil
	}
	same := declared.NumFields() == has.NumFields()
	for i := 0; same && i < has.NumFields(); i++ {
		same = declared.Field(i).Name == has.Field(i).Name && arrow.TypeEqual(declared.Field(i).Type, has.Field(i).Type)
	}
	if same {
		return nil
	}
	return base.Errorf(base.CodeInvalid, "source %s has the columns (%s), not the declared (%s)", source, columns(has), columns(declared)).
		WithHint("leave the column list out")
}

func columns(s *arrow.Schema) string {
	text := ""
	for i, f := range s.Fields() {
		if i > 0 {
			text += ", "
		}
		text += fmt.Sprintf("%s %s", f.Name, f.Type)
	}
	return text
}

type split struct {
	name          string
	lo, hi, batch int64
	make          Rows
}

var _ sources.Split = (*split)(nil)

// Open returns a reader that begins at the split's first row.
func (s *split) Open(context.Context) (sources.Reader, error) { return &reader{split: *s}, nil }

// String returns "name[lo,hi)".
func (s *split) String() string { return fmt.Sprintf("%s[%d,%d)", s.name, s.lo, s.hi) }

// reader is a split whose lo moves.
type reader struct{ split }

// Next makes the next record batch.
func (r *reader) Next(ctx context.Context) (arrow.RecordBatch, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if r.lo >= r.hi {
		return nil, io.EOF
	}
	rec, err := r.make(r.lo, min(r.hi, r.lo+r.batch))
	if err != nil {
		return nil, err
	}
	n := rec.NumRows()
	if n < 1 || n > min(r.batch, r.hi-r.lo) {
		rec.Release()
		return nil, invariants.AssertionFailedf("%s: %d rows were made from row %d on", &r.split, n, r.lo)
	}
	r.lo += n
	return rec, nil
}

// Close does nothing.
func (r *reader) Close() error { return nil }
