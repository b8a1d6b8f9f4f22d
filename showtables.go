package flightd

import (
	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/flightd/flightd/plan/logical"
)

// tablesResult is the result of SHOW TABLES and SHOW VIEWS: rows are of the namespace,
// the name, which goes by the name column, and whether it is of the session alone.
func tablesResult(column string, rows [][]any) *Result {
	schema := arrow.NewSchema([]arrow.Field{
		{Name: "namespace", Type: arrow.BinaryTypes.String, Nullable: true}, {Name: column, Type: arrow.BinaryTypes.String, Nullable: true},
		{Name: "isTemporary", Type: arrow.FixedWidthTypes.Boolean, Nullable: true},
	}, nil)
	b := array.NewRecordBuilder(memory.DefaultAllocator, schema)
	defer b.Release()
	for _, row := range rows {
		b.Field(0).(*array.StringBuilder).Append(row[0].(string))
		b.Field(1).(*array.StringBuilder).Append(row[1].(string))
		b.Field(2).(*array.BooleanBuilder).Append(row[2].(bool))
	}
	r := rowsResult(nil, []arrow.RecordBatch{b.NewRecordBatch()})
	r.schema = schema
	return r
}

// showColumns is SHOW COLUMNS IN name, of a table or a view.
func (s *Session) showColumns(st *logical.Show, names *names) (*Result, error) {
	if err := names.mustHave(st.Name, st.NameAt); err != nil {
		return nil, err
	}
	var rows [][]any
	v, err := names.View(st.Name)
	if err != nil {
		return nil, err
	}
	if t, err := names.Table(st.Name); err == nil && t != nil && v == nil {
		for _, f := range t.Schema {
			rows = append(rows, []any{f.Name})
		}
		return textResult([]string{"col_name"}, rows), nil
	}
	d := &DataFrame{s: s, plan: &logical.Table{At: st.NameAt, Name: st.Name}}
	fields, err := d.Fields()
	if err != nil {
		return nil, err
	}
	for _, f := range fields {
		rows = append(rows, []any{f.Name})
	}
	return textResult([]string{"col_name"}, rows), nil
}
