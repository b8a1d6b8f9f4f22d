package expr

import (
	"math"
	"unsafe"

	"github.com/flightd/flightd/compute/vec"
	"github.com/flightd/flightd/internal/base"
	"github.com/flightd/flightd/kernels"
	"github.com/flightd/flightd/plan/expr"
)

// function evaluates a call whose arguments are all evaluated first and whose
// work is one loop. Over constants only it runs once and gives a constant.
type function struct {
	args []Evaluator
	// strict: NULL wherever an argument is NULL; run sees only other rows.
	strict bool
	// volatile functions give each row its own value even over constants.
	volatile bool
	// nullArg: strict, and one of the arguments is a literal NULL: the others are
	// not evaluated, as Spark's optimizer does not keep them either.
	nullArg bool
	// fails[i]: the evaluation of an argument behind i may fail, so it must not see rows
	// for which argument i has made the result NULL already; nil: none may.
	fails  []bool
	live   []int32
	narrow Input
	run    func(f *frame) error
	f      frame
}

// frame is one evaluation of a function: arguments, wanted rows, result. Run
// fills out for the rows that each and its kin visit.
type frame struct {
	call *expr.Call
	env  *Env
	n    int
	sel  []int32
	args []*vec.Vec
	out  *vec.Vec
	// days is memory for the days of times.
	days []int32
}

func newFunction(call *expr.Call, args []Evaluator, env *Env, run func(f *frame) error) *function {
	null := false
	for _, a := range args {
		l, ok := a.(*literal)
		null = null || ok && l.v.Null(0)
	}
	return &function{args: args, strict: true, nullArg: null, fails: failing(call), run: run,
		f: frame{call: call, env: env, args: make([]*vec.Vec, len(args)), out: &vec.Vec{}}}
}

// strict is the row of a function that is NULL wherever an argument is.
func strict(run func(f *frame) error) row {
	return row{func(call *expr.Call, args []Evaluator, env *Env) (Evaluator, error) {
		return newFunction(call, args, env, run), nil
	}}
}

// lenient is the row of a function that sees NULL arguments.
func lenient(run func(f *frame) error) row {
	return row{func(call *expr.Call, args []Evaluator, env *Env) (Evaluator, error) {
		e := newFunction(call, args, env, run).lenient()
		return e, nil
	}}
}

// prepared is the row of a strict function that looks at its call once.
func prepared(setup func(call *expr.Call, env *Env) (func(f *frame) error, error)) row {
	return row{func(call *expr.Call, args []Evaluator, env *Env) (Evaluator, error) {
		run, err := setup(call, env)
		if err != nil {
			return nil, err
		}
		return newFunction(call, args, env, run), nil
	}}
}

// lenient makes e see NULL arguments.
func (e *function) lenient() *function {
	e.strict, e.nullArg = false, false
	return e
}

func (e *function) Eval(in *Input) (*vec.Vec, error) {
	f := &e.f
	if e.nullArg {
		return vec.NewConst(f.call.Typ, in.Rows), nil
	}
	constant := !e.volatile
	all := in
	for i, a := range e.args {
		if a == nil {
			continue
		}
		v, err := a.Eval(in)
		if err != nil {
			return nil, err
		}
		f.args[i] = v
		constant = constant && v.Const
		if e.strict && i < len(e.fails) && e.fails[i] && v.Valid != nil {
			if v.Const && v.Null(0) {
				return vec.NewConst(f.call.Typ, all.Rows), nil
			}
			if !v.Const {
				in = e.where(v, in)
			}
		}
	}
	in = all
	t := f.call.Typ
	f.n, f.sel = in.Rows, in.Sel
	if constant {
		if in.Live() == 0 {
			return vec.NewConst(t, in.Rows), nil
		}
		f.n, f.sel = 1, nil
	}
	out := f.out
	valid := out.Valid
	*out = vec.Vec{Type: t, Len: f.n, Data: out.Data, Off: out.Off, Own: vec.Scratch}
	if e.strict && !f.combineNulls(valid) {
		return vec.NewConst(t, in.Rows), nil
	}
	if err := e.run(f); err != nil {
		return nil, err
	}
	if constant {
		out.Const, out.Len = true, in.Rows
	}
	if out.Own == vec.Shared { // a column that run put in its place: it may be kept as it is
		f.out = &vec.Vec{}
	}
	return out, nil
}

// combineNulls sets the result's validity to the AND of the arguments'; false: no
// row is present. buf is reused if it is large enough.
func (f *frame) combineNulls(buf []byte) bool {
	for _, a := range f.args {
		if a == nil {
			continue
		}
		switch {
		case a.Type.Kind == expr.KindNull || a.Const && a.Null(0):
			return false
		case a.Valid == nil || a.Const:
		case f.out.Valid == nil:
			f.out.Valid = grow(buf, kernels.BitmapBytes(f.n))
			copy(f.out.Valid, a.Valid)
		default:
			kernels.And(f.out.Valid, f.out.Valid, a.Valid)
		}
	}
	return true
}

// grow returns n bytes, those of b if it has them. Their content is unspecified.
func grow(b []byte, n int) []byte {
	if cap(b) >= n {
		return b[:n]
	}
	return make([]byte, n, n+n/8)
}

// valid reports whether no strict argument of row i is NULL.
func (f *frame) valid(i int) bool { return f.out.Valid == nil || kernels.Bit(f.out.Valid, i) }

// setNull makes row i of the result NULL.
func (f *frame) setNull(i int) {
	if f.out.Valid == nil {
		f.out.Valid = make([]byte, kernels.BitmapBytes(f.n))
		kernels.FillOnes(f.out.Valid)
	}
	kernels.ClearBit(f.out.Valid, i)
}

// fail ends the evaluation with err, or makes row i NULL where the call's mode
// says so.
func (f *frame) fail(i int, err *base.Error) error {
	if f.call.Mode == expr.ANSI {
		return err.At(f.call.At)
	}
	f.setNull(i)
	return nil
}

// raise is fail for errors that every mode but Try raises.
func (f *frame) raise(i int, err *base.Error) error {
	if f.call.Mode == expr.Try {
		f.setNull(i)
		return nil
	}
	return err.At(f.call.At)
}

// each calls do for the live rows without a NULL argument.
func (f *frame) each(do func(i int)) {
	switch {
	case f.sel != nil:
		for _, i := range f.sel {
			if f.valid(int(i)) {
				do(int(i))
			}
		}
	case f.out.Valid == nil:
		for i := range f.n {
			do(i)
		}
	default:
		for i := range f.n {
			if f.valid(i) {
				do(i)
			}
		}
	}
}

// try is each for a loop that may fail.
func (f *frame) try(do func(i int) error) error {
	if f.sel != nil {
		for _, i := range f.sel {
			if f.valid(int(i)) {
				if err := do(int(i)); err != nil {
					return err
				}
			}
		}
		return nil
	}
	for i := range f.n {
		if f.valid(i) {
			if err := do(i); err != nil {
				return err
			}
		}
	}
	return nil
}

// fixed is a fixed-width argument; at(i) of a constant is its one value.
type fixed[T any] struct {
	vals []T
	mask int
}

func (a fixed[T]) at(i int) T { return a.vals[i&a.mask] }

func argument[T any](f *frame, k int) fixed[T] {
	v := f.args[k]
	if v.Const {
		return fixed[T]{vec.Values[T](v), 0}
	}
	return fixed[T]{vec.Values[T](v), -1}
}

// texts is a STRING or BINARY argument.
type texts struct {
	off  []int32
	data []byte
	mask int
}

func (a texts) at(i int) []byte {
	i &= a.mask
	return a.data[a.off[i]:a.off[i+1]]
}

func (f *frame) text(k int) texts { return textsOf(f.args[k]) }

func textsOf(v *vec.Vec) texts {
	if v.Const {
		return texts{v.Off, v.Data, 0}
	}
	return texts{v.Off, v.Data, -1}
}

// lists is an ARRAY or MAP argument: at(i) is the range of its elements in kids.
type lists struct {
	off  []int32
	mask int
	kids []*vec.Vec
}

func (a lists) at(i int) (lo, hi int) {
	i &= a.mask
	return int(a.off[i]), int(a.off[i+1])
}

func (f *frame) list(k int) lists {
	v := f.args[k]
	if v.Const {
		return lists{v.Off, 0, v.Kids}
	}
	return lists{v.Off, -1, v.Kids}
}

// results returns the result's values to be filled.
func results[T any](f *frame) []T {
	var t T
	f.out.Data = grow(f.out.Data, f.n*int(unsafe.Sizeof(t)))
	return vec.Values[T](f.out)[:f.n]
}

// bits returns the bitmap of a BOOLEAN result, cleared.
func (f *frame) bits() []byte {
	f.out.Data = grow(f.out.Data, kernels.BitmapBytes(f.n))
	clear(f.out.Data)
	return f.out.Data
}

// write fills a STRING or BINARY result: do appends the text of a row.
func (f *frame) write(do func(i int, dst []byte) ([]byte, error)) error {
	off := f.offsets()
	dst := f.out.Data[:0]
	next := 0
	row := func(i int) error {
		for ; next <= i; next++ {
			off[next] = int32(len(dst))
		}
		if !f.valid(i) {
			return nil
		}
		grown, err := do(i, dst)
		if err != nil {
			return err
		}
		if len(grown) > math.MaxInt32 {
			return base.Errorf(base.CodeExhausted, "%s: the text of one batch is longer than %d bytes", f.call.Fn, math.MaxInt32).At(f.call.At)
		}
		if len(grown) > cheap && len(grown)>>24 != len(dst)>>24 { // ask again every 16 MiB
			if err := f.room(int64(len(grown))); err != nil {
				return err
			}
		}
		dst = grown
		return nil
	}
	if f.sel != nil {
		for _, i := range f.sel {
			if err := row(int(i)); err != nil {
				return err
			}
		}
	} else {
		for i := range f.n {
			if err := row(i); err != nil {
				return err
			}
		}
	}
	for ; next <= f.n; next++ {
		off[next] = int32(len(dst))
	}
	f.out.Data = dst
	return nil
}

func (f *frame) offsets() []int32 {
	if cap(f.out.Off) <= f.n {
		f.out.Off = make([]int32, f.n+1, f.n+f.n/8+1)
	}
	f.out.Off = f.out.Off[:f.n+1]
	return f.out.Off
}

// gather fills an ARRAY or MAP result with elements of from: do appends the
// indices of a row's elements. A negative index is a NULL element.
func (f *frame) gather(from []*vec.Vec, do func(i int, idx []int32) ([]int32, error)) error {
	off := f.offsets()
	var idx []int32
	next := 0
	err := f.tryAll(func(i int) error {
		for ; next <= i; next++ {
			off[next] = int32(len(idx))
		}
		if !f.valid(i) {
			return nil
		}
		grown, err := do(i, idx)
		if err == nil {
			idx = grown
		}
		return err
	})
	if err != nil {
		return err
	}
	for ; next <= f.n; next++ {
		off[next] = int32(len(idx))
	}
	f.out.Kids = make([]*vec.Vec, len(from))
	for k, v := range from {
		f.out.Kids[k] = v.Take(idx)
	}
	return nil
}

// tryAll visits live rows, NULL ones too.
func (f *frame) tryAll(do func(i int) error) error {
	if f.sel != nil {
		for _, i := range f.sel {
			if err := do(int(i)); err != nil {
				return err
			}
		}
		return nil
	}
	for i := range f.n {
		if err := do(i); err != nil {
			return err
		}
	}
	return nil
}

// absent reports whether argument k is NULL in row i: for lenient functions.
func (f *frame) absent(k, i int) bool { return f.args[k].Null(i) }

// writeLists fills an ARRAY<STRING> result: do adds the members of a row.
func (f *frame) writeLists(do func(i int, add func(s []byte)) error) error {
	off := f.offsets()
	kid := &vec.Vec{Type: f.call.Typ.Elem, Off: []int32{0}}
	if v := f.args[0]; !v.Const && f.sel == nil && len(v.Off) > f.n && v.Dict == nil {
		// What is made of a text is seldom longer than the text.
		kid.Data, kid.Off = make([]byte, 0, v.Off[f.n]-v.Off[0]), append(make([]int32, 0, 4*f.n+1), 0)
	}
	add := func(s []byte) {
		kid.Data = append(kid.Data, s...)
		kid.Off = append(kid.Off, int32(len(kid.Data)))
		kid.Len++
	}
	next := 0
	err := f.tryAll(func(i int) error {
		for ; next <= i; next++ {
			off[next] = int32(kid.Len)
		}
		if !f.valid(i) {
			return nil
		}
		return do(i, add)
	})
	for ; next <= f.n; next++ {
		off[next] = int32(kid.Len)
	}
	f.out.Kids = []*vec.Vec{kid}
	return err
}
