package compute

import (
	"context"
	"fmt"
	"io"

	"github.com/apache/arrow-go/v18/arrow"

	cexpr "github.com/flightd/flightd/compute/expr"
	"github.com/flightd/flightd/compute/vec"
	"github.com/flightd/flightd/plan/physical"
)

// asOfJoin reads both sides into memory, sorts them together by what is compared, and
// goes through them once: each left row meets the right row of its key that came last
// on the way. Rows come out in the order of the left side.
type asOfJoin struct {
	node        *physical.AsOfJoin
	left, right Operator
	leftKeys    *joinKeys
	table       *joinTable
	match       [2]cexpr.Evaluator
	cond        *pairCondition
	out         *arrow.Schema
	all         *collected
	// rows and partners are the pairs that are still to be put out; −1 is no partner.
	rows, partners []int32
	held
}

var _ Operator = (*asOfJoin)(nil)

func newAsOfJoin(n *physical.AsOfJoin, left, right Operator, env *Env) (*asOfJoin, error) {
	j := &asOfJoin{node: n, left: left, right: right, out: n.Out.Arrow()}
	var err error
	if j.leftKeys, err = newJoinKeys(n.LeftKeys, n.NullSafe, env); err != nil {
		return nil, err
	}
	if j.table, err = newJoinTable(n.RightKeys, n.Right.Schema(), n.NullSafe, env); err != nil {
		return nil, err
	}
	for i, e := range n.Match {
		if j.match[i], err = cexpr.Compile(e, env.Expr); err != nil {
			return nil, err
		}
	}
	if n.Cond != nil {
		j.cond, err = newPairCondition(&physical.Join{Left: n.Left, Right: n.Right, Cond: n.Cond}, env)
	}
	return j, err
}

func (j *asOfJoin) Next(ctx context.Context) (Batch, error) {
	if j.all == nil {
		if err := j.fill(ctx); err != nil {
			return Batch{}, err
		}
	}
	n := min(len(j.rows), BatchRows)
	if n == 0 {
		return Batch{}, io.EOF
	}
	cols := make([]*vec.Vec, 0, len(j.node.Out))
	for _, c := range j.all.cols {
		cols = append(cols, c.Take(j.rows[:n]))
	}
	for _, c := range j.table.rows.cols {
		cols = append(cols, c.Take(j.partners[:n]))
	}
	j.rows, j.partners = j.rows[n:], j.partners[n:]
	return Batch{Rec: j.set(recordOf(j.out, cols, n))}, nil
}

// fill reads both sides and pairs them.
func (j *asOfJoin) fill(ctx context.Context) error {
	if err := j.table.fill(ctx, j.right); err != nil {
		return err
	}
	all, err := collect(ctx, j.left, j.node.Left.Schema(), "an as-of join", j.table.env.memory())
	if err != nil {
		return err
	}
	left := &cexpr.Input{Cols: all.cols, Rows: all.rows}
	right := &cexpr.Input{Cols: j.table.rows.cols, Rows: j.table.rows.rows}
	var values [2]*vec.Vec
	for i, in := range []*cexpr.Input{left, right} {
		v, err := j.match[i].Eval(in)
		if err != nil {
			return err
		}
		values[i] = vec.Fresh(v.Flat())
	}
	leftIDs, err := j.leftIDs(left)
	if err != nil {
		return err
	}
	s := newSweep(j.node, all.rows, right.Rows, len(j.table.starts)-1)
	s.run(j.order(values), leftIDs, j.rightIDs())
	if j.cond != nil {
		if err := j.retry(s, all); err != nil {
			return err
		}
	}
	for i, r := range s.partner {
		if r >= 0 || j.node.Outer {
			j.rows, j.partners = append(j.rows, int32(i)), append(j.partners, r)
		}
	}
	j.all = all
	return nil
}

// leftIDs returns the key of each left row as the right side numbers it, or −1.
func (j *asOfJoin) leftIDs(in *cexpr.Input) ([]int32, error) {
	ids := make([]int32, in.Rows)
	if len(j.leftKeys.evals) == 0 || in.Rows == 0 {
		return ids, nil
	}
	var list rowList
	rows := list.first(in.Rows)
	found := make([]int32, in.Rows)
	kept, err := j.leftKeys.find(in, rows, j.table.table, found)
	if err != nil {
		return nil, err
	}
	for i := range ids {
		ids[i] = -1
	}
	for k, r := range kept {
		ids[r] = found[k]
	}
	return ids, nil
}

// rightIDs returns the key of each right row, or −1.
func (j *asOfJoin) rightIDs() []int32 {
	ids := make([]int32, j.table.rows.rows)
	for i := range ids {
		ids[i] = -1
	}
	for id := range len(j.table.starts) - 1 {
		for _, r := range j.table.of(int32(id)) {
			ids[r] = int32(id)
		}
	}
	return ids
}

// order sorts the rows of both sides that may match by their values: see sweep.
func (j *asOfJoin) order(values [2]*vec.Vec) []int32 {
	left, right := int32(values[0].Len), int32(values[1].Len)
	rightFirst := j.node.Forward == j.node.Strict
	parts := []*vec.Vec{values[0], values[1]}
	if rightFirst {
		parts[0], parts[1] = parts[1], parts[0]
	}
	all := vec.Concat(parts)
	rows := make([]int32, 0, all.Len)
	for i := range all.Len {
		if !all.Null(i) {
			rows = append(rows, int32(i))
		}
	}
	rows = vec.SortIndex([]*vec.Vec{all}, []bool{false}, []bool{true}, rows)
	if !rightFirst {
		return rows
	}
	for i, r := range rows {
		if rows[i] = r - right; r < right {
			rows[i] = r + left
		}
	}
	return rows
}

// retry goes on to the next nearest row where the condition does not hold.
func (j *asOfJoin) retry(s *sweep, all *collected) error {
	var rows []int32
	for i, r := range s.partner {
		if r >= 0 {
			rows = append(rows, int32(i))
		}
	}
	for len(rows) > 0 {
		some := rows[:min(len(rows), BatchRows)]
		rows = rows[len(some):]
		for len(some) > 0 {
			partners := make([]int32, len(some))
			for k, i := range some {
				partners[k] = s.partner[i]
			}
			pass, err := j.cond.pass(all.cols, j.table.rows.cols, some, partners)
			if err != nil {
				return err
			}
			again := make([]int32, 0, len(some)-len(pass))
			for k, i := range some {
				if len(pass) > 0 && pass[0] == int32(k) {
					pass = pass[1:]
					continue
				}
				if s.partner[i] = s.before[s.partner[i]]; s.partner[i] >= 0 {
					again = append(again, i)
				}
			}
			some = again
		}
	}
	return nil
}

// Close lets go of all rows and closes both inputs.
func (j *asOfJoin) Close() error {
	j.set(nil)
	return closeAll(j.left, j.right)
}

func (j *asOfJoin) Explain() string {
	return fmt.Sprintf("as-of join %s on %d keys", j.node.Op(), len(j.node.LeftKeys))
}

// A sweep goes through left and right rows in the order of what is compared, or with
// forward against it, and pairs each left row with the right row of its key that came
// last. Which of equal ones comes first says whether they match.
type sweep struct {
	forward bool
	left    int
	// partner is the right row of each left row, and before the right row that each right
	// row took the place of; −1: none.
	partner, before []int32
	// last is the right row that came last, by key.
	last []int32
}

func newSweep(n *physical.AsOfJoin, left, right, keys int) *sweep {
	s := &sweep{forward: n.Forward, left: left, partner: make([]int32, left), before: make([]int32, right), last: make([]int32, keys)}
	for _, list := range [][]int32{s.partner, s.before, s.last} {
		for i := range list {
			list[i] = -1
		}
	}
	return s
}

// run goes through rows, ascending by what is compared: a right row r is the number of
// left rows and r. Keys below 0 match nothing.
func (s *sweep) run(rows, leftIDs, rightIDs []int32) {
	for i := range rows {
		r := rows[i]
		if s.forward {
			r = rows[len(rows)-1-i]
		}
		if int(r) < s.left {
			if id := leftIDs[r]; id >= 0 {
				s.partner[r] = s.last[id]
			}
			continue
		}
		r -= int32(s.left)
		if id := rightIDs[r]; id >= 0 {
			s.before[r], s.last[id] = s.last[id], r
		}
	}
}
