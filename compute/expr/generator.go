package expr

import (
	"github.com/flightd/flightd/compute/vec"
	"github.com/flightd/flightd/plan/expr"
)

// A Generator makes rows from rows.
type Generator interface {
	// Generate returns, in the order of the live rows of in, the columns that the
	// generator makes and the input row of each output row. Rows that make none
	// do not occur: an outer operator adds them. The columns are fresh.
	Generate(in *Input) (rows []int32, cols []*vec.Vec, err error)
}

// CompileGenerator returns the generator of a bound call of explode, posexplode,
// inline, stack, json_tuple or variant_explode, or of its outer form. The fields of the call's type
// are the columns.
func CompileGenerator(call *expr.Call, env *Env) (Generator, error) {
	env.prepare()
	args, err := CompileAll(call.Args, env)
	if err != nil {
		return nil, err
	}
	switch call.Fn {
	case "explode", "explode_outer":
		return &explode{call: call, arg: args[0]}, nil
	case "posexplode", "posexplode_outer":
		return &explode{call: call, arg: args[0], pos: true}, nil
	case "inline", "inline_outer":
		return &explode{call: call, arg: args[0], inline: true}, nil
	case "stack":
		value, ok := literalArg(call, 0)
		n, isInt := value.(int64)
		if !ok || !isInt {
			return nil, unsupported(call)
		}
		return &stack{call: call, args: args[1:], n: int(n)}, nil
	case "variant_explode", "variant_explode_outer":
		return &variantExplode{arg: args[0]}, nil
	case "json_tuple":
		return &jsonTuple{args: args}, nil
	}
	return nil, unsupported(call)
}

type explode struct {
	call        *expr.Call
	arg         Evaluator
	pos, inline bool
}

func (g *explode) Generate(in *Input) ([]int32, []*vec.Vec, error) {
	v, err := g.arg.Eval(in)
	if err != nil {
		return nil, nil, err
	}
	if v.Type.Kind == expr.KindNull {
		return []int32{}, emptyColumns(g.call.Typ), nil
	}
	e := elements(v, in)
	if e.rows == nil {
		e.rows = []int32{}
	}
	cols := takeAll(v.Kids, e.idx)
	if g.inline {
		s := cols[0]
		cols = make([]*vec.Vec, len(s.Kids))
		for k, kid := range s.Kids {
			// A NULL struct gives a row of NULLs.
			idx := make([]int32, s.Len)
			for i := range idx {
				idx[i] = int32(i)
				if s.Null(i) {
					idx[i] = -1
				}
			}
			cols[k] = kid.Flat().Take(idx)
		}
	}
	if g.pos {
		cols = append([]*vec.Vec{vec.FromValues(expr.Int32, e.pos, nil)}, cols...)
	}
	return e.rows, cols, nil
}

func emptyColumns(t *expr.Type) []*vec.Vec {
	cols := make([]*vec.Vec, len(t.Fields))
	for k, f := range t.Fields {
		cols[k] = vec.NewNull(f.Type, 0)
	}
	return cols
}

// stack makes n rows of its arguments, in turns.
type stack struct {
	call *expr.Call
	args []Evaluator
	n    int
}

func (g *stack) Generate(in *Input) ([]int32, []*vec.Vec, error) {
	width := len(g.call.Typ.Fields)
	rows := make([]int32, 0, in.Live()*g.n)
	in.each(func(i int) {
		for range g.n {
			rows = append(rows, int32(i))
		}
	})
	cols := make([]*vec.Vec, width)
	for c, field := range g.call.Typ.Fields {
		var parts []*vec.Vec
		for r := range g.n {
			k := r*width + c
			if k >= len(g.args) {
				parts = append(parts, vec.NewNull(field.Type, in.Rows))
				continue
			}
			v, err := g.args[k].Eval(in)
			if err != nil {
				return nil, nil, err
			}
			parts = append(parts, memberColumn(v, in.Rows, field.Type))
		}
		idx := make([]int32, 0, len(rows))
		in.each(func(i int) {
			for r := range g.n {
				idx = append(idx, int32(r*in.Rows+i))
			}
		})
		cols[c] = vec.Concat(parts).Take(idx)
	}
	return rows, cols, nil
}
