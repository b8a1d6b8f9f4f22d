package expr

import (
	"fmt"
	"runtime/debug"
	"strings"
	"testing"

	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/flightd/flightd/compute/vec"
	"github.com/flightd/flightd/plan/expr"
)

// TestRandomExpressions holds the evaluators to their row-at-a-time meaning: random
// typed expressions give over columns, however cut and selected, what they give over
// single rows; a row that is not selected raises nothing, and what lies at NULL rows
// and beyond the last one is not read.
func TestRandomExpressions(t *testing.T) {
	lib := NewLibrary()
	seeds, each := 24, 60
	if testing.Short() {
		seeds = 6
	}
	tried, made := 0, 0
	for seed := range seeds {
		g := newExpressions(t, uint64(seed), lib)
		for range each {
			if !g.check(t) {
				t.Errorf("seed %d", seed)
				break
			}
		}
		tried, made = tried+g.tried, made+g.made
	}
	t.Logf("%d expressions of %d built", made, tried)
}

// FuzzExpressions is the same from any seed.
func FuzzExpressions(f *testing.F) {
	lib := NewLibrary()
	f.Add(uint64(1))
	f.Add(uint64(1) << 40)
	f.Fuzz(func(t *testing.T, seed uint64) {
		g := newExpressions(t, seed, lib)
		for range 25 {
			if !g.check(t) {
				return
			}
		}
	})
}

// check compares one expression in many cuts and selections.
func (g *expressions) check(t testing.TB) (ok bool) {
	text, e := g.next()
	defer func() {
		if p := recover(); p != nil {
			t.Errorf("%s panicked: %v\n%s", text, p, debug.Stack())
			ok = false
		}
	}()
	whole, err := Compile(e, g.env)
	if err != nil {
		return true // a generator, or what only an operator evaluates
	}
	single, err := Compile(e, g.env)
	if err != nil {
		t.Errorf("%s compiles only once: %v", text, err)
		return false
	}
	const n = 40
	cols := g.columns(t, n)
	want := make([]string, n)
	for i := range n {
		v, err := single.Eval(&Input{Cols: cut(cols, i, i+1), Rows: 1})
		want[i] = marked(v, 0, err, g.env)
	}
	var kept *vec.Vec
	var keptRows []int32
	keptFrom := 0
	for k := range 6 {
		lo := g.rnd.IntN(n)
		hi := lo + 1 + g.rnd.IntN(n-lo)
		if k == 0 {
			lo, hi = 0, n
		}
		in := &Input{Cols: cut(cols, lo, hi), Rows: hi - lo}
		rows := g.selection(in, want[lo:hi], k)
		v, err := whole.Eval(in)
		if kept != nil && !same(t, g, text, kept, nil, keptRows, want[keptFrom:], "a result that was kept over another call") {
			return false
		}
		if !same(t, g, text, v, err, rows, want[lo:hi], fmt.Sprintf("rows %d to %d, selection %v", lo, hi, in.Sel)) {
			return false
		}
		kept = nil
		if err == nil {
			if v.Len != in.Rows || !v.Type.Equal(e.Type()) {
				t.Errorf("%s: the result has %d rows of %s for %d of %s", text, v.Len, v.Type.SQL(), in.Rows, e.Type().SQL())
				return false
			}
			kept, keptRows, keptFrom = Fresh(v), rows, lo
		}
	}
	return g.checkCommon(t, text, e, cols)
}

// checkCommon compares an expression and some of its parts, evaluated together, with
// what each of them gives alone.
func (g *expressions) checkCommon(t testing.TB, text string, e expr.Expr, cols []*vec.Vec) bool {
	parts := []expr.Expr{e}
	expr.Walk(e, func(p expr.Expr) bool {
		switch p := p.(type) {
		case *expr.Lambda:
			return false
		case *expr.Call, *expr.Cast:
			if hasRef(p) && len(parts) < 5 && g.rnd.IntN(2) == 0 {
				parts = append(parts, p)
			}
		}
		return true
	})
	parts = append(parts, e)
	g.rnd.Shuffle(len(parts), func(i, k int) { parts[i], parts[k] = parts[k], parts[i] })
	kept := g.rnd.IntN(2) == 0
	common := NewSubexpressions(parts, g.env, kept)
	n := cols[0].Len
	evals, want := make([]Evaluator, len(parts)), make([][]string, len(parts))
	for i, p := range parts {
		alone, err := Compile(p, g.env)
		if err != nil {
			return true // what only an operator evaluates
		}
		if evals[i], err = common.Compile(p); err != nil {
			t.Errorf("%s compiles only alone: %v", text, err)
			return false
		}
		want[i] = make([]string, n)
		for k := range n {
			v, err := alone.Eval(&Input{Cols: cut(cols, k, k+1), Rows: 1})
			want[i][k] = marked(v, 0, err, g.env)
		}
	}
	for k := range 4 {
		lo := g.rnd.IntN(n)
		hi := lo + 1 + g.rnd.IntN(n-lo)
		in := &Input{Cols: cut(cols, lo, hi), Rows: hi - lo}
		fine := make([]string, hi-lo)
		for i := range parts {
			for r, w := range want[i][lo:hi] {
				if strings.HasPrefix(w, failed) {
					fine[r] = w
				}
			}
		}
		rows := g.selection(in, fine, k+1)
		common.Begin(in)
		vecs, errs := make([]*vec.Vec, len(parts)), make([]error, len(parts))
		for i, ev := range evals {
			if vecs[i], errs[i] = ev.Eval(in); kept && errs[i] == nil {
				vecs[i] = Fresh(vecs[i])
			}
		}
		for i := range parts {
			if !same(t, g, parts[i].SQL()+" beside "+text, vecs[i], errs[i], rows, want[i][lo:hi], fmt.Sprintf("common rows %d to %d, selection %v, kept %v", lo, hi, in.Sel, kept)) {
				return false
			}
		}
	}
	return true
}

// selection selects rows of in: all, or some, or some of those that do not fail. It
// returns them.
func (g *expressions) selection(in *Input, want []string, k int) []int32 {
	rows := []int32{}
	for i := range in.Rows {
		if k < 2 || g.rnd.IntN(3) > 0 && (k == 2 || !strings.HasPrefix(want[i], failed)) {
			rows = append(rows, int32(i))
		}
	}
	if k >= 2 {
		in.Sel = append(make([]int32, 0, len(rows)+8), rows...)
		for i := range in.Sel[len(rows):cap(in.Sel)] {
			in.Sel[:cap(in.Sel)][len(rows)+i] = 1 << 30
		}
	}
	return rows
}

// cut returns rows lo to hi, which begin inside bytes of bitmaps and not at the first
// offset.
func cut(cols []*vec.Vec, lo, hi int) []*vec.Vec {
	out := make([]*vec.Vec, len(cols))
	for i, v := range cols {
		arr := v.Arrow()
		out[i] = vec.FromArrow(array.NewSlice(arr, int64(lo), int64(hi)), v.Type)
	}
	return out
}

// failed begins the outcome of a row that raises an error.
const failed = "\x00error\x00"

// marked is outcome with errors that no text looks like.
func marked(v *vec.Vec, i int, err error, env *Env) string {
	if err != nil {
		return failed + outcome(v, i, err, env)
	}
	return outcome(v, i, nil, env)
}

// same compares the outcome over columns with want, that of each row.
func same(t testing.TB, g *expressions, text string, v *vec.Vec, err error, rows []int32, want []string, what string) bool {
	t.Helper()
	failing := map[string]bool{}
	for _, i := range rows {
		if strings.HasPrefix(want[i], failed) {
			failing[want[i]] = true
		}
	}
	if err != nil || len(failing) > 0 {
		if got := marked(v, 0, err, g.env); err == nil || !failing[got] {
			t.Errorf("%s (ANSI %s) over %s: got %s (%v), its rows alone fail with %v", text, g.renv.Conf["spark.sql.ansi.enabled"], what, got, err, failing)
			return false
		}
		return true
	}
	for _, i := range rows {
		if got := marked(v, int(i), nil, g.env); got != want[i] {
			t.Errorf("%s (ANSI %s) over %s: row %d is %s, alone it is %s", text, g.renv.Conf["spark.sql.ansi.enabled"], what, i, got, want[i])
			return false
		}
	}
	return true
}
