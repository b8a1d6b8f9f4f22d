package compute

import (
	"context"
	"errors"
	"io"

	"github.com/flightd/flightd/internal/invariants"
	"github.com/flightd/flightd/plan/expr"
	"github.com/flightd/flightd/plan/physical"
)

// A pipeline is a chain of nodes above one scan, each of which treats every row
// by itself: any number of workers may run copies of the chain, each over splits
// of its own, and the rows of a split come out the same.
type pipeline struct {
	env  *Env
	scan *reading
	// nodes are the chain's, from the one above the scan upwards, without scalar
	// subqueries; builds are the build sides of its joins, made once for all.
	nodes  []physical.Node
	builds map[*physical.Join]*buildSide
	// lending are those of the joins whose record batches are borrowed.
	lending map[*physical.Join]*lending
	splits  []Split
	opened  bool
}

// splitLocal reports whether n and all below it, down to one scan, treat each
// row by itself: no state, no counter, no row that waits for the last one.
func splitLocal(n physical.Node) bool {
	for {
		switch m := n.(type) {
		case *physical.Scan:
			return true
		case *physical.Filter:
			if countsRows(m.Cond) {
				return false
			}
		case *physical.Project:
			if countsRows(m.Exprs...) {
				return false
			}
		case *physical.Expand:
			for _, l := range m.Lists {
				if countsRows(l...) {
					return false
				}
			}
		case *physical.Generate:
			if countsRows(m.Gen) {
				return false
			}
		case *physical.Window:
			if countsRows(m.Time) {
				return false
			}
		case *physical.Session:
			if countsRows(m.Time, m.Gap) {
				return false
			}
		case *physical.Watermark, *physical.Late:
		case *physical.Join:
			s := sideOf(m)
			if s.buildOuter || s.buildOnly || m.Kind == physical.NullAwareAnti || countsRows(append(m.LeftKeys, m.RightKeys...)...) || countsRows(m.Cond) {
				return false
			}
		default:
			return false
		}
		n = streamedInput(n)
	}
}

// streamedInput returns the input of n that goes through it batch by batch.
func streamedInput(n physical.Node) physical.Node {
	if j, ok := n.(*physical.Join); ok && !j.BuildRight {
		return j.Right
	}
	return n.Inputs()[0]
}

// countsRows reports whether an expression depends on the rows before: a counter,
// a random number.
func countsRows(list ...expr.Expr) bool {
	found := false
	for _, e := range list {
		if e == nil {
			continue
		}
		expr.Walk(e, func(e expr.Expr) bool {
			if c, ok := e.(*expr.Call); ok {
				if f := c.Signature(); f != nil && f.Nondeterministic {
					found = true
				}
			}
			return !found
		})
	}
	return found
}

// pipeline returns n and what is below it as a pipeline, or nil if it is none or
// there is nobody to share the work with.
func (b *builder) pipeline(n physical.Node) (*pipeline, error) {
	if b.env.Workers < 2 || b.env.Wrap != nil || !splitLocal(n) {
		return nil, nil
	}
	p := &pipeline{env: b.env, builds: map[*physical.Join]*buildSide{}, lending: map[*physical.Join]*lending{}}
	for {
		if s, ok := n.(*physical.Scan); ok {
			p.scan = b.reading(s)
			break
		}
		m, err := b.withoutSubqueries(n)
		if err != nil {
			p.close()
			return nil, err
		}
		if j, ok := m.(*physical.Join); ok {
			p.lending[j] = b.lent(n)
			if err := b.buildSide(p, j); err != nil {
				p.close()
				return nil, err
			}
		}
		p.nodes = append(p.nodes, m)
		n = streamedInput(n)
	}
	for i, j := 0, len(p.nodes)-1; i < j; i, j = i+1, j-1 {
		p.nodes[i], p.nodes[j] = p.nodes[j], p.nodes[i]
	}
	b.env.Metrics.addInput(p.scan.Input, 0)
	return p, nil
}

func (b *builder) buildSide(p *pipeline, j *physical.Join) error {
	in := j.Right
	if !j.BuildRight {
		in = j.Left
	}
	op, err := b.build(in)
	if err != nil {
		return err
	}
	side, err := newBuildSide(j, op, b.env)
	if err != nil {
		closeAll(op)
		return err
	}
	p.builds[j] = side
	return nil
}

// open lists the splits and reads the build sides, once.
func (p *pipeline) open(ctx context.Context) error {
	if p.opened {
		return nil
	}
	for _, n := range p.nodes {
		if j, ok := n.(*physical.Join); ok {
			if err := p.builds[j].fill(ctx); err != nil {
				return err
			}
		}
	}
	var err error
	p.splits, err = p.env.Open(ctx, p.scan.Scan)
	p.opened = err == nil
	return err
}

// A lane is a worker's copy of the chain: its own operators, evaluators and
// counts.
type lane struct {
	env  *Env
	scan *laneScan
	top  Operator
}

func (p *pipeline) lane() (*lane, error) {
	env := *p.env
	env.Metrics = Metrics{isLane: true}
	l := &lane{env: &env, scan: &laneScan{pipeline: p, env: &env, filter: choosing{reading: p.scan, env: &env}}}
	b := &builder{env: &env}
	l.top = b.wrap(p.scan.Scan.Scan, l.scan)
	for _, n := range p.nodes {
		var op Operator
		var err error
		if j, ok := n.(*physical.Join); ok {
			var over *join
			if over, err = newJoinOver(j, p.builds[j], l.top, &env); err == nil {
				over.lending = p.lending[j]
			}
			op = over
		} else {
			op, err = b.operator(n, []Operator{l.top})
		}
		if err != nil {
			closeAll(l.top)
			return nil, err
		}
		l.top = b.wrap(n, op)
	}
	return l, nil
}

// run pushes one split through the lane: each gets the batches that come out.
func (l *lane) run(ctx context.Context, split int, each func(Batch) error) error {
	l.scan.split, l.scan.ready = split, true
	for {
		b, err := l.top.Next(ctx)
		if err == errSplitEnd {
			return nil
		}
		if err != nil {
			return err
		}
		if err := each(b); err != nil {
			return err
		}
	}
}

// finish tells the operators that no split follows.
func (l *lane) finish(ctx context.Context) error {
	l.scan.done = true
	switch _, err := l.top.Next(ctx); err {
	case io.EOF:
		return nil
	case nil:
		return invariants.AssertionFailedf("%T has rows after the end of its last split", l.top)
	default:
		return err
	}
}

func (l *lane) close() error { return Close(l.top) }

// close closes the build sides.
func (p *pipeline) close() error {
	var errs []error
	for _, s := range p.builds {
		errs = append(errs, Close(s.input))
	}
	return errors.Join(errs...)
}

// errSplitEnd is what a lane's scan returns at the end of each split. Operators
// pass it on and go on with the next split when they are asked again.
var errSplitEnd = errors.New("end of the split")

// laneScan reads the split that it is told to.
type laneScan struct {
	pipeline *pipeline
	env      *Env
	split    int
	ready    bool
	done     bool
	current  RowReader
	filter   choosing
	held
}

var _ Operator = (*laneScan)(nil)

func (s *laneScan) Next(ctx context.Context) (Batch, error) {
	if err := ctx.Err(); err != nil {
		return Batch{}, err
	}
	switch {
	case s.done:
		return Batch{}, io.EOF
	case s.current == nil && !s.ready:
		return Batch{}, errSplitEnd
	case s.current == nil:
		r, err := s.pipeline.splits[s.split](ctx)
		if err != nil {
			return Batch{}, err
		}
		s.current, s.ready = s.pipeline.scan.lent(r), false
		s.filter.askedBy(s.current)
	}
	for {
		rec, err := s.current.Next(ctx)
		if err == io.EOF {
			if err = s.closeSplit(); err == nil {
				err = errSplitEnd
			}
		}
		if err != nil {
			return Batch{}, err
		}
		b, err := s.filter.batch(s.set(s.pipeline.scan.declared(rec)), s.split)
		if b.Rec != nil || err != nil {
			return b, err
		}
		if err := ctx.Err(); err != nil {
			return Batch{}, err
		}
	}
}

func (s *laneScan) closeSplit() error {
	r := s.current
	s.current = nil
	if r == nil {
		return nil
	}
	return r.Close()
}

// Close closes the split that is open.
func (s *laneScan) Close() error {
	s.set(nil)
	return s.closeSplit()
}
