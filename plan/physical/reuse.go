package physical

import (
	"fmt"
	"reflect"

	"github.com/flightd/flightd/internal/base"
	"github.com/flightd/flightd/plan/expr"
)

// Reuse puts out again what Of, another node of the plan that comes before it, puts
// out: the two would compute the same. It has no inputs of its own.
type Reuse struct {
	Of Node
	// States and Watermarks are the stateful operators and the watermark nodes that are
	// not there because of it: they report what those of Of do.
	States     []Twin[*State]
	Watermarks []Twin[*Watermark]
}

// Twin is a part of Of and the part that it stands for.
type Twin[T any] struct{ Of, For T }

// Schema is that of Of.
func (n *Reuse) Schema() expr.Schema { return n.Of.Schema() }

// Inputs is empty.
func (n *Reuse) Inputs() []Node { return nil }

func (n *Reuse) describe() string {
	s := "Reuse"
	for _, t := range n.States {
		s += fmt.Sprintf(" [operator %d for %d]", t.Of.Operator, t.For.Operator)
	}
	return s
}

// Share replaces aggregations that another one of the plan computes already by a
// Reuse of that. It changes the plan in place and returns its root. An aggregation
// over an expression that is not the same whenever it is evaluated is not shared.
func Share(root Node) Node {
	s := &sharing{}
	return s.node(root)
}

type sharing struct{ seen []*Aggregate }

func (s *sharing) node(n Node) Node {
	a, is := n.(*Aggregate)
	if is {
		for _, other := range s.seen {
			if r := reuse(other, a); r != nil {
				again(other)
				return r
			}
		}
	}
	for i, in := range n.Inputs() {
		if next := s.node(in); next != in {
			setInput(n, i, next)
		}
	}
	if is {
		s.seen = append(s.seen, a)
	}
	return n
}

// again says of the scans below n that they stand for one more.
func again(n Node) {
	if scan, ok := n.(*Scan); ok {
		scan.Again++
	}
	for _, in := range n.Inputs() {
		again(in)
	}
}

// setInput puts in into the place of input i of n.
func setInput(n Node, i int, in Node) {
	if u, ok := n.(*Union); ok {
		u.Children[i] = in
		return
	}
	v := reflect.ValueOf(n).Elem()
	f := v.FieldByName("Input")
	if !f.IsValid() {
		f = v.FieldByName([]string{"Left", "Right"}[i])
	}
	f.Set(reflect.ValueOf(in))
}

// reuse returns a Reuse of a for b, or nil if they do not compute the same.
func reuse(a, b *Aggregate) *Reuse {
	r := &Reuse{Of: a}
	if !r.same(reflect.ValueOf(a), reflect.ValueOf(b)) {
		return nil
	}
	return r
}

// same compares two parts of plans, all but the numbers of operators and watermarks
// and the places in the text of the query.
func (r *Reuse) same(a, b reflect.Value) bool {
	if a.IsValid() != b.IsValid() || !a.IsValid() {
		return a.IsValid() == b.IsValid()
	}
	if a.Type() != b.Type() {
		return false
	}
	if a.CanInterface() {
		switch x := a.Interface().(type) {
		case *State:
			y := b.Interface().(*State)
			if x == nil || y == nil {
				return x == y
			}
			r.States = append(r.States, Twin[*State]{x, y})
			return x.Name == y.Name && x.Mode == y.Mode && x.EventKey == y.EventKey && x.Idle == y.Idle && x.Refused == nil && y.Refused == nil
		case *Watermark:
			y := b.Interface().(*Watermark)
			r.Watermarks = append(r.Watermarks, Twin[*Watermark]{x, y})
			c, d := *x, *y
			c.Index, d.Index = 0, 0
			return r.same(reflect.ValueOf(c), reflect.ValueOf(d))
		case *expr.Call:
			if f := expr.Functions.Lookup(x.Fn); f == nil || f.Nondeterministic {
				return false
			}
		case Scan:
			y := b.Interface().(Scan)
			x.Again, y.Again = 0, 0
			return x.Input == y.Input && reflect.DeepEqual(x.Columns, y.Columns) && r.same(reflect.ValueOf(x.Out), reflect.ValueOf(y.Out))
		case base.Pos:
			return true
		}
	}
	switch a.Kind() {
	case reflect.Pointer, reflect.Interface:
		if a.IsNil() || b.IsNil() {
			return a.IsNil() == b.IsNil()
		}
		if a.Kind() == reflect.Pointer && a.Pointer() == b.Pointer() {
			return true
		}
		return r.same(a.Elem(), b.Elem())
	case reflect.Struct:
		for i := range a.NumField() {
			if !r.same(a.Field(i), b.Field(i)) {
				return false
			}
		}
		return true
	case reflect.Slice:
		if a.IsNil() != b.IsNil() || a.Len() != b.Len() {
			return false
		}
		for i := range a.Len() {
			if !r.same(a.Index(i), b.Index(i)) {
				return false
			}
		}
		return true
	case reflect.Func, reflect.Map, reflect.Chan:
		return a.IsNil() && b.IsNil()
	}
	return a.Equal(b)
}
