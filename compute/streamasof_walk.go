package compute

import (
	"cmp"
	"slices"

	"github.com/flightd/flightd/state"
)

// asOfWalk goes through the rows of one part that the watermark has passed, in the
// order of time.
type asOfWalk struct {
	join *streamAsOf
	part int
	// left and right are the rows, as they came, and the places they have among those of
	// all parts.
	left, right             []int32
	leftPlaces, rightPlaces []int64
	// leftKeys and rightKeys are their keys, and leftIDs and rightIDs number these.
	leftKeys, rightKeys *state.Keys
	leftIDs, rightIDs   []int32
	// last is the right row that came last, by key.
	last []int32
	// came are the left rows of the epoch, and opened those that were open, with their
	// matches; open are the left rows that go on waiting.
	came, opened asOfMatches
	open         []int32
	removed      int64
}

// asOfMatches are left rows with their matches.
type asOfMatches struct {
	rows     []int32
	partners []partner
}

// asOfWalks are those of all parts.
type asOfWalks []*asOfWalk

// walks parts the rows that are due.
func (j *streamAsOf) walks(due [2][][]int32) asOfWalks {
	w := make(asOfWalks, j.kept.Subs())
	for p := range w {
		w[p] = &asOfWalk{join: j, part: p}
	}
	for i, ref := range j.left.table.InOrder(due[0]) {
		x := w[ref.Sub]
		x.left, x.leftPlaces = append(x.left, ref.Row), append(x.leftPlaces, int64(i))
	}
	for i, ref := range j.right.table.InOrder(due[1]) {
		x := w[ref.Sub]
		x.right, x.rightPlaces = append(x.right, ref.Row), append(x.rightPlaces, int64(i))
	}
	return w
}

// numbers returns how many places there are for what is kept.
func (w asOfWalks) numbers(forward bool) int64 {
	n := 0
	for _, x := range w {
		if n += len(x.right); forward {
			n += len(x.left)
		}
	}
	return int64(n)
}

// pairs returns what list has of all parts, in the order in which the left rows, of t,
// came.
func (w asOfWalks) pairs(t *state.Sharded, list func(*asOfWalk) *asOfMatches) ([]state.Ref, []partner) {
	rows, at := make([][]int32, len(w)), make([]map[int32]partner, len(w))
	for p, x := range w {
		m := list(x)
		at[p] = make(map[int32]partner, len(m.rows))
		for i, r := range m.rows {
			at[p][r] = m.partners[i]
		}
		rows[p] = slices.Clone(m.rows)
		slices.Sort(rows[p])
	}
	refs := t.InOrder(rows)
	partners := make([]partner, len(refs))
	for i, ref := range refs {
		partners[i] = at[ref.Sub][ref.Row]
	}
	return refs, partners
}

// run finds the matches.
func (x *asOfWalk) run() error {
	if len(x.left)+len(x.right) == 0 {
		return nil
	}
	if err := x.number(); err != nil {
		return err
	}
	order, err := x.order()
	if err != nil {
		return err
	}
	if x.join.node.Forward {
		return x.forward(order)
	}
	return x.backward(order)
}

// number numbers the keys of both sides.
func (x *asOfWalk) number() error {
	j := x.join
	ids := state.NewTable(state.Schema{Keys: j.left.keys.layout.fields}, j.env.Seed)
	for _, s := range []struct {
		table *state.Table
		rows  []int32
		keys  **state.Keys
		ids   *[]int32
	}{{j.left.table.Sub(x.part), x.left, &x.leftKeys, &x.leftIDs}, {j.right.table.Sub(x.part), x.right, &x.rightKeys, &x.rightIDs}} {
		*s.ids = make([]int32, len(s.rows))
		if len(s.rows) == 0 {
			continue
		}
		keys, err := keysOf(s.table, s.rows, j.kept.NewKeys())
		if err != nil {
			return err
		}
		*s.keys = keys
		if err := ids.Upsert(keys, nil, *s.ids); err != nil {
			return err
		}
	}
	x.last = make([]int32, ids.Rows())
	for i := range x.last {
		x.last[i] = -1
	}
	return nil
}

// keysOf makes k the keys of rows of t.
func keysOf(t *state.Table, rows []int32, k *state.Keys) (*state.Keys, error) {
	vectors := make([]state.Vector, len(t.Schema().Keys))
	for i := range vectors {
		var err error
		if vectors[i], err = t.Key(i, rows); err != nil {
			return nil, err
		}
	}
	return k, k.Normalise(vectors, len(rows), nil)
}

// order returns the left rows, numbered from 0 on, and the right ones behind them, by
// time. Of equal ones the left come first if they do not match, or if the right ones
// come to them.
func (x *asOfWalk) order() ([]int32, error) {
	j := x.join
	lt := j.left.table.Sub(x.part).Value(j.left.time).Gather(x.left)
	rt := j.right.table.Sub(x.part).Value(j.right.time).Gather(x.right)
	times := append(slices.Clone(state.Values[int64](&lt)[:len(x.left)]), state.Values[int64](&rt)[:len(x.right)]...)
	n := int32(len(x.left))
	leftFirst := j.node.Forward != j.node.Strict
	order := make([]int32, len(times))
	for i := range order {
		order[i] = int32(i)
	}
	slices.SortFunc(order, func(a, b int32) int {
		if c := cmp.Compare(times[a], times[b]); c != 0 {
			return c
		}
		if l, r := a < n, b < n; l != r {
			if l == leftFirst {
				return -1
			}
			return 1
		}
		return cmp.Compare(a, b)
	})
	return order, nil
}

// backward gives each left row the last right row of its key: one of the epoch, or the
// kept one.
func (x *asOfWalk) backward(order []int32) error {
	n := int32(len(x.left))
	x.came = asOfMatches{rows: x.left, partners: make([]partner, n)}
	early := false
	for _, i := range order {
		if i >= n {
			x.last[x.rightIDs[i-n]] = i - n
			continue
		}
		if r := x.last[x.leftIDs[i]]; r >= 0 {
			x.came.partners[i].Ref = state.Ref{Sub: int32(x.part), Row: x.right[r]}
		} else {
			x.came.partners[i], early = partner{Ref: state.Ref{Sub: int32(x.part), Row: -1}, kept: true}, true
		}
	}
	if !early {
		return nil
	}
	rows := make([]int32, n)
	if err := x.join.kept.Sub(x.part).Find(x.leftKeys, places(n), rows); err != nil {
		return err
	}
	for i := range x.came.partners {
		if p := &x.came.partners[i]; p.kept {
			p.Row = rows[i]
		}
	}
	return nil
}

// forward gives each right row the left rows of its key that wait for one.
func (x *asOfWalk) forward(order []int32) error {
	n := int32(len(x.left))
	open, err := x.waiting()
	if err != nil {
		return err
	}
	waiting := make([][]int32, len(x.last))
	for _, i := range order {
		if i < n {
			waiting[x.leftIDs[i]] = append(waiting[x.leftIDs[i]], i)
			continue
		}
		id := x.rightIDs[i-n]
		to := partner{Ref: state.Ref{Sub: int32(x.part), Row: x.right[i-n]}}
		for _, row := range open[id] {
			x.opened.rows, x.opened.partners = append(x.opened.rows, row), append(x.opened.partners, to)
		}
		for _, l := range waiting[id] {
			x.came.rows, x.came.partners = append(x.came.rows, x.left[l]), append(x.came.partners, to)
		}
		open[id], waiting[id] = nil, nil
	}
	for _, list := range waiting {
		x.open = append(x.open, list...)
	}
	slices.Sort(x.open)
	return nil
}

// waiting returns the open rows of the keys of right rows, by key.
func (x *asOfWalk) waiting() ([][]int32, error) {
	open := make([][]int32, len(x.last))
	t := x.join.kept.Sub(x.part)
	if len(x.right) == 0 || t.Len() == 0 {
		return open, nil
	}
	heads := make([]int32, len(x.right))
	if err := t.Find(x.rightKeys, places(int32(len(x.right))), heads); err != nil {
		return nil, err
	}
	for i, id := range x.rightIDs {
		if open[id] != nil {
			continue
		}
		for row := heads[i]; row >= 0; row = t.Older(row) {
			open[id] = append(open[id], row)
		}
	}
	return open, nil
}

// places are the numbers from 0 to n.
func places(n int32) []int32 {
	var list rowList
	return list.first(int(n))
}

// keep puts away what later epochs need: the last right row of each key, or the left
// rows that wait. first is the number of the first place.
func (x *asOfWalk) keep(first int64) error {
	if x.join.node.Forward {
		return x.keepOpen(first)
	}
	var sel []int32
	for _, r := range x.last {
		if r >= 0 {
			sel = append(sel, r)
		}
	}
	if len(sel) == 0 {
		return nil
	}
	slices.Sort(sel)
	x.rightKeys.Number(x.rightPlaces)
	rows := make([]int32, len(sel))
	if err := x.join.kept.UpsertPart(x.part, x.rightKeys, sel, rows, first); err != nil {
		return err
	}
	x.copy(x.join.right, x.right, sel, rows)
	return nil
}

func (x *asOfWalk) keepOpen(first int64) error {
	kept := x.join.kept
	if len(x.opened.rows) > 0 {
		x.removed += int64(len(x.opened.rows))
		gone := slices.Clone(x.opened.rows)
		slices.Sort(gone)
		if err := kept.RemoveSub(x.part, gone); err != nil {
			return err
		}
	}
	if len(x.open) == 0 {
		return nil
	}
	x.leftKeys.Number(x.leftPlaces)
	rows := make([]int32, len(x.open))
	if err := kept.InsertPart(x.part, x.leftKeys, x.open, rows, first); err != nil {
		return err
	}
	x.copy(x.join.left, x.left, x.open, rows)
	return nil
}

// copy copies the values of rows sel of a side, which are from, to rows of the kept
// table.
func (x *asOfWalk) copy(s *asOfSide, from, sel, rows []int32) {
	source := make([]int32, len(sel))
	for i, r := range sel {
		source[i] = from[r]
	}
	t := x.join.kept.Sub(x.part)
	all := places(int32(len(sel)))
	for c := range s.values.fields {
		v := s.table.Sub(x.part).Value(c).Gather(source)
		t.Value(c).Load(rows, &v, all)
	}
}
