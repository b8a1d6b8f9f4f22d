package expr

import (
	"github.com/flightd/flightd/compute/vec"
	"github.com/flightd/flightd/internal/base"
	"github.com/flightd/flightd/internal/invariants"
	"github.com/flightd/flightd/kernels"
	"github.com/flightd/flightd/plan/expr"
)

func lambdaRows() map[string]row {
	return map[string]row{
		"transform":        {makeTransform},
		"filter":           {makeFilter},
		"exists":           {makeExists(true)},
		"forall":           {makeExists(false)},
		"aggregate":        {makeAggregate},
		"zip_with":         {makeZipWith},
		"map_filter":       {makeFilter},
		"transform_keys":   {makeTransformMap(0)},
		"transform_values": {makeTransformMap(1)},
		"map_zip_with":     {makeMapZipWith},
	}
}

// lambda is the body of a lambda over the elements of lists, flattened into one
// column; what it captures of the row is repeated for each element.
type lambda struct {
	body Evaluator
	// pred is the body as a predicate, if asked for.
	captured []Evaluator
	params   int
}

// newLambda compiles argument k of a call. Inside, parameters are columns 0, 1, …
// and captured columns follow them.
func newLambda(c *expr.Call, k int, env *Env) (*lambda, error) {
	l, ok := c.Args[k].(*expr.Lambda)
	if !ok {
		return nil, invariants.AssertionFailedf("argument %d of %s is not a lambda", k, c.Fn)
	}
	out := &lambda{params: len(l.Params)}
	at := map[expr.ID]int{}
	for i, p := range l.Params {
		at[p.ID] = i
	}
	// Parameters of lambdas inside the body stay as they are.
	inner := map[expr.ID]bool{}
	expr.Walk(l.Body, func(e expr.Expr) bool {
		if f, ok := e.(*expr.Lambda); ok {
			for _, p := range f.Params {
				inner[p.ID] = true
			}
		}
		return true
	})
	refs := map[int]int{}
	body, err := expr.Rewrite(l.Body, func(e expr.Expr) (expr.Expr, error) {
		switch e := e.(type) {
		case *expr.LambdaVar:
			if i, ok := at[e.ID]; ok {
				return &expr.Ref{Index: i, Name: e.Name, Typ: e.Typ, Null: e.Null}, nil
			}
			if !inner[e.ID] {
				return nil, invariants.AssertionFailedf("lambda variable %s is bound nowhere", e.Name)
			}
		case *expr.Ref:
			i, ok := refs[e.Index]
			if !ok {
				i = out.params + len(out.captured)
				refs[e.Index] = i
				out.captured = append(out.captured, &ref{e.Index})
			}
			return &expr.Ref{Index: i, Name: e.Name, Typ: e.Typ, Null: e.Null}, nil
		}
		return e, nil
	})
	if err != nil {
		return nil, err
	}
	out.body, err = Compile(body, env)
	return out, err
}

// eval computes the body for elements: params are their columns, rows the row of
// in that each belongs to.
func (l *lambda) eval(in *Input, params []*vec.Vec, rows []int32) (*vec.Vec, error) {
	cols := append([]*vec.Vec(nil), params[:l.params]...)
	for _, c := range l.captured {
		v, err := c.Eval(in)
		if err != nil {
			return nil, err
		}
		if v.Const {
			w := *v
			w.Len = len(rows)
			cols = append(cols, &w)
			continue
		}
		cols = append(cols, v.Take(rows))
	}
	return l.body.Eval(&Input{Cols: cols, Rows: len(rows)})
}

// elementsOf lists the elements of a list column that live rows hold: their
// indices in the kids, their rows, their numbers in the list.
type elementsOf struct {
	idx, rows, pos []int32
}

func elements(v *vec.Vec, in *Input) elementsOf {
	var e elementsOf
	in.each(func(i int) {
		if v.Null(i) {
			return
		}
		k := v.Index(i)
		for at := v.Off[k]; at < v.Off[k+1]; at++ {
			e.idx = append(e.idx, at)
			e.rows = append(e.rows, int32(i))
			e.pos = append(e.pos, at-v.Off[k])
		}
	})
	return e
}

// higher evaluates a higher-order function over its first argument.
type higher struct {
	call *expr.Call
	args []Evaluator
	fns  []*lambda
	run  func(h *higher, in *Input, args []*vec.Vec) (*vec.Vec, error)
}

func (h *higher) Eval(in *Input) (*vec.Vec, error) {
	args := make([]*vec.Vec, len(h.args))
	for k, a := range h.args {
		v, err := a.Eval(in)
		if err != nil {
			return nil, err
		}
		if v.Type.Kind == expr.KindNull || v.Const && v.Null(0) && h.call.Fn != "aggregate" || k == 0 && v.Const && v.Null(0) {
			return vec.NewConst(h.call.Typ, in.Rows), nil
		}
		args[k] = v
	}
	return h.run(h, in, args)
}

func newHigher(c *expr.Call, args []Evaluator, env *Env, run func(h *higher, in *Input, args []*vec.Vec) (*vec.Vec, error)) (*higher, error) {
	h := &higher{call: c, run: run}
	for k, a := range args {
		if a != nil {
			h.args = append(h.args, a)
			continue
		}
		l, err := newLambda(c, k, env)
		if err != nil {
			return nil, err
		}
		h.fns = append(h.fns, l)
	}
	return h, nil
}

// listColumn makes a list column whose live rows have the numbers of elements that
// count says, in order; rows where null is true are NULL.
func listColumn(t *expr.Type, n int, kids []*vec.Vec, rows []int32, null func(i int) bool, in *Input) *vec.Vec {
	out := &vec.Vec{Type: t, Len: n, Off: make([]int32, n+1), Kids: kids}
	for _, r := range rows {
		out.Off[r+1]++
	}
	for i := range n {
		out.Off[i+1] += out.Off[i]
	}
	in.each(func(i int) {
		if null(i) {
			if out.Valid == nil {
				out.Valid = make([]byte, kernels.BitmapBytes(n))
				kernels.FillOnes(out.Valid)
			}
			kernels.ClearBit(out.Valid, i)
		}
	})
	return out
}

func takeAll(vs []*vec.Vec, idx []int32) []*vec.Vec {
	out := make([]*vec.Vec, len(vs))
	for k, v := range vs {
		out[k] = v.Take(idx)
	}
	return out
}

func makeTransform(c *expr.Call, args []Evaluator, env *Env) (Evaluator, error) {
	return newHigher(c, args, env, func(h *higher, in *Input, args []*vec.Vec) (*vec.Vec, error) {
		v := args[0]
		e := elements(v, in)
		params := []*vec.Vec{v.Kids[0].Take(e.idx), vec.FromValues(expr.Int32, e.pos, nil)}
		r, err := h.fns[0].eval(in, params, e.rows)
		if err != nil {
			return nil, err
		}
		return listColumn(c.Typ, in.Rows, []*vec.Vec{Fresh(r).Flat()}, e.rows, v.Null, in), nil
	})
}

// makeFilter is filter and map_filter.
func makeFilter(c *expr.Call, args []Evaluator, env *Env) (Evaluator, error) {
	return newHigher(c, args, env, func(h *higher, in *Input, args []*vec.Vec) (*vec.Vec, error) {
		v := args[0]
		e := elements(v, in)
		params := takeAll(v.Kids, e.idx)
		if len(params) == 1 {
			params = append(params, vec.FromValues(expr.Int32, e.pos, nil))
		}
		r, err := h.fns[0].eval(in, params, e.rows)
		if err != nil {
			return nil, err
		}
		var idx, rows []int32
		for k, at := range e.idx {
			if !r.Null(k) && r.Bool(k) {
				idx, rows = append(idx, at), append(rows, e.rows[k])
			}
		}
		return listColumn(c.Typ, in.Rows, takeAll(v.Kids, idx), rows, v.Null, in), nil
	})
}

// makeExists is exists (want true) and forall (want false): three-valued.
func makeExists(want bool) func(c *expr.Call, args []Evaluator, env *Env) (Evaluator, error) {
	return func(c *expr.Call, args []Evaluator, env *Env) (Evaluator, error) {
		return newHigher(c, args, env, func(h *higher, in *Input, args []*vec.Vec) (*vec.Vec, error) {
			v := args[0]
			e := elements(v, in)
			r, err := h.fns[0].eval(in, []*vec.Vec{v.Kids[0].Take(e.idx)}, e.rows)
			if err != nil {
				return nil, err
			}
			const unknown, decided = 1, 2
			state := make([]uint8, in.Rows)
			for k, row := range e.rows {
				switch {
				case r.Null(k):
					state[row] = max(state[row], unknown)
				case r.Bool(k) == want:
					state[row] = decided
				}
			}
			out := vec.NewNull(expr.Bool, in.Rows)
			for i := range in.Rows {
				if v.Null(i) || state[i] == unknown {
					continue
				}
				kernels.SetBit(out.Valid, i)
				if (state[i] == decided) == want {
					kernels.SetBit(out.Data, i)
				}
			}
			return out, nil
		})
	}
}

// makeAggregate folds the elements of all lists at once: the first of each, then
// the second of each, and so on.
func makeAggregate(c *expr.Call, args []Evaluator, env *Env) (Evaluator, error) {
	h, err := newHigher(c, args, env, aggregateLists)
	return h, err
}

func aggregateLists(h *higher, in *Input, args []*vec.Vec) (*vec.Vec, error) {
	v := args[0]
	acc := Fresh(args[1]).Flat()
	if acc.Len != in.Rows {
		c := *args[1]
		c.Len = in.Rows
		acc = c.Flat()
	}
	live := []int32{}
	in.each(func(i int) {
		if !v.Null(i) {
			live = append(live, int32(i))
		}
	})
	for n := int32(0); len(live) > 0; n++ {
		var idx, rows []int32
		for _, i := range live {
			k := v.Index(int(i))
			if v.Off[k]+n < v.Off[k+1] {
				idx, rows = append(idx, v.Off[k]+n), append(rows, i)
			}
		}
		live = rows
		if len(rows) == 0 {
			break
		}
		r, err := h.fns[0].eval(in, []*vec.Vec{acc.Take(rows), v.Kids[0].Take(idx)}, rows)
		if err != nil {
			return nil, err
		}
		// Rows that took part get their new value, the others keep theirs.
		both := vec.Concat([]*vec.Vec{acc, relabelled(r, acc.Type)})
		next := make([]int32, in.Rows)
		for i := range next {
			next[i] = int32(i)
		}
		for k, i := range rows {
			next[i] = int32(in.Rows + k)
		}
		acc = both.Take(next)
	}
	rows := make([]int32, 0, in.Rows)
	in.each(func(i int) {
		if !v.Null(i) {
			rows = append(rows, int32(i))
		}
	})
	r, err := h.fns[1].eval(in, []*vec.Vec{acc.Take(rows)}, rows)
	if err != nil {
		return nil, err
	}
	idx := freshFrom(nil, in.Rows)
	for k, i := range rows {
		idx[i] = int32(k)
	}
	return Fresh(r).Flat().Take(idx), nil
}

// relabelled is v under a type that differs at most in nullability.
func relabelled(v *vec.Vec, t *expr.Type) *vec.Vec {
	if v.Type.Kind == expr.KindNull && t.Kind != expr.KindNull {
		return vec.NewNull(t, v.Len)
	}
	w := *v.Flat()
	w.Type = t
	return &w
}

func makeZipWith(c *expr.Call, args []Evaluator, env *Env) (Evaluator, error) {
	return newHigher(c, args, env, func(h *higher, in *Input, args []*vec.Vec) (*vec.Vec, error) {
		a, b := args[0], args[1]
		null := func(i int) bool { return a.Null(i) || b.Null(i) }
		var ai, bi, rows []int32
		in.each(func(i int) {
			if null(i) {
				return
			}
			x, y := a.Index(i), b.Index(i)
			n, m := a.Off[x+1]-a.Off[x], b.Off[y+1]-b.Off[y]
			for k := range max(n, m) {
				p, q := int32(-1), int32(-1)
				if k < n {
					p = a.Off[x] + k
				}
				if k < m {
					q = b.Off[y] + k
				}
				ai, bi, rows = append(ai, p), append(bi, q), append(rows, int32(i))
			}
		})
		r, err := h.fns[0].eval(in, []*vec.Vec{a.Kids[0].Take(ai), b.Kids[0].Take(bi)}, rows)
		if err != nil {
			return nil, err
		}
		return listColumn(c.Typ, in.Rows, []*vec.Vec{Fresh(r).Flat()}, rows, null, in), nil
	})
}

// makeTransformMap is transform_keys (part 0) and transform_values (part 1).
func makeTransformMap(part int) func(c *expr.Call, args []Evaluator, env *Env) (Evaluator, error) {
	return func(c *expr.Call, args []Evaluator, env *Env) (Evaluator, error) {
		return newHigher(c, args, env, func(h *higher, in *Input, args []*vec.Vec) (*vec.Vec, error) {
			v := args[0]
			e := elements(v, in)
			kids := takeAll(v.Kids, e.idx)
			r, err := h.fns[0].eval(in, kids, e.rows)
			if err != nil {
				return nil, err
			}
			kids[part] = Fresh(r).Flat()
			out := listColumn(c.Typ, in.Rows, kids, e.rows, v.Null, in)
			if part == 0 {
				return uniqueMap(c, env, out, in)
			}
			return out, nil
		})
	}
}

// uniqueMap refuses NULL and repeated keys of a map column, or lets the last value
// of a key win.
func uniqueMap(c *expr.Call, env *Env, v *vec.Vec, in *Input) (*vec.Vec, error) {
	f := &frame{call: c, env: env, n: in.Rows, out: &vec.Vec{}}
	idx, vals := make([]int32, 0, v.Kids[0].Len), make([]int32, 0, v.Kids[0].Len)
	off := make([]int32, in.Rows+1)
	next, dropped := 0, false
	err := in.tryEach(func(i int) error {
		for ; next <= i; next++ {
			off[next] = int32(len(idx))
		}
		if v.Null(i) {
			return nil
		}
		at := len(idx)
		for k := v.Off[i]; k < v.Off[i+1]; k++ {
			idx, vals = append(idx, k), append(vals, k)
		}
		n, err := uniqueKeys(f, i, v.Kids[0], idx[at:], vals[at:])
		dropped = dropped || at+n < len(idx)
		idx, vals = idx[:at+n], vals[:at+n]
		return err
	})
	if err != nil || !dropped {
		return v, err
	}
	for ; next <= in.Rows; next++ {
		off[next] = int32(len(idx))
	}
	out := *v
	out.Off, out.Kids = off, []*vec.Vec{v.Kids[0].Take(idx), v.Kids[1].Take(vals)}
	return &out, nil
}

func makeMapZipWith(c *expr.Call, args []Evaluator, env *Env) (Evaluator, error) {
	return newHigher(c, args, env, func(h *higher, in *Input, args []*vec.Vec) (*vec.Vec, error) {
		a, b := args[0], args[1]
		null := func(i int) bool { return a.Null(i) || b.Null(i) }
		keys := vec.Concat([]*vec.Vec{a.Kids[0], b.Kids[0]})
		shift := int32(a.Kids[0].Len)
		var ki, ai, bi, rows []int32
		var buf []byte
		in.each(func(i int) {
			if null(i) {
				return
			}
			at := map[string]int{}
			x, y := a.Index(i), b.Index(i)
			for k := a.Off[x]; k < a.Off[x+1]; k++ {
				buf = vec.EqualRow(a.Kids[0], int(k), buf[:0])
				at[string(buf)] = len(ki)
				ki, ai, bi, rows = append(ki, k), append(ai, k), append(bi, -1), append(rows, int32(i))
			}
			for k := b.Off[y]; k < b.Off[y+1]; k++ {
				buf = vec.EqualRow(b.Kids[0], int(k), buf[:0])
				if p, ok := at[string(buf)]; ok {
					bi[p] = k
					continue
				}
				ki, ai, bi, rows = append(ki, k+shift), append(ai, -1), append(bi, k), append(rows, int32(i))
			}
		})
		k := keys.Take(ki)
		r, err := h.fns[0].eval(in, []*vec.Vec{k, a.Kids[1].Take(ai), b.Kids[1].Take(bi)}, rows)
		if err != nil {
			return nil, err
		}
		return listColumn(c.Typ, in.Rows, []*vec.Vec{k, Fresh(r).Flat()}, rows, null, in), nil
	})
}

// makeArraySort sorts by the elements' order, NULLs last, or by a comparator.
func makeArraySort(c *expr.Call, args []Evaluator, env *Env) (Evaluator, error) {
	if len(args) == 1 {
		return newFunction(c, args, env, func(f *frame) error { return sortLists(f, nullsLast) }), nil
	}
	return newHigher(c, args, env, func(h *higher, in *Input, args []*vec.Vec) (*vec.Vec, error) {
		v := args[0]
		var order, rows []int32
		var err error
		in.each(func(i int) {
			if err != nil || v.Null(i) {
				return
			}
			k := v.Index(i)
			part := make([]int32, 0, v.Off[k+1]-v.Off[k])
			for e := v.Off[k]; e < v.Off[k+1]; e++ {
				part = append(part, e)
				rows = append(rows, int32(i))
			}
			err = mergeSort(part, make([]int32, len(part)), func(x, y int32) (bool, error) {
				r, err := h.fns[0].eval(in, []*vec.Vec{v.Kids[0].Take([]int32{y}), v.Kids[0].Take([]int32{x})}, []int32{int32(i)})
				if err != nil {
					return false, err
				}
				if r.Null(0) {
					return false, base.UserError("COMPARATOR_RETURNS_NULL", "22004",
						"The comparator has returned a NULL for a comparison between %s and %s. It should return a positive integer for \"greater than\", 0 for \"equal\" and a negative integer for \"less than\". To revert to deprecated behavior where NULL is treated as 0 (equal), you must set \"spark.sql.legacy.allowNullComparisonResultInArraySort\" to \"true\".",
						AppendText(nil, v.Kids[0], int(x), env.zone), AppendText(nil, v.Kids[0], int(y), env.zone)).At(c.At)
				}
				// Asked of the later element, as a comparator that contradicts itself shows.
				return vec.Values[int32](r)[r.Index(0)] < 0, nil
			})
			order = append(order, part...)
		})
		if err != nil {
			return nil, err
		}
		return listColumn(c.Typ, in.Rows, takeAll(v.Kids, order), rows, v.Null, in), nil
	})
}

// mergeSort sorts a stably by a comparison that may fail: after reports whether x
// comes after y.
func mergeSort(a, buf []int32, after func(x, y int32) (bool, error)) error {
	if len(a) < 2 {
		return nil
	}
	m := len(a) / 2
	if err := mergeSort(a[:m], buf[:m], after); err != nil {
		return err
	}
	if err := mergeSort(a[m:], buf[m:], after); err != nil {
		return err
	}
	copy(buf, a)
	i, j := 0, m
	for k := range a {
		take := i == m
		if i < m && j < len(a) {
			var err error
			if take, err = after(buf[i], buf[j]); err != nil {
				return err
			}
		}
		if take {
			a[k] = buf[j]
			j++
		} else {
			a[k] = buf[i]
			i++
		}
	}
	return nil
}
