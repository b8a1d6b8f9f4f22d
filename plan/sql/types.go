package sql

import (
	"strconv"
	"strings"

	"github.com/flightd/flightd/internal/base"
	"github.com/flightd/flightd/plan/expr"
)

// simpleTypes are the types without parameters, by every name they have.
var simpleTypes = map[string]*expr.Type{
	"BOOLEAN": expr.Bool, "TINYINT": expr.Int8, "BYTE": expr.Int8, "SMALLINT": expr.Int16, "SHORT": expr.Int16, "INT": expr.Int32,
	"INTEGER": expr.Int32, "BIGINT": expr.Int64, "LONG": expr.Int64, "FLOAT": expr.Float32, "REAL": expr.Float32, "DOUBLE": expr.Float64,
	"DATE": expr.Date, "TIMESTAMP_NTZ": expr.TimestampNTZ, "TIMESTAMP_LTZ": expr.Timestamp, "BINARY": expr.Binary, "VOID": expr.Null,
	"VARIANT": expr.Variant,
}

var typeNames = []string{
	"ARRAY", "BIGINT", "BINARY", "BOOLEAN", "DATE", "DECIMAL", "DOUBLE", "FLOAT", "INT", "INTEGER", "MAP", "NUMERIC", "SMALLINT", "STRING",
	"STRUCT", "TIMESTAMP", "TIMESTAMP_NTZ", "TINYINT", "VARCHAR",
}

// foreignTypes are names that other systems have for types of Spark.
var foreignTypes = map[string]string{
	"TEXT": "STRING", "DATETIME": "TIMESTAMP", "JSON": "STRING", "INT8": "BIGINT", "INT4": "INT", "INT2": "SMALLINT", "INT64": "BIGINT", "INT32": "INT",
	"UTF8": "STRING", "BLOB": "BINARY", "BYTEA": "BINARY", "FLOAT8": "DOUBLE", "FLOAT64": "DOUBLE", "FLOAT32": "FLOAT", "BOOL": "BOOLEAN",
	"TIMESTAMPTZ": "TIMESTAMP", "NUMBER": "DECIMAL", "UUID": "STRING",
}

// dataType reads a type.
func (p *parser) dataType() *expr.Type {
	defer p.nest()()
	t := p.tok()
	if t.kind != word {
		p.unexpected("a type")
	}
	p.at++
	if simple := simpleTypes[t.upper]; simple != nil {
		if p.isOp("(") && p.ahead(1).kind == integer && !(strings.HasPrefix(t.upper, "TIMESTAMP_") && p.microseconds()) {
			p.unsupportedType(t)
		}
		return simple
	}
	switch t.upper {
	case "TIMESTAMP":
		if p.isOp("(") && p.ahead(1).kind == integer && !p.microseconds() {
			p.unsupportedType(t)
		}
		if p.word("WITHOUT", "TIME", "ZONE") || p.NTZ {
			return expr.TimestampNTZ
		}
		return expr.Timestamp
	case "STRING":
		if p.isOp("(") {
			p.unsupportedType(t)
		}
		return p.collated()
	case "CHAR", "CHARACTER", "VARCHAR":
		if p.NoChar {
			p.failAt(t.pos(), "UNSUPPORTED_CHAR_OR_VARCHAR_AS_STRING", "0A000",
				"CHAR and VARCHAR cannot stand in a schema given as text; write STRING.")
		}
		if len(p.typeParameters()) != 1 {
			p.failAt(t.pos(), "DATATYPE_MISSING_SIZE", "42K01",
				`DataType "%s" requires a length parameter, for example "%s"(10). Please specify the length.`, t.upper, t.upper)
		}
		return p.collated()
	case "DECIMAL", "DEC", "NUMERIC":
		return p.decimalType(t)
	case "TIME":
		return p.timeType(t)
	case "INTERVAL":
		return p.intervalType(t)
	case "GEOMETRY", "GEOGRAPHY":
		return p.geoType(t)
	case "ARRAY", "MAP", "STRUCT":
		return p.nestedType(t)
	}
	p.unsupportedType(t)
	return nil
}

// microseconds takes (6), the precision that timestamps have anyway.
func (p *parser) microseconds() bool {
	t := p.ahead(1)
	if p.text[t.start:t.end] != "6" || !p.isOpAt(2, ")") {
		return false
	}
	p.at += 3
	return true
}

// unsupportedType raises the error for the type whose name is t, with its
// parameters if it has any.
func (p *parser) unsupportedType(t token) {
	p.typeParameters()
	at := p.since(t)
	err := base.UserError("UNSUPPORTED_DATATYPE", "0A000", `Unsupported data type "%s".`, strings.ToUpper(p.text[at.Start:at.End])).At(at)
	if s, ok := foreignTypes[t.upper]; ok {
		err.Hint = "Spark's name of it is " + s
	} else if s := base.Nearest(t.upper, typeNames); s != "" && s != t.upper {
		err.Hint = "did you mean " + s + "?"
	} else {
		err.Hint = "the types are " + strings.Join(typeNames, ", ")
	}
	p.fail(err)
}

// typeParameters reads '(' n, … ')' if it is there.
func (p *parser) typeParameters() []int {
	if !p.isOp("(") {
		return nil
	}
	var out []int
	p.parenthesised(func() {
		t := p.tok()
		n, err := strconv.Atoi(p.text[t.start:t.end])
		if t.kind != integer || err != nil {
			p.unexpected("a whole number")
		}
		p.at++
		out = append(out, n)
	})
	return out
}

// collated reads the collation of a STRING, if there is one.
func (p *parser) collated() *expr.Type {
	if !p.isWord("COLLATE") || !p.isName(1) {
		return expr.String
	}
	p.at++
	name := collationName(p.names("a collation"))
	known, ok := expr.ParseCollation(name)
	if !ok {
		p.fail(base.UserError("COLLATION_INVALID_NAME", "42704", "There is no collation %s.", name))
	}
	return expr.StringOf(known)
}

// collationName is a collation's name without the schema that all of them are in.
func collationName(parts []string) string {
	if len(parts) == 3 && strings.EqualFold(parts[0], "system") && strings.EqualFold(parts[1], "builtin") {
		return parts[2]
	}
	return strings.Join(parts, ".")
}

func (p *parser) decimalType(t token) *expr.Type {
	n := p.typeParameters()
	switch len(n) {
	case 0:
		return expr.Decimal(10, 0)
	case 1:
		n = append(n, 0)
	case 2:
	default:
		p.at = p.tokenAt(t.start)
		p.at++
		p.unsupportedType(t)
	}
	if n[0] > expr.MaxPrecision {
		p.decimalPrecision(p.since(t), n[0])
	}
	if n[1] > n[0] {
		p.failAt(p.since(t), "DECIMAL_SCALE_EXCEEDS_PRECISION", "22003", "Decimal scale (%d) cannot be greater than precision (%d).", n[1], n[0])
	}
	return expr.Decimal(n[0], n[1])
}

func (p *parser) timeType(t token) *expr.Type {
	n := p.typeParameters()
	p.word("WITHOUT", "TIME", "ZONE")
	switch {
	case len(n) == 0:
		return expr.Time(expr.DefaultTimePrecision)
	case len(n) == 1 && n[0] <= expr.MaxTimePrecision:
		return expr.Time(n[0])
	}
	p.failAt(p.since(t), "UNSUPPORTED_TIME_PRECISION", "0A001",
		"The seconds precision %d of the TIME data type is out of the supported range [0, %d].", n[len(n)-1], expr.MaxTimePrecision)
	return nil
}

// intervalType reads INTERVAL [first [TO last]].
func (p *parser) intervalType(t token) *expr.Type {
	from, ok := intervalFields[p.tok().upper]
	if !ok || p.tok().kind != word {
		return expr.Calendar
	}
	p.at++
	to := from
	if p.isWord("TO") {
		p.at++
		u := p.tok()
		last, ok := intervalFields[u.upper]
		if !ok {
			p.unexpected("MONTH", "HOUR", "MINUTE", "SECOND")
		}
		p.at++
		if last <= from || (from <= expr.FieldMonth) != (last <= expr.FieldMonth) {
			p.failAt(p.since(t), "_LEGACY_ERROR_TEMP_0028", "", "Intervals FROM %s TO %s are not supported.", strings.ToLower(from.String()), strings.ToLower(u.upper))
		}
		to = last
	}
	if from <= expr.FieldMonth {
		return &expr.Type{Kind: expr.KindYearMonth, From: from, To: to}
	}
	return &expr.Type{Kind: expr.KindDayTime, From: from, To: to}
}

func (p *parser) nestedType(t token) *expr.Type {
	if t.upper == "STRUCT" && p.op("<>") {
		return expr.StructOf()
	}
	if !p.isOp("<") {
		example := map[string]string{"ARRAY": "ARRAY<INT>", "MAP": "MAP<STRING, INT>", "STRUCT": "STRUCT<name STRING, age INT>"}[t.upper]
		err := base.UserError("INCOMPLETE_TYPE_DEFINITION."+t.upper, "42K01",
			`Incomplete complex type: The definition of "%s" type is incomplete. You must provide its types. For example: "%s".`, t.upper, example)
		p.fail(err.At(t.pos()))
	}
	open := p.at
	p.at++
	switch t.upper {
	case "ARRAY":
		elem := p.dataType()
		p.mustOp(">")
		return expr.ArrayOf(elem, true)
	case "MAP":
		key := p.dataType()
		if !p.isOp(",") {
			p.at = open
			p.unexpected("MAP<key, value>")
		}
		p.mustOp(",")
		value := p.dataType()
		p.mustOp(">")
		return expr.MapOf(key, value, true)
	}
	var fields []expr.Field
	if !p.isOp(">") {
		p.commaList(func() { fields = append(fields, p.field()) })
	}
	p.mustOp(">")
	return expr.StructOf(fields...)
}

// field reads name[:] type [NOT NULL] [COMMENT 'text'].
func (p *parser) field() expr.Field {
	name := p.name("a field")
	p.op(":")
	f := expr.Field{Name: name, Type: p.dataType(), Nullable: true}
	if p.word("NOT", "NULL") {
		f.Nullable = false
	}
	if p.word("COMMENT") {
		p.textLiteral()
	}
	return f
}

// columns reads the columns of a table in DDL form.
func (p *parser) columns() expr.Schema {
	var s expr.Schema
	p.commaList(func() {
		name := p.name("a column")
		p.op(":")
		s = append(s, expr.Field{Name: name, Type: p.dataType(), Nullable: true})
		p.columnClauses(&s[len(s)-1])
	})
	return s
}

// columnClauses reads NOT NULL, NULL, DEFAULT e and COMMENT 'text', in any order.
func (p *parser) columnClauses(f *expr.Field) {
	for {
		switch t := p.tok(); {
		case p.word("NOT", "NULL"):
			f.Nullable = false
		case p.isWord("COMMENT") && p.ahead(1).kind == text:
			p.at++
			p.textLiteral()
		case p.isWord("DEFAULT") && p.startsExpr(1), p.isPhrase("GENERATED", "ALWAYS"):
			p.unsupported(t, "A column with DEFAULT or GENERATED", "compute the value in the query that fills the table")
		default:
			return
		}
	}
}
