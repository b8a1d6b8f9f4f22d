package compute

import (
	"context"
	"fmt"
	"slices"

	"github.com/apache/arrow-go/v18/arrow"

	cexpr "github.com/flightd/flightd/compute/expr"
	"github.com/flightd/flightd/compute/vec"
	"github.com/flightd/flightd/kernels"
	"github.com/flightd/flightd/plan/expr"
	"github.com/flightd/flightd/plan/physical"
)

// LateSchema is the schema of LateRows: one row for each row that a stateful
// operator dropped, however many of its windows were closed.
//
//	operator       the operator's number in the progress report
//	operator_name  its name there
//	watermark      the watermark that the row was late for
//	event_time     the row's event time; of a row that has only a window left, its last microsecond
//	late_by_ms     how far the event time lies behind the watermark
//	windows        the row's windows that were closed, latest first; NULL where rows have no windows
//	row            the row as the operator would have got it, as JSON
func LateSchema() expr.Schema {
	return expr.Schema{
		{Name: "operator", Type: expr.Int32},
		{Name: "operator_name", Type: expr.String},
		{Name: "watermark", Type: expr.Timestamp},
		{Name: "event_time", Type: expr.Timestamp},
		{Name: "late_by_ms", Type: expr.Int64},
		{Name: "windows", Type: expr.ArrayOf(lateWindow(), true), Nullable: true},
		{Name: "row", Type: expr.String, Nullable: true},
	}
}

func lateWindow() *expr.Type {
	return expr.StructOf(expr.Field{Name: "start", Type: expr.Timestamp, Nullable: true}, expr.Field{Name: "end", Type: expr.Timestamp, Nullable: true})
}

// LateRows are rows that an operator dropped as late: columns of LateSchema. They
// are in the order in which the operator saw them.
type LateRows struct {
	Operator int
	// Columns are Rows long.
	Columns []*vec.Vec
	Rows    int
	split   int32
}

// lateTee passes all rows on and keeps a copy of those that are late for the
// operator above. It finds them by that operator's own rule, before windows are
// assigned where it can: so a row is kept once.
type lateTee struct {
	unary
	node  *physical.Late
	env   *Env
	time  cexpr.Evaluator
	end   cexpr.Evaluator
	row   cexpr.Evaluator
	view  *view
	whole *view
	slide kernels.Modulus
	list  rowList
}

var _ Operator = (*lateTee)(nil)

func newLateTee(n *physical.Late, input Operator, env *Env) (Operator, error) {
	t := &lateTee{unary: unary{input}, node: n, env: env, view: newView(n.Schema(), n.Time, n.End), whole: newView(n.Schema(), n.Row)}
	if n.Assign != nil {
		t.slide = kernels.NewModulus(n.Assign.Slide)
	}
	var err error
	for _, c := range []struct {
		e  expr.Expr
		to *cexpr.Evaluator
	}{{n.Time, &t.time}, {n.End, &t.end}, {n.Row, &t.row}} {
		if c.e == nil {
			continue
		}
		if *c.to, err = cexpr.Compile(c.e, env.Expr); err != nil {
			return nil, err
		}
	}
	return t, nil
}

func (t *lateTee) Next(ctx context.Context) (Batch, error) {
	b, err := t.input.Next(ctx)
	if err != nil {
		return Batch{}, err
	}
	if w := watermark(t.env.Late, t.node.State.Operator); w != NoWatermark {
		if err := t.keep(b, w); err != nil {
			return Batch{}, err
		}
	}
	return b, nil
}

// keep copies the rows of b that are late for the watermark ms.
func (t *lateTee) keep(b Batch, ms int64) error {
	in := t.view.of(b)
	v, err := t.time.Eval(in)
	if err != nil {
		return err
	}
	v = v.Flat()
	found := &lateBatch{mark: ms * 1000}
	switch {
	case v.Type.Kind == expr.KindNull:
	case t.node.Assign != nil:
		found.assigned(v, t.list.of(b), t.node.Assign, t.slide)
	case t.node.End != nil:
		end, err := t.end.Eval(in)
		if err != nil {
			return err
		}
		found.sessions(v, end.Flat(), t.list.of(b))
	case v.Type.Kind == expr.KindStruct:
		found.windows(v, t.list.of(b))
	default:
		found.plain(v, t.list.of(b))
	}
	if len(found.rows) == 0 {
		return nil
	}
	text, err := t.row.Eval(t.whole.of(Batch{Rec: b.Rec, Sel: found.rows, Split: b.Split}))
	if err != nil {
		return err
	}
	s := t.node.State
	cols := append(found.columns(s), vec.Fresh(text.Take(found.rows)))
	t.env.Metrics.Late = append(t.env.Metrics.Late, LateRows{Operator: s.Operator, Columns: cols, Rows: len(found.rows), split: b.Split})
	return nil
}

func (t *lateTee) Explain() string {
	return fmt.Sprintf("keep the late rows of operator %d", t.node.State.Operator)
}

// lateBatch is the late rows of a batch. A row is late for a window that ends at
// or before mark, and by itself at or before mark (microseconds).
type lateBatch struct {
	mark  int64
	rows  []int32
	times []int64
	// starts and ends are the windows of all rows one after another, and offsets
	// where those of each row end; nil where rows have none.
	starts, ends []int64
	offsets      []int32
}

func (l *lateBatch) add(row int32, time int64) {
	l.rows, l.times = append(l.rows, row), append(l.times, time)
}

func (l *lateBatch) addWindow(row int32, time, start, end int64) {
	l.add(row, time)
	l.starts, l.ends = append(l.starts, start), append(l.ends, end)
	l.offsets = append(l.offsets, int32(len(l.starts)))
}

func (l *lateBatch) plain(v *vec.Vec, rows []int32) {
	us := vec.Values[int64](v)
	for _, r := range rows {
		if us[r] <= l.mark && !v.Null(int(r)) {
			l.add(r, us[r])
		}
	}
}

// windows takes rows that have their window already.
func (l *lateBatch) windows(v *vec.Vec, rows []int32) {
	ends := eventTimes(v)
	starts, us := vec.Values[int64](v.Kids[0]), vec.Values[int64](ends)
	for _, r := range rows {
		if us[r] <= l.mark && !ends.Null(int(r)) {
			l.addWindow(r, us[r]-1, starts[r], us[r])
		}
	}
}

// assigned takes the windows that w will give each row.
func (l *lateBatch) assigned(v *vec.Vec, rows []int32, w *physical.Window, slide kernels.Modulus) {
	us := vec.Values[int64](v)
	for _, r := range rows {
		// A window ends after the rows that it holds.
		if us[r] >= l.mark || v.Null(int(r)) {
			continue
		}
		start, late := [1]int64{}, false
		kernels.WindowStarts(start[:], us[r:r+1], nil, w.Start, 0, slide)
		for at := start[0]; us[r]-at < w.Duration; at -= w.Slide {
			if at+w.Duration > l.mark {
				continue
			}
			if !late {
				l.add(r, us[r])
				l.offsets = append(l.offsets, 0)
				late = true
			}
			l.starts, l.ends = append(l.starts, at), append(l.ends, at+w.Duration)
			l.offsets[len(l.offsets)-1] = int32(len(l.starts))
		}
	}
}

// sessions takes the window that each row opens by itself.
func (l *lateBatch) sessions(v, end *vec.Vec, rows []int32) {
	if end.Type.Kind == expr.KindNull {
		return
	}
	us, ends := vec.Values[int64](v), vec.Values[int64](end)
	for _, r := range rows {
		if ends[r] <= l.mark && ends[r] > us[r] && !v.Null(int(r)) && !end.Null(int(r)) {
			l.addWindow(r, us[r], us[r], ends[r])
		}
	}
}

// columns returns all columns of LateSchema but the last.
func (l *lateBatch) columns(s *physical.State) []*vec.Vec {
	n := len(l.rows)
	behind := make([]int64, n)
	for i, t := range l.times {
		behind[i] = floorMillis(l.mark - t)
	}
	schema := LateSchema()
	name := vec.NewBuilder(expr.String)
	for range n {
		name.AppendBytes([]byte(s.Name))
	}
	windows := vec.NewNull(schema[5].Type, n)
	if l.offsets != nil {
		kid := &vec.Vec{Type: schema[5].Type.Elem, Len: len(l.starts),
			Kids: []*vec.Vec{vec.FromValues(expr.Timestamp, l.starts, nil), vec.FromValues(expr.Timestamp, l.ends, nil)}}
		windows = &vec.Vec{Type: schema[5].Type, Len: n, Off: append([]int32{0}, l.offsets...), Kids: []*vec.Vec{kid}}
	}
	return []*vec.Vec{
		vec.FromValues(expr.Int32, slices.Repeat([]int32{int32(s.Operator)}, n), nil), name.Vec(),
		vec.FromValues(expr.Timestamp, slices.Repeat([]int64{l.mark}, n), nil), vec.FromValues(expr.Timestamp, l.times, nil),
		vec.FromValues(expr.Int64, behind, nil), windows,
	}
}

// Record returns the rows as a record batch of LateSchema, which the caller
// releases, behind the columns of first, which are as long.
func (l LateRows) Record(schema *arrow.Schema, first ...*vec.Vec) arrow.RecordBatch {
	return recordOf(schema, append(first, l.Columns...), l.Rows)
}
