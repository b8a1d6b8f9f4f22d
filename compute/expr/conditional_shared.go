package expr

import (
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
		if _, constant := test.Args[1].(*expr.Literal); !constant {
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
