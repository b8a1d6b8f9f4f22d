package flightd_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/flightd/flightd"
)

// paramTable is what the statements of these tests read and write.
const paramTable = `CREATE TABLE t (b BOOLEAN, y TINYINT, n INT, big BIGINT, f FLOAT, x DOUBLE, d DECIMAL(10,2), s STRING, bin BINARY,
  day DATE, ts TIMESTAMP, ntz TIMESTAMP_NTZ, l ARRAY<INT>, m MAP<STRING, DOUBLE>, st STRUCT<a: INT>)`

func typesOf(s *arrow.Schema) string {
	var out []string
	for _, f := range s.Fields() {
		name := ""
		if f.Name != "" {
			name = f.Name + " "
		}
		out = append(out, name+f.Type.String())
	}
	return strings.Join(out, ", ")
}

// A parameter has the type of its place.
func TestParameterTypes(t *testing.T) {
	s := newSession(t)
	if _, err := s.Execute(t.Context(), paramTable); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ text, want string }{
		// Comparisons, with either on either side.
		{"SELECT 1 FROM t WHERE n > ?", "int32"},
		{"SELECT 1 FROM t WHERE ? = big", "int64"},
		{"SELECT 1 FROM t WHERE s <> ?", "utf8"},
		{"SELECT 1 FROM t WHERE d <=> ?", "decimal(10, 2)"},
		{"SELECT 1 FROM t WHERE day >= ? AND ts < ? AND ntz = ?", "date32, timestamp[us, tz=UTC], timestamp[us]"},
		{"SELECT 1 FROM t WHERE bin = ? OR b = ?", "binary, bool"},
		{"SELECT 1 FROM t WHERE n BETWEEN ? AND ?", "int32, int32"},
		{"SELECT 1 FROM t WHERE ? BETWEEN x AND 7", "float64"},
		{"SELECT 1 FROM t WHERE big IN (?, 1, ?)", "int64, int64"},
		{"SELECT 1 FROM t WHERE ? NOT IN (1L, 2L)", "int64"},
		{"SELECT 1 FROM t WHERE ? IN (SELECT day FROM t)", "date32"},
		{"SELECT 1 FROM t WHERE n = (SELECT ?)", "int32"},
		{"SELECT 1 FROM t WHERE s LIKE ? AND s RLIKE ?", "utf8, utf8"},
		{"SELECT 1 FROM t WHERE s LIKE ANY (?, ?)", "utf8, utf8"},
		{"SELECT 1 FROM t WHERE ? AND NOT ? AND b", "bool, bool"},
		{"SELECT 1 FROM t WHERE ?", "bool"},
		{"SELECT 1 FROM t WHERE st.a = ? AND l[?] = ? AND m[?] > ?", "int32, int32, int32, utf8, float64"},
		{"SELECT 1 FROM t WHERE l = ?", "list<element: int32, nullable>"},
		{"SELECT count(*) FROM t GROUP BY n HAVING n > ?", "int32"},
		{"SELECT count(*) FROM t GROUP BY n HAVING max(x) > ?", "float64"},
		{"SELECT 1 FROM t AS a JOIN t AS c ON a.n = c.n AND a.d > ?", "decimal(10, 2)"},
		{"SELECT sum(n) FILTER (WHERE x < ?) FROM t", "float64"},
		// Arithmetic, of numbers and of time.
		{"SELECT n + ?, ? * x, d - ?, big % ? FROM t", "int32, float64, decimal(10, 2), int64"},
		{"SELECT -? FROM t WHERE n / ? > 1", "float64, float64"},
		{"SELECT ts - INTERVAL 1 DAY > ?, day + ?, day - ? FROM t", "timestamp[us, tz=UTC], duration[us], date32"},
		{"SELECT date_add(t.day, ?), add_months(?, 1), date_trunc(?, ts) FROM t", "int32, date32, utf8"},
		{"SELECT ? || s, n & ?, shiftleft(n, ?) FROM t", "utf8, int32, int32"},
		// What several values share.
		{"SELECT CASE WHEN ? THEN ? ELSE n END FROM t", "bool, int32"},
		{"SELECT CASE n WHEN ? THEN 'a' ELSE ? END FROM t", "int32, utf8"},
		{"SELECT coalesce(?, x), if(b, ?, ts), nullif(n, ?), ifnull(?, s), greatest(day, ?) FROM t", "float64, timestamp[us, tz=UTC], int32, utf8, date32"},
		{"SELECT coalesce(?, ?) = n FROM t", "int32, int32"},
		{"SELECT array(n, ?), map('a', ?, 'b', x) FROM t", "int32, float64"},
		{"SELECT ? UNION ALL SELECT n FROM t", "int32"},
		{"SELECT day FROM t UNION SELECT ?", "date32"},
		{"SELECT * FROM (SELECT ? AS a) WHERE a > 1.5D", "float64"},
		{"WITH c AS (SELECT ? AS a) SELECT * FROM c WHERE a = CAST('2024-01-01' AS DATE)", "date32"},
		// Functions.
		{"SELECT substring(s, ?, ?), upper(?), abs(?), round(x, ?), repeat(?, ?) FROM t", "int32, int32, utf8, float64, int32, utf8, int32"},
		{"SELECT array_contains(l, ?), element_at(m, ?), split(?, ','), hour(?) FROM t", "int32, utf8, utf8, timestamp[us, tz=UTC]"},
		{"SELECT make_date(?, ?, 1), unix_timestamp(?), to_date(?, 'yyyy')", "int32, int32, utf8, utf8"},
		// Members of structs, and what must be a constant.
		{"SELECT 1 FROM t WHERE (n, s) = (?, ?) OR (n, day) <=> (?, ?)", "int32, utf8, int32, date32"},
		{"SELECT 1 FROM t WHERE st = named_struct('a', ?) OR l = array(?, 1)", "int32, int32"},
		{"SELECT * FROM range(?)", "int32"},
		{"SELECT window(ts, ?).start FROM t WHERE n = ?", "utf8, int32"},
		{"SELECT 1 FROM t WHERE ts > ? - INTERVAL 1 HOUR", "timestamp[us, tz=UTC]"},
		{"SELECT aggregate(l, ?, (a, b) -> a + b) FROM t WHERE s = ?", "int32, utf8"},
		{"SELECT n FROM t LIMIT ? + 1", "int32"},
		{"INSERT INTO t (l, st) VALUES (array(?), named_struct('a', ?))", "int32, int32"},
		// LIMIT and OFFSET.
		{"SELECT n FROM t WHERE s = ? ORDER BY n LIMIT ? OFFSET ?", "utf8, int32, int32"},
		// What is stored.
		{"INSERT INTO t (n, d, s, ts, l) VALUES (?, ?, ?, ?, ?)", "int32, decimal(10, 2), utf8, timestamp[us, tz=UTC], list<element: int32, nullable>"},
		{"INSERT INTO t (y, big) VALUES (?, ?), (1, 2)", "int8, int64"},
		{"INSERT INTO t (y, f) SELECT ?, ?", "int8, float32"},
		{"INSERT INTO t (y, f) SELECT n, ? FROM t WHERE n > ?", "float32, int32"},
		{"INSERT INTO t (bin, b) SELECT ?, ? UNION ALL SELECT ?, ?", "binary, bool, binary, bool"},
		{"INSERT INTO t BY NAME SELECT ? AS day", "date32"},
		{"INSERT INTO t (big) VALUES (? + 1)", "int32"},
		{"CREATE TABLE u AS SELECT n FROM t WHERE s = ?", "utf8"},
		// A cast says it, and where nothing does it is a text.
		{"SELECT CAST(? AS SMALLINT), ?::DATE, bigint(?)", "int16, date32, int64"},
		{"SELECT ?", "utf8"},
		{"SELECT ? = ?", "utf8, utf8"},
		// The order is that of the text; a name is one parameter.
		{"SELECT s || ? FROM (SELECT s FROM t WHERE n = ?) WHERE s > ?", "utf8, int32, utf8"},
		{"SELECT :z FROM t WHERE n > :a OR big < :a AND x = :z", "z float64, a int32"},
		{"EXECUTE IMMEDIATE 'SELECT n FROM t WHERE x > ?' USING ?", "float64"},
		{"EXPLAIN SELECT n FROM t WHERE x = ?", "float64"},
		{"SHOW TABLES", ""},
	} {
		p, err := s.Prepare(t.Context(), c.text)
		if err != nil {
			t.Errorf("%s: %v", c.text, err)
			continue
		}
		if got := typesOf(p.Params); got != c.want {
			t.Errorf("%s\n got %s\nwant %s", c.text, got, c.want)
		}
	}
}

func column(t *testing.T, dt arrow.DataType, text string) arrow.Array {
	t.Helper()
	arr, _, err := array.FromJSON(memory.DefaultAllocator, dt, strings.NewReader("["+text+"]"))
	if err != nil {
		t.Fatal(err)
	}
	return arr
}

func newSession(t *testing.T) *flightd.Session {
	t.Helper()
	eng, err := flightd.Open(t.Context(), flightd.Options{DataDir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := eng.Close(); err != nil {
			t.Error(err)
		}
	})
	return eng.NewSession()
}

// A value of another type than its place's counts with its own where it is compared,
// and becomes the place's where it is stored or taken by LIMIT or a function; what
// would be lost on the way is an error.
func TestParameterValues(t *testing.T) {
	s := newSession(t)
	for _, text := range []string{paramTable, "INSERT INTO t (n, big, x, d, s, day) VALUES (1, 1, 1.5, 1.25, 'one', DATE '2024-01-01'), (2, 2, 2.5, 2.25, 'two', DATE '2024-01-02')"} {
		if _, err := s.Execute(t.Context(), text); err != nil {
			t.Fatal(err)
		}
	}
	i64, f64, str, i8 := arrow.PrimitiveTypes.Int64, arrow.PrimitiveTypes.Float64, arrow.BinaryTypes.String, arrow.PrimitiveTypes.Int8
	dec := func(p, s int32) arrow.DataType { return &arrow.Decimal128Type{Precision: p, Scale: s} }
	type arg struct {
		dt   arrow.DataType
		json string
	}
	for _, c := range []struct {
		text string
		args []arg
		want string // the rows, or the beginning of the error
	}{
		{"SELECT n FROM t WHERE n > ?", []arg{{i64, "1"}}, "[2]"},
		{"SELECT n FROM t WHERE n < ?", []arg{{i64, "3000000000"}}, "[1] [2]"},
		{"SELECT n FROM t WHERE n > ?", []arg{{f64, "1.5"}}, "[2]"},
		{"SELECT n FROM t WHERE n = ?", []arg{{f64, "1.5"}}, ""},
		{"SELECT n FROM t WHERE n = ?", []arg{{str, `"2"`}}, "[2]"},
		{"SELECT n FROM t WHERE n = ?", []arg{{str, `"x"`}}, "[CAST_INVALID_INPUT]"},
		{"SELECT n FROM t WHERE big = ?", []arg{{arrow.BinaryTypes.LargeString, `"2"`}}, "[2]"},
		{"SELECT n FROM t WHERE n = ?", []arg{{arrow.PrimitiveTypes.Uint16, "2"}}, "[2]"},
		{"SELECT n FROM t WHERE n = ?", []arg{{arrow.Null, "null"}}, ""},
		{"SELECT n FROM t WHERE day = ?", []arg{{str, `"2024-01-02"`}}, "[2]"},
		{"SELECT n FROM t WHERE n = ?", []arg{{arrow.FixedWidthTypes.Boolean, "true"}}, "[DATATYPE_MISMATCH.BINARY_OP_DIFF_TYPES]"},
		{"SELECT n FROM t ORDER BY n LIMIT ?", []arg{{i64, "1"}}, "[1]"},
		{"SELECT n FROM t ORDER BY n LIMIT ? OFFSET ?", []arg{{i8, "1"}, {i64, "1"}}, "[2]"},
		{"SELECT n FROM t LIMIT ?", []arg{{i64, "3000000000"}}, "[CAST_OVERFLOW]"},
		{"SELECT n FROM t LIMIT ?", []arg{{i64, "-1"}}, "[INVALID_LIMIT_LIKE_EXPRESSION.IS_NEGATIVE]"},
		{"SELECT n FROM t LIMIT ?", []arg{{f64, "1.5"}}, "[CAST_INVALID_INPUT]"},
		{"SELECT n FROM t LIMIT ?", []arg{{str, `"1"`}}, "[INVALID_LIMIT_LIKE_EXPRESSION.DATA_TYPE]"},
		{"SELECT substring(s, ?, ?) FROM t WHERE n = ?", []arg{{i64, "1"}, {i64, "2"}, {i64, "1"}}, `["on"]`},
		{"SELECT substring(s, ?) FROM t WHERE n < ?", []arg{{i64, "2"}, {i64, "3000000000"}}, `["ne"] ["wo"]`},
		{"SELECT substring(s, ?) FROM t", []arg{{i64, "3000000000"}}, "[CAST_OVERFLOW]"},
		{"SELECT date_add(t.day, ?) FROM t WHERE n = 1", []arg{{i64, "1"}}, `["2024-01-02"]`},
		{"SELECT coalesce(?, n) FROM t WHERE n = 1", []arg{{i64, "3000000000"}}, "[3000000000]"},
		{"SELECT ?", []arg{{i64, "7"}}, "[7]"},
		{"SELECT :v + :v", []arg{{i64, "7"}}, "[14]"},
		{"INSERT INTO t (n, d, y) VALUES (?, ?, ?)", []arg{{i64, "7"}, {dec(20, 4), `"1.2500"`}, {i64, "127"}}, "[1]"},
		{"INSERT INTO t (d, f) VALUES (?, ?)", []arg{{f64, "1.255"}, {f64, "0.1"}}, "[1]"},
		{"INSERT INTO t (s) VALUES (?)", []arg{{i64, "7"}}, "[1]"},
		{"INSERT INTO t (n) VALUES (?)", []arg{{i64, "3000000000"}}, "[CAST_OVERFLOW]"},
		{"INSERT INTO t (n) VALUES (?)", []arg{{f64, "1.5"}}, "[CAST_INVALID_INPUT]"},
		{"INSERT INTO t (n) VALUES (?)", []arg{{f64, "2"}}, "[1]"},
		{"INSERT INTO t (d) VALUES (?)", []arg{{dec(20, 4), `"1.2550"`}}, "[CAST_INVALID_INPUT]"},
		{"INSERT INTO t (d) VALUES (?)", []arg{{dec(20, 0), `"12345678901"`}}, "[CAST_OVERFLOW]"},
		{"INSERT INTO t (f) VALUES (?)", []arg{{f64, "1e300"}}, "[CAST_INVALID_INPUT]"},
		{"INSERT INTO t (day) VALUES (?)", []arg{{&arrow.TimestampType{Unit: arrow.Microsecond}, "86400000000"}}, "[1]"},
		{"INSERT INTO t (day) VALUES (?)", []arg{{&arrow.TimestampType{Unit: arrow.Microsecond}, "86400000001"}}, "[CAST_INVALID_INPUT]"},
		{"INSERT INTO t (n) VALUES (?)", []arg{{str, `"7"`}}, "[INCOMPATIBLE_DATA_FOR_TABLE.CANNOT_SAFELY_CAST]"},
		{"INSERT INTO t (n, s) VALUES (?, ?)", []arg{{arrow.Null, "null"}, {arrow.Null, "null"}}, "[1]"},
		{"SELECT 1", nil, "[1]"},
		{"SELECT ?", nil, "[UNBOUND_SQL_PARAMETER]"},
		{"SELECT ?, :a", nil, "[INVALID_QUERY_MIXED_QUERY_PARAMETERS]"},
	} {
		var cols []arrow.Array
		var fields []arrow.Field
		for _, a := range c.args {
			cols = append(cols, column(t, a.dt, a.json))
			fields = append(fields, arrow.Field{Type: a.dt, Nullable: true})
		}
		var params arrow.RecordBatch
		if c.args != nil {
			params = array.NewRecordBatch(arrow.NewSchema(fields, nil), cols, 1)
		}
		got, err := rowsWith(t, s, c.text, params)
		if err != nil {
			got = err.Error()
		}
		if got != c.want && (err == nil || !strings.HasPrefix(got, c.want)) {
			t.Errorf("%s %v\n got %s\nwant %s", c.text, c.args, got, c.want)
		}
	}
}

// rowsWith prepares a statement and runs it with parameters.
func rowsWith(t *testing.T, s *flightd.Session, text string, params arrow.RecordBatch) (string, error) {
	t.Helper()
	p, err := s.Prepare(t.Context(), text)
	if err != nil {
		return "", err
	}
	r, err := p.Execute(t.Context(), params)
	if err != nil {
		return "", err
	}
	defer r.Close()
	recs, err := r.Collect(t.Context())
	if err != nil {
		return "", err
	}
	var out []string
	for _, rec := range recs {
		for i := range rec.NumRows() {
			var row []string
			for _, col := range rec.Columns() {
				b, err := json.Marshal(col.GetOneForMarshal(int(i)))
				if err != nil {
					t.Fatal(err)
				}
				row = append(row, string(b))
			}
			out = append(out, "["+strings.Join(row, ",")+"]")
		}
		rec.Release()
	}
	return strings.Join(out, " "), nil
}

// Many parameters take no more time each than few.
func TestManyParameters(t *testing.T) {
	s := newSession(t)
	if _, err := s.Execute(t.Context(), paramTable); err != nil {
		t.Fatal(err)
	}
	const n = 50_000
	p, err := s.Prepare(t.Context(), "SELECT 1 FROM t WHERE n IN (?"+strings.Repeat(",?", n-1)+")")
	if err != nil || p.Params.NumFields() != n || p.Params.Field(n-1).Type.ID() != arrow.INT32 {
		t.Fatalf("got %v", err)
	}
}
