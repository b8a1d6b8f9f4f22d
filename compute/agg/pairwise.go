package agg

import (
	"github.com/flightd/flightd/compute/vec"
	"github.com/flightd/flightd/plan/expr"
	"github.com/flightd/flightd/state"
)

// pairs is an aggregate of one argument over the rows at which both are present.
type pairs struct {
	Accumulator
	arg int
	picker
}

func pairwise(arg int, of constructor) constructor {
	return func(c call) (*Func, error) {
		if err := c.need(2); err != nil {
			return nil, err
		}
		one := *c.Agg
		one.Args = []expr.Expr{c.Args[arg]}
		f, err := of(call{&one, c.constants})
		if err != nil {
			return nil, err
		}
		return &Func{Fields: f.Fields, bind: func(cols []state.Column) Accumulator {
			return &pairs{Accumulator: f.Bind(cols), arg: arg}
		}}, nil
	}
}

func (a *pairs) Update(rows, groups []int32, args []*vec.Vec) error {
	rows, groups = a.present(rows, groups, args...)
	return a.Accumulator.Update(rows, groups, args[a.arg:a.arg+1])
}

func (a *pairs) Merge(dst []int32, from Accumulator, src []int32) error {
	return a.Accumulator.Merge(dst, from.(*pairs).Accumulator, src)
}
