package compute

import (
	"context"
	"io"

	"github.com/flightd/flightd/plan/physical"
)

// shared is an operator whose batches several read. A batch is kept until all have
// passed it.
type shared struct {
	op      Operator
	batches []Batch
	// first is which batch batches begins with, and at the batch that each reader is at.
	first int
	at    []int
	done  bool
	open  int
}

// gone is behind all batches.
const gone = int(^uint(0) >> 1)

// reader adds a reader.
func (s *shared) reader() *sharedReader {
	s.at = append(s.at, 0)
	s.open++
	return &sharedReader{of: s, number: len(s.at) - 1}
}

// get returns batch i.
func (s *shared) get(ctx context.Context, i int) (Batch, error) {
	for i-s.first >= len(s.batches) {
		if s.done {
			return Batch{}, io.EOF
		}
		b, err := s.op.Next(ctx)
		if err == io.EOF {
			s.done = true
			continue
		}
		if err != nil {
			return Batch{}, err
		}
		rec, err := b.Compact()
		if err != nil {
			return Batch{}, err
		}
		s.batches = append(s.batches, Batch{Rec: rec, Split: b.Split})
	}
	return s.batches[i-s.first], nil
}

// pass lets go of the batches that all have passed.
func (s *shared) pass() {
	least := gone
	for _, at := range s.at {
		least = min(least, at)
	}
	for len(s.batches) > 0 && s.first < least {
		s.batches[0].Rec.Release()
		s.batches = s.batches[1:]
		s.first++
	}
}

// sharedReader reads a shared operator.
type sharedReader struct {
	of     *shared
	number int
	// begun says that it has read a batch, and closed that it reads no more.
	begun, closed bool
	// twins, if set, are the operators that report what those of the shared one do.
	twins *physical.Reuse
	env   *Env
}

var _ Operator = (*sharedReader)(nil)

func (r *sharedReader) Next(ctx context.Context) (Batch, error) {
	if r.begun {
		r.of.at[r.number]++
		r.of.pass()
	}
	r.begun = false
	b, err := r.of.get(ctx, r.of.at[r.number])
	if err == io.EOF && r.twins != nil {
		r.report()
	}
	r.begun = err == nil
	return b, err
}

// report gives the operators that are not there their figures.
func (r *sharedReader) report() {
	m := &r.env.Metrics
	for _, t := range r.twins.States {
		of := *m.state(t.Of.Operator)
		*m.state(t.For.Operator) = of
	}
	copyTimes(r.twins, m)
	r.twins = nil
}

// copyTimes gives the watermark nodes that are not there the times of those that are.
func copyTimes(n *physical.Reuse, m *Metrics) {
	for _, t := range n.Watermarks {
		of := *m.eventTime(t.Of.Index)
		*m.eventTime(t.For.Index) = of
	}
}

// Close closes the shared operator when nobody reads it any more.
func (r *sharedReader) Close() error {
	if r.closed {
		return nil
	}
	r.closed = true
	r.of.at[r.number] = gone
	r.of.pass()
	if r.of.open--; r.of.open > 0 {
		return nil
	}
	return Close(r.of.op)
}

// Explain is that of the shared operator.
func (r *sharedReader) Explain() string {
	if e, ok := r.of.op.(interface{ Explain() string }); ok {
		return e.Explain() + ", for several"
	}
	return "shared"
}

// reused lists the nodes below n that a Reuse puts out again.
func reused(n physical.Node, to map[physical.Node]*shared) {
	if r, ok := n.(*physical.Reuse); ok {
		to[r.Of] = &shared{}
	}
	for _, in := range n.Inputs() {
		reused(in, to)
	}
}

// read returns a reader of a node that several read, which is built for the first.
func (s *shared) read(b *builder, n physical.Node) (*sharedReader, error) {
	if s.op == nil {
		var err error
		if s.op, err = b.buildAlone(n); err != nil {
			return nil, err
		}
	}
	return s.reader(), nil
}

// reuse makes the reader of n.
func (b *builder) reuse(n *physical.Reuse) (Operator, error) {
	r, err := b.shared[n.Of].read(b, n.Of)
	if err != nil {
		return nil, err
	}
	r.twins, r.env = n, b.env
	b.env.twins = append(b.env.twins, n)
	return r, nil
}
