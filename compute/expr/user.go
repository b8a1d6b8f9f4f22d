package expr

import (
	"github.com/apache/arrow-go/v18/arrow"

	"github.com/flightd/flightd/compute/vec"
	"github.com/flightd/flightd/internal/base"
	"github.com/flightd/flightd/plan/expr"
)

// UserScalar is a scalar function that a user registered: what Function.User holds
// of one. It never changes and is called by several goroutines at once.
type UserScalar struct {
	// Eval computes the function for rows rows. The arguments have that many, belong
	// to the caller, and are valid during the call only; the result belongs to the
	// caller and is released.
	Eval func(args []arrow.Array, rows int) (arrow.Array, error)
	// TakesNull has Eval called for rows with a NULL argument too; without it they
	// are left out, and their result is NULL.
	TakesNull bool
}

// UserFailure is the error of a user's function: Spark's class for it, at the place
// of the call.
func UserFailure(at base.Pos, name, format string, args ...any) *base.Error {
	const text = "The user's function %s did not give a result: "
	return base.UserError("FAILED_EXECUTE_UDF", "39000", text+format, append([]any{name}, args...)...).At(at).
		WithHint("the function is registered by the program that runs the engine; SHOW USER FUNCTIONS lists such functions")
}

// userRow is the row of every user's function.
var userRow = row{func(call *expr.Call, args []Evaluator, _ *Env) (Evaluator, error) {
	return &userCall{call: call, f: call.User.User.(*UserScalar), args: args, vals: make([]*vec.Vec, len(args))}, nil
}}

// userCall evaluates a user's function. The function sees the rows that count and
// no others, close together.
type userCall struct {
	call *expr.Call
	f    *UserScalar
	args []Evaluator
	vals []*vec.Vec
}

func (u *userCall) Eval(in *Input) (*vec.Vec, error) {
	constant := !u.call.User.Nondeterministic
	for i, a := range u.args {
		v, err := a.Eval(in)
		if err != nil {
			return nil, err
		}
		u.vals[i] = v
		constant = constant && v.Const
	}
	n, sel := in.Rows, in.Sel
	if constant && in.Live() > 0 {
		n, sel = 1, nil
	}
	rows := u.wanted(n, sel)
	if len(rows) == 0 {
		return vec.NewConst(u.call.Typ, in.Rows), nil
	}
	out, err := u.run(rows, n)
	if err != nil {
		return nil, err
	}
	if constant {
		out.Const, out.Len = true, in.Rows
	}
	return out, nil
}

// wanted returns the rows that the function is called for.
func (u *userCall) wanted(n int, sel []int32) []int32 {
	rows := make([]int32, 0, n)
	add := func(i int32) {
		if !u.f.TakesNull {
			for _, v := range u.vals {
				if v.Null(int(i)) {
					return
				}
			}
		}
		rows = append(rows, i)
	}
	if sel != nil {
		for _, i := range sel {
			add(i)
		}
		return rows
	}
	for i := range n {
		add(int32(i))
	}
	return rows
}

// run calls the function for rows and puts its results at their places among n.
func (u *userCall) run(rows []int32, n int) (out *vec.Vec, err error) {
	defer func() {
		if p := recover(); p != nil {
			out, err = nil, UserFailure(u.call.At, u.call.Fn, "it panicked: %v", p)
		}
	}()
	args := ArrowArgs(u.vals, rows)
	defer func() {
		for _, a := range args {
			a.Release()
		}
	}()
	arr, cause := u.f.Eval(args, len(rows))
	if cause != nil {
		return nil, UserFailure(u.call.At, u.call.Fn, "it returned an error").Because(cause)
	}
	if err := u.check(arr, len(rows)); err != nil {
		return nil, err
	}
	defer arr.Release()
	// A copy: the array may share the arguments' buffers, or memory that ends with it.
	place := make([]int32, n)
	for i := range place {
		place[i] = -1
	}
	for i, r := range rows {
		place[r] = int32(i)
	}
	return vec.FromArrow(arr, u.call.Typ).Take(place), nil
}

// ArrowArgs returns rows of the columns vals as arrays, one for each column, for a
// user's function. The caller releases them.
func ArrowArgs(vals []*vec.Vec, rows []int32) []arrow.Array {
	args := make([]arrow.Array, len(vals))
	for i, v := range vals {
		switch {
		case v.Const:
			args[i] = v.Take(make([]int32, len(rows))).Arrow()
		case everyRow(rows, v.Len):
			args[i] = v.Arrow()
		default:
			args[i] = v.Take(rows).Arrow()
		}
	}
	return args
}

// everyRow reports whether rows are 0 to n−1 in order.
func everyRow(rows []int32, n int) bool {
	if len(rows) != n {
		return false
	}
	for i, r := range rows {
		if int(r) != i {
			return false
		}
	}
	return true
}

// check returns what is wrong with the array that the function returned.
func (u *userCall) check(arr arrow.Array, rows int) error {
	switch want := u.call.Typ.Arrow(); {
	case arr == nil:
		return UserFailure(u.call.At, u.call.Fn, "it returned no array")
	case !arrow.TypeEqual(arr.DataType(), want):
		return UserFailure(u.call.At, u.call.Fn, "it returned an array of Arrow type %s, but is registered with %s", arr.DataType(), want)
	case arr.Len() != rows:
		return UserFailure(u.call.At, u.call.Fn, "it returned %d rows for %d", arr.Len(), rows)
	}
	return nil
}
