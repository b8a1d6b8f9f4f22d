package flight

import (
	"context"
	"regexp"
	"strings"

	"github.com/apache/arrow-go/v18/arrow"
	"google.golang.org/grpc/metadata"
)

// shownParameters are the parameters of a statement as a client is told them. Some
// drivers take that for binding and fill in what they have in ways of their own, so
// they are told types that they fill rightly; binding converts the values.
func shownParameters(ctx context.Context, schema *arrow.Schema) *arrow.Schema {
	md, _ := metadata.FromIncomingContext(ctx)
	agent := strings.Join(md.Get("user-agent"), " ")
	fields := schema.Fields()
	for i, f := range fields {
		switch {
		case strings.Contains(agent, "ADBC"): // sends the types that it has
		case strings.Contains(agent, "grpc-go/"):
			fields[i].Type = forDatabaseSQL(f.Type)
		case strings.Contains(agent, "grpc-java"):
			fields[i].Type = forJDBC(f.Type)
		}
	}
	return arrow.NewSchema(fields, nil)
}

// forDatabaseSQL is for arrow-go's driver of database/sql, which has its numbers in
// int64 and float64 and refuses to put them into columns of other widths.
func forDatabaseSQL(t arrow.DataType) arrow.DataType {
	switch t.ID() {
	case arrow.INT8, arrow.INT16, arrow.INT32:
		return arrow.PrimitiveTypes.Int64
	case arrow.FLOAT32:
		return arrow.PrimitiveTypes.Float64
	}
	return t
}

// forJDBC is for Arrow's JDBC driver: setTimestamp puts milliseconds into the column,
// whatever its unit is.
func forJDBC(t arrow.DataType) arrow.DataType {
	if ts, ok := t.(*arrow.TimestampType); ok {
		return &arrow.TimestampType{Unit: arrow.Millisecond, TimeZone: ts.TimeZone}
	}
	return t
}

// quotedNames are the statements that pandas makes itself: of to_sql(if_exists="replace")
// and of read_sql with a table's name.
var quotedNames = func() *regexp.Regexp {
	const name = `"(?:[^"]|"")+"`
	const table = `(?:` + name + `\.)?` + name
	return regexp.MustCompile(`(?i)^\s*(?:DROP\s+TABLE|SELECT\s+(?:\*|` + name + `(?:\s*,\s*` + name + `)*)\s+FROM)\s+` + table + `\s*;?\s*$`)
}()

// backquoted spells names in double quotes with backquotes, where a statement is one
// that pandas makes. In Spark's SQL a text cannot stand where these have their table,
// unless spark.sql.ansi.doubleQuotedIdentifiers makes it a name, so that nothing else
// can be meant.
func backquoted(text string) (string, bool) {
	if !quotedNames.MatchString(text) || strings.Contains(text, "`") {
		return "", false
	}
	text = strings.ReplaceAll(text, `""`, "\x00")
	return strings.ReplaceAll(strings.ReplaceAll(text, `"`, "`"), "\x00", `"`), true
}
