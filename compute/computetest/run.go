package computetest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/flightd/flightd/compute"
	cexpr "github.com/flightd/flightd/compute/expr"
	"github.com/flightd/flightd/compute/vec"
	"github.com/flightd/flightd/internal/base"
	"github.com/flightd/flightd/plan/expr"
	"github.com/flightd/flightd/plan/physical"
	"github.com/flightd/flightd/state"
)

// variant is one way to play a case.
type variant struct {
	cut                        int
	scramble, vandal, restored bool
	subTables                  int
	cancelAt                   int // the call of Next that finds the context ended; −1: none
}

func (v variant) String() string {
	return fmt.Sprintf("cut=%d scramble=%v vandal=%v restored=%v subs=%d cancel=%d", v.cut, v.scramble, v.vandal, v.restored, v.subTables, v.cancelAt)
}

const all = 1 << 30

// Run plays c in every variant.
func Run(t *testing.T, c Case) {
	t.Helper()
	rnd := rand.New(rand.NewPCG(7, 11))
	for _, cut := range []int{1, 2, 3, 7, all} {
		for _, v := range []variant{
			{cut: cut, subTables: 4, cancelAt: -1},
			{cut: cut, scramble: true, vandal: true, subTables: 1, cancelAt: -1},
			{cut: cut, scramble: true, restored: true, subTables: 8, cancelAt: -1},
			{cut: cut, vandal: true, subTables: 1, cancelAt: rnd.IntN(8)},
		} {
			p := &player{Case: c, variant: v, rnd: rnd, mem: &poisoned{}}
			if err := p.play(); err != nil {
				t.Errorf("%s: %v", v, err)
				return
			}
			if p.mem.alive != 0 {
				t.Errorf("%s: %d buffers of the input were not released", v, p.mem.alive)
			}
		}
	}
}

type player struct {
	Case
	variant
	rnd   *rand.Rand
	mem   *poisoned
	store state.Store
	calls int
	stop  context.CancelFunc
	// snapshot is that of the last epoch, in restored variants.
	snapshot bytes.Buffer
}

const seed = 99

func (p *player) newStore() state.Store {
	s, err := state.NewMemory(state.Config{Seed: seed, SubTables: p.subTables})
	if err != nil {
		panic(err)
	}
	return s
}

func (p *player) play() error {
	p.store = p.newStore()
	for i, e := range p.Epochs {
		err := p.epoch(base.Epoch(i), e)
		if p.cancelAt >= 0 && errors.Is(err, context.Canceled) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("epoch %d: %w", i, err)
		}
		if e.Error != "" {
			return nil
		}
	}
	return nil
}

func (p *player) epoch(n base.Epoch, e Epoch) error {
	scans := make([]physical.Node, len(p.Inputs))
	for i, s := range p.Inputs {
		scan := &physical.Scan{Input: i, Out: s}
		for c := range s {
			scan.Columns = append(scan.Columns, c)
		}
		scans[i] = scan
	}
	plan := p.Plan(scans)
	env, err := p.env(e, plan)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	p.stop = cancel
	got, err := p.drain(ctx, plan, env)
	switch {
	case p.cancelAt >= 0 && errors.Is(err, context.Canceled):
		return err
	case e.Error != "" && (err == nil || !strings.Contains(err.Error(), e.Error)):
		return fmt.Errorf("error %v, want %q", err, e.Error)
	case e.Error != "":
		return nil
	case err != nil:
		return err
	}
	if err := p.compare(got, e, plan.Schema(), env); err != nil {
		return err
	}
	return p.commit(n)
}

func (p *player) env(e Epoch, plan physical.Node) (*compute.Env, error) {
	ex := &cexpr.Env{Zone: p.Zone, Now: p.Now}
	env := &compute.Env{Expr: ex, Store: p.store, Seed: seed, Wrap: p.wrap}
	if e.Late != 0 || e.Evict != 0 {
		for range 8 {
			env.Late, env.Evict = append(env.Late, e.Late), append(env.Evict, e.Evict)
		}
	}
	inputs := make([][]*vec.Vec, len(p.Inputs))
	for i, s := range p.Inputs {
		var err error
		if inputs[i], err = columns(s, e.In[i]); err != nil {
			return nil, err
		}
	}
	env.Open = func(_ context.Context, scan compute.Scan) ([]compute.Split, error) {
		return p.splits(scan, inputs[scan.Input], len(e.In[scan.Input])), nil
	}
	return env, nil
}

func (p *player) splits(scan compute.Scan, cols []*vec.Vec, rows int) []compute.Split {
	n := max(1, p.Splits)
	out := make([]compute.Split, n)
	for i := range out {
		r := &reader{schema: scan.Out, cols: cols, at: i * rows / n, to: (i + 1) * rows / n, cut: p.cut, mem: p.mem, dictionaries: scan.Dictionaries}
		out[i] = func(context.Context) (compute.RowReader, error) { return r, nil }
	}
	return out
}

func (p *player) wrap(n physical.Node, op compute.Operator) compute.Operator {
	op = compute.Check(op, n.Schema())
	if _, ok := n.(*physical.Scan); ok && p.scramble {
		op = &scrambler{input: op, schema: n.Schema(), rnd: p.rnd, mem: p.mem}
	}
	if p.vandal {
		op = &vandal{input: op}
	}
	return &counter{op, p}
}

// counter ends the context at the call that the variant names.
type counter struct {
	input compute.Operator
	p     *player
}

func (c *counter) Next(ctx context.Context) (compute.Batch, error) {
	if c.p.calls == c.p.cancelAt {
		c.p.stop()
	}
	c.p.calls++
	return c.input.Next(ctx)
}

func (c *counter) Close() error { return compute.Close(c.input) }

func (p *player) drain(ctx context.Context, plan physical.Node, env *compute.Env) ([]string, error) {
	op, err := compute.Build(ctx, plan, env)
	if err != nil {
		return nil, err
	}
	defer compute.Close(op)
	var got []string
	for {
		b, err := op.Next(ctx)
		if err == io.EOF {
			return got, nil
		}
		if err != nil {
			return nil, err
		}
		rows := texts(b, plan.Schema())
		rec, err := b.Compact()
		if err != nil {
			return nil, err
		}
		compacted := texts(compute.Batch{Rec: rec}, plan.Schema())
		rec.Release()
		if !slices.Equal(rows, compacted) {
			return nil, fmt.Errorf("Compact gives %q for %q", compacted, rows)
		}
		got = append(got, rows...)
	}
}

func (p *player) compare(got []string, e Epoch, s expr.Schema, env *compute.Env) error {
	want, err := wanted(s, e.Want)
	if err != nil {
		return err
	}
	if p.Unordered {
		slices.Sort(got)
		slices.Sort(want)
	}
	if !slices.Equal(got, want) {
		return fmt.Errorf("got\n  %s\nwant\n  %s", strings.Join(got, "\n  "), strings.Join(want, "\n  "))
	}
	for i := range env.Metrics.State {
		if m := &env.Metrics.State[i]; m.Unaccounted() != 0 {
			return fmt.Errorf("operator %d: %d rows are neither used nor late nor refused: %+v", i, m.Unaccounted(), *m)
		}
	}
	for i, m := range e.State {
		have := env.Metrics.State[i]
		have.Bytes = m.Bytes
		if !m.HasOldest {
			have.Oldest, have.HasOldest = 0, false
		}
		if m.Input == 0 {
			have.Input, have.Used, have.Refused = 0, 0, nil
		}
		if a, b := fmt.Sprintf("%+v", have), fmt.Sprintf("%+v", m); a != b {
			return fmt.Errorf("operator %d: metrics %s, want %s", i, a, b)
		}
	}
	for i, w := range e.Times {
		if have := env.Metrics.EventTimes[i]; have != w {
			return fmt.Errorf("watermark node %d saw %+v, want %+v", i, have, w)
		}
	}
	return nil
}

// commit ends the epoch, and in a restored variant goes on with a store that was
// made of the snapshot of the epoch before and the changes of this one.
func (p *player) commit(n base.Epoch) error {
	changes, err := p.store.Commit(n)
	if err != nil || !p.restored {
		return err
	}
	p.store = p.newStore()
	if p.snapshot.Len() > 0 {
		if _, err := p.store.Restore(&p.snapshot); err != nil {
			return err
		}
	}
	if err := p.store.Apply(n, changes); err != nil {
		return err
	}
	p.snapshot.Reset()
	pinned := p.store.Pin()
	defer pinned.Release()
	return pinned.Encode(&p.snapshot)
}

// RunOnce plays c in one variant: for cases that are large.
func RunOnce(t *testing.T, c Case) {
	t.Helper()
	p := &player{Case: c, variant: variant{cut: compute.BatchRows, subTables: 4, cancelAt: -1}, rnd: rand.New(rand.NewPCG(1, 2)), mem: &poisoned{}}
	if err := p.play(); err != nil {
		t.Error(err)
	}
	if p.mem.alive != 0 {
		t.Errorf("%d buffers of the input were not released", p.mem.alive)
	}
}
