package agg

import (
	"encoding"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"

	cexpr "github.com/flightd/flightd/compute/expr"
	"github.com/flightd/flightd/compute/vec"
	"github.com/flightd/flightd/internal/base"
	"github.com/flightd/flightd/state"
)

// UserAggregate is an aggregate that a user registered: what Function.User holds of
// one.
type UserAggregate struct {
	// New returns the state of a group that has seen nothing.
	New func() UserState
	// TakesNull has rows with a NULL argument taken in too.
	TakesNull bool
}

// UserState is the state of one group, of the user's making.
type UserState interface {
	// Update takes in rows; the arrays are valid during the call only.
	Update(args []arrow.Array, rows int) error
	// Merge takes in the state of rows that came after.
	Merge(after UserState) error
	// Append appends the result to b: one value.
	Append(b array.Builder) error
	encoding.BinaryMarshaler
	encoding.BinaryUnmarshaler
}

// newUser is the constructor of users' aggregates. A group lies in the state as one
// byte and what MarshalBinary gave, so that changelog and snapshots hold it; a group
// that has seen nothing has no bytes.
func newUser(c call) (*Func, error) {
	of := c.User.User.(*UserAggregate)
	return &Func{
		Fields: []state.Field{field(state.Bytes, "USER "+c.Fn, false)},
		bind: func(cols []state.Column) Accumulator {
			return &user{c: c, of: of, col: cols[0].(*state.BytesColumn)}
		},
	}, nil
}

type user struct {
	c   call
	of  *UserAggregate
	col *state.BytesColumn
	picker
}

func (a *user) fail(format string, args ...any) *base.Error {
	return cexpr.UserFailure(a.c.At, a.c.Fn, format, args...)
}

// guard runs a step of the user's code: its error and its panic are the query's.
func (a *user) guard(step string, do func() error) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = a.fail("its %s panicked: %v", step, p)
		}
	}()
	if cause := do(); cause != nil {
		return a.fail("its %s returned an error", step).Because(cause)
	}
	return nil
}

// load returns the state of group g of from.
func (a *user) load(from *state.BytesColumn, g int32) (s UserState, err error) {
	err = a.guard("state", func() error {
		s = a.of.New()
		if b := from.Get(g); len(b) > 0 {
			return s.UnmarshalBinary(append([]byte(nil), b[1:]...)) // the state may keep it
		}
		return nil
	})
	return s, err
}

func (a *user) store(g int32, s UserState) error {
	return a.guard("state", func() error {
		b, err := s.MarshalBinary()
		if err == nil {
			a.col.Set(g, append([]byte{1}, b...))
		}
		return err
	})
}

func (a *user) Update(rows, groups []int32, args []*vec.Vec) error {
	if !a.of.TakesNull {
		rows, groups = a.present(rows, groups, args...)
	}
	byGroup := map[int32][]int32{}
	var order []int32
	for i, g := range groups {
		if _, ok := byGroup[g]; !ok {
			order = append(order, g)
		}
		byGroup[g] = append(byGroup[g], rows[i])
	}
	for _, g := range order {
		s, err := a.load(a.col, g)
		if err != nil {
			return err
		}
		err = a.guard("update", func() error {
			arrays := cexpr.ArrowArgs(args, byGroup[g])
			defer func() {
				for _, arr := range arrays {
					arr.Release()
				}
			}()
			return s.Update(arrays, len(byGroup[g]))
		})
		if err == nil {
			err = a.store(g, s)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (a *user) Merge(dst []int32, from Accumulator, src []int32) error {
	o := from.(*user)
	for i, g := range dst {
		switch after := o.col.Get(src[i]); {
		case len(after) == 0:
			continue
		case len(a.col.Get(g)) == 0: // a fresh state adds nothing
			a.col.Set(g, append([]byte(nil), after...))
			continue
		}
		before, err := a.load(a.col, g)
		if err != nil {
			return err
		}
		after, err := a.load(o.col, src[i])
		if err != nil {
			return err
		}
		err = a.guard("merge", func() error { return before.Merge(after) })
		if err == nil {
			err = a.store(g, before)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (a *user) Final(groups []int32) (*vec.Vec, error) {
	b := array.NewBuilder(memory.DefaultAllocator, a.c.Typ.Arrow())
	defer b.Release()
	for i, g := range groups {
		s, err := a.load(a.col, g)
		if err != nil {
			return nil, err
		}
		if err := a.guard("result", func() error { return s.Append(b) }); err != nil {
			return nil, err
		}
		if b.Len() != i+1 {
			return nil, a.fail("its result appended %d values for a group, not one", b.Len()-i)
		}
	}
	var out *vec.Vec
	err := a.guard("result", func() error {
		arr := b.NewArray()
		defer arr.Release() // Go's memory: the buffers stay for those who hold them
		out = vec.FromArrow(arr, a.c.Typ)
		return nil
	})
	return out, err
}
