package agg

import (
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/apache/arrow-go/v18/arrow/decimal128"

	"github.com/flightd/flightd/compute/vec"
	"github.com/flightd/flightd/internal/variant"
	"github.com/flightd/flightd/plan/expr"
	"github.com/flightd/flightd/state"
)

// column of values: nil, int, float64, string, bool, [2]int64 for a decimal's
// unscaled value.
func columnOf(t *expr.Type, vals ...any) *vec.Vec {
	b := vec.NewBuilder(t)
	for _, v := range vals {
		switch v := v.(type) {
		case nil:
			b.AppendNull()
		case int:
			if t.Kind == expr.KindDecimal {
				vec.AppendFixed(b, decimal128.FromI64(int64(v)))
			} else if t.Kind == expr.KindFloat64 {
				vec.AppendFixed(b, float64(v))
			} else {
				b.AppendInt(int64(v))
			}
		case float64:
			vec.AppendFixed(b, v)
		case string:
			b.AppendBytes([]byte(v))
		case bool:
			b.AppendBool(v)
		default:
			panic(fmt.Sprintf("value %T", v))
		}
	}
	return b.Vec()
}

// fixedArgs are constant arguments by index.
type fixedArgs map[int]*vec.Vec

func (f fixedArgs) Value(i int) (*vec.Vec, error) { return f[i], nil }

// groupsOf returns a table with n groups and accumulators over it.
func groupsOf(t *testing.T, f *Func, n int) Accumulator {
	t.Helper()
	key := state.Field{Name: "k", Type: "INT", Kind: state.Int32}
	table := state.NewTable(state.Schema{Keys: []state.Field{key}, Values: f.Fields}, 1)
	ids := make([]int32, n)
	for i := range ids {
		ids[i] = int32(i)
	}
	keys := state.NewKeys([]state.Field{key}, 1)
	if err := keys.Normalise([]state.Vector{{Kind: state.Int32, Len: n, Data: vec.Bytes(ids)}}, n, nil); err != nil {
		t.Fatal(err)
	}
	if err := table.Upsert(keys, nil, make([]int32, n)); err != nil {
		t.Fatal(err)
	}
	cols := make([]state.Column, len(f.Fields))
	for i := range cols {
		cols[i] = table.Value(i)
	}
	return f.Bind(cols)
}

// run aggregates args, whose row i belongs to groups[i] of n, in the given number
// of parts that are merged, and returns the results as text.
func run(t *testing.T, a *expr.Agg, consts fixedArgs, args []*vec.Vec, groups []int32, n, parts int) (string, error) {
	t.Helper()
	f, err := New(a, consts)
	if err != nil {
		return "", err
	}
	all := make([]int32, n)
	for i := range all {
		all[i] = int32(i)
	}
	merged := groupsOf(t, f, n)
	for p := range parts {
		lo, hi := p*len(groups)/parts, (p+1)*len(groups)/parts
		part := groupsOf(t, f, n)
		for at := lo; at < hi; at += 2 { // two batches a part or more
			to := min(at+2, hi)
			var rows []int32
			for r := at; r < to; r++ {
				rows = append(rows, int32(r))
			}
			if err := part.Update(rows, groups[at:to], args); err != nil {
				return "", err
			}
		}
		if parts == 1 {
			merged = part
			break
		}
		if err := merged.Merge(all, part, all); err != nil {
			return "", err
		}
	}
	v, err := merged.Final(all)
	if err != nil {
		return "", err
	}
	return textOf(v), nil
}

func textOf(v *vec.Vec) string {
	var out []string
	for i := range v.Len {
		out = append(out, valueText(v, i))
	}
	return strings.Join(out, " ")
}

func valueText(v *vec.Vec, i int) string {
	if v.Null(i) {
		return "NULL"
	}
	switch {
	case v.Type.Kind == expr.KindArray:
		var in []string
		for j := v.Off[i]; j < v.Off[i+1]; j++ {
			in = append(in, valueText(v.Kids[0], int(j)))
		}
		return "[" + strings.Join(in, ",") + "]"
	case v.Type.Kind == expr.KindStruct:
		var in []string
		for _, kid := range v.Kids {
			in = append(in, valueText(kid, i))
		}
		return "{" + strings.Join(in, ",") + "}"
	case v.Type.Kind == expr.KindBool:
		return fmt.Sprint(v.Bool(i))
	case v.Type.Kind == expr.KindFloat64:
		return fmt.Sprint(vec.Values[float64](v)[i])
	case v.Type.Kind == expr.KindDecimal:
		return vec.Values[decimal128.Num](v)[i].ToString(int32(v.Type.Scale))
	case v.Type.Width() == 4:
		return fmt.Sprint(vec.Values[int32](v)[i])
	case v.Type.Width() == 8:
		return fmt.Sprint(vec.Values[int64](v)[i])
	}
	return string(v.Str(i))
}

func ref(i int, t *expr.Type) expr.Expr { return &expr.Ref{Index: i, Typ: t, Null: true} }

// The groups a, a, b, b, c, a and the columns of Spark's recorded aggregates.
var (
	abc  = []int32{0, 0, 1, 1, 2, 0}
	ints = columnOf(expr.Int32, 1, 2, 3, nil, nil, 2)
	bigs = columnOf(expr.Int64, 10, 20, nil, 5, nil, -7)
	text = columnOf(expr.String, "x", "Y", "", nil, "日本", "x")
	nums = columnOf(expr.Float64, 1.5, math.NaN(), math.Copysign(0, -1), 0.0, nil, 2.25)
	flag = columnOf(expr.Bool, true, false, true, nil, nil, true)
	decs = columnOf(expr.Decimal(4, 2), 110, 225, nil, -333, nil, 5)
	docs = variantsOf(`{"a":1}`, `{"b":[1,"x"]}`, "1", "2.50", "", `{"a":null}`)
)

// variantsOf is a column of JSON as VARIANT; "" is NULL.
func variantsOf(texts ...string) *vec.Vec {
	b := vec.NewBuilder(expr.Variant)
	for _, s := range texts {
		var vb variant.Builder
		if s == "" || vb.ParseJSON([]byte(s)) != nil {
			b.AppendNull()
			continue
		}
		bytes, _ := vb.Finish(nil)
		b.AppendBytes(bytes)
	}
	return b.Vec()
}

func TestFunctionsOverGroups(t *testing.T) {
	half, quarter := columnOf(expr.Float64, 0.5), columnOf(expr.Float64, 0.25)
	yes := columnOf(expr.Bool, true)
	for _, c := range []struct {
		fn   string
		out  *expr.Type
		args []*vec.Vec
		want string
	}{
		{"count", expr.Int64, nil, "3 2 1"},
		{"count", expr.Int64, []*vec.Vec{ints}, "3 1 0"},
		{"count", expr.Int64, []*vec.Vec{ints, bigs}, "3 0 0"},
		{"count_if", expr.Int64, []*vec.Vec{flag}, "2 1 0"},
		{"sum", expr.Int64, []*vec.Vec{ints}, "5 3 NULL"},
		{"sum", expr.Float64, []*vec.Vec{nums}, "NaN 0 NULL"},
		{"sum", expr.Decimal(14, 2), []*vec.Vec{decs}, "3.40 -3.33 NULL"},
		{"avg", expr.Float64, []*vec.Vec{ints}, "1.6666666666666667 3 NULL"},
		{"avg", expr.Decimal(8, 6), []*vec.Vec{decs}, "1.133333 -3.330000 NULL"},
		{"min", expr.Int32, []*vec.Vec{ints}, "1 3 NULL"},
		{"max", expr.Int64, []*vec.Vec{bigs}, "20 5 NULL"},
		{"max", expr.Float64, []*vec.Vec{nums}, "NaN -0 NULL"},
		{"min", expr.Float64, []*vec.Vec{nums}, "1.5 -0 NULL"},
		{"max", expr.String, []*vec.Vec{text}, "x  日本"},
		{"min", expr.String, []*vec.Vec{text}, "Y  日本"},
		{"min", expr.Bool, []*vec.Vec{flag}, "false true NULL"},
		{"max", expr.Decimal(4, 2), []*vec.Vec{decs}, "2.25 -3.33 NULL"},
		{"first", expr.Int64, []*vec.Vec{bigs}, "10 NULL NULL"},
		{"last", expr.Int64, []*vec.Vec{bigs}, "-7 5 NULL"},
		{"first", expr.Int64, []*vec.Vec{bigs, yes}, "10 5 NULL"},
		{"last", expr.String, []*vec.Vec{text, yes}, "x  日本"},
		{"any_value", expr.String, []*vec.Vec{text}, "x  日本"},
		{"max_by", expr.Int64, []*vec.Vec{bigs, ints}, "-7 NULL NULL"}, // of equal maxima the later one
		{"min_by", expr.Int64, []*vec.Vec{bigs, ints}, "10 NULL NULL"},
		{"max_by", expr.String, []*vec.Vec{text, nums}, "Y NULL NULL"}, // −0 equals 0, the later one counts
		{"bool_and", expr.Bool, []*vec.Vec{flag}, "false true NULL"},
		{"bool_or", expr.Bool, []*vec.Vec{flag}, "true true NULL"},
		{"bit_and", expr.Int32, []*vec.Vec{ints}, "0 3 NULL"},
		{"bit_or", expr.Int32, []*vec.Vec{ints}, "3 3 NULL"},
		{"bit_xor", expr.Int32, []*vec.Vec{ints}, "1 3 NULL"},
		{"collect_list", expr.ArrayOf(expr.Int32, false), []*vec.Vec{ints}, "[1,2,2] [3] []"},
		{"collect_set", expr.ArrayOf(expr.Int32, false), []*vec.Vec{ints}, "[1,2] [3] []"},
		{"collect_set", expr.ArrayOf(expr.String, false), []*vec.Vec{text}, "[x,Y] [] [日本]"},
		{"collect_list", expr.ArrayOf(expr.Float64, false), []*vec.Vec{nums}, "[1.5,NaN,2.25] [-0,0] []"},
		{"percentile_approx", expr.Int32, []*vec.Vec{ints, half}, "2 3 NULL"},
		{"percentile", expr.Float64, []*vec.Vec{ints, half}, "2 3 NULL"},
		{"percentile_cont", expr.Float64, []*vec.Vec{bigs, quarter}, "1.5 5 NULL"},
		{"percentile_cont", expr.Float64, []*vec.Vec{bigs, quarter, yes}, "15 5 NULL"},
		{"percentile_disc", expr.Float64, []*vec.Vec{bigs, quarter}, "-7 5 NULL"},
		{"percentile_disc", expr.Float64, []*vec.Vec{bigs, quarter, yes}, "20 5 NULL"},
		{"median", expr.Float64, []*vec.Vec{bigs}, "10 5 NULL"},
		{"mode", expr.Int32, []*vec.Vec{ints}, "2 3 NULL"},
		{"mode", expr.String, []*vec.Vec{text}, "x  日本"},
		{"approx_count_distinct", expr.Int64, []*vec.Vec{nums}, "3 1 0"},
		{"approx_count_distinct", expr.Int64, []*vec.Vec{text}, "2 1 1"},
		{"schema_of_variant_agg", expr.String, []*vec.Vec{docs}, "OBJECT<a: BIGINT, b: ARRAY<VARIANT>> DECIMAL(21,1) VOID"},
		{"regr_count", expr.Int64, []*vec.Vec{ints, bigs}, "3 0 0"},
		{"regr_avgx", expr.Float64, []*vec.Vec{ints, bigs}, "7.666666666666667 NULL NULL"},
		{"regr_avgy", expr.Float64, []*vec.Vec{ints, bigs}, "1.6666666666666667 NULL NULL"},
		{"regr_sxx", expr.Float64, []*vec.Vec{ints, bigs}, "372.6666666666667 NULL NULL"},
		{"regr_r2", expr.Float64, []*vec.Vec{bigs, ints}, "0.021914132379248632 NULL NULL"},
		{"regr_intercept", expr.Float64, []*vec.Vec{bigs, ints}, "13.5 NULL NULL"},
	} {
		a := &expr.Agg{Fn: c.fn, Typ: c.out}
		consts := fixedArgs{}
		for i, v := range c.args {
			a.Args = append(a.Args, ref(i, v.Type))
			consts[i] = v
		}
		// A merge of three parts gives what one part does: no function here rounds.
		for _, parts := range []int{1, 3} {
			if parts > 1 && strings.HasPrefix(c.fn, "regr_") {
				continue
			}
			got, err := run(t, a, consts, c.args, abc, 3, parts)
			if err != nil || got != c.want {
				t.Errorf("%s in %d parts = %q %v, want %q", a.SQL(), parts, got, err, c.want)
			}
		}
	}
}

func TestOverflow(t *testing.T) {
	big := columnOf(expr.Int64, math.MaxInt64, 1, 5)
	nines := columnOf(expr.Decimal(38, 0), 0, 0)
	for i := range 2 {
		vec.Values[decimal128.Num](nines)[i] = decimal128.GetMaxValue(38)
	}
	months := columnOf(expr.YearMonth, math.MaxInt32, 1)
	for _, c := range []struct {
		fn   string
		mode expr.Mode
		out  *expr.Type
		arg  *vec.Vec
		want string
	}{
		{"sum", expr.ANSI, expr.Int64, big, "ARITHMETIC_OVERFLOW"},
		{"sum", expr.Legacy, expr.Int64, big, "-9223372036854775803"},
		{"try_sum", expr.ANSI, expr.Int64, big, "NULL"},
		{"sum", expr.ANSI, expr.Decimal(38, 0), nines, "Overflow in sum of decimals"},
		{"sum", expr.Legacy, expr.Decimal(38, 0), nines, "NULL"},
		{"try_sum", expr.ANSI, expr.Decimal(38, 0), nines, "NULL"},
		{"sum", expr.ANSI, expr.YearMonth, months, "INTERVAL_ARITHMETIC_OVERFLOW"},
	} {
		for _, parts := range []int{1, 2} {
			a := &expr.Agg{Fn: c.fn, Typ: c.out, Mode: c.mode, Args: []expr.Expr{ref(0, c.arg.Type)}}
			got, err := run(t, a, nil, []*vec.Vec{c.arg}, make([]int32, c.arg.Len), 1, parts)
			if err != nil {
				got = err.Error()
			}
			if !strings.Contains(got, c.want) {
				t.Errorf("%s, mode %d, in %d parts = %q, want %q", c.fn, c.mode, parts, got, c.want)
			}
		}
	}
}

func TestIntervalMean(t *testing.T) {
	day := 86_400_000_000
	for _, c := range []struct {
		v    *vec.Vec
		want string
	}{
		{columnOf(expr.DayTime, day, day+day/4, -day), "36000000000"},
		{columnOf(expr.YearMonth, 1, 2), "2"}, // 1.5 is rounded away from zero
		{columnOf(expr.YearMonth, -1, -2), "-2"},
	} {
		a := &expr.Agg{Fn: "avg", Typ: c.v.Type, Args: []expr.Expr{ref(0, c.v.Type)}}
		if got, err := run(t, a, nil, []*vec.Vec{c.v}, make([]int32, c.v.Len), 1, 1); err != nil || got != c.want {
			t.Errorf("avg = %s %v, want %s", got, err, c.want)
		}
	}
}

// Estimates that Spark recorded, where the count is linear.
func TestSketchEqualsSpark(t *testing.T) {
	var mod, many []any
	for i := 1; i <= 5000; i++ {
		mod = append(mod, i%50)
		if i <= 3000 {
			many = append(many, i)
		}
	}
	for _, c := range []struct {
		v    *vec.Vec
		rsd  float64
		want string
	}{
		{columnOf(expr.Int32, mod...), 0.05, "50"},
		{columnOf(expr.Int32, many...), 0.01, "2996"},
	} {
		a := &expr.Agg{Fn: "approx_count_distinct", Typ: expr.Int64, Args: []expr.Expr{ref(0, c.v.Type), ref(1, expr.Float64)}}
		got, err := run(t, a, fixedArgs{1: columnOf(expr.Float64, c.rsd)}, []*vec.Vec{c.v}, make([]int32, c.v.Len), 1, 4)
		if err != nil || got != c.want {
			t.Errorf("approx_count_distinct = %s %v, want %s", got, err, c.want)
		}
	}
}

// The summary keeps its promise about ranks, however it was merged.
func TestQuantilesKeepTheirError(t *testing.T) {
	rnd := rand.New(rand.NewPCG(3, 4))
	const n, accuracy = 120_000, 100
	var s summary
	var part []byte
	for i := range n {
		var w [8]byte
		x := math.Float64bits(float64(i))
		for j := range w {
			w[j] = byte(x >> (8 * j))
		}
		part = append(part, w[:]...)
		if rnd.IntN(9000) == 0 || i == n-1 {
			var other summary
			other.insert(part, 1.0/accuracy)
			other.compress(1.0 / accuracy)
			back, rest := readSummary(writeSummary(nil, &other))
			if len(rest) != 0 {
				t.Fatalf("%d bytes left", len(rest))
			}
			s.merge(back, 1.0/accuracy)
			part = part[:0]
		}
	}
	if len(s.samples) > 2000 {
		t.Errorf("%d samples for accuracy %d", len(s.samples), accuracy)
	}
	ps := []float64{0, 0.1, 0.5, 0.9, 1}
	for i, x := range s.query(ps, 1.0/accuracy) {
		if math.Abs(x-ps[i]*n) > n/accuracy+1 {
			t.Errorf("percentile %v = %v", ps[i], x)
		}
	}
}

func TestTallyForgetsNothingWhenItCompacts(t *testing.T) {
	var vals []any
	for i := range 5000 {
		vals = append(vals, i%700)
	}
	v := columnOf(expr.Int32, vals...)
	a := &expr.Agg{Fn: "percentile", Typ: expr.ArrayOf(expr.Float64, false), Args: []expr.Expr{ref(0, v.Type), ref(1, expr.ArrayOf(expr.Float64, false))}}
	b := vec.NewBuilder(expr.ArrayOf(expr.Float64, false))
	for _, p := range []float64{0, 0.25, 1} {
		vec.AppendFixed(b.Kids[0], p)
	}
	b.EndList()
	got, err := run(t, a, fixedArgs{1: b.Vec()}, []*vec.Vec{v}, make([]int32, v.Len), 1, 3)
	if err != nil || got != "[0,164,699]" {
		t.Errorf("percentile = %s %v", got, err)
	}
}
