package engine

import (
	"strings"

	"github.com/flightd/flightd"
	"github.com/flightd/flightd/bench/gen"
	"github.com/flightd/flightd/bench/proc"
)

// fileTable reads a table's files, as a stream if r is of one.
func fileTable(r *flightd.DataFrameReader, t proc.Table) *flightd.DataFrame {
	if len(t.Columns) > 0 {
		r = r.Schema(ddl(t.Columns))
	}
	if t.Format == string(gen.JSON) {
		return r.JSON(t.Path)
	}
	return r.Parquet(t.Path)
}

// ddl spells columns in SQL.
func ddl(columns [][2]string) string {
	sql := map[string]string{"int64": "BIGINT", "int32": "INT", "float64": "DOUBLE", "utf8": "STRING", "bool": "BOOLEAN"}
	var out []string
	for _, c := range columns {
		typ, ok := sql[c[1]]
		if !ok {
			typ = "TIMESTAMP"
		}
		out = append(out, "`"+c[0]+"` "+typ)
	}
	return strings.Join(out, ", ")
}
