package compute

import (
	"context"

	"github.com/flightd/flightd/internal/base"
	"github.com/flightd/flightd/internal/invariants"
	"github.com/flightd/flightd/plan/physical"
)

// Build makes the operators of a plan for one epoch. Scalar subqueries run now,
// under ctx; everything else when the first batch is asked for. Who builds also
// closes.
func Build(ctx context.Context, root physical.Node, env *Env) (Operator, error) {
	return buildOver(ctx, root, env, nil)
}

// buildOver builds a plan whose Working leaves put out rows.
func buildOver(ctx context.Context, root physical.Node, env *Env, rows working) (Operator, error) {
	b := &builder{ctx: ctx, env: env, shared: map[physical.Node]*shared{}, working: rows}
	reused(root, b.shared)
	return b.build(root)
}

type builder struct {
	ctx context.Context
	env *Env
	// readings are how the scans are read that are not read in the plain way.
	readings map[*physical.Scan]*reading
	// lending are the joins whose record batches are borrowed.
	lending map[*physical.Join]*lending
	// shared are the nodes that a Reuse puts out again.
	shared map[physical.Node]*shared
	// working are the rows of the recursions whose steps are built.
	working working
}

// build makes the operator of n over those of its inputs, or a reader of it if several
// read it.
func (b *builder) build(n physical.Node) (Operator, error) {
	if r, ok := n.(*physical.Reuse); ok {
		return b.reuse(r)
	}
	if s := b.shared[n]; s != nil {
		return s.read(b, n)
	}
	return b.buildAlone(n)
}

// buildAlone makes the operator of n over those of its inputs.
func (b *builder) buildAlone(n physical.Node) (Operator, error) {
	p, err := b.pipeline(n)
	if err != nil {
		return nil, err
	}
	if p != nil {
		return newExchange(p), nil
	}
	lent := b.lent(n)
	n, err = b.withoutSubqueries(n)
	if err != nil {
		return nil, err
	}
	if a, ok := n.(*physical.Aggregate); ok {
		in, err := b.feed(a)
		if err != nil {
			return nil, err
		}
		op, err := newAggregate(a, in, b.env)
		if err != nil {
			in.close()
			return nil, err
		}
		b.ahead(op)
		return b.wrap(n, op), nil
	}
	if j, ok := n.(*physical.StreamJoin); ok {
		op, err := b.streamJoin(j)
		if err != nil {
			return nil, err
		}
		b.ahead(op)
		return b.wrap(n, op), nil
	}
	inputs := make([]Operator, len(n.Inputs()))
	for i, in := range n.Inputs() {
		if inputs[i], err = b.build(in); err != nil {
			closeAll(inputs[:i]...)
			return nil, err
		}
	}
	op, err := b.operator(n, inputs)
	if err != nil {
		closeAll(inputs...)
		return nil, err
	}
	if j, ok := op.(*join); ok {
		j.lending = lent
	}
	return b.wrap(n, op), nil
}

// ahead notes an operator that can read ahead.
func (b *builder) ahead(op Operator) {
	if r, ok := op.(aheadReader); ok {
		b.env.ahead = append(b.env.ahead, r)
	}
}

// wrap puts around op what checks and measures it.
func (b *builder) wrap(n physical.Node, op Operator) Operator {
	if invariants.Enabled {
		op = Check(op, n.Schema())
	}
	if b.env.Wrap != nil {
		op = b.env.Wrap(n, op)
	}
	return op
}

// operator has one line per kind of node.
func (b *builder) operator(n physical.Node, in []Operator) (Operator, error) {
	switch n := n.(type) {
	case *physical.Scan:
		return newScan(b.reading(n), b.env), nil
	case *physical.Values:
		return newValues(n, b.env), nil
	case *physical.Range:
		return newSeries(n)
	case *physical.Filter:
		return newFilter(n, in[0], b.env)
	case *physical.Project:
		return newProject(n, in[0], b.env)
	case *physical.Expand:
		return newExpand(n, in[0], b.env)
	case *physical.Generate:
		return newGenerate(n, in[0], b.env)
	case *physical.Watermark:
		return newObserver(n, in[0], b.env), nil
	case *physical.Window:
		return newWindow(n, in[0], b.env)
	case *physical.Session:
		return newSession(n, in[0], b.env)
	case *physical.Late:
		return newLateTee(n, in[0], b.env)
	case *physical.Join:
		return newJoin(n, in[0], in[1], b.env)
	case *physical.AsOfJoin:
		if n.State != nil {
			return newStreamAsOf(n, in[0], in[1], b.env)
		}
		return newAsOfJoin(n, in[0], in[1], b.env)
	case *physical.Union:
		return &union{inputs: in}, nil
	case *physical.Recursion:
		return b.recursion(n, in[0]), nil
	case *physical.Working:
		return &workingRows{rows: b.working[n.Of]}, nil
	case *physical.Sort:
		return newSort(n, in[0], b.env)
	case *physical.Over:
		return newOver(n, in[0], b.env)
	case *physical.Limit:
		if n.State != nil {
			return newStreamLimit(n, in[0], b.env)
		}
		return newLimit(n, in[0]), nil
	case *physical.Dedup:
		return newDedup(n, in[0], b.env)
	}
	return nil, base.Errorf(base.CodeInternal, "building operators: no operator for %T", n)
}
