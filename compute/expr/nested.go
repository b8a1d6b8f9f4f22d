package expr

import (
	"github.com/flightd/flightd/compute/vec"
	"github.com/flightd/flightd/internal/base"
	"github.com/flightd/flightd/kernels"
	"github.com/flightd/flightd/plan/expr"
)

func nestedRows() map[string]row {
	return map[string]row{
		"struct": {func(c *expr.Call, args []Evaluator, _ *Env) (Evaluator, error) {
			return &structure{call: c, args: args}, nil
		}},
		"named_struct": {func(c *expr.Call, args []Evaluator, _ *Env) (Evaluator, error) {
			e := &structure{call: c}
			for i := 1; i < len(args); i += 2 {
				e.args = append(e.args, args[i])
			}
			return e, nil
		}},
		"array":       lenient(makeArrays),
		"map":         lenient(makeMaps),
		"getfield":    {makeGetField},
		"getitem":     {makeGetItem},
		"getmapvalue": strict(mapValue),
	}
}

// structure makes structs of its arguments' columns.
type structure struct {
	call *expr.Call
	args []Evaluator
	out  vec.Vec
}

func (e *structure) Eval(in *Input) (*vec.Vec, error) {
	e.out = vec.Vec{Type: e.call.Typ, Len: in.Rows, Own: vec.Scratch, Kids: make([]*vec.Vec, len(e.args))}
	for k, a := range e.args {
		v, err := a.Eval(in)
		if err != nil {
			return nil, err
		}
		e.out.Kids[k] = v
	}
	return &e.out, nil
}

// memberColumn returns an argument as a full column of a member's type.
func memberColumn(v *vec.Vec, n int, t *expr.Type) *vec.Vec {
	if v.Type.Kind == expr.KindNull && t.Kind != expr.KindNull {
		return vec.NewNull(t, n)
	}
	if v.Const {
		c := *v
		c.Len = n
		return c.Flat()
	}
	return v
}

func makeArrays(f *frame) error {
	if len(f.args) == 0 {
		clear(f.offsets())
		f.out.Kids = []*vec.Vec{vec.NewNull(f.call.Typ.Elem, 0)}
		return nil
	}
	cols := make([]*vec.Vec, len(f.args))
	for k, v := range f.args {
		cols[k] = memberColumn(v, f.n, f.call.Typ.Elem)
	}
	return f.gather([]*vec.Vec{vec.Concat(cols)}, func(i int, idx []int32) ([]int32, error) {
		for k := range cols {
			idx = append(idx, int32(k*f.n+i))
		}
		return idx, nil
	})
}

func nullMapKey() *base.Error {
	return base.UserError("NULL_MAP_KEY", "2200E", "Cannot use null as map key.")
}

func duplicateMapKey(v *vec.Vec, i int) *base.Error {
	return base.UserError("DUPLICATED_MAP_KEY", "23505",
		"Duplicate map key %s was found, please check the input data.\nIf you want to remove the duplicated keys, you can set \"spark.sql.mapKeyDedupPolicy\" to \"LAST_WIN\" so that the key inserted at last takes precedence.",
		AppendText(nil, v, i, nil))
}

// uniqueKeys refuses NULL among the elements idx of keys. Repeated keys are
// refused too, or, where the session says so, the last value takes the place of
// the first: idx, and also values if it is not nil, are shortened to the first n.
func uniqueKeys(f *frame, i int, keys *vec.Vec, idx, values []int32) (n int, err error) {
	var seen map[string]int
	var buf []byte
	if values == nil {
		values = idx
	}
	for at, k := range idx {
		if k < 0 || keys.Null(int(k)) {
			return at, f.raise(i, nullMapKey())
		}
		first := -1
		if len(idx) <= 8 {
			for j := range n {
				if vec.Compare(keys, int(idx[j]), keys, int(k)) == 0 {
					first = j
				}
			}
		} else {
			if seen == nil {
				seen = make(map[string]int, len(idx))
			}
			buf = vec.EqualRow(keys, int(k), buf[:0])
			if j, ok := seen[string(buf)]; ok {
				first = j
			} else {
				seen[string(buf)] = n
			}
		}
		switch {
		case first < 0:
			idx[n], values[n] = k, values[at]
			n++
		case f.env != nil && f.env.LastKeyWins:
			values[first] = values[at]
		default:
			return at, f.raise(i, duplicateMapKey(keys, int(k)))
		}
	}
	return n, nil
}

// normalKeys are keys of maps with 0.0 in place of -0.0, as keys that are equal are
// one. v is fresh.
func normalKeys(v *vec.Vec) *vec.Vec {
	switch v.Type.Kind {
	case expr.KindFloat32:
		for i, x := range vec.Values[float32](v) {
			vec.Values[float32](v)[i] = x + 0
		}
	case expr.KindFloat64:
		for i, x := range vec.Values[float64](v) {
			vec.Values[float64](v)[i] = x + 0
		}
	}
	return v
}

func makeMaps(f *frame) error {
	if len(f.args) == 0 {
		clear(f.offsets())
		f.out.Kids = []*vec.Vec{vec.NewNull(f.call.Typ.Key, 0), vec.NewNull(f.call.Typ.Elem, 0)}
		return nil
	}
	var keys, vals []*vec.Vec
	for k := 0; k+1 < len(f.args); k += 2 {
		keys = append(keys, memberColumn(f.args[k], f.n, f.call.Typ.Key))
		vals = append(vals, memberColumn(f.args[k+1], f.n, f.call.Typ.Elem))
	}
	allKeys := normalKeys(vec.Concat(keys))
	return f.gather([]*vec.Vec{allKeys, vec.Concat(vals)}, func(i int, idx []int32) ([]int32, error) {
		at := len(idx)
		for k := range keys {
			idx = append(idx, int32(k*f.n+i))
		}
		n, err := uniqueKeys(f, i, allKeys, idx[at:], nil)
		return idx[:at+n], err
	})
}

// fieldOf is a field of a struct column: the field's own column, NULL also where
// the struct is.
type fieldOf struct {
	child Evaluator
	index int
	t     *expr.Type
	out   vec.Vec
	valid []byte
}

func makeGetField(c *expr.Call, args []Evaluator, _ *Env) (Evaluator, error) {
	value, ok := literalArg(c, 1)
	index, isInt := value.(int64)
	if !ok || !isInt {
		return nil, unsupported(c)
	}
	return &fieldOf{child: args[0], index: int(index), t: c.Typ}, nil
}

func (e *fieldOf) Eval(in *Input) (*vec.Vec, error) {
	v, err := e.child.Eval(in)
	if err != nil {
		return nil, err
	}
	if v.Type.Kind == expr.KindNull || v.Const && v.Null(0) {
		return vec.NewConst(e.t, in.Rows), nil
	}
	kid := v.Kids[e.index]
	if v.Valid == nil && !v.Const || kid.Type.Kind == expr.KindNull {
		return kid, nil
	}
	e.out = *kid
	e.out.Own = vec.Borrowed
	if v.Const {
		e.out.Const, e.out.Len = true, in.Rows
		return &e.out, nil
	}
	if kid.Const {
		e.out = *kid.Flat()
		e.out.Own = vec.Borrowed
		kid = &e.out
	}
	if kid.Valid == nil {
		e.out.Valid = v.Valid
		return &e.out, nil
	}
	e.valid = grow(e.valid, kernels.BitmapBytes(in.Rows))
	kernels.And(e.valid, kid.Valid[:len(e.valid)], v.Valid)
	e.out.Valid = e.valid
	return &e.out, nil
}

// take makes the result the rows idx of v; a negative index gives NULL.
func (f *frame) take(v *vec.Vec, idx []int32) {
	t := f.call.Typ
	*f.out = *v.Take(idx)
	f.out.Type, f.out.Own = t, vec.Scratch
}

func makeGetItem(c *expr.Call, args []Evaluator, env *Env) (Evaluator, error) {
	if c.Args[0].Type().Kind == expr.KindMap {
		return newFunction(c, args, env, mapValue), nil
	}
	if c.Args[0].Type().Kind == expr.KindStruct {
		return makeGetField(c, args, env)
	}
	var w []int64
	return newFunction(c, args, env, func(f *frame) error {
		a, v := f.list(0), f.args[0].Kids[0]
		w = ints(f, 1, w)
		idx := freshFrom(nil, f.n)
		err := f.try(func(i int) error {
			lo, hi := a.at(i)
			if k := w[i]; k < 0 || k >= int64(hi-lo) {
				return f.fail(i, base.UserError("INVALID_ARRAY_INDEX", "22003",
					"The index %d is out of bounds. The array has %d elements. Use the SQL function `get()` to tolerate accessing element at invalid index and return NULL instead.", k, hi-lo))
			}
			idx[i] = int32(lo) + int32(w[i])
			return nil
		})
		f.take(v, idx)
		return err
	}), nil
}

// mapValue is map[key]: NULL if there is no such key.
func mapValue(f *frame) error {
	a, keys, vals, want := f.list(0), f.args[0].Kids[0], f.args[0].Kids[1], f.args[1]
	idx := freshFrom(nil, f.n)
	f.each(func(i int) {
		lo, hi := a.at(i)
		for k := lo; k < hi; k++ {
			if vec.Compare(keys, k, want, i) == 0 {
				idx[i] = int32(k)
				return
			}
		}
	})
	f.take(vals, idx)
	return nil
}
