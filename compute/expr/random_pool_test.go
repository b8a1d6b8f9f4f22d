package expr

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/flightd/flightd/compute/vec"
	"github.com/flightd/flightd/plan/catalog"
	"github.com/flightd/flightd/plan/expr"
	"github.com/flightd/flightd/plan/resolve"
	"github.com/flightd/flightd/plan/sql"
)

// poolRow is a type and values of it that functions treat in different ways.
type poolRow struct {
	typ  string
	vals []string
}

var poolRows = []poolRow{
	{"BOOLEAN", []string{"true", "false"}},
	{"TINYINT", []string{"0Y", "1Y", "-1Y", "127Y", "-128Y"}},
	{"SMALLINT", []string{"0S", "3S", "-32768S", "32767S"}},
	{"INT", []string{"0", "1", "2", "-1", "7", "2147483647", "-2147483648"}},
	{"BIGINT", []string{"0L", "5L", "-7L", "9223372036854775807L", "-9223372036854775808L"}},
	{"FLOAT", []string{"0F", "-0F", "1.5F", "float('NaN')", "float('-Infinity')", "3.4e38F"}},
	{"DOUBLE", []string{"0D", "-0D", "2.5D", "-1e300D", "double('NaN')", "double('Infinity')", "0.1D"}},
	{"DECIMAL(10,2)", []string{"0.00BD", "12.34BD", "-99999999.99BD", "0.05BD"}},
	{"DECIMAL(38,10)", []string{"0BD", "9999999999999999999999999999.9999999999BD", "-1.5BD"}},
	{"STRING", []string{"''", "'a'", "'Spark SQL'", "' 12 '", "'2024-02-29'", `'{"a":[1,2],"b":"x"}'`, "'é日本'", "'1.5'", "'a,b,,c'", "'%_\\\\'", "'true'", "'12:30:15'", "'http://a.b/c?d=e#f'"}},
	{"BINARY", []string{"X''", "X'00FF'", "X'6162'", "X'C328'"}},
	{"DATE", []string{"DATE'1970-01-01'", "DATE'2024-02-29'", "DATE'0001-01-01'", "DATE'9999-12-31'", "DATE'1582-10-15'"}},
	{"TIMESTAMP", []string{"TIMESTAMP'1970-01-01 00:00:00'", "TIMESTAMP'2024-03-10 02:30:00.123456'", "TIMESTAMP'9999-12-31 23:59:59.999999'", "TIMESTAMP'1900-01-01 00:00:00'"}},
	{"TIMESTAMP_NTZ", []string{"TIMESTAMP_NTZ'1970-01-01 00:00:00'", "TIMESTAMP_NTZ'2024-02-29 12:34:56.5'", "TIMESTAMP_NTZ'0001-01-01 00:00:00'"}},
	{"INTERVAL YEAR TO MONTH", []string{"INTERVAL '1-2' YEAR TO MONTH", "INTERVAL '-3' MONTH", "INTERVAL '178956970-7' YEAR TO MONTH"}},
	{"INTERVAL DAY TO SECOND", []string{"INTERVAL '1 02:03:04.5' DAY TO SECOND", "INTERVAL '-1' SECOND", "INTERVAL '106751991' DAY"}},
	{"ARRAY<INT>", []string{"array()", "array(1, 2, 2, null)", "array(3)", "array(-1, 0)"}},
	{"ARRAY<STRING>", []string{"array('a', null, 'b')", "array('', 'zz', 'a')"}},
	{"ARRAY<DOUBLE>", []string{"array(1D, double('NaN'), -0D)", "array(0D)"}},
	{"ARRAY<ARRAY<INT>>", []string{"array(array(1), null, array(2, 3))", "array(array(null))"}},
	{"MAP<STRING,INT>", []string{"map()", "map('a', 1, 'b', null)", "map('é', -5)"}},
	{"MAP<INT,STRING>", []string{"map(1, 'x', 2, 'y')", "map(0, null)"}},
	{"STRUCT<a: INT, b: STRING>", []string{"named_struct('a', 1, 'b', 'x')", "named_struct('a', null, 'b', 'y')"}},
	{"VARIANT", []string{`parse_json('{"a":[1,"x"]}')`, "parse_json('1.5')", "parse_json('null')"}},
}

// constants are texts that functions want as constants: patterns, paths, units.
var constants = []string{"'yyyy-MM-dd'", "'yyyy-MM-dd HH:mm:ss'", "'[a-z]+'", "'(\\\\d+)'", "'$.a'", "'$.a[0]'", "'DAY'", "'MONTH'", "'year'", "'UTC'", "'America/New_York'",
	"'utf-8'", "'999.99'", "'%s'", "'%d'", "'a INT, b STRING'", "'ARRAY<INT>'", "'base64'", "','", "NULL", "0", "1", "2", "-1", "true", "10", "16", "256", "0.5D"}

// growing functions make results as long as an argument says: they get small numbers
// and nothing else.
var growing = map[string]bool{"repeat": true, "space": true, "lpad": true, "rpad": true, "sequence": true, "array_repeat": true, "array_insert": true,
	"format_number": true, "format_string": true, "bitmap_bit_position": true}

// term is an expression with its type, as SQL text.
type term struct {
	text  string
	typ   *expr.Type
	depth int
}

// expressions makes random typed expressions over the columns c0, c1, …, one for each
// row of the pool: from the bottom up, so that arguments mostly have types that the
// function takes.
type expressions struct {
	rnd       *rand.Rand
	env       *Env
	renv      *resolve.Env
	cols      []*expr.Column
	types     []*expr.Type
	vals      [][]any // of each column
	terms     []term
	functions []*expr.Function
	// tried and made count what was built and what of it resolved.
	tried, made int
}

func newExpressions(t testing.TB, seed uint64, lib *Library) *expressions {
	g := &expressions{rnd: rand.New(rand.NewPCG(seed, 5)), env: &Env{Library: lib}}
	ansi := "true"
	if g.rnd.IntN(3) == 0 {
		ansi = "false"
	}
	g.renv = &resolve.Env{Conf: catalog.Conf{"spark.sql.ansi.enabled": ansi}, Fold: func(e expr.Expr) (*expr.Literal, bool) {
		l, err := Fold(e, g.env)
		return l, err == nil
	}}
	for i, row := range poolRows {
		typ, err := sql.ParseType(row.typ)
		if err != nil {
			t.Fatal(row.typ, err)
		}
		g.types = append(g.types, typ)
		col := &expr.Column{ID: expr.NewID(), Name: fmt.Sprint("c", i), Typ: typ, Null: true}
		g.cols = append(g.cols, col)
		var vals []any
		for _, v := range row.vals {
			e, err := g.resolve("CAST(" + v + " AS " + row.typ + ")")
			if err != nil {
				t.Fatal(v, err)
			}
			l, err := Fold(e, g.env)
			if err != nil {
				t.Fatal(v, err)
			}
			vals = append(vals, l.Value)
			g.terms = append(g.terms, term{v, typ, 0})
		}
		g.vals = append(g.vals, vals)
		for range 4 {
			g.terms = append(g.terms, term{col.Name, typ, 0})
		}
	}
	for _, f := range expr.Functions.All() {
		if f.Class == expr.Scalar && !f.Nondeterministic {
			g.functions = append(g.functions, f)
		}
	}
	return g
}

// resolve returns the expression of a text, bound to the columns' numbers.
func (g *expressions) resolve(text string) (expr.Expr, error) {
	e, err := sql.ParseExpr(text)
	if err != nil {
		return nil, err
	}
	if e, err = resolve.Expr(e, g.cols, g.renv); err != nil {
		return nil, err
	}
	return expr.Rewrite(e, func(e expr.Expr) (expr.Expr, error) {
		for i, col := range g.cols {
			if c, ok := e.(*expr.Column); ok && c.ID == col.ID {
				return &expr.Ref{Index: i, Name: c.Name, Typ: c.Typ, Null: c.Null}, nil
			}
		}
		return e, nil
	})
}

// next returns an expression that depends on a column. Later ones may hold it.
func (g *expressions) next() (string, expr.Expr) {
	for {
		g.tried++
		text, depth := g.build()
		e, err := g.resolve(text)
		if err != nil || !hasRef(e) {
			continue
		}
		g.made++
		if depth < 4 && len(text) < 300 && e.Type().Kind != expr.KindNull {
			g.terms = append(g.terms, term{text, e.Type(), depth})
		}
		return text, e
	}
}

func hasRef(e expr.Expr) (found bool) {
	expr.Walk(e, func(e expr.Expr) bool {
		if _, ok := e.(*expr.Ref); ok {
			found = true
		}
		return !found
	})
	return found
}

// lambdas are calls of higher-order functions: $n is an argument.
var lambdas = []string{"transform($0, x -> coalesce(x, $1))", "transform($0, (x, i) -> i + $2)", "filter($0, x -> x IS NOT NULL)", "exists($0, x -> x = $1)",
	"forall($0, x -> x > $1)", "aggregate($0, 0L, (a, x) -> a + length(cast(x AS STRING)))", "zip_with($0, $1, (x, y) -> coalesce(x, y))",
	"map_filter($0, (k, v) -> v IS NULL OR k = $1)", "transform_values($0, (k, v) -> concat(k, v))", "transform_keys($0, (k, v) -> concat(k, $1))",
	"array_sort($0, (a, b) -> CASE WHEN a < b THEN 1 WHEN a > b THEN -1 ELSE 0 END)", "map_zip_with($0, $1, (k, a, b) -> coalesce(a, b))"}

func (g *expressions) build() (string, int) {
	depth := 0
	take := func(wants []expr.Want) string {
		t := g.pick(wants)
		depth = max(depth, t.depth+1)
		return t.text
	}
	any := []expr.Want{{Family: expr.AnyType}}
	switch g.rnd.IntN(12) {
	case 0:
		kind := [...]string{"CAST", "TRY_CAST"}[g.rnd.IntN(2)]
		return kind + "(" + take(any) + " AS " + poolRows[g.rnd.IntN(len(poolRows))].typ + ")", depth
	case 1:
		text := lambdas[g.rnd.IntN(len(lambdas))]
		first := []expr.Want{{Family: expr.ArrayType}}
		if strings.Contains(text, "map_") || strings.Contains(text, "transform_") {
			first[0].Family = expr.MapType
		}
		return strings.NewReplacer("$0", take(first), "$1", take(any), "$2", take([]expr.Want{{Family: expr.IntegralType}})).Replace(text), depth
	}
	f := g.functions[g.rnd.IntN(len(g.functions))]
	n := f.Min
	if f.Max < 0 {
		n += g.rnd.IntN(3)
	} else if f.Max > f.Min {
		n += g.rnd.IntN(f.Max - f.Min + 1)
	}
	args := make([]string, n)
	var shared *expr.Type
	for i := range args {
		wants := f.Parameter(i).Wants
		switch {
		case growing[f.Name]:
			args[i] = [...]string{"1", "3", "-1", "0", "c9", "c16"}[g.rnd.IntN(6)]
			if i > 0 && args[i][0] == 'c' {
				args[i] = "2"
			}
			continue
		case i > 0 && g.rnd.IntN(3) == 0:
			args[i] = constants[g.rnd.IntN(len(constants))]
			continue
		case shared != nil && g.rnd.IntN(3) > 0 && wants[0].Family != expr.OneType: // arguments mostly agree
			wants = []expr.Want{{Type: shared}}
		}
		t := g.pick(wants)
		depth = max(depth, t.depth+1)
		args[i], shared = t.text, t.typ
	}
	return callText(f.Name, args), depth
}

// callText is a call as SQL.
func callText(name string, args []string) string {
	join := func(sep string) string { return "(" + strings.Join(args, sep) + ")" }
	switch {
	case name == "[]" && len(args) == 2:
		return args[0] + "[" + args[1] + "]"
	case name == "in" && len(args) > 1:
		return "(" + args[0] + " IN (" + strings.Join(args[1:], ", ") + "))"
	case name == "between" && len(args) == 3:
		return "(" + args[0] + " BETWEEN " + args[1] + " AND " + args[2] + ")"
	case name == "case" && len(args) >= 3:
		return "CASE WHEN " + args[0] + " THEN " + args[1] + " ELSE " + args[2] + " END"
	case name == "not" || name == "~":
		return "(" + name + " " + strings.Join(args, ", ") + ")"
	case name == "and", name == "or", name == "div", !(name[0] >= 'a' && name[0] <= 'z'):
		return join(" " + name + " ")
	}
	return name + join(", ")
}

// pick returns a term of one of the wanted types, if there is one.
func (g *expressions) pick(wants []expr.Want) term {
	w := wants[g.rnd.IntN(len(wants))]
	for range 60 {
		if t := g.terms[g.rnd.IntN(len(g.terms))]; fits(w, t.typ) {
			return t
		}
	}
	return g.terms[g.rnd.IntN(len(g.terms))]
}

func fits(w expr.Want, t *expr.Type) bool {
	switch w.Family {
	case expr.OneType:
		return t.Kind == w.Type.Kind
	case expr.NumericType:
		return t.IsNumeric()
	case expr.IntegralType:
		return t.IsInteger()
	case expr.DecimalType:
		return t.Kind == expr.KindDecimal
	case expr.ArrayType, expr.SharedArray:
		return t.Kind == expr.KindArray
	case expr.MapType:
		return t.Kind == expr.KindMap
	case expr.StructType:
		return t.Kind == expr.KindStruct
	case expr.StringType:
		return t.Kind == expr.KindString
	case expr.AnsiIntervalType:
		return t.IsInterval()
	case expr.AnyTimestampType:
		return t.Kind == expr.KindTimestamp || t.Kind == expr.KindTimestampNTZ
	}
	return true
}

// columns makes n rows of every column. NULL rows have values beneath.
func (g *expressions) columns(t testing.TB, n int) []*vec.Vec {
	out := make([]*vec.Vec, len(g.types))
	for c, typ := range g.types {
		b := vec.NewBuilder(typ)
		null := make([]bool, n)
		share := g.rnd.IntN(3) // none, some, or most are NULL
		for i := range n {
			null[i] = g.rnd.IntN(4) < share
			if err := AppendValue(b, g.vals[c][g.rnd.IntN(len(g.vals[c]))]); err != nil {
				t.Fatal(err)
			}
		}
		v := b.Vec()
		if share > 0 {
			v.Valid = make([]byte, (n+7)/8, (n+7)/8+16)
			for i := range v.Valid {
				v.Valid[i] = 0xFF // beyond the last row too
			}
			for i, is := range null {
				if is {
					v.Valid[i>>3] &^= 1 << (i & 7)
				}
			}
		}
		out[c] = poisoned(v)
	}
	return out
}

// poisoned puts bytes that are no values into what no row may read: fixed-width
// values at NULL rows, and the unused capacity of the buffers.
func poisoned(v *vec.Vec) *vec.Vec {
	spare := func(b []byte) []byte {
		grown := append(make([]byte, 0, len(b)+32), b...)
		for i := len(b); i < cap(grown); i++ {
			grown[:cap(grown)][i] = 0xA5
		}
		return grown
	}
	v.Data = spare(v.Data)
	if w := v.Type.Width(); w > 0 && v.Type.Kind != expr.KindBool {
		for i := range v.Len {
			if v.Null(i) {
				for k := range w {
					v.Data[i*w+k] = 0xA5
				}
			}
		}
	}
	return v
}
