package expr

import (
	"slices"
	"strings"

	"github.com/flightd/flightd/compute/vec"
	"github.com/flightd/flightd/kernels"
	"github.com/flightd/flightd/plan/expr"
)

// shared is an expression that several others ask for the same rows, or for fewer of
// them: it is evaluated once.
type shared struct {
	ev  Evaluator
	got *vec.Vec
}

func (s *shared) Eval(in *Input) (*vec.Vec, error) {
	var err error
	if s.got == nil {
		s.got, err = s.ev.Eval(in)
	}
	return s.got, err
}

// share finds a simple CASE, which compares one expression with constants, and lets
// its conditions share the expression. Rows that a condition sees are rows that the
// one before saw, and the first sees all.
func (e *branches) share(c *expr.Call, args []Evaluator, env *Env) error {
	if len(args) < 4 {
		return nil
	}
	var subject expr.Expr
	for i := 0; i+1 < len(args); i += 2 {
		if args[i] == nil || i >= len(c.Args) {
			return nil
		}
		test, ok := c.Args[i].(*expr.Call)
		if !ok || test.Fn != "=" || len(test.Args) != 2 || collationOf(test) != "" {
			return nil
		}
		if _, constant := constantOf(test.Args[1], env); !constant {
			return nil
		}
		if i == 0 {
			subject = test.Args[0]
		}
		if !sameValue(subject, test.Args[0]) {
			return nil
		}
	}
	if _, plain := subject.(*expr.Ref); plain {
		return nil
	}
	ev, err := Compile(subject, env)
	if err != nil {
		return err
	}
	e.subject = &shared{ev: ev}
	for i := 0; i+1 < len(args); i += 2 {
		test := c.Args[i].(*expr.Call)
		value, err := Compile(test.Args[1], env)
		if err != nil {
			return err
		}
		args[i] = makeComparison(kernels.EQ, test, []Evaluator{e.subject, value}, env)
	}
	return nil
}

// constantOf returns the value of a literal, or of one that coercion has cast.
func constantOf(e expr.Expr, env *Env) (*expr.Literal, bool) {
	if cast, ok := e.(*expr.Cast); ok {
		if _, plain := cast.Child.(*expr.Literal); plain {
			l, err := Fold(e, env)
			return l, err == nil
		}
	}
	l, ok := e.(*expr.Literal)
	return l, ok
}

// widestLookup bounds the range of the values of a CASE that are looked up.
const widestLookup = 4096

// tabulate finds a simple CASE from integers to constants, and makes its table.
func (e *branches) tabulate(c *expr.Call, env *Env) {
	if e.subject == nil || e.call.Typ.IsNested() || e.call.Typ.Kind == expr.KindNull {
		return
	}
	for _, v := range e.vals {
		if l, ok := v.(*literal); !ok || l.v.Type.Kind != expr.KindNull && !l.v.Type.Equal(e.call.Typ) {
			return
		}
	}
	var values []int64
	for i := range e.conds {
		test := c.Args[2*i].(*expr.Call)
		l, ok := constantOf(test.Args[1], env)
		if !ok || !test.Args[0].Type().IsInteger() || !l.Typ.Equal(test.Args[0].Type()) {
			return
		}
		v, err := newLiteral(l.Value, l.Typ)
		if err != nil || v.v.Null(0) {
			return
		}
		values = append(values, v.v.Int(0))
	}
	lo, hi := slices.Min(values), slices.Max(values)
	if uint64(hi)-uint64(lo) >= widestLookup {
		return
	}
	e.base, e.lookup = lo, make([]int32, hi-lo+1)
	for i := range e.lookup {
		e.lookup[i] = e.otherwise()
	}
	for k := len(values) - 1; k >= 0; k-- {
		e.lookup[values[k]-lo] = int32(k)
	}
}

// otherwise is the branch of rows that no condition holds for: ELSE, or none.
func (e *branches) otherwise() int32 {
	if len(e.vals) > len(e.conds) {
		return int32(len(e.conds))
	}
	return -1
}

// lookUp finds the branch of each of rows.
func (e *branches) lookUp(in *Input, rows []int32) error {
	if len(rows) > 0 {
		v, err := e.subject.Eval(in)
		if err != nil {
			return err
		}
		other := e.otherwise()
		switch {
		case v.Const && !v.Null(0):
			for _, i := range rows {
				e.from[i] = lookUp(e.lookup, v.Int(0)-e.base, other)
			}
		case v.Const || v.Type.Kind == expr.KindNull:
			for _, i := range rows {
				e.from[i] = other
			}
		case v.Type.Width() == 8:
			lookUpAll(e, vec.Values[int64](v), rows, other)
		case v.Type.Width() == 4:
			lookUpAll(e, vec.Values[int32](v), rows, other)
		case v.Type.Width() == 2:
			lookUpAll(e, vec.Values[int16](v), rows, other)
		default:
			lookUpAll(e, vec.Values[int8](v), rows, other)
		}
		if v.Valid != nil && !v.Const {
			for _, i := range rows {
				if v.Null(int(i)) {
					e.from[i] = other
				}
			}
		}
	}
	for k, val := range e.vals {
		v, err := val.Eval(in)
		if err != nil {
			return err
		}
		e.vs[k] = v
	}
	merge(&e.out, e.call.Typ, e.vs, e.from)
	return nil
}

func lookUpAll[T kernels.Int](e *branches, vals []T, rows []int32, other int32) {
	for _, i := range rows {
		e.from[i] = lookUp(e.lookup, int64(vals[i])-e.base, other)
	}
}

// lookUp returns table[at], or other beyond its ends; at may have wrapped.
func lookUp(table []int32, at int64, other int32) int32 {
	if uint64(at) < uint64(len(table)) {
		return table[at]
	}
	return other
}

// sharedCalls are functions that give the same for the same arguments, of those that a
// simple CASE is about.
const sharedCalls = " % + - * / div pmod mod abs floor ceil sign signum year month day dayofmonth dayofweek weekday quarter hour minute second date_trunc trunc " +
	"substring left right upper lower trim ltrim rtrim length concat split_part regexp_extract get_json_object date_format to_date coalesce get_struct_field "

// sameValue reports whether two bound expressions are the same columns, literals and
// calls of sharedCalls.
func sameValue(a, b expr.Expr) bool {
	switch a := a.(type) {
	case *expr.Ref:
		b, ok := b.(*expr.Ref)
		return ok && a.Index == b.Index
	case *expr.Alias:
		return sameValue(a.Child, b)
	case *expr.Literal:
		b, ok := b.(*expr.Literal)
		return ok && a.Typ.Equal(b.Typ) && expr.Fingerprint(a) == expr.Fingerprint(b)
	case *expr.Cast:
		b, ok := b.(*expr.Cast)
		return ok && a.Mode == b.Mode && a.To.Equal(b.To) && sameValue(a.Child, b.Child)
	case *expr.Call:
		b, ok := b.(*expr.Call)
		if !ok || a.Fn != b.Fn || a.Mode != b.Mode || a.User != nil || len(a.Args) != len(b.Args) || !strings.Contains(sharedCalls, " "+a.Fn+" ") {
			return false
		}
		for i := range a.Args {
			if !sameValue(a.Args[i], b.Args[i]) {
				return false
			}
		}
		return true
	}
	return false
}
