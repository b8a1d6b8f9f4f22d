package planner

import (
	"github.com/flightd/flightd/internal/base"
	"github.com/flightd/flightd/plan/catalog"
	"github.com/flightd/flightd/plan/expr"
	"github.com/flightd/flightd/plan/logical"
	"github.com/flightd/flightd/plan/physical"
)

// Input is a table that a plan reads; scans of the same table share it.
type Input struct {
	Table  *catalog.Table
	Stream bool
}

// Plan is a physical plan and what the engine must know to run it.
type Plan struct {
	Root physical.Node
	// Inputs are what Scan.Input indexes.
	Inputs []Input
	// Watermarks are the watermark nodes in plan order.
	Watermarks []*physical.Watermark
	// Stateful are the stateful operators' states, by operator number.
	Stateful []*physical.State
	// told are the scans whose sources are told what is wanted; counts says that the plan
	// has a function that depends on the rows before.
	told   []*physical.Scan
	counts bool
}

// Options of New.
type Options struct {
	// Stream says that the plan runs epoch after epoch in Mode.
	Stream bool
	Mode   base.OutputMode
	// KeepLate puts a Late node below each stateful operator that a watermark makes
	// drop rows.
	KeepLate bool
	// LocalSessions says that sessions are fused within a split before late ones are
	// dropped.
	LocalSessions bool
	// FirstEventTime lets an operator whose input has several event times work with the
	// first, instead of being refused.
	FirstEventTime bool
	// Rewrite, if set, applies the rules for batches to a scalar subquery's plan.
	Rewrite func(logical.Node) (logical.Node, error)
	// StreamAsOf allows ASOF JOIN of two streams.
	StreamAsOf bool
	// Fold, if set, evaluates constants in the conditions of joins.
	Fold expr.Fold
	// Plain switches the rules for speed off: every column is read.
	Plain bool
}

// New plans a resolved tree. The errors are of queries that mean something but
// cannot be run here; they name the construct.
func New(root logical.Node, o Options) (*Plan, error) {
	p := &planner{opts: o, plan: &Plan{}}
	if o.Stream {
		p.numberStateful(root)
	}
	need := set{}
	need.addAll(root.Output())
	n, cols, err := p.node(root, need)
	if err != nil {
		return nil, err
	}
	if p.plan.Root, err = p.exactly(n, cols, root.Output()); err == nil && !o.KeepLate {
		p.plan.Root = physical.Share(p.plan.Root)
	}
	if p.plan.counts { // what a source leaves out would shift random numbers and counters
		for _, scan := range p.plan.told {
			scan.Where = nil
		}
	}
	return p.plan, err
}

type planner struct {
	opts  Options
	plan  *Plan
	state map[logical.Node]*physical.State
	// working are the recursions whose steps are being planned, by their numbers.
	working map[int64]*physical.Recursion
}

// set is a set of column IDs.
type set map[expr.ID]bool

func (s set) addAll(cols []*expr.Column) {
	for _, c := range cols {
		s[c.ID] = true
	}
}

func (s set) addExpr(es ...expr.Expr) {
	for _, e := range es {
		expr.Walk(e, func(e expr.Expr) bool {
			if c, ok := e.(*expr.Column); ok {
				s[c.ID] = true
			}
			return true
		})
	}
}

// with returns a copy of s that also holds the columns of es.
func (s set) with(es ...expr.Expr) set {
	out := make(set, len(s))
	for id := range s {
		out[id] = true
	}
	out.addExpr(es...)
	return out
}

// exactly puts a projection on n, unless its columns are those wanted already.
func (p *planner) exactly(n physical.Node, have, want []*expr.Column) (physical.Node, error) {
	same := len(have) == len(want)
	schema := n.Schema()
	for i := 0; same && i < len(want); i++ {
		same = have[i].ID == want[i].ID && schema[i].Name == want[i].Name
	}
	if same {
		return n, nil
	}
	list := make([]expr.Expr, len(want))
	for i, c := range want {
		list[i] = c
	}
	return p.project(n, have, list, want)
}

// project puts a projection on n, unless it would change nothing.
func (p *planner) project(n physical.Node, have []*expr.Column, list []expr.Expr, out []*expr.Column) (physical.Node, error) {
	exprs, err := p.bindAll(list, have)
	if err != nil {
		return nil, err
	}
	schema := n.Schema()
	same := len(exprs) == len(schema)
	for i := 0; same && i < len(exprs); i++ {
		ref, ok := exprs[i].(*expr.Ref)
		same = ok && ref.Index == i && schema[i].Name == out[i].Name
	}
	if same {
		return n, nil
	}
	return &physical.Project{Input: n, Exprs: exprs, Out: schemaOf(out)}, nil
}

func schemaOf(cols []*expr.Column) expr.Schema {
	s := make(expr.Schema, len(cols))
	for i, c := range cols {
		s[i] = expr.Field{Name: c.Name, Type: c.Typ, Nullable: c.Null}
	}
	return s
}

// node plans n so that its output holds at least the columns of need. It returns
// which columns the physical node puts out, in order.
func (p *planner) node(n logical.Node, need set) (physical.Node, []*expr.Column, error) {
	switch n := n.(type) {
	case *logical.Relation:
		return p.relation(n, need)
	case *logical.Values:
		return p.values(n)
	case *logical.Range:
		return &physical.Range{Start: n.Start, End: n.End, Step: n.Step, Out: schemaOf(n.Output())}, n.Output(), nil
	case *logical.Alias:
		return p.alias(n, need)
	case *logical.Tagged:
		return p.node(n.Input, need)
	case *logical.Repartition:
		return p.node(n.Input, need)
	case *logical.Project:
		return p.projectNode(n, need)
	case *logical.Filter:
		in, cols, err := p.node(n.Input, need.with(n.Cond))
		if err != nil {
			return nil, nil, err
		}
		cond, err := p.bind(n.Cond, cols)
		if scan, ok := in.(*physical.Scan); ok && err == nil && !p.opts.Stream && !p.opts.Plain {
			scan.Where = append(scan.Where, p.pushed(cond, scan.Out)...)
			p.plan.told = append(p.plan.told, scan)
		}
		return &physical.Filter{Input: in, Cond: cond}, cols, err
	case *logical.Aggregate:
		return p.aggregate(n, n.Group, n.List)
	case *logical.Distinct:
		return p.distinct(n)
	case *logical.Expand:
		return p.expand(n)
	case *logical.Window:
		return p.window(n, need)
	case *logical.Session:
		return p.session(n, need)
	case *logical.Generate:
		return p.generate(n, need)
	case *logical.Over:
		return p.over(n, need)
	case *logical.Join:
		return p.join(n, need)
	case *logical.AsOfJoin:
		return p.asOfJoin(n, need)
	case *logical.Union:
		return p.union(n)
	case *logical.Recursion:
		return p.recursion(n)
	case *logical.Working:
		return &physical.Working{Of: p.working[n.Of], Out: schemaOf(n.Columns)}, n.Columns, nil
	case *logical.SetOp:
		return p.setOp(n)
	case *logical.Sort:
		return p.sort(n, need)
	case *logical.Limit:
		return p.limit(n, need)
	case *logical.Watermark:
		return p.watermark(n, need)
	case *logical.Deduplicate:
		return p.dedup(n, need)
	case *logical.Sample:
		return p.node(sampled(n), need)
	}
	return nil, nil, notYet(n.Pos(), "%s", describe(n))
}

// notYet is the error of a construct that is understood and cannot be run.
func notYet(at base.Pos, format string, args ...any) error {
	e := base.UserError("UNSUPPORTED_FEATURE", "0A000", format+" cannot be run yet.", args...)
	return e.At(at)
}

func describe(n logical.Node) string {
	return "This part of the query"
}

func (p *planner) relation(n *logical.Relation, need set) (physical.Node, []*expr.Column, error) {
	input := -1
	for i, in := range p.plan.Inputs {
		if in.Table == n.Table && in.Stream == n.Stream {
			input = i
		}
	}
	if input < 0 {
		input = len(p.plan.Inputs)
		p.plan.Inputs = append(p.plan.Inputs, Input{n.Table, n.Stream})
	}
	scan := &physical.Scan{Input: input}
	var cols []*expr.Column
	for i, c := range n.Columns {
		if need[c.ID] || p.opts.Plain {
			scan.Columns = append(scan.Columns, i)
			cols = append(cols, c)
		}
	}
	// A scan always reads a column: a row of none cannot be counted.
	if len(cols) == 0 && len(n.Columns) > 0 {
		scan.Columns, cols = []int{0}, n.Columns[:1]
	}
	scan.Out = schemaOf(cols)
	return scan, cols, nil
}

func (p *planner) values(n *logical.Values) (physical.Node, []*expr.Column, error) {
	rows := make([][]expr.Expr, len(n.Rows))
	for i, r := range n.Rows {
		var err error
		if rows[i], err = p.bindAll(r, nil); err != nil {
			return nil, nil, err
		}
	}
	return &physical.Values{Rows: rows, Out: schemaOf(n.Columns)}, n.Columns, nil
}

// alias passes the input on under the alias's own columns, which differ in name
// and, where the resolver chose so, in ID.
func (p *planner) alias(n *logical.Alias, need set) (physical.Node, []*expr.Column, error) {
	inner, below := n.Input.Output(), set{}
	for i, c := range n.Out {
		if need[c.ID] {
			below[inner[i].ID] = true
		}
	}
	in, cols, err := p.node(n.Input, below)
	if err != nil {
		return nil, nil, err
	}
	out := make([]*expr.Column, len(cols))
	for i, c := range cols {
		out[i] = c
		for j, d := range inner {
			if d.ID == c.ID {
				out[i] = n.Out[j]
			}
		}
	}
	return in, out, nil
}

func (p *planner) projectNode(n *logical.Project, need set) (physical.Node, []*expr.Column, error) {
	var list []expr.Expr
	var out []*expr.Column
	for i, c := range n.Output() {
		if need[c.ID] {
			list, out = append(list, n.List[i]), append(out, c)
		}
	}
	if len(list) == 0 && len(n.List) > 0 {
		list, out = n.List[:1], n.Output()[:1]
	}
	below := set{}.with(list...)
	if p.opts.KeepLate { // late rows are kept whole
		below.addAll(n.Input.Output())
	}
	in, cols, err := p.node(n.Input, below)
	if err != nil {
		return nil, nil, err
	}
	node, err := p.project(in, cols, list, out)
	return node, out, err
}

func (p *planner) window(n *logical.Window, need set) (physical.Node, []*expr.Column, error) {
	in, cols, err := p.node(n.Input, need.with(n.Time))
	if err != nil {
		return nil, nil, err
	}
	ts, err := p.bind(n.Time, cols)
	out := append(cols[:len(cols):len(cols)], n.Column)
	return &physical.Window{Input: in, Time: ts, Duration: n.Duration, Slide: n.Slide, Start: n.Start, Out: schemaOf(out)}, out, err
}

func (p *planner) expand(n *logical.Expand) (physical.Node, []*expr.Column, error) {
	need := set{}
	for _, l := range n.Lists {
		need.addExpr(l...)
	}
	in, cols, err := p.node(n.Input, need)
	if err != nil {
		return nil, nil, err
	}
	lists := make([][]expr.Expr, len(n.Lists))
	for i, l := range n.Lists {
		if lists[i], err = p.bindAll(l, cols); err != nil {
			return nil, nil, err
		}
	}
	return &physical.Expand{Input: in, Lists: lists, Out: schemaOf(n.Columns)}, n.Columns, nil
}

func (p *planner) generate(n *logical.Generate, need set) (physical.Node, []*expr.Column, error) {
	gen, ok := n.Gen.(*expr.Call)
	if !ok {
		return nil, nil, notYet(n.Pos(), "The generator %s", n.Gen.SQL())
	}
	in, cols, err := p.node(n.Input, need.with(gen))
	if err != nil {
		return nil, nil, err
	}
	bound, err := p.bind(gen, cols)
	if err != nil {
		return nil, nil, err
	}
	g := &physical.Generate{Input: in, Gen: bound.(*expr.Call), Outer: n.Outer}
	var out []*expr.Column
	for i, c := range cols {
		if need[c.ID] {
			g.Keep, out = append(g.Keep, i), append(out, c)
		}
	}
	out = append(out, n.Columns...)
	g.Out = schemaOf(out)
	return g, out, nil
}

func (p *planner) union(n *logical.Union) (physical.Node, []*expr.Column, error) {
	u := &physical.Union{Out: schemaOf(n.Out)}
	for _, c := range n.Children {
		need := set{}
		need.addAll(c.Output())
		in, cols, err := p.node(c, need)
		if err == nil {
			in, err = p.exactly(in, cols, c.Output())
		}
		if err != nil {
			return nil, nil, err
		}
		u.Children = append(u.Children, in)
	}
	return u, n.Out, nil
}

func (p *planner) sort(n *logical.Sort, need set) (physical.Node, []*expr.Column, error) {
	for _, k := range n.Keys {
		need = need.with(k.Expr)
	}
	in, cols, err := p.node(n.Input, need)
	if err != nil {
		return nil, nil, err
	}
	s := &physical.Sort{Input: in}
	for _, k := range n.Keys {
		e, err := p.bind(k.Expr, cols)
		if err != nil {
			return nil, nil, err
		}
		s.Keys = append(s.Keys, physical.SortKey{Expr: e, Descending: k.Descending, NullsFirst: k.NullsFirst})
	}
	return s, cols, nil
}

func (p *planner) limit(n *logical.Limit, need set) (physical.Node, []*expr.Column, error) {
	in, cols, err := p.node(n.Input, need)
	if err != nil {
		return nil, nil, err
	}
	l := &physical.Limit{Input: in, Count: -1, State: p.state[n]}
	if lit, ok := n.Count.(*expr.Literal); ok && lit.Value != nil {
		l.Count = lit.Value.(int64)
	}
	if lit, ok := n.Offset.(*expr.Literal); ok && lit.Value != nil {
		l.Offset = lit.Value.(int64)
	}
	if none(n) {
		// The input is an input of the query, but none of its rows is read.
		return &physical.Values{Out: schemaOf(cols)}, cols, nil
	}
	if l.Count >= 0 {
		enough(in, l.Count+l.Offset)
	}
	return l, cols, nil
}

// none reports LIMIT 0, which puts out nothing and keeps no state.
func none(n *logical.Limit) bool {
	lit, ok := n.Count.(*expr.Literal)
	return ok && lit.Value == int64(0)
}

func (p *planner) watermark(n *logical.Watermark, need set) (physical.Node, []*expr.Column, error) {
	w := &physical.Watermark{Delay: n.DelayMs, Index: len(p.plan.Watermarks)}
	p.plan.Watermarks = append(p.plan.Watermarks, w)
	in, cols, err := p.node(n.Input, need.with(n.Column))
	if err != nil {
		return nil, nil, err
	}
	w.Input = in
	out := make([]*expr.Column, len(cols))
	for i, c := range cols {
		out[i] = c
		for _, d := range n.Out {
			if d.ID == c.ID {
				out[i] = d
			}
		}
		if c.ID == n.Column.ID {
			w.Column = i
		}
	}
	return w, out, nil
}

func (p *planner) dedup(n *logical.Deduplicate, need set) (physical.Node, []*expr.Column, error) {
	for _, k := range n.Keys {
		need = need.with(k)
	}
	p.oneEventTime(n.Pos(), among(n.Input.Output(), need), p.state[n])
	if p.opts.KeepLate && p.state[n] != nil {
		need = need.with()
		need.addAll(n.Input.Output())
	}
	for _, c := range n.Input.Output() {
		if c.Meta.EventTime {
			need = need.with(c)
		}
	}
	in, cols, err := p.node(n.Input, need)
	if err != nil {
		return nil, nil, err
	}
	d := &physical.Dedup{Input: in, State: p.state[n], EventColumn: -1, Within: n.Within}
	for i, c := range cols {
		for _, k := range n.Keys {
			if k.ID == c.ID {
				if d.State != nil && c.Meta.EventTime && d.State.EventKey < 0 {
					d.State.EventKey = len(d.Keys)
				}
				d.Keys = append(d.Keys, i)
			}
		}
		if c.Meta.EventTime && d.EventColumn < 0 {
			d.EventColumn, d.Delay = i, c.Meta.Delay
		}
	}
	if p.opts.KeepLate && d.State != nil && d.EventColumn >= 0 {
		d.Input = p.keepLate(d.Input, d.State, ref(d.Input.Schema(), d.EventColumn))
	}
	return d, cols, nil
}
