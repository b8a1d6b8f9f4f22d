package expr

import (
	"github.com/flightd/flightd/compute/vec"
	"github.com/flightd/flightd/internal/arrowtext"
	"github.com/flightd/flightd/internal/base"
	"github.com/flightd/flightd/kernels"
	"github.com/flightd/flightd/plan/expr"
)

// compileCast returns the evaluator of a cast; casts between types that hold the
// same bytes evaluate the child and relabel it.
func compileCast(e *expr.Cast, env *Env, common *Subexpressions) (Evaluator, error) {
	env.prepare()
	child, err := compile(e.Child, env, common)
	if err != nil {
		return nil, err
	}
	from, to := e.Child.Type(), e.To
	if special := specialTime(e, env); special != nil {
		return special, nil
	}
	call := &expr.Call{At: e.At, Fn: "cast", Args: []expr.Expr{e.Child}, Typ: to, Mode: e.Mode}
	if from.Equal(to) && (!from.IsNested()) {
		return child, nil
	}
	if sameBytes(from, to) {
		return &relabel{child: child, t: to}, nil
	}
	run, err := castColumn(from, to, call, env)
	if err != nil {
		return nil, err
	}
	return newFunction(call, []Evaluator{child}, env, run), nil
}

func sameBytes(from, to *expr.Type) bool {
	switch {
	case from.Equal(to), from.Geo != expr.NoGeo && to.Geo != expr.NoGeo:
		return true
	case from.Kind == expr.KindString && to.Kind == expr.KindString, from.Kind == expr.KindString && to.Kind == expr.KindBinary,
		from.Kind == expr.KindBinary && to.Kind == expr.KindString:
		return true
	case from.Kind == expr.KindYearMonth && to.Kind == expr.KindYearMonth, from.Kind == expr.KindDayTime && to.Kind == expr.KindDayTime:
		return to.To >= from.To // nothing to cut off
	}
	return false
}

// relabel passes a column on under another type.
type relabel struct {
	child Evaluator
	t     *expr.Type
}

func (e *relabel) Eval(in *Input) (*vec.Vec, error) {
	v, err := e.child.Eval(in)
	if err != nil {
		return nil, err
	}
	out := *v // not the evaluator's own: a shared column is kept as it is
	out.Type = e.t
	if v.Own == vec.Scratch {
		out.Own = vec.Borrowed
	}
	return &out, nil
}

// castColumn returns the loop of a cast.
func castColumn(from, to *expr.Type, call *expr.Call, env *Env) (func(f *frame) error, error) {
	var run func(f *frame) error
	switch {
	case from.Kind == expr.KindNull:
		return func(*frame) error { return nil }, nil
	case from.Kind == expr.KindVariant:
		return castFromVariant(to, call, env)
	case to.Kind == expr.KindVariant:
		return castToVariant, nil
	case to.Kind == expr.KindString:
		return castToText, nil
	case from.IsNested() && from.Kind == to.Kind:
		return castNested(from, to, call, env)
	case from.Kind == expr.KindString:
		run = castFromText(to)
	case to.Kind == expr.KindDecimal:
		run = castToDecimal(from)
	case to.Kind == expr.KindBool:
		run = castToBool(from)
	case to.IsNumeric():
		run = castToNumber(from, to)
	case to.Kind == expr.KindBinary && from.IsInteger():
		run = castToBytes
	default:
		run = castTemporal(from, to)
	}
	if run == nil {
		return nil, base.UserError("DATATYPE_MISMATCH.CAST_WITHOUT_SUGGESTION", "42K09",
			"Cannot resolve %q due to data type mismatch: cannot cast %q to %q.", call.Args[0].SQL(), from.SQL(), to.SQL()).At(call.At)
	}
	return run, nil
}

func castToText(f *frame) error {
	v := f.args[0]
	if f.call.Mode == expr.Legacy && v.Type.Kind == expr.KindDecimal {
		a := argument[kernels.Int128](f, 0)
		return f.write(func(i int, dst []byte) ([]byte, error) {
			return arrowtext.AppendScientific(dst, a.at(i), v.Type.Scale), nil
		})
	}
	return f.write(func(i int, dst []byte) ([]byte, error) { return appendText(dst, v, i, f.env.zone), nil })
}

// castOverflow is the error of row i of the argument; casts to intervals raise it
// in legacy mode too.
func (f *frame) castOverflow(i int) error {
	if f.call.Typ.IsInterval() {
		return f.raise(i, castOverflow(f.shownArg(i), f.args[0].Type, f.call.Typ))
	}
	return f.fail(i, castOverflow(f.shownArg(i), f.args[0].Type, f.call.Typ))
}

// shownArg is the argument's value in a message; a FLOAT has no suffix.
func (f *frame) shownArg(i int) string {
	v := f.args[0]
	if v.Type.Kind == expr.KindTimestamp {
		return "TIMESTAMP '" + string(appendText(nil, v, i, f.env.zone)) + "'"
	}
	return shown(v, i)
}

func castToNumber(from, to *expr.Type) func(f *frame) error {
	switch to.Kind {
	case expr.KindInt8:
		return castToInt[int8](from)
	case expr.KindInt16:
		return castToInt[int16](from)
	case expr.KindInt32:
		return castToInt[int32](from)
	case expr.KindInt64:
		return castToInt[int64](from)
	case expr.KindFloat32:
		return castToFloat[float32](from)
	}
	return castToFloat[float64](from)
}

func castToInt[T kernels.Int](from *expr.Type) func(f *frame) error {
	switch from.Kind {
	case expr.KindBool:
		return boolToNumber[T]
	case expr.KindInt8:
		return narrow[T, int8]
	case expr.KindInt16:
		return narrow[T, int16]
	case expr.KindInt32:
		return narrow[T, int32]
	case expr.KindInt64:
		return narrow[T, int64]
	case expr.KindFloat32:
		return truncate[T, float32]
	case expr.KindFloat64:
		return truncate[T, float64]
	case expr.KindDecimal:
		return func(f *frame) error {
			dst, a := results[T](f), argument[kernels.Int128](f, 0)
			return f.try(func(i int) error {
				x := a.at(i)
				if from.Scale > 0 {
					x = kernels.Truncate(x, from.Scale)
				}
				dst[i] = T(x.Lo)
				if v, ok := x.Int64(); (!ok || int64(T(v)) != v) && f.call.Mode != expr.Legacy {
					return f.castOverflow(i)
				}
				return nil
			})
		}
	case expr.KindTimestamp:
		return intFrom[T](func(t int64) int64 { return kernels.FloorDiv(t, kernels.Second) })
	case expr.KindTime:
		return intFrom[T](func(t int64) int64 { return t / nanosPerSecond })
	case expr.KindDayTime:
		unit := unitOf(from.To)
		return intFrom[T](func(t int64) int64 { return t / unit })
	case expr.KindYearMonth:
		return func(f *frame) error {
			dst, a := results[T](f), argument[int32](f, 0)
			return f.try(func(i int) error {
				x := a.at(i)
				if from.To == expr.FieldYear {
					x /= 12
				}
				dst[i] = T(x)
				if int64(dst[i]) != int64(x) {
					return f.castOverflow(i)
				}
				return nil
			})
		}
	case expr.KindDate:
		return allNull // outside ANSI mode only
	}
	return nil
}

func allNull(f *frame) error {
	f.each(f.setNull)
	f.out.Data = grow(f.out.Data, f.n*max(1, f.call.Typ.Width()))
	return nil
}

// intFrom converts a 64-bit count by conv.
func intFrom[T kernels.Int](conv func(int64) int64) func(f *frame) error {
	return func(f *frame) error {
		dst, a := results[T](f), argument[int64](f, 0)
		return f.try(func(i int) error {
			v := conv(a.at(i))
			dst[i] = T(v)
			if int64(dst[i]) != v {
				return f.castOverflow(i)
			}
			return nil
		})
	}
}

func narrow[T, S kernels.Int](f *frame) error {
	var s spread[S]
	a := s.column(f, 0)
	bad := kernels.NarrowInt(results[T](f), a)
	if f.call.Mode == expr.Legacy {
		return nil
	}
	return f.settle(bad, func(i int) bool { return int64(T(a[i])) == int64(a[i]) }, f.castOverflow)
}

// truncate cuts off the fraction. Legacy mode saturates at INT or BIGINT and then
// wraps.
func truncate[T kernels.Int, S kernels.Float](f *frame) error {
	dst, a := results[T](f), argument[S](f, 0)
	lo, hi := bounds[T]()
	return f.try(func(i int) error {
		x := float64(a.at(i))
		if x > lo-1 && x < hi+1 && hi < 1<<62 || x >= lo && x < hi {
			dst[i] = T(x)
			return nil
		}
		if f.call.Mode == expr.Legacy || x == hi && hi > 1<<62 {
			// (2^63 itself passes Spark's check.)
			if hi > 1<<62 {
				dst[i] = T(saturate(x, -1<<63, 1<<63-1))
			} else {
				dst[i] = T(saturate(x, -1<<31, 1<<31-1))
			}
			return nil
		}
		return f.castOverflow(i)
	})
}

// bounds returns the smallest and largest T as doubles.
func bounds[T kernels.Int]() (lo, hi float64) {
	var t T
	switch any(t).(type) {
	case int8:
		return -1 << 7, 1<<7 - 1
	case int16:
		return -1 << 15, 1<<15 - 1
	case int32:
		return -1 << 31, 1<<31 - 1
	}
	return -1 << 63, 1 << 63
}

// saturate converts as Java does: NaN is 0.
func saturate(x float64, lo, hi int64) int64 {
	switch {
	case x != x:
		return 0
	case x <= float64(lo):
		return lo
	case x >= float64(hi):
		return hi
	}
	return int64(x)
}

// boolToNumber gives 1 for true and 0 for false.
func boolToNumber[T kernels.Int | kernels.Float](f *frame) error {
	dst, v := results[T](f), f.args[0]
	for i := range dst {
		dst[i] = 0
		if v.Bool(i) {
			dst[i] = 1
		}
	}
	return nil
}

func castToFloat[T kernels.Float](from *expr.Type) func(f *frame) error {
	switch from.Kind {
	case expr.KindBool:
		return boolToNumber[T]
	case expr.KindInt8:
		return convert[T, int8]
	case expr.KindInt16:
		return convert[T, int16]
	case expr.KindInt32:
		return convert[T, int32]
	case expr.KindInt64:
		return convert[T, int64]
	case expr.KindFloat32:
		return convert[T, float32]
	case expr.KindFloat64:
		return convert[T, float64]
	case expr.KindDecimal:
		return func(f *frame) error {
			dst, a := results[T](f), argument[kernels.Int128](f, 0)
			f.each(func(i int) { dst[i] = T(arrowtext.DecimalFloat64(a.at(i), from.Scale)) })
			return nil
		}
	case expr.KindTimestamp:
		return func(f *frame) error {
			dst, a := results[T](f), argument[int64](f, 0)
			f.each(func(i int) { dst[i] = T(float64(a.at(i)) / 1e6) })
			return nil
		}
	case expr.KindDate:
		return allNull
	}
	return nil
}

func convert[T, S kernels.Number](f *frame) error {
	var s spread[S]
	kernels.Convert(results[T](f), s.column(f, 0))
	return nil
}

func castToBool(from *expr.Type) func(f *frame) error {
	switch from.Kind {
	case expr.KindInt8:
		return nonZero[int8]
	case expr.KindInt16:
		return nonZero[int16]
	case expr.KindInt32:
		return nonZero[int32]
	case expr.KindInt64, expr.KindTimestamp:
		return nonZero[int64]
	case expr.KindFloat32:
		return nonZero[float32]
	case expr.KindFloat64:
		return nonZero[float64]
	case expr.KindDecimal:
		return func(f *frame) error {
			dst, a := f.bits(), argument[kernels.Int128](f, 0)
			f.each(func(i int) {
				if a.at(i).Sign() != 0 {
					kernels.SetBit(dst, i)
				}
			})
			return nil
		}
	case expr.KindDate:
		return allNull
	}
	return nil
}

func nonZero[T kernels.Number](f *frame) error {
	dst, a := f.bits(), argument[T](f, 0)
	for i := range f.n {
		if a.at(i) != 0 {
			kernels.SetBit(dst, i)
		}
	}
	return nil
}

// castToBytes is an integer as its big-endian bytes, outside ANSI mode.
func castToBytes(f *frame) error {
	v := f.args[0]
	w := v.Type.Width()
	return f.write(func(i int, dst []byte) ([]byte, error) {
		at := v.Index(i) * w
		for k := w - 1; k >= 0; k-- {
			dst = append(dst, v.Data[at+k])
		}
		return dst, nil
	})
}

// castNested casts the members of arrays, maps and structs: only those that live
// rows reach.
func castNested(from, to *expr.Type, call *expr.Call, env *Env) (func(f *frame) error, error) {
	member := func(a, b *expr.Type) (Evaluator, error) {
		return compileCast(&expr.Cast{At: call.At, Child: &expr.Ref{Typ: a, Name: "member", Null: true}, To: b, Mode: call.Mode}, env, nil)
	}
	var members []Evaluator
	add := func(a, b *expr.Type) error {
		m, err := member(a, b)
		members = append(members, m)
		return err
	}
	var err error
	switch from.Kind {
	case expr.KindArray:
		err = add(from.Elem, to.Elem)
	case expr.KindMap:
		if err = add(from.Key, to.Key); err == nil {
			err = add(from.Elem, to.Elem)
		}
	default:
		if len(from.Fields) != len(to.Fields) {
			return nil, base.UserError("DATATYPE_MISMATCH.CAST_WITHOUT_SUGGESTION", "42K09",
				"Cannot resolve %q due to data type mismatch: cannot cast %q to %q.", call.Args[0].SQL(), from.SQL(), to.SQL()).At(call.At)
		}
		for i := range from.Fields {
			if err = add(from.Fields[i].Type, to.Fields[i].Type); err != nil {
				break
			}
		}
	}
	if err != nil {
		return nil, err
	}
	return func(f *frame) error {
		v := f.args[0]
		in := &Input{Rows: f.n, Sel: f.liveRows()}
		if from.Kind != expr.KindStruct {
			off := f.offsets()
			if v.Const {
				copy(off, v.Off[:2])
			} else {
				copy(off, v.Off)
			}
			in = &Input{Rows: v.Kids[0].Len, Sel: f.elements(v)}
		}
		kids := make([]*vec.Vec, len(members))
		for k, m := range members {
			in.Cols = []*vec.Vec{v.Kids[k]}
			c, err := m.Eval(in)
			if err != nil {
				return err
			}
			kids[k] = Fresh(c).Flat()
		}
		f.out.Kids = kids
		if from.Kind == expr.KindMap {
			if err := f.presentKeys(v, kids[0]); err != nil {
				return err
			}
			keys := *kids[0]
			keys.Valid = nil // Arrow refuses NULL keys, also those that no row reaches
			kids[0] = &keys
		}
		return nil
	}, nil
}

// presentKeys refuses maps of which a key became NULL.
func (f *frame) presentKeys(v, keys *vec.Vec) error {
	if keys.Valid == nil {
		return nil
	}
	return f.try(func(i int) error {
		at := v.Index(i)
		for k := v.Off[at]; k < v.Off[at+1]; k++ {
			if keys.Null(int(k)) {
				return nullMapKey().At(f.call.At)
			}
		}
		return nil
	})
}

// liveRows lists the rows that run must care about; nil: all.
func (f *frame) liveRows() []int32 {
	if f.sel == nil && f.out.Valid == nil {
		return nil
	}
	rows := make([]int32, 0, f.n)
	f.each(func(i int) { rows = append(rows, int32(i)) })
	return rows
}

// elements lists the elements of v that live rows reach; nil: all.
func (f *frame) elements(v *vec.Vec) []int32 {
	if f.sel == nil && f.out.Valid == nil && !v.Const && v.Off[0] == 0 && int(v.Off[v.Len]) == v.Kids[0].Len {
		return nil
	}
	rows := []int32{}
	f.each(func(i int) {
		i = v.Index(i)
		for k := v.Off[i]; k < v.Off[i+1]; k++ {
			rows = append(rows, k)
		}
	})
	return rows
}
