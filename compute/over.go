package compute

import (
	"context"

	cexpr "github.com/flightd/flightd/compute/expr"
	"github.com/flightd/flightd/compute/vec"
	"github.com/flightd/flightd/plan/expr"
	"github.com/flightd/flightd/plan/physical"
)

// over computes window functions. It takes in all rows, sorts them by partition
// and order, and puts them out so: every function is a column over the sorted rows.
type over struct {
	unary
	node      *physical.Over
	env       *Env
	partition []cexpr.Evaluator
	order     []cexpr.Evaluator
	functions []overFunction
	out       *batches
}

// overFunction computes its column over sorted rows.
type overFunction interface {
	column(ctx context.Context, s *sorted) (*vec.Vec, error)
}

var _ Operator = (*over)(nil)

func newOver(n *physical.Over, input Operator, env *Env) (Operator, error) {
	o := &over{unary: unary{input}, node: n, env: env}
	var err error
	if o.partition, err = cexpr.CompileAll(n.Partition, env.Expr); err != nil {
		return nil, err
	}
	for _, k := range n.Order {
		ev, err := cexpr.Compile(k.Expr, env.Expr)
		if err != nil {
			return nil, err
		}
		o.order = append(o.order, ev)
	}
	for i := range n.Functions {
		f, err := newOverFunction(n, &n.Functions[i], env)
		if err != nil {
			return nil, err
		}
		o.functions = append(o.functions, f)
	}
	return o, nil
}

func (o *over) Next(ctx context.Context) (Batch, error) {
	if o.out == nil {
		all, err := collect(ctx, o.input, o.node.Input.Schema(), "window functions", o.env.memory())
		if err != nil {
			return Batch{}, err
		}
		s, err := o.sort(all)
		if err != nil {
			return Batch{}, err
		}
		for _, f := range o.functions {
			col, err := f.column(ctx, s)
			if err != nil {
				return Batch{}, err
			}
			s.all.cols = append(s.all.cols, col)
		}
		rows := make([]int32, s.all.rows)
		for i := range rows {
			rows[i] = int32(i)
		}
		o.out = &batches{schema: o.node.Out.Arrow(), from: s.all, rows: rows}
	}
	return o.out.Next(ctx)
}

// sorted is the rows by partition and order. Positions are those of the sorted
// rows; ends are one behind.
type sorted struct {
	// all are the input's columns, in order.
	all *collected
	in  *cexpr.Input
	// starts are where partitions begin, and the end of the last; part is the
	// partition of each row.
	starts, part []int32
	// peerFrom and peerTo are the rows equal in order to each row.
	peerFrom, peerTo []int32
	// key is the first term of the order, desc and nullsFirst how it is sorted.
	key              *vec.Vec
	desc, nullsFirst bool
}

// from and to are the bounds of row i's partition.
func (s *sorted) from(i int) int32 { return s.starts[s.part[i]] }
func (s *sorted) to(i int) int32   { return s.starts[s.part[i]+1] }

func (o *over) sort(all *collected) (*sorted, error) {
	in := &cexpr.Input{Cols: all.cols, Rows: all.rows}
	var keys []*vec.Vec
	var desc, nullsFirst []bool
	for _, ev := range o.partition {
		v, err := ev.Eval(in)
		if err != nil {
			return nil, err
		}
		keys, desc, nullsFirst = append(keys, vec.Fresh(v.Flat())), append(desc, false), append(nullsFirst, true)
	}
	for i, ev := range o.order {
		v, err := ev.Eval(in)
		if err != nil {
			return nil, err
		}
		keys, desc, nullsFirst = append(keys, vec.Fresh(v.Flat())), append(desc, o.node.Order[i].Descending), append(nullsFirst, o.node.Order[i].NullsFirst)
	}
	rows := make([]int32, all.rows)
	for i := range rows {
		rows[i] = int32(i)
	}
	if len(keys) > 0 {
		rows = vec.SortIndex(keys, desc, nullsFirst, rows)
	}
	s := &sorted{all: &collected{rows: all.rows}}
	for _, c := range all.cols {
		s.all.cols = append(s.all.cols, c.Take(rows))
	}
	s.in = &cexpr.Input{Cols: s.all.cols[:len(all.cols):len(all.cols)], Rows: all.rows}
	for i, k := range keys {
		keys[i] = k.Take(rows)
	}
	n := len(o.partition)
	if n < len(keys) {
		s.key, s.desc, s.nullsFirst = keys[n], desc[n], nullsFirst[n]
	}
	s.mark(keys[:n], keys[n:])
	return s, nil
}

// mark finds partitions and peers.
func (s *sorted) mark(partition, order []*vec.Vec) {
	n := s.all.rows
	s.part, s.peerFrom, s.peerTo = make([]int32, n), make([]int32, n), make([]int32, n)
	first := 0
	peers := func(to int) {
		for i := first; i < to; i++ {
			s.peerFrom[i], s.peerTo[i] = int32(first), int32(to)
		}
		first = to
	}
	for i := range n {
		switch {
		case i == 0 || differ(partition, i-1, i):
			peers(i)
			s.starts = append(s.starts, int32(i))
		case differ(order, i-1, i):
			peers(i)
		}
		s.part[i] = int32(len(s.starts) - 1)
	}
	peers(n)
	s.starts = append(s.starts, int32(n))
}

func differ(cols []*vec.Vec, i, j int) bool {
	for _, c := range cols {
		if a, b := c.Null(i), c.Null(j); a != b || !a && vec.Compare(c, i, c, j) != 0 {
			return true
		}
	}
	return false
}

// Close lets go of all rows and closes the input.
func (o *over) Close() error {
	if o.out != nil {
		o.out.set(nil)
	}
	return o.unary.Close()
}

// frame is a frame, compiled.
type frame struct {
	*expr.Frame
	lower, upper       cexpr.Evaluator // the values that end a RANGE
	lowerRows, uppRows int64           // the offsets of ROWS
}

// newFrame compiles f; nil is what SQL says where no frame is written: with an
// order everything up to the row's peers, else the partition.
func newFrame(f *expr.Frame, ordered bool, env *Env) (*frame, error) {
	if f == nil {
		f = &expr.Frame{Lower: expr.Bound{Kind: -2}, Upper: expr.Bound{Kind: 2}}
		if ordered {
			f.Upper.Kind = 0
		}
	}
	out := &frame{Frame: f}
	for _, b := range []struct {
		expr.Bound
		value *cexpr.Evaluator
		rows  *int64
	}{{f.Lower, &out.lower, &out.lowerRows}, {f.Upper, &out.upper, &out.uppRows}} {
		switch {
		case b.Offset == nil:
		case f.Rows:
			l, err := cexpr.Fold(b.Offset, env.Expr)
			if err != nil {
				return nil, err
			}
			n, _ := l.Value.(int64)
			if b.Kind < 0 {
				n = -n
			}
			*b.rows = n
		default:
			var err error
			if *b.value, err = cexpr.Compile(b.Value, env.Expr); err != nil {
				return nil, err
			}
		}
	}
	return out, nil
}

// bounds returns the frame [lo[i], hi[i]) of each row.
func (f *frame) bounds(s *sorted) (lo, hi []int32, err error) {
	if lo, err = f.ends(s, f.Lower.Kind, f.lowerRows, f.lower, false); err != nil {
		return nil, nil, err
	}
	if hi, err = f.ends(s, f.Upper.Kind, f.uppRows, f.upper, true); err != nil {
		return nil, nil, err
	}
	for i := range lo {
		hi[i] = max(hi[i], lo[i])
	}
	return lo, hi, nil
}

// ends are the lower or upper ends of the frames of all rows.
func (f *frame) ends(s *sorted, kind int, offset int64, value cexpr.Evaluator, upper bool) ([]int32, error) {
	out := make([]int32, s.all.rows)
	var at *vec.Vec
	if value != nil {
		v, err := value.Eval(s.in)
		if err != nil {
			return nil, err
		}
		at = v.Flat()
	}
	for i := range out {
		from, to := s.from(i), s.to(i)
		switch {
		case kind == -2:
			out[i] = from
		case kind == 2:
			out[i] = to
		case at != nil:
			out[i] = s.search(i, at, upper)
		case f.Rows:
			n := int64(i) + offset
			if upper {
				n++
			}
			out[i] = int32(min(max(n, int64(from)), int64(to)))
		case upper:
			out[i] = s.peerTo[i]
		default:
			out[i] = s.peerFrom[i]
		}
	}
	return out, nil
}

// search finds where a RANGE frame of row i ends that goes to the value at i of
// at: a row whose order is NULL has its peers.
func (s *sorted) search(i int, at *vec.Vec, upper bool) int32 {
	if s.key.Null(i) || at.Null(i) {
		if upper {
			return s.peerTo[i]
		}
		return s.peerFrom[i]
	}
	lo, hi := s.from(i), s.to(i)
	for lo < hi {
		mid := int32(uint32(lo+hi) >> 1)
		if s.before(int(mid), at, i, upper) {
			lo = mid + 1
		} else {
			hi = mid
		}
	}
	return lo
}

// before reports whether row j stands before the end that at's value i is: an
// upper end is behind equal rows.
func (s *sorted) before(j int, at *vec.Vec, i int, upper bool) bool {
	if s.key.Null(j) {
		return s.nullsFirst
	}
	c := vec.Compare(s.key, j, at, i)
	if s.desc {
		c = -c
	}
	return c < 0 || upper && c == 0
}
