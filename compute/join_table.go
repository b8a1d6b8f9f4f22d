package compute

import (
	"context"

	cexpr "github.com/flightd/flightd/compute/expr"
	"github.com/flightd/flightd/compute/vec"
	"github.com/flightd/flightd/plan/expr"
	"github.com/flightd/flightd/plan/physical"
	"github.com/flightd/flightd/state"
)

// joinKeys evaluates the equality keys of one side.
type joinKeys struct {
	evals    []cexpr.Evaluator
	nullSafe []bool
	layout   *keyLayout
	norm     *state.Keys
	cols     []*vec.Vec
}

func newJoinKeys(keys []expr.Expr, nullSafe []bool, env *Env) (*joinKeys, error) {
	k := &joinKeys{nullSafe: nullSafe, cols: make([]*vec.Vec, len(keys))}
	types := make([]*expr.Type, len(keys))
	for i, e := range keys {
		types[i] = e.Type()
	}
	k.layout = newKeyLayout(types)
	k.norm = state.NewKeys(k.layout.fields, env.Seed)
	var err error
	k.evals, err = cexpr.CompileAll(keys, env.Expr)
	return k, err
}

// evaluate makes the key columns.
func (k *joinKeys) evaluate(in *cexpr.Input) error {
	for i, ev := range k.evals {
		v, err := ev.Eval(in)
		if err != nil {
			return err
		}
		k.cols[i] = v
	}
	return nil
}

// find looks up the keys of rows in t. It returns the rows whose keys can be equal
// to any, and writes what it finds to ids.
func (k *joinKeys) find(in *cexpr.Input, rows []int32, t *state.Table, ids []int32) ([]int32, error) {
	if err := k.evaluate(in); err != nil {
		return nil, err
	}
	if t.FindInts(k.layout.vectors(k.cols, rows), rows, ids) {
		return rows, nil
	}
	kept, err := k.normalise(in, rows)
	if err != nil {
		return nil, err
	}
	return kept, t.Find(k.norm, kept, ids[:len(kept)])
}

// normalise makes the keys of rows ready to be looked up, and returns the rows
// whose keys can be equal to any: not those with a NULL, unless it is compared
// with <=>.
func (k *joinKeys) normalise(in *cexpr.Input, rows []int32) ([]int32, error) {
	if err := k.norm.Normalise(k.layout.vectors(k.cols, rows), in.Rows, rows); err != nil {
		return nil, err
	}
	kept, copied := rows, false
	for i, c := range k.cols {
		if k.nullSafe[i] || c.NullCount() == 0 {
			continue
		}
		if !copied {
			kept, copied = append([]int32(nil), rows...), true
		}
		n := 0
		for _, r := range kept {
			if !c.Null(int(r)) {
				kept[n] = r
				n++
			}
		}
		kept = kept[:n]
	}
	return kept, nil
}

// joinTable is the build side: its rows, and for each key the rows that have it,
// in their order.
type joinTable struct {
	schema expr.Schema
	keys   *joinKeys
	env    *Env
	rows   *collected
	table  *state.Table
	// The rows of key g are order[starts[g]:starts[g+1]].
	starts, order []int32
	// unique says that no key has two rows.
	unique bool
	// nullKey marks rows with a NULL key; anyNull says that there is one.
	nullKey []bool
	anyNull bool
}

func newJoinTable(keys []expr.Expr, schema expr.Schema, nullSafe []bool, env *Env) (*joinTable, error) {
	k, err := newJoinKeys(keys, nullSafe, env)
	return &joinTable{schema: schema, keys: k, env: env}, err
}

// A buildSide is the side of a join that is read whole, before the first row of
// the other side.
type buildSide struct {
	input  Operator
	table  *joinTable
	filled bool
}

func newBuildSide(n *physical.Join, input Operator, env *Env) (*buildSide, error) {
	keys, schema := n.RightKeys, n.Right.Schema()
	if !n.BuildRight {
		keys, schema = n.LeftKeys, n.Left.Schema()
	}
	t, err := newJoinTable(keys, schema, n.NullSafe, env)
	return &buildSide{input: input, table: t}, err
}

// fill reads the side, once.
func (s *buildSide) fill(ctx context.Context) error {
	if s.filled {
		return nil
	}
	err := s.table.fill(ctx, s.input)
	s.filled = err == nil
	return err
}

// fill drains op.
func (t *joinTable) fill(ctx context.Context, op Operator) error {
	rows, err := collect(ctx, op, t.schema, "the built side of a join", t.env.memory())
	if err != nil {
		return err
	}
	var list rowList
	all := list.first(rows.rows)
	t.nullKey = make([]bool, rows.rows)
	if len(t.keys.evals) == 0 { // every row may match every other
		t.starts, t.order, t.rows = []int32{0, int32(rows.rows)}, all, rows
		return nil
	}
	in := &cexpr.Input{Cols: rows.cols, Rows: rows.rows}
	if err := t.keys.evaluate(in); err != nil {
		return err
	}
	kept, err := t.keys.normalise(in, all)
	if err != nil {
		return err
	}
	if len(kept) < len(all) {
		t.anyNull = true
		for i := range t.nullKey {
			t.nullKey[i] = true
		}
		for _, r := range kept {
			t.nullKey[r] = false
		}
	}
	t.table = state.NewTable(state.Schema{Keys: t.keys.layout.fields}, t.env.Seed)
	ids := make([]int32, len(kept))
	done := false
	if len(kept) > 0 {
		if done, err = t.table.UpsertDirect(t.keys.layout.vectors(t.keys.cols, all), kept, ids); err != nil {
			return err
		}
	}
	if !done {
		if err := t.table.Upsert(t.keys.norm, kept, ids); err != nil {
			return err
		}
	}
	t.unique = t.table.Rows() == len(kept)
	t.group(kept, ids)
	t.rows = rows
	return nil
}

// group sorts rows by their key's number, without changing their order otherwise.
func (t *joinTable) group(rows, ids []int32) {
	t.starts = make([]int32, t.table.Rows()+2)
	for _, id := range ids {
		t.starts[id+2]++
	}
	for i := 2; i < len(t.starts); i++ {
		t.starts[i] += t.starts[i-1]
	}
	t.order = make([]int32, len(rows))
	for i, id := range ids {
		t.order[t.starts[id+1]] = rows[i]
		t.starts[id+1]++
	}
	t.starts = t.starts[:len(t.starts)-1]
}

// of returns the build rows of key id; none for a negative one.
func (t *joinTable) of(id int32) []int32 {
	if id < 0 {
		return nil
	}
	return t.order[t.starts[id]:t.starts[id+1]]
}
