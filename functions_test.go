package flightd_test

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/flightd/flightd"
	"github.com/flightd/flightd/internal/base"
)

// scale multiplies by ten; it fails for some numbers in its own ways.
func scale(args []arrow.Array, rows int) (arrow.Array, error) {
	in := args[0].(*array.Int64)
	b := array.NewInt64Builder(memory.DefaultAllocator)
	defer b.Release()
	for i := range rows {
		switch v := in.Value(i); v {
		case 13:
			return nil, errors.New("thirteen is bad luck")
		case 14:
			panic("no fourteen")
		case 15:
			return array.NewNull(rows), nil
		case 16:
		case 17:
			return nil, nil
		default:
			b.Append(10 * v)
		}
	}
	return b.NewArray(), nil
}

var (
	bigint = arrow.PrimitiveTypes.Int64
	words  = arrow.BinaryTypes.String
)

// longest is an aggregate: the longest of the texts and how many it has seen. Ties go
// to the first.
type longest struct {
	n    uint64
	best string
}

func (l *longest) Update(args []arrow.Array, rows int) error {
	in := args[0].(*array.String)
	for i := range rows {
		if in.IsNull(i) {
			return errors.New("a NULL came through")
		}
		switch v := in.Value(i); {
		case v == "panic":
			panic("asked to")
		case len(v) > len(l.best):
			l.best = strings.Clone(v)
		}
		l.n++
	}
	return nil
}

func (l *longest) Merge(after flightd.AggregateState) error {
	o := after.(*longest)
	if l.n += o.n; len(o.best) > len(l.best) {
		l.best = o.best
	}
	return nil
}

func (l *longest) Append(b array.Builder) error {
	if l.n == 0 {
		b.AppendNull()
		return nil
	}
	b.(*array.StringBuilder).Append(fmt.Sprintf("%s/%d", l.best, l.n))
	return nil
}

func (l *longest) MarshalBinary() ([]byte, error) {
	return append(binary.LittleEndian.AppendUint64(nil, l.n), l.best...), nil
}

func (l *longest) UnmarshalBinary(b []byte) error {
	if len(b) < 8 {
		return io.ErrUnexpectedEOF
	}
	l.n, l.best = binary.LittleEndian.Uint64(b), string(b[8:])
	return nil
}

func userFunctions() []flightd.Function {
	return []flightd.Function{
		&flightd.ScalarFunction{Name: "Scale", Params: []arrow.DataType{bigint}, Result: bigint, Eval: scale, Comment: "Ten times the number."},
		&flightd.ScalarFunction{Name: "same", Params: []arrow.DataType{words}, Result: words, TakesNull: true,
			Eval: func(args []arrow.Array, _ int) (arrow.Array, error) { args[0].Retain(); return args[0], nil }},
		&flightd.ScalarFunction{Name: "count_args", Params: []arrow.DataType{bigint}, Variadic: true, Result: bigint, TakesNull: true,
			Eval: func(args []arrow.Array, rows int) (arrow.Array, error) {
				b := array.NewInt64Builder(memory.DefaultAllocator)
				defer b.Release()
				for range rows {
					b.Append(int64(len(args)))
				}
				return b.NewArray(), nil
			}},
		&flightd.AggregateFunction{Name: "longest", Params: []arrow.DataType{words}, Result: words, Comment: "The longest text.",
			New: func() flightd.AggregateState { return &longest{} }},
	}
}

func openWithFunctions(t *testing.T) *flightd.Session {
	t.Helper()
	eng, err := flightd.Open(context.Background(), flightd.Options{Functions: userFunctions()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { eng.Close() })
	return eng.NewSession()
}

// answer is all rows of a statement, joined by spaces.
func answer(t *testing.T, s *flightd.Session, text string) (string, error) {
	t.Helper()
	r, err := s.Execute(context.Background(), text)
	if err != nil {
		return "", err
	}
	defer r.Close()
	var out []string
	for {
		rec, err := r.Next(context.Background())
		if err == io.EOF {
			return strings.Join(out, " "), nil
		}
		if err != nil {
			return "", err
		}
		out = append(out, rowTexts(rec)...)
		rec.Release()
	}
}

func TestUserFunctionsInBatch(t *testing.T) {
	s := openWithFunctions(t)
	for _, c := range []struct{ sql, want string }{
		{"SELECT scale(4)", "40"},
		{"SELECT SCALE(CAST(NULL AS BIGINT))", "NULL"},
		{"SELECT scale('7')", "70"},
		{"SELECT session.scale(1), system.session.scale(2)", "10|20"},
		{"SELECT scale(v) FROM VALUES (1), (NULL), (3) AS t(v)", "10 NULL 30"},
		{"SELECT scale(id) FROM range(20) WHERE id NOT BETWEEN 13 AND 17 AND scale(id) > 110", "120 180 190"},
		{"SELECT CASE WHEN v = 13 THEN -1 ELSE scale(v) END FROM VALUES (13), (2) AS t(v)", "-1 20"},
		{"SELECT same(upper(v)) FROM VALUES ('a'), (NULL), ('c') AS t(v)", "A NULL C"},
		{"SELECT count_args(), count_args(1), count_args(1, NULL, 3)", "0|1|3"},
		{"SELECT sum(scale(id)) FROM range(5)", "100"},
		{"SELECT transform(array(1, 2), x -> scale(x))", "[10, 20]"},
		{"SELECT longest(v) FROM VALUES ('a'), (NULL), ('abc'), ('xyz') AS t(v)", "abc/3"},
		{"SELECT longest(v) FROM VALUES ('a') AS t(v) WHERE v = 'b'", "NULL"},
		{"SELECT k, longest(v) FROM VALUES (1, 'a'), (2, 'bb'), (1, 'ccc') AS t(k, v) GROUP BY k ORDER BY k", "1|ccc/2 2|bb/1"},
		{"SELECT longest(v) FILTER (WHERE v <> 'ccc'), longest(DISTINCT v) FROM VALUES ('a'), ('a'), ('ccc') AS t(v)", "a/2|ccc/2"},
		{"SELECT longest(v) OVER (ORDER BY v) FROM VALUES ('bb'), ('a') AS t(v)", "a/1 bb/2"},
		{"SELECT longest(CAST(id AS STRING)) FROM range(100000)", "10000/100000"},
		{"SELECT g, longest(CAST(id AS STRING)) FROM (SELECT id % 3 AS g, id FROM range(30000)) GROUP BY g ORDER BY g", "0|10002/10000 1|10000/10000 2|10001/10000"},
	} {
		got, err := answer(t, s, c.sql)
		if err != nil {
			t.Errorf("%s: %v", c.sql, err)
		} else if got != c.want {
			t.Errorf("%s: got %s, want %s", c.sql, got, c.want)
		}
	}
	d := s.SQL("SELECT id FROM range(3)").Select(flightd.Call("scale", flightd.Col("id")).As("x")).GroupBy().Agg(flightd.Call("longest", flightd.Col("x").Cast("STRING")).As("l"))
	r, err := d.Collect(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	if got := rowTexts(r[0]); got[0] != "10/3" {
		t.Errorf("the DataFrame gives %v", got)
	}
}

func TestUserFunctionErrors(t *testing.T) {
	s := openWithFunctions(t)
	for _, c := range []struct{ sql, condition, state, part string }{
		{"SELECT scale(13)", "FAILED_EXECUTE_UDF", "39000", "thirteen is bad luck"},
		{"SELECT 1,\n scale(14)", "FAILED_EXECUTE_UDF", "39000", "line 2:2"},
		{"SELECT scale(14)", "FAILED_EXECUTE_UDF", "39000", "no fourteen"},
		{"SELECT scale(15)", "FAILED_EXECUTE_UDF", "39000", "an array of Arrow type null"},
		{"SELECT scale(16)", "FAILED_EXECUTE_UDF", "39000", "0 rows for 1"},
		{"SELECT scale(17)", "FAILED_EXECUTE_UDF", "39000", "no array"},
		{"SELECT scale(id) FROM range(15)", "FAILED_EXECUTE_UDF", "39000", "line 1:8"},
		{"SELECT longest('panic')", "FAILED_EXECUTE_UDF", "39000", "asked to"},
		{"SELECT scale(array(1))", "DATATYPE_MISMATCH.UNEXPECTED_INPUT_TYPE", "42K09", `"BIGINT"`},
		{"SELECT longest(map(1, 2))", "DATATYPE_MISMATCH.UNEXPECTED_INPUT_TYPE", "42K09", `"STRING"`},
		{"SELECT scale()", "WRONG_NUM_ARGS.WITHOUT_SUGGESTION", "42605", "1"},
		{"SELECT longest('a', 'b')", "WRONG_NUM_ARGS.WITHOUT_SUGGESTION", "42605", "1"},
		{"SELECT builtin.scale(1)", "UNRESOLVED_ROUTINE", "42883", "scale"},
		{"SELECT scael(1)", "UNRESOLVED_ROUTINE", "42883", "scale"},
		{"SELECT scale(DISTINCT 1)", "INVALID_SQL_SYNTAX.FUNCTION_WITH_UNSUPPORTED_SYNTAX", "42000", "DISTINCT"},
		{"SELECT id FROM range(1) WHERE longest('a') = 'a'", "INVALID_WHERE_CONDITION", "42903", "HAVING"},
		{"DESCRIBE FUNCTION nope_nope", "UNRESOLVED_ROUTINE", "42883", "line 1:19"},
	} {
		_, err := answer(t, s, c.sql)
		wantError(t, err, c.condition, c.state, c.part)
	}
	for _, f := range []flightd.Function{
		nil,
		&flightd.ScalarFunction{Name: "abs", Params: []arrow.DataType{bigint}, Result: bigint, Eval: scale},
		&flightd.ScalarFunction{Name: "bigint", Params: []arrow.DataType{bigint}, Result: bigint, Eval: scale},
		&flightd.ScalarFunction{Name: "a-b", Params: []arrow.DataType{bigint}, Result: bigint, Eval: scale},
		&flightd.ScalarFunction{Name: "ok", Params: []arrow.DataType{arrow.BinaryTypes.LargeString}, Result: bigint, Eval: scale},
		&flightd.ScalarFunction{Name: "ok", Params: []arrow.DataType{bigint}, Eval: scale},
		&flightd.ScalarFunction{Name: "ok", Params: []arrow.DataType{bigint}, Result: bigint},
		&flightd.AggregateFunction{Name: "ok", Params: []arrow.DataType{bigint}, Result: bigint},
		&flightd.AggregateFunction{Name: "ok", Result: bigint, New: func() flightd.AggregateState { return &longest{} }},
	} {
		if err := s.RegisterFunction(f); err == nil {
			t.Errorf("%+v was registered", f)
		}
	}
	if err := s.Engine().RegisterFunction(&flightd.ScalarFunction{Name: "sum", Params: []arrow.DataType{bigint}, Result: bigint, Eval: scale}); base.CodeOf(err) != base.CodeConflict {
		t.Errorf("registering sum: %v", err)
	}
}

func TestSessionFunctionsHideTheEngines(t *testing.T) {
	s := openWithFunctions(t)
	one := func(args []arrow.Array, rows int) (arrow.Array, error) {
		b := array.NewInt64Builder(memory.DefaultAllocator)
		defer b.Release()
		for range rows {
			b.Append(1)
		}
		return b.NewArray(), nil
	}
	if err := s.RegisterFunction(&flightd.ScalarFunction{Name: "scale", Params: []arrow.DataType{bigint}, Result: bigint, Eval: one}); err != nil {
		t.Fatal(err)
	}
	if got, err := answer(t, s, "SELECT scale(5)"); got != "1" {
		t.Errorf("the session's function: %s, %v", got, err)
	}
	if got, err := answer(t, s.Engine().NewSession(), "SELECT scale(5)"); got != "50" {
		t.Errorf("the engine's function: %s, %v", got, err)
	}
}

func TestNondeterministicFunctionIsCalledForEachRow(t *testing.T) {
	s := openWithFunctions(t)
	var mu sync.Mutex
	called := 0
	f := &flightd.ScalarFunction{Name: "ticket", Result: bigint, Nondeterministic: true, Eval: func(_ []arrow.Array, rows int) (arrow.Array, error) {
		b := array.NewInt64Builder(memory.DefaultAllocator)
		defer b.Release()
		mu.Lock()
		defer mu.Unlock()
		for range rows {
			called++
			b.Append(int64(called))
		}
		return b.NewArray(), nil
	}}
	if err := s.RegisterFunction(f); err != nil {
		t.Fatal(err)
	}
	if got, err := answer(t, s, "SELECT count(DISTINCT t) FROM (SELECT ticket() AS t FROM range(5000))"); got != "5000" || err != nil {
		t.Errorf("got %s, %v", got, err)
	}
}

// A stream that is stopped and started again goes on with the aggregate's state.
func TestUserAggregateOutlivesRestarts(t *testing.T) {
	w := newWorld(t)
	w.open()
	for _, f := range userFunctions() {
		if err := w.eng.RegisterFunction(f); err != nil {
			t.Fatal(err)
		}
	}
	w.stream("in", "k STRING, v STRING", 0)
	const sql = "SELECT k, longest(v) AS l, sum(scale(length(v))) AS n FROM in GROUP BY k"
	w.file("in", 1, `{"k":"a","v":"xx"}`, `{"k":"b","v":"y"}`, `{"k":"a","v":null}`)
	if err := finish(w.mustStart(sql, "update", availableNow)); err != nil {
		t.Fatal(err)
	}
	w.close()
	w.open()
	w.stream("in", "k STRING, v STRING", 0)
	if _, err := w.start(sql, "update", availableNow); err == nil {
		t.Error("a query with an unknown function started")
	}
	for _, f := range userFunctions() {
		if err := w.s.RegisterFunction(f); err != nil {
			t.Fatal(err)
		}
	}
	w.file("in", 2, `{"k":"a","v":"longer"}`, `{"k":"b","v":"z"}`)
	if err := finish(w.mustStart(sql, "update", availableNow)); err != nil {
		t.Fatal(err)
	}
	rows, _ := w.sink.rows(t)
	slices.Sort(rows)
	if got := strings.Join(rows, " "); got != "a|longer/2|80 a|xx/1|20 b|y/1|10 b|y/2|20" {
		t.Errorf("the stream emitted %s", got)
	}
	w.file("in", 3, `{"k":"a","v":"panic"}`)
	err := finish(w.mustStart(sql, "update", availableNow))
	wantError(t, err, "FAILED_EXECUTE_UDF", "39000", "asked to", "longest")
}

func TestShowAndDescribeFunctions(t *testing.T) {
	s := openWithFunctions(t)
	for _, c := range []struct{ sql, want string }{
		{"SHOW FUNCTIONS LIKE 'ab*'", "abs"},
		{"SHOW FUNCTIONS LIKE 'scal*|ucas*'", "scale ucase"},
		{"SHOW USER FUNCTIONS", "count_args longest same scale"},
		{"SHOW SYSTEM FUNCTIONS LIKE 'scale'", ""},
		{"SHOW FUNCTIONS abs", "abs"},
		{"SHOW FUNCTIONS LIKE 'cast|getfield'", "cast"},
		{"DESCRIBE FUNCTION cast", "Function: cast Class: scalar function Usage: cast(ANY AS type)"},
		{"SHOW FUNCTIONS nope", ""},
		{"DESCRIBE FUNCTION scale", "Function: scale Class: scalar function of the user's Usage: scale(BIGINT) returns BIGINT - Ten times the number."},
		{"DESCRIBE FUNCTION longest", "Function: longest Class: aggregate function of the user's Usage: longest(STRING) returns STRING - The longest text."},
		{"DESCRIBE FUNCTION EXTENDED ucase", "Function: ucase Class: scalar function Usage: ucase(STRING) Extended Usage:\n    Other names: upper\n    The result may be NULL: if an argument may be"},
		{"DESCRIBE FUNCTION 'case'", "Function: case Class: scalar function Usage: case(ANY, ANY[, ANY, …])"},
		{"DESCRIBE FUNCTION `!=`", "Function: != Class: scalar function Usage: !=(ANY, ANY)"},
	} {
		got, err := answer(t, s, c.sql)
		if err != nil || got != c.want {
			t.Errorf("%s: got %q, %v, want %q", c.sql, got, err, c.want)
		}
	}
}
