package expr

import (
	"github.com/flightd/flightd/compute/vec"
	"github.com/flightd/flightd/plan/expr"
)

// where returns in with those of its rows for which v has a value.
func (e *function) where(v *vec.Vec, in *Input) *Input {
	e.live = e.live[:0]
	if in.Sel == nil {
		for i := range in.Rows {
			if v.Valid[i>>3]>>(i&7)&1 == 1 {
				e.live = append(e.live, int32(i))
			}
		}
	} else {
		for _, i := range in.Sel {
			if v.Valid[i>>3]>>(i&7)&1 == 1 {
				e.live = append(e.live, i)
			}
		}
	}
	if e.live == nil {
		e.live = []int32{}
	}
	e.narrow = in.narrowed(e.live)
	return &e.narrow
}

// failing tells for each argument of a call whether one behind it may fail; nil if none
// may.
func failing(call *expr.Call) []bool {
	switch call.Fn {
	case "concat", "format_string", "elt": // Spark evaluates all of their arguments
		return nil
	}
	var out []bool
	for i := 1; i < len(call.Args); i++ {
		if mayFail(call.Args[i]) {
			if out == nil {
				out = make([]bool, len(call.Args))
			}
			for k := range i {
				out[k] = true
			}
		}
	}
	return out
}

// mayFail reports whether e has an operation that raises errors, and nothing that
// counts the rows it sees.
func mayFail(e expr.Expr) bool {
	fails, counts := false, false
	expr.Walk(e, func(e expr.Expr) bool {
		switch e := e.(type) {
		case *expr.Call:
			fails = fails || e.Mode == expr.ANSI && !neverFails(e)
			f := e.Signature()
			counts = counts || f != nil && f.Nondeterministic
		case *expr.Cast:
			fails = fails || e.Mode == expr.ANSI && e.Child.Type().Kind == expr.KindString
		}
		return true
	})
	return fails && !counts
}

// neverFails reports whether a call raises no error of its own: what is common and safe.
func neverFails(c *expr.Call) bool {
	switch c.Fn {
	case "=", "<=>", "<", "<=", ">", ">=", "and", "or", "not", "isnull", "isnotnull", "if", "case", "coalesce", "in",
		"upper", "lower", "length", "trim", "ltrim", "rtrim", "substring", "concat", "like", "startswith", "endswith", "contains",
		"getfield", "year", "month", "day", "hour", "minute", "second":
		return true
	case "+", "-", "*":
		return c.Typ.Kind == expr.KindFloat32 || c.Typ.Kind == expr.KindFloat64
	}
	return false
}
