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
	// the same Func, goes into dst[i], in this order: dst may name a group more than
	// once. from may be the accumulator itself, if no group is in both dst and src.
	Merge(dst []int32, from Accumulator, src []int32) error
	// Final returns the results of groups, in their order. It changes nothing.
	Final(groups []int32) (*vec.Vec, error)
}

// A Func is an aggregate function for given types: it makes accumulators.
type Func struct {
	// Fields are the state columns of one accumulator, without names.
	Fields []state.Field
	// Direct says that one accumulator may take in the rows of split after split
	// where others merge the groups of each split: the result is the same, to the
	// bit, if it is told where splits end (see Splitter).
	Direct bool
	// AnyOrder says that the result is the same in whatever order rows come, and
	// however they are grouped before groups are merged.
	AnyOrder bool
	bind     func(cols []state.Column) Accumulator
}

// A Splitter is an accumulator of a Direct function that must know where splits
// end, because it rounds: the sum of a split begins at zero.
type Splitter interface {
	// BySplit makes Update and Merge keep what comes of the current split apart.
	// It is called before the first of them.
	BySplit()
	// EndSplit adds what came of the current split to groups, all those that it
	// has; one may be named twice.
	EndSplit(groups []int32)
}

// bySplit is what a Splitter keeps apart: the sums of the current split by group;
// nil if nobody asked for it.
type bySplit struct {
	on   bool
	part []float64
}

func (b *bySplit) BySplit() { b.on = true }

// sums returns where the rows of the current split are added up: total itself if
// nothing is kept apart.
func (b *bySplit) sums(total []float64) []float64 {
	if !b.on {
		return total
	}
	for len(b.part) < len(total) {
		b.part = append(b.part[:cap(b.part)], 0)
	}
	return b.part[:len(total)]
}

// end adds the sums of the split to total. A sum is never -0.0, so adding 0 to the
// second mention of a group changes nothing.
func (b *bySplit) end(total []float64, groups []int32) {
	part := b.sums(total)
	for _, g := range groups {
		total[g] += part[g]
		part[g] = 0
	}
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
	if a.User != nil {
		make, ok = newUser, true
	}
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
