package golden

import (
	"context"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/flightd/flightd"
	"github.com/flightd/flightd/plan/expr"
	"github.com/flightd/flightd/plan/logical"
	"github.com/flightd/flightd/plan/sql"
)

// isCommand reports whether text is a statement that is no query.
func isCommand(text string) bool {
	stmt, err := sql.Parse(text)
	if err != nil {
		return true // and the statement's own error is what counts
	}
	_, query := stmt.(*logical.Query)
	return !query
}

// command runs a statement that is no query. Where it counts rows only, Spark's
// statement has no columns and no rows.
func command(ctx context.Context, s *flightd.Session, text string) ([]flightd.Field, [][]*string, error) {
	r, err := s.Execute(ctx, text)
	if err != nil {
		return nil, nil, err
	}
	defer r.Close()
	rows := [][]*string{}
	if r.IsUpdate() {
		return nil, rows, r.Check()
	}
	var fields []flightd.Field
	for _, f := range r.Schema().Fields() {
		t, err := expr.FromArrow(f.Type)
		if err != nil {
			return nil, nil, err
		}
		fields = append(fields, flightd.Field{Name: f.Name, Type: t.SQL()})
	}
	recs, err := r.Collect(ctx)
	if err != nil {
		return nil, nil, err
	}
	for _, rec := range recs {
		for i := range int(rec.NumRows()) {
			rows = append(rows, cells(rec, i))
		}
		rec.Release()
	}
	return fields, rows, nil
}

// cells is row i of rec as text: such statements have texts, truth values and whole
// numbers only, which Arrow writes as SQL does.
func cells(rec arrow.RecordBatch, i int) []*string {
	row := make([]*string, rec.NumCols())
	for c := range row {
		if col := rec.Column(c); col.IsValid(i) {
			v := col.ValueStr(i)
			row[c] = &v
		}
	}
	return row
}
