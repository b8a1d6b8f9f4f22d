package expr

import (
	"fmt"
	"strings"
	"unsafe"

	"github.com/flightd/flightd/compute/vec"
	"github.com/flightd/flightd/plan/expr"
)

// Subexpressions compiles expressions that are evaluated over the same rows, and has parts that
// several of them have in common evaluated once a batch: a * b of sum(a * b) and
// sum(a * b * c). Spark does so too (subexpression elimination). Not common are parts
// that are not deterministic, and those of lambdas.
type Subexpressions struct {
	env   *Env
	parts map[expr.Expr]*repeated
	// rows are those of the batch; seen are the parts that have a value for them.
	rows Input
	seen []*repeated
}

// NewSubexpressions finds what the expressions of list have in common. With kept, results of
// members of list are kept beyond the batch (see Fresh).
func NewSubexpressions(list []expr.Expr, env *Env, kept bool) *Subexpressions {
	c := &Subexpressions{env: env}
	n := numbering{ids: map[string]int{}, of: map[expr.Expr]int{}, nodes: []numbered{{}}}
	for _, e := range list {
		if e != nil {
			n.visit(e)
		}
	}
	made := map[int]*repeated{}
	for _, e := range n.list { // the first of equal ones is where errors are
		id := n.of[e]
		if x := n.nodes[id]; !x.computes || !x.refers || x.count < 2 || x.within == x.count {
			continue
		}
		if made[id] == nil {
			made[id] = &repeated{e: e}
		}
		if c.parts == nil {
			c.parts = map[expr.Expr]*repeated{}
		}
		c.parts[e] = made[id]
	}
	if kept {
		for _, e := range list {
			if p := c.parts[e]; p != nil {
				p.kept = true
			}
		}
	}
	return c
}

// Compile is the function Compile for one of the expressions of c. Its evaluators are
// used by one goroutine.
func (c *Subexpressions) Compile(e expr.Expr) (Evaluator, error) { return compile(e, c.env, c) }

// Begin says that the expressions are evaluated for the rows of in next. Results of the
// batch before are not good any more.
func (c *Subexpressions) Begin(in *Input) {
	for _, p := range c.seen {
		p.done = false
	}
	c.rows, c.seen = *in, c.seen[:0]
}

// begun reports whether in has all rows of the batch, and no others.
func (c *Subexpressions) begun(in *Input) bool {
	return in.Rows == c.rows.Rows && sameStart(in.Cols, c.rows.Cols) && sameStart(in.Sel, c.rows.Sel)
}

// sameStart reports whether two slices are of the same elements of one array, or both
// nil.
func sameStart[T any](a, b []T) bool {
	return len(a) == len(b) && (a == nil) == (b == nil) && unsafe.SliceData(a) == unsafe.SliceData(b)
}

// A repeated is a part that occurs several times.
type repeated struct {
	e     expr.Expr
	whole Evaluator // for all rows of the batch
	// kept: the result is kept beyond the batch. With done, got is the result.
	kept, done bool
	got        vec.Vec
}

// An occurrence is one of the places of a repeated part.
type occurrence struct {
	*repeated
	of *Subexpressions
	// some is for the rows that this place asks for before another asks for all.
	some Evaluator
}

// Eval returns the rows' values, of a column that other places may have, too.
func (o *occurrence) Eval(in *Input) (*vec.Vec, error) {
	if !o.done && !o.of.begun(in) {
		if o.some == nil {
			var err error
			if o.some, err = Compile(o.e, o.of.env); err != nil {
				return nil, err
			}
		}
		return o.some.Eval(in)
	}
	if !o.done {
		v, err := o.whole.Eval(in)
		if err != nil {
			return nil, err
		}
		if o.kept {
			v = Fresh(v)
		}
		o.got, o.done = *v, true
		if v.Own == vec.Scratch {
			o.got.Own = vec.Borrowed
		}
		o.of.seen = append(o.of.seen, o.repeated)
	}
	v := o.got
	return &v, nil
}

// evaluator returns the evaluator of e if that is a part, else nil.
func (c *Subexpressions) evaluator(e expr.Expr) (Evaluator, error) {
	if c == nil || c.parts[e] == nil {
		return nil, nil
	}
	p := c.parts[e]
	if p.whole == nil {
		delete(c.parts, e) // inside, it is no part of itself
		var err error
		if p.whole, err = compile(e, c.env, c); err != nil {
			return nil, err
		}
		c.parts[e] = p
	}
	return &occurrence{repeated: p, of: c}, nil
}

// A numbering gives equal numbers to expressions that compute the same, and 0 to those
// that are like no other.
type numbering struct {
	ids   map[string]int
	of    map[expr.Expr]int
	nodes []numbered
	// list is what has a number, children first.
	list []expr.Expr
}

// numbered is what is known of the expressions of one number.
type numbered struct {
	// count is how often it occurs, within the highest count of those around it.
	count, within int
	// refers: to columns; computes: it is more than a column or a literal.
	refers, computes bool
}

func (n *numbering) visit(e expr.Expr) int {
	var key strings.Builder
	refers, computes := false, true
	switch e := e.(type) {
	case *expr.Alias:
		return n.visit(e.Child)
	case *expr.Ref:
		fmt.Fprintf(&key, "column %d", e.Index)
		refers, computes = true, false
	case *expr.Literal:
		fmt.Fprintf(&key, "%#v:%s", e.Value, e.Typ.SQL())
		computes = false
	case *expr.Cast:
		fmt.Fprintf(&key, "cast%d:%s", e.Mode, e.To.SQL())
	case *expr.Call:
		for _, a := range e.Args {
			if _, ok := a.(*expr.Lambda); ok {
				return 0
			}
		}
		fmt.Fprintf(&key, "%s%d:%s:%p", e.Fn, e.Mode, e.Typ.SQL(), e.User)
	default:
		return 0
	}
	children := e.Children()
	ids := make([]int, len(children))
	opaque := false
	for i, c := range children {
		ids[i] = n.visit(c)
		opaque = opaque || ids[i] == 0
		refers = refers || n.nodes[ids[i]].refers
		fmt.Fprintf(&key, " %d", ids[i])
	}
	if c, ok := e.(*expr.Call); ok {
		f := c.Signature()
		opaque = opaque || f == nil || f.Nondeterministic
	}
	if opaque {
		return 0
	}
	id, ok := n.ids[key.String()]
	if !ok {
		id = len(n.nodes)
		n.ids[key.String()] = id
		n.nodes = append(n.nodes, numbered{refers: refers, computes: computes})
	}
	n.of[e] = id
	n.list = append(n.list, e)
	n.nodes[id].count++
	for _, c := range ids {
		n.nodes[c].within = max(n.nodes[c].within, n.nodes[id].count)
	}
	return id
}
