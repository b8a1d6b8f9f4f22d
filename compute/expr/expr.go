package expr

import (
	"sync"
	"time"

	"github.com/flightd/flightd/compute/vec"
	"github.com/flightd/flightd/internal/invariants"
	"github.com/flightd/flightd/kernels"
	"github.com/flightd/flightd/plan/expr"
)

// Env is what an evaluator depends on besides its input. Now and Epoch are read
// at every Eval, so that a query sets them before each epoch; the other fields
// must not change after the first Compile.
type Env struct {
	// Zone is the session time zone; nil is UTC.
	Zone *time.Location
	// Now is the epoch's clock in microseconds.
	Now int64
	// Seed is the seed of random functions without one of their own.
	Seed int64
	// Epoch numbers the runs over the input: row counters begin again when it
	// changes.
	Epoch int64
	// Library is where functions are looked up; nil makes one of its own, which
	// costs more than a small query.
	Library *Library
	// LastKeyWins lets the last value of a map's repeated key win, which is an error
	// otherwise.
	LastKeyWins bool
	// Memory bounds what is held at a time; it may be nil.
	Memory *Memory
	// Partition is the number of the split that the evaluator reads.
	Partition int32

	once sync.Once
	zone *kernels.Zone
}

// A Library is the evaluators of all functions. It never changes and may serve any
// number of queries.
type Library struct{ table map[string]row }

// NewLibrary returns a library.
func NewLibrary() *Library { return &Library{newTable()} }

func (e *Env) prepare() {
	e.once.Do(func() {
		if e.Zone == nil {
			e.Zone = time.UTC
		}
		e.zone = kernels.NewZone(e.Zone)
		if e.Library == nil {
			e.Library = NewLibrary()
		}
	})
}

// Input is the columns that expressions refer to. Sel lists the live rows,
// ascending; nil means all of them.
type Input struct {
	Cols []*vec.Vec
	Rows int
	Sel  []int32
}

// Live returns the number of live rows.
func (in *Input) Live() int {
	if in.Sel != nil {
		return len(in.Sel)
	}
	return in.Rows
}

// narrowed returns in with another selection.
func (in *Input) narrowed(sel []int32) Input { return Input{in.Cols, in.Rows, sel} }

// An Evaluator is one node of an expression, ready to run.
type Evaluator interface {
	// Eval computes the expression for the live rows of in. The Vec belongs to
	// the evaluator until its next call; see Fresh.
	Eval(in *Input) (*vec.Vec, error)
}

// row is what the table holds of a function. Args are the evaluators of
// call.Args; that of a lambda is nil.
type row struct {
	make func(call *expr.Call, args []Evaluator, env *Env) (Evaluator, error)
}

// newTable collects the rows of all families. It is kept in a Library, not in a
// variable: rows of higher-order functions compile expressions themselves.
func newTable() map[string]row {
	table := map[string]row{}
	for _, family := range []map[string]row{
		arithmeticRows(), comparisonRows(), logicRows(), conditionalRows(), nestedRows(),
		stringRows(), concatRows(), likeRows(), regexpRows(), hashRows(), codecRows(), mathRows(), roundRows(),
		collectionRows(), mapRows(), lambdaRows(), jsonRows(), miscRows(), formatRows(), numberFormatRows(), urlRows(), cryptoRows(), bitmapRows(), wordRows(),
		sessionRows(), csvRows(), xpathRows(), variantRows(), xmlRows(), sketchRows(), topKRows(), vectorRows(),
		collationRows(), geoRows(), timeFieldRows(), timeOfDayRows(), timeMakeRows(), timeTruncRows(), timeFormatRows(), timeParseRows(),
	} {
		for name, r := range family {
			if _, ok := table[name]; ok {
				panic(invariants.AssertionFailedf("function %q has two evaluators", name))
			}
			table[name] = r
		}
	}
	return table
}

// Has reports whether there is an evaluator for a function of this name.
func Has(name string) bool {
	env := &Env{}
	env.prepare()
	_, ok := env.Library.table[name]
	return ok
}

// Compile returns the evaluator of a bound expression: one whose columns are
// Refs. An Invalid error names a function that cannot be evaluated.
func Compile(e expr.Expr, env *Env) (Evaluator, error) { return compile(e, env, nil) }

// compile is Compile for an expression of common, or of none.
func compile(e expr.Expr, env *Env, common *Subexpressions) (Evaluator, error) {
	env.prepare()
	if p, err := common.evaluator(e); p != nil || err != nil {
		return p, err
	}
	switch e := e.(type) {
	case *expr.Ref:
		return &ref{e.Index}, nil
	case *expr.Literal:
		return newLiteral(e.Value, e.Typ)
	case *expr.Alias:
		return compile(e.Child, env, common)
	case *expr.Cast:
		ev, err := compileCast(e, env, common)
		if err != nil {
			return nil, err
		}
		return folded(e, ev), nil
	case *expr.Call:
		ev, err := compileCall(e, env, common)
		if err != nil {
			return nil, err
		}
		return folded(e, ev), nil
	}
	return nil, invariants.AssertionFailedf("expression %T %s is not bound", e, e.SQL())
}

// folded returns the value of ev, which computes e, where that is a constant of a plain
// type; one that fails does so where a row asks for it.
func folded(e expr.Expr, ev Evaluator) Evaluator {
	switch t := e.Type(); {
	case !t.IsNumeric() && t.Kind != expr.KindString && t.Kind != expr.KindDate && t.Kind != expr.KindTimestamp && t.Kind != expr.KindTimestampNTZ:
		return ev
	case !expr.Constant(e):
		return ev
	}
	v, err := ev.Eval(&Input{Rows: 1})
	if err != nil {
		return ev
	}
	if v.Null(0) && !written(e) {
		return ev // beside a NULL that was written a function may be NULL at once, and pass over what fails
	}
	l, err := newLiteral(Value(v, 0), e.Type())
	if err != nil {
		return ev
	}
	return l
}

// written reports whether e is a literal, or a cast of one.
func written(e expr.Expr) bool {
	if c, ok := e.(*expr.Cast); ok {
		return written(c.Child)
	}
	_, ok := e.(*expr.Literal)
	return ok
}

func compileCall(e *expr.Call, env *Env, common *Subexpressions) (Evaluator, error) {
	r, ok := env.Library.table[e.Fn]
	if e.User != nil {
		r, ok = userRow, true
	} else if collationOf(e) != "" {
		if own, has := env.Library.table[e.Fn+collated]; has {
			r = own
		}
	}
	if !ok {
		return nil, unsupported(e)
	}
	args := make([]Evaluator, len(e.Args))
	for i, a := range e.Args {
		if _, ok := a.(*expr.Lambda); ok {
			continue
		}
		var err error
		if args[i], err = compile(a, env, common); err != nil {
			return nil, err
		}
	}
	return r.make(e, args, env)
}

// CompileAll compiles a list of expressions.
func CompileAll(list []expr.Expr, env *Env) ([]Evaluator, error) {
	out := make([]Evaluator, len(list))
	for i, e := range list {
		var err error
		if out[i], err = Compile(e, env); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// Fold evaluates an expression that refers to no column.
func Fold(e expr.Expr, env *Env) (*expr.Literal, error) {
	if l, ok := e.(*expr.Literal); ok {
		return l, nil
	}
	ev, err := Compile(e, env)
	if err != nil {
		return nil, err
	}
	v, err := ev.Eval(&Input{Rows: 1})
	if err != nil {
		return nil, err
	}
	return &expr.Literal{At: e.Pos(), Value: Value(v, 0), Typ: e.Type()}, nil
}

// Fresh returns a column with v's rows that no evaluator will overwrite: v itself
// where it is a column of the input, v's buffers where they are the evaluator's
// own (it makes new ones at its next call), else a copy.
func Fresh(v *vec.Vec) *vec.Vec { return vec.Fresh(v) }

// ref is a column of the input.
type ref struct{ index int }

func (r *ref) Eval(in *Input) (*vec.Vec, error) { return in.Cols[r.index], nil }
