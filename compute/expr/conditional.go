package expr

import (
	"github.com/flightd/flightd/compute/vec"
	"github.com/flightd/flightd/kernels"
	"github.com/flightd/flightd/plan/expr"
)

func conditionalRows() map[string]row {
	return map[string]row{
		"case":       {makeCase},
		"if":         {makeCase},
		"coalesce":   {makeCoalesce},
		"nvl":        {makeCoalesce},
		"ifnull":     {makeCoalesce},
		"nvl2":       {makeNVL2},
		"nullif":     {makeNullIf},
		"nanvl":      {makeNaNvl},
		"zeroifnull": {makeZeroIfNull},
		"nullifzero": {makeNullIfZero},
	}
}

// branches is CASE: each value is evaluated for the rows whose condition was the
// first to be true, and only for them.
type branches struct {
	call  *expr.Call
	conds []Predicate
	// vals has one more member than conds if there is an ELSE.
	vals []Evaluator
	vs   []*vec.Vec
	from []int32
	rest []int32
	hit  []int32
	out  vec.Vec
	// subject is what a simple CASE compares with its values, or nil.
	subject *shared
	// lookup, if set, has for each value of the subject from base on the branch that it
	// takes; then all branches are constants.
	lookup []int32
	base   int64
}

func makeCase(c *expr.Call, args []Evaluator, env *Env) (Evaluator, error) {
	e := &branches{call: c}
	if err := e.share(c, args, env); err != nil {
		return nil, err
	}
	for i := 0; i+1 < len(args); i += 2 {
		e.conds = append(e.conds, asPredicate(args[i]))
		e.vals = append(e.vals, args[i+1])
	}
	if len(args)%2 == 1 {
		e.vals = append(e.vals, args[len(args)-1])
	}
	e.tabulate(c, env)
	return e, nil
}

func asPredicate(ev Evaluator) Predicate {
	if p, ok := ev.(Predicate); ok {
		return p
	}
	return &truth{ev: ev}
}

func (e *branches) Eval(in *Input) (*vec.Vec, error) {
	n := in.Rows
	if e.subject != nil {
		e.subject.got = nil
	}
	e.from = freshFrom(e.from, n)
	e.rest, e.hit = room(e.rest, n), room(e.hit, n)
	rest := allRows(e.rest, in)
	e.vs = append(e.vs[:0], make([]*vec.Vec, len(e.vals))...)
	if e.lookup != nil {
		return &e.out, e.lookUp(in, rest)
	}
	for k, val := range e.vals {
		if len(rest) == 0 {
			break
		}
		hit := rest
		if k < len(e.conds) {
			narrowed := in.narrowed(rest)
			var err error
			if hit, err = e.conds[k].Select(&narrowed, e.hit); err != nil {
				return nil, err
			}
		}
		if len(hit) == 0 {
			continue
		}
		narrowed := in.narrowed(hit)
		v, err := val.Eval(&narrowed)
		if err != nil {
			return nil, err
		}
		if len(hit) == n && k == 0 && v.Type.Kind != expr.KindNull {
			return v, nil
		}
		e.vs[k] = v
		for _, i := range hit {
			e.from[i] = int32(k)
		}
		if k < len(e.conds) {
			rest = rest[:kernels.Unclaimed(e.from, rest, rest)]
		}
	}
	merge(&e.out, e.call.Typ, e.vs, e.from)
	return &e.out, nil
}

// allRows lists the live rows in buf.
func allRows(buf []int32, in *Input) []int32 {
	if in.Sel != nil {
		return buf[:copy(buf, in.Sel)]
	}
	for i := range in.Rows {
		buf[i] = int32(i)
	}
	return buf[:in.Rows]
}

// firstPresent is coalesce: each argument is evaluated for the rows that are still
// NULL.
type firstPresent struct {
	call *expr.Call
	args []Evaluator
	vs   []*vec.Vec
	from []int32
	rest []int32
	out  vec.Vec
}

func makeCoalesce(c *expr.Call, args []Evaluator, _ *Env) (Evaluator, error) {
	return &firstPresent{call: c, args: args}, nil
}

func (e *firstPresent) Eval(in *Input) (*vec.Vec, error) {
	e.from = freshFrom(e.from, in.Rows)
	e.rest = room(e.rest, in.Rows)
	rest := allRows(e.rest, in)
	e.vs = append(e.vs[:0], make([]*vec.Vec, len(e.args))...)
	for k, a := range e.args {
		if len(rest) == 0 {
			break
		}
		narrowed := in.narrowed(rest)
		v, err := a.Eval(&narrowed)
		if err != nil {
			return nil, err
		}
		if k == 0 && v.Type.Kind != expr.KindNull && (v.Valid == nil || v.Const && !v.Null(0)) {
			return v, nil
		}
		e.vs[k] = v
		rest = e.assign(k, v, rest)
	}
	merge(&e.out, e.call.Typ, e.vs, e.from)
	return &e.out, nil
}

// assign gives the rows of rest at which v is present argument k and returns the
// others, in rest's memory.
func (e *firstPresent) assign(k int, v *vec.Vec, rest []int32) []int32 {
	if v.Type.Kind != expr.KindNull && v.Valid == nil {
		for _, i := range rest {
			e.from[i] = int32(k)
		}
		return rest[:0]
	}
	n := 0
	for _, i := range rest {
		rest[n] = i
		if v.Null(int(i)) {
			n++
		} else {
			e.from[i] = int32(k)
		}
	}
	return rest[:n]
}

// makeNVL2 is nvl2(x, a, b): a where x is present, else b.
func makeNVL2(c *expr.Call, args []Evaluator, env *Env) (Evaluator, error) {
	test := newFunction(&expr.Call{At: c.At, Fn: "isnotnull", Args: c.Args[:1], Typ: expr.Bool}, args[:1], env,
		func(f *frame) error { nullBits(f, false); return nil })
	test.lenient()
	return makeCase(c, []Evaluator{test, args[1], args[2]}, env)
}

// makeNullIf is nullif(a, b): NULL where a = b, else a. The arguments of the
// comparison may have been coerced: then a third argument is what to return.
func makeNullIf(c *expr.Call, args []Evaluator, env *Env) (Evaluator, error) {
	equal := makeComparison(kernels.EQ, &expr.Call{At: c.At, Fn: "=", Args: c.Args[:2], Typ: expr.Bool}, args[:2], env)
	null, err := newLiteral(nil, c.Typ)
	if err != nil {
		return nil, err
	}
	value := c.Args[0]
	if len(c.Args) > 2 {
		value = c.Args[2]
	}
	again, err := Compile(value, env)
	if err != nil {
		return nil, err
	}
	return makeCase(c, []Evaluator{equal, null, again}, env)
}

// makeNaNvl is nanvl(a, b): b where a is NaN.
func makeNaNvl(c *expr.Call, args []Evaluator, env *Env) (Evaluator, error) {
	test := newFunction(&expr.Call{At: c.At, Fn: "isnan", Args: c.Args[:1], Typ: expr.Bool}, args[:1], env, isNaN)
	test.lenient()
	again, err := Compile(c.Args[0], env)
	if err != nil {
		return nil, err
	}
	return makeCase(c, []Evaluator{test, args[1], again}, env)
}

func makeZeroIfNull(c *expr.Call, args []Evaluator, env *Env) (Evaluator, error) {
	zero, err := zeroOf(c.Typ, env)
	if err != nil {
		return nil, err
	}
	return &firstPresent{call: c, args: append(args[:1:1], zero)}, nil
}

func makeNullIfZero(c *expr.Call, args []Evaluator, env *Env) (Evaluator, error) {
	t := c.Args[0].Type()
	zero, err := zeroOf(t, env)
	if err != nil {
		return nil, err
	}
	equal := newFunction(&expr.Call{At: c.At, Fn: "=", Args: []expr.Expr{c.Args[0], c.Args[0]}, Typ: expr.Bool},
		[]Evaluator{args[0], zero}, env, compareColumns(kernels.EQ, t))
	null, err := newLiteral(nil, c.Typ)
	if err != nil {
		return nil, err
	}
	again, err := Compile(c.Args[0], env)
	if err != nil {
		return nil, err
	}
	return makeCase(c, []Evaluator{equal, null, again}, env)
}

// zeroOf returns the constant 0 of a numeric type.
func zeroOf(t *expr.Type, env *Env) (Evaluator, error) {
	return compileCast(&expr.Cast{Child: &expr.Literal{Value: int64(0), Typ: expr.Int32}, To: t}, env, nil)
}
