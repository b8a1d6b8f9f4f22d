package agg

import (
	"fmt"
	"strconv"

	"github.com/flightd/flightd/compute/vec"
	"github.com/flightd/flightd/internal/base"
	"github.com/flightd/flightd/plan/expr"
	"github.com/flightd/flightd/state"
)

// An Accumulator is one aggregate over the groups of one table. It keeps
// scratch memory and serves one caller at a time.
type Accumulator interface {
	// Update takes in rows of args, in order: row rows[i] belongs to the group
	// in table row groups[i]. The columns of args are as long as their record
	// batch.
	Update(rows, groups []int32, args []*vec.Vec) error
	// Merge takes in groups of another table: src[i] of from, an accumulator of
	// the same Func, goes into dst[i]. dst has no group twice.
	Merge(dst []int32, from Accumulator, src []int32) error
	// Final returns the results of groups, in their order. It changes nothing.
	Final(groups []int32) (*vec.Vec, error)
}

// A Func is an aggregate function for given types: it makes accumulators.
type Func struct {
	// Fields are the state columns of one accumulator, without names.
	Fields []state.Field
	bind   func(cols []state.Column) Accumulator
}

// Bind returns an accumulator over cols, which have the kinds of Fields. The
// columns may grow afterwards.
func (f *Func) Bind(cols []state.Column) Accumulator { return f.bind(cols) }

// Constants are the arguments of an aggregate that are no columns, such as the
// percentages of percentile: Value(i) returns argument i as a constant of one
// row, or an error if it depends on the input.
type Constants interface {
	Value(i int) (*vec.Vec, error)
}

// New returns the function that a asks for. Distinct and Filter are ignored.
func New(a *expr.Agg, c Constants) (*Func, error) {
	make, ok := functions()[a.Fn]
	if !ok {
		return nil, base.UserError("UNSUPPORTED_FEATURE", "0A000", "The aggregate function %s is not supported.", a.Fn).At(a.At)
	}
	f, err := make(call{a, c})
	if err != nil {
		return nil, base.Wrap(err, "preparing %s", a.Fn)
	}
	for i := range f.Fields {
		f.Fields[i].Name = strconv.Itoa(i)
	}
	return f, nil
}

// Supported reports whether there is an aggregate function of that name.
func Supported(name string) bool { _, ok := functions()[name]; return ok }

// call is an aggregate as the constructors see it.
type call struct {
	*expr.Agg
	constants Constants
}

func (c call) arg(i int) *expr.Type { return c.Args[i].Type() }

func (c call) need(n int) error {
	if len(c.Args) < n {
		return base.Errorf(base.CodeInternal, "%s has %d arguments, want %d", c.Fn, len(c.Args), n)
	}
	return nil
}

func field(kind state.Kind, t string, nullable bool) state.Field {
	return state.Field{Kind: kind, Type: t, Nullable: nullable}
}

// unsupported is the error of an argument type that the function has no case for.
func (c call) unsupported(t *expr.Type) error {
	return c.mismatch("UNEXPECTED_INPUT_TYPE", "the type %q is not supported.", t.SQL())
}

// mismatch is the error of arguments that the function cannot take.
func (c call) mismatch(condition, format string, args ...any) error {
	return base.UserError("DATATYPE_MISMATCH."+condition, "42K09", "Cannot resolve %q due to data type mismatch: %s",
		c.SQL(), fmt.Sprintf(format, args...)).At(c.At)
}

// A Settler is an accumulator for which merging into an empty group is not the
// identity, because it rounds. Settle makes groups what such a merge would give.
type Settler interface {
	Settle(groups []int32)
}
