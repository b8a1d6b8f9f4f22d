package compute

import (
	"context"
	"fmt"
	"io"
)

// scan reads an input, split after split, and counts its rows before anything
// else can remove them.
type scan struct {
	*reading
	env     *Env
	splits  []Split
	opened  bool
	ended   bool
	next    int
	current RowReader
	filter  choosing
	held
}

var _ Operator = (*scan)(nil)

func newScan(r *reading, env *Env) *scan {
	env.Metrics.addInput(r.Input, 0)
	env.readsInput()
	return &scan{reading: r, env: env, filter: choosing{reading: r, env: env}}
}

func (s *scan) Next(ctx context.Context) (Batch, error) {
	if !s.opened {
		splits, err := s.env.Open(ctx, s.Scan)
		if err != nil {
			return Batch{}, err
		}
		s.splits, s.opened = splits, true
	}
	for {
		if err := ctx.Err(); err != nil {
			return Batch{}, err
		}
		if s.current == nil {
			if s.next == len(s.splits) {
				if !s.ended {
					s.ended = true
					s.env.inputRead()
				}
				return Batch{}, io.EOF
			}
			r, err := s.splits[s.next](ctx)
			if err != nil {
				return Batch{}, err
			}
			s.current = s.lent(r)
			s.filter.askedBy(s.current)
			s.next++
		}
		rec, err := s.current.Next(ctx)
		if err == io.EOF {
			if err := s.closeSplit(); err != nil {
				return Batch{}, err
			}
			continue
		}
		if err != nil {
			return Batch{}, err
		}
		b, err := s.filter.batch(s.set(s.declared(rec)), s.next-1)
		if b.Rec != nil || err != nil {
			return b, err
		}
	}
}

func (s *scan) closeSplit() error {
	r := s.current
	s.current = nil
	if r == nil {
		return nil
	}
	return r.Close()
}

// Close closes the split that is open.
func (s *scan) Close() error {
	s.set(nil)
	return s.closeSplit()
}

func (s *scan) Explain() string {
	return fmt.Sprintf("scan of input %d, %d columns", s.Input, len(s.Columns))
}
