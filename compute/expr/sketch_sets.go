package expr

import (
	"strings"

	"github.com/flightd/flightd/internal/base"
	"github.com/flightd/flightd/plan/expr"
	"github.com/flightd/flightd/sketch/theta"
)

// setFunction makes the evaluator of a function of sketches of keys.
type setFunction = func(call *expr.Call, env *Env) (func(f *frame) error, error)

// tupleFunctions adds the functions of tuple sketches of a kind, whose names end in
// suffix.
func tupleFunctions(rows map[string]row, suffix string, kind theta.Kind) {
	rows["tuple_sketch_estimate"+suffix] = strict(tupleNumber(kind, (*theta.Compact).Estimate))
	rows["tuple_sketch_theta"+suffix] = strict(tupleNumber(kind, (*theta.Compact).Fraction))
	rows["tuple_sketch_summary"+suffix] = prepared(tupleSummary(kind))
	rows["tuple_union"+suffix] = prepared(setUnion(kind, kind))
	rows["tuple_intersection"+suffix] = prepared(setIntersection(kind, kind))
	rows["tuple_difference"+suffix] = prepared(setDifference(kind, kind))
	rows["tuple_union_theta"+suffix] = prepared(setUnion(kind, theta.Plain))
	rows["tuple_intersection_theta"+suffix] = prepared(setIntersection(kind, theta.Plain))
	rows["tuple_difference_theta"+suffix] = prepared(setDifference(kind, theta.Plain))
}

func tupleNumber(kind theta.Kind, of func(*theta.Compact) float64) func(f *frame) error {
	return func(f *frame) error {
		dst, a := results[float64](f), f.text(0)
		return f.try(func(i int) error {
			c, err := ParseTheta(f.call.Fn, a.at(i), kind)
			if err == nil {
				dst[i] = of(c)
			}
			return err
		})
	}
}

func tupleSummary(kind theta.Kind) setFunction {
	return func(call *expr.Call, env *Env) (func(f *frame) error, error) {
		mode, err := constantMode(call, env, 1)
		if err != nil {
			return nil, err
		}
		return func(f *frame) error {
			a := f.text(0)
			var floats []float64
			var ints []int64
			if kind == theta.Double {
				floats = results[float64](f)
			} else {
				ints = results[int64](f)
			}
			return f.try(func(i int) error {
				c, err := ParseTheta(f.call.Fn, a.at(i), kind)
				if err != nil {
					return err
				}
				x, n := c.Numbers(mode)
				if kind == theta.Double {
					floats[i] = x
				} else {
					ints[i] = n
				}
				return nil
			})
		}, nil
	}
}

// constantMode returns argument i, the mode of a tuple sketch; sum if there is none.
func constantMode(call *expr.Call, env *Env, i int) (theta.Mode, error) {
	if i >= len(call.Args) {
		return theta.Sum, nil
	}
	l, err := Fold(call.Args[i], env)
	if err != nil {
		return 0, err
	}
	name, ok := l.Value.(string)
	if !ok {
		return 0, callMismatch(call, "UNEXPECTED_NULL", "the mode must not be null.")
	}
	m, ok := theta.ParseMode(strings.ToLower(name))
	if !ok {
		return 0, callMismatch(call, "TYPE_CHECK_FAILURE_WITH_HINT", "the mode '"+name+"' is none of sum, min, max, alwaysone.")
	}
	return m, nil
}

func callMismatch(call *expr.Call, condition, what string) error {
	return base.UserError("DATATYPE_MISMATCH."+condition, "42K09", "Cannot resolve %q due to data type mismatch: %s", call.SQL(), what).At(call.At)
}

func badLgNominal(fn string, lg int64) *base.Error {
	return base.UserError("SKETCH_INVALID_LG_NOM_ENTRIES", "22003",
		"The `lgNomEntries` of `%s` must be between %d and %d, but is %d.", fn, theta.MinLgNominal, theta.MaxLgNominal, lg)
}

// pairs visits the two sketches of each row and writes what do makes of them.
func pairs(f *frame, first, second theta.Kind, do func(i int, a, b *theta.Compact) (*theta.Compact, error)) error {
	a, b := f.text(0), f.text(1)
	return f.write(func(i int, dst []byte) ([]byte, error) {
		x, err := ParseTheta(f.call.Fn, a.at(i), first)
		if err != nil {
			return dst, err
		}
		y, err := ParseTheta(f.call.Fn, b.at(i), second)
		if err != nil {
			return dst, err
		}
		out, err := do(i, x, y)
		if err != nil {
			return dst, err
		}
		return out.Append(dst), nil
	})
}

// setUnion is the union of a sketch of a kind with one of the same kind or of keys
// alone, which get the number that a summary starts with.
func setUnion(kind, second theta.Kind) setFunction {
	return func(call *expr.Call, env *Env) (func(f *frame) error, error) {
		mode, err := theta.Sum, error(nil)
		if kind != theta.Plain {
			if mode, err = constantMode(call, env, 3); err == nil {
				err = checkLgNominal(call, env, 2)
			}
		}
		if err != nil {
			return nil, err
		}
		return func(f *frame) error {
			lg := func(int) int64 { return theta.DefaultLgNominal }
			if len(f.args) > 2 {
				v := argument[int32](f, 2)
				lg = func(i int) int64 { return int64(v.at(i)) }
			}
			return pairs(f, kind, second, func(i int, a, b *theta.Compact) (*theta.Compact, error) {
				if n := lg(i); n < theta.MinLgNominal || n > theta.MaxLgNominal {
					return nil, badLgNominal(f.call.Fn, n)
				}
				u := theta.NewUnion(kind, mode, int(lg(i)))
				u.Add(a, theta.Summary{})
				u.Add(b, kind.Start(mode))
				return u.Result(), nil
			})
		}, nil
	}
}

// checkLgNominal checks argument i of a function of tuple sketches, a constant.
func checkLgNominal(call *expr.Call, env *Env, i int) error {
	if i >= len(call.Args) {
		return nil
	}
	l, err := Fold(call.Args[i], env)
	if err != nil {
		return err
	}
	lg, ok := l.Value.(int64)
	if !ok {
		return callMismatch(call, "UNEXPECTED_NULL", "the lgNomEntries must not be null.")
	}
	if lg < theta.MinLgNominal || lg > theta.MaxLgNominal {
		return callMismatch(call, "TYPE_CHECK_FAILURE_WITH_HINT", badLgNominal(call.Fn, lg).Error())
	}
	return nil
}

func setIntersection(kind, second theta.Kind) setFunction {
	return func(call *expr.Call, env *Env) (func(f *frame) error, error) {
		mode, err := theta.Sum, error(nil)
		if kind != theta.Plain {
			mode, err = constantMode(call, env, 2)
		}
		if err != nil {
			return nil, err
		}
		return func(f *frame) error {
			return pairs(f, kind, second, func(_ int, a, b *theta.Compact) (*theta.Compact, error) {
				x := theta.NewIntersection(kind, mode)
				x.Add(a, theta.Summary{})
				x.Add(b, kind.Start(mode))
				return x.Result(), nil
			})
		}, nil
	}
}

func setDifference(kind, second theta.Kind) setFunction {
	return func(*expr.Call, *Env) (func(f *frame) error, error) {
		return func(f *frame) error {
			return pairs(f, kind, second, func(_ int, a, b *theta.Compact) (*theta.Compact, error) {
				return theta.Difference(a, b), nil
			})
		}, nil
	}
}
