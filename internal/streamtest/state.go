package streamtest

import (
	"context"
	"fmt"
	"regexp"
	"strconv"

	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/flightd/flightd"
)

// part is what the name of one of an operator's tables has behind the operator's.
var part = regexp.MustCompile(`_(left|right|last|open)$`)

// readState reads every table of the query's state, and holds the number of their rows to
// what the last epoch reported. A query that has ended has its state in the checkpoint.
func (s *script) readState(ctx context.Context) error {
	if s.last == nil || s.query.Exception() != nil {
		return nil
	}
	names, err := s.session.Execute(ctx, "SHOW TABLES IN state.q")
	if err != nil {
		return err
	}
	list, err := names.Collect(ctx)
	if err != nil {
		return err
	}
	rows, epoch, operators := int64(0), int64(-1), map[string]bool{}
	for _, rec := range list {
		for i := range int(rec.NumRows()) {
			name := "state.q." + rec.Column(1).(*array.String).Value(i)
			operators[part.ReplaceAllString(name, "")] = true
			r, err := s.session.Execute(ctx, "SELECT *, _epoch FROM "+name)
			if err != nil {
				return fmt.Errorf("%s: %w", name, err)
			}
			if text, ok := r.Schema().Metadata().GetValue(flightd.EpochMetadata); ok {
				epoch, _ = strconv.ParseInt(text, 10, 64)
			}
			recs, err := r.Collect(ctx)
			if err != nil {
				return fmt.Errorf("%s: %w", name, err)
			}
			for _, rec := range recs {
				rows += rec.NumRows()
				rec.Release()
			}
		}
		rec.Release()
	}
	// Two operators that compute the same have one state between them.
	if len(operators) != len(s.last.StateOps) || epoch != int64(s.last.BatchID) {
		return nil
	}
	want := int64(0)
	for _, o := range s.last.StateOps {
		want += o.NumRowsTotal
	}
	if rows != want {
		return fmt.Errorf("the state has %d rows in its tables, and epoch %d reported %d", rows, epoch, want)
	}
	return nil
}
