package expr

import (
	"github.com/flightd/flightd/compute/vec"
	"github.com/flightd/flightd/plan/expr"
)

func concatRows() map[string]row {
	return map[string]row{"concat": {makeConcat}, "||": {makeConcat}}
}

// makeConcat joins texts, bytes or arrays; NULL if one is NULL.
func makeConcat(c *expr.Call, args []Evaluator, env *Env) (Evaluator, error) {
	if len(args) == 0 {
		return newLiteral("", c.Typ)
	}
	if c.Typ.Kind != expr.KindArray {
		return newFunction(c, args, env, func(f *frame) error {
			parts := make([]texts, len(f.args))
			for k := range parts {
				parts[k] = f.text(k)
			}
			return f.write(func(i int, dst []byte) ([]byte, error) {
				for _, p := range parts {
					dst = append(dst, p.at(i)...)
				}
				return dst, nil
			})
		}), nil
	}
	return newFunction(c, args, env, func(f *frame) error {
		parts := make([]lists, len(f.args))
		kids := make([]*vec.Vec, len(f.args))
		start := make([]int, len(f.args))
		at := 0
		for k := range parts {
			parts[k] = f.list(k)
			kids[k] = memberColumn(f.args[k].Kids[0], f.args[k].Kids[0].Len, c.Typ.Elem)
			start[k] = at
			at += kids[k].Len
		}
		return f.gather([]*vec.Vec{vec.Concat(kids)}, func(i int, idx []int32) ([]int32, error) {
			for k, p := range parts {
				lo, hi := p.at(i)
				for e := lo; e < hi; e++ {
					idx = append(idx, int32(start[k]+e))
				}
			}
			return idx, nil
		})
	}), nil
}
