package compute

import (
	cexpr "github.com/flightd/flightd/compute/expr"
	"github.com/flightd/flightd/compute/vec"
	"github.com/flightd/flightd/kernels"
	"github.com/flightd/flightd/plan/expr"
	"github.com/flightd/flightd/plan/physical"
	"github.com/flightd/flightd/state"
)

// panes groups the rows of time windows by pane, and makes the groups of windows
// from those of panes: a pane is as long as the step from window to window, so a
// row is in one pane, and a window is some panes in a row. A row is taken in once
// however many windows hold it.
//
// The groups, and the order in which they first appear, are those of taking in
// each row once per window, the latest window first. Where each row is in one window,
// the pane is the window, and is known by its end at once.
type panes struct {
	of     *physical.Aggregate
	window *physical.Window
	// key is which key is the window; overlap is how many windows hold a row.
	key, overlap int
}

// panesOf returns the panes of an aggregation over time windows, or nil if it is
// none, or windows are not whole panes, or an aggregate does not allow to put
// panes together.
func panesOf(n *physical.Aggregate) *panes {
	w, ok := n.Input.(*physical.Window)
	if !ok || w.Slide <= 0 || w.Duration%w.Slide != 0 || countsRows(w.Time) {
		return nil
	}
	p := &panes{of: n, window: w, key: -1, overlap: int(w.Duration / w.Slide)}
	column := len(w.Out) - 1
	for i, k := range n.Keys {
		if r, ok := k.(*expr.Ref); ok && r.Index == column {
			if p.key >= 0 {
				return nil
			}
			p.key = i
		} else if refersTo(k, column) {
			return nil
		}
	}
	for _, a := range n.Aggs {
		if a.Distinct || refersTo(a, column) || !p.allows(a) {
			return nil
		}
	}
	if p.key < 0 {
		return nil
	}
	return p
}

func (p *panes) allows(a *expr.Agg) bool {
	for _, arg := range a.Args {
		if _, ok := arg.(*physical.ScalarSubquery); ok {
			return false
		}
	}
	return a.Fn == "count" || (a.Fn == "sum" || a.Fn == "min" || a.Fn == "max") && (p.overlap == 1 || exactly(a)) ||
		a.Fn == "avg" && p.overlap == 1
}

// exactly reports whether the order of rows does not matter to an aggregate: it
// adds without rounding, or no two values are equal and yet different, as 0.0 and
// -0.0 are.
func exactly(a *expr.Agg) bool {
	t := a.Args[0].Type()
	if a.Fn == "sum" {
		return t.IsInteger() && a.Mode != expr.Try || t.Kind == expr.KindDecimal && a.Typ.Precision >= t.Precision+10
	}
	return !t.IsNested() && t.Kind != expr.KindFloat64 && t.Kind != expr.KindFloat32
}

func refersTo(e expr.Expr, column int) bool {
	found := false
	expr.Walk(e, func(e expr.Expr) bool {
		if r, ok := e.(*expr.Ref); ok && r.Index == column {
			found = true
		}
		return !found
	})
	return found
}

// inner is the aggregation by pane: its key in place of the window is the time.
func (p *panes) inner() *physical.Aggregate {
	n := *p.of
	n.Input = p.window.Input
	n.Keys = append([]expr.Expr(nil), n.Keys...)
	n.Keys[p.key] = p.window.Time
	return &n
}

// grouping returns the grouping by pane.
func (p *panes) grouping(n *physical.Aggregate, env *Env) (*grouping, error) {
	types := make([]*expr.Type, len(n.Keys))
	for i, k := range n.Keys {
		types[i] = k.Type()
	}
	evals, err := cexpr.CompileAll(n.Keys, env.Expr)
	if err != nil {
		return nil, err
	}
	pane := &paneEvaluator{time: evals[p.key], origin: p.window.Start, slide: kernels.NewModulus(p.window.Slide)}
	evals[p.key], types[p.key] = pane, expr.Int64
	keys := newKeyLayout(types)
	if p.overlap == 1 {
		pane.span = p.window.Duration
		keys = groupKeys(p.of)
	}
	g, err := newGroupingBy(n, keys, evals, env)
	if err == nil {
		g.panes = pane
	}
	return g, err
}

// A paneEvaluator makes the number of a row's pane from its time or, where span is
// the length of windows, in microseconds, and not 0, the end of its window.
type paneEvaluator struct {
	time   cexpr.Evaluator
	origin int64
	span   int64
	slide  kernels.Modulus
	times  *vec.Vec
	sel    []int32
	out    []int64
}

// admitted returns the live rows of b that take part, and leaves the others out
// of in: rows without a time are in no window.
func (g *grouping) admitted(in *cexpr.Input, b Batch) ([]int32, error) {
	rows := g.list.of(b)
	if g.session != nil {
		return rows, g.session.of(in, rows)
	}
	if g.panes == nil {
		return rows, nil
	}
	p := g.panes
	v, err := p.time.Eval(in)
	if err != nil {
		return nil, err
	}
	p.times = v.Flat()
	switch {
	case v.Type.Kind == expr.KindNull:
		return nil, nil
	case p.times.Valid == nil:
		return rows, nil
	}
	if cap(p.sel) < len(rows) || p.sel == nil {
		p.sel = make([]int32, len(rows))
	}
	p.sel = p.sel[:len(rows)]
	p.sel = p.sel[:kernels.SelectOnes(p.times.Valid, rows, p.sel)]
	in.Sel = p.sel
	return p.sel, nil
}

// Eval returns the panes of the times that admitted saw.
func (p *paneEvaluator) Eval(in *cexpr.Input) (*vec.Vec, error) {
	ts := vec.Values[int64](p.times)
	if cap(p.out) < len(ts) {
		p.out = make([]int64, len(ts))
	}
	p.out = p.out[:len(ts)]
	if p.span == 0 {
		kernels.WindowNumbers(p.out, ts, p.origin, p.slide)
	} else {
		kernels.WindowStarts(p.out, ts, in.Sel, p.origin, p.span, p.slide)
	}
	v := vec.FromValues(expr.Int64, p.out, nil)
	v.Own = vec.Borrowed
	return v, nil
}

// spread replaces the groups of t, by pane, by those of windows, grouped by g.
func (p *panes) spread(t *gathering, g *grouping) error {
	defer func() { t.plan = g }()
	if p.overlap == 1 {
		return nil
	}
	t.taken *= int64(p.overlap)
	if t.wide != nil {
		w, err := p.spreadParts(t.wide, g)
		t.wide = w
		return err
	}
	n := t.merged.table.Rows()
	if t.parts > 0 && n*p.overlap > t.many {
		w, err := p.spreadMany(t.merged, g, t.parts)
		t.merged, t.wide = nil, w
		return err
	}
	out := g.newGroups()
	var keys state.Keys
	// So many panes at a time that their windows fit a batch.
	step := max(1, BatchRows/p.overlap)
	for at := 0; at < n; at += step {
		rows := p.repeated(at, min(n, at+step))
		if err := p.windowKeys(t.merged, rows, &keys, g); err != nil {
			return err
		}
		ids := make([]int32, len(rows))
		if err := out.table.Upsert(&keys, nil, ids); err != nil {
			return err
		}
		if err := out.merge(ids, t.merged, rows); err != nil {
			return err
		}
	}
	out.settled = t.merged.settled
	t.merged = out
	return nil
}

// repeated lists rows from … to−1, each once per window that it is in.
func (p *panes) repeated(from, to int) []int32 {
	rows := make([]int32, 0, (to-from)*p.overlap)
	for r := from; r < to; r++ {
		for range p.overlap {
			rows = append(rows, int32(r))
		}
	}
	return rows
}

// windowKeys makes keys those of the windows of rows, which repeated lists: the
// latest window of each first.
func (p *panes) windowKeys(by *groups, rows []int32, keys *state.Keys, g *grouping) error {
	vecs := make([]state.Vector, 0, len(g.schema.Keys))
	for i := range by.plan.schema.Keys {
		v, err := by.table.Key(i, rows)
		if err != nil {
			return err
		}
		if i != by.plan.keys.first[p.key] {
			vecs = append(vecs, v)
			continue
		}
		ends := state.Values[int64](&v)
		for j, pane := range ends {
			ends[j] = (pane-int64(j%p.overlap))*p.window.Slide + p.window.Start + p.window.Duration
		}
		vecs = append(vecs, v)
	}
	if keys.Len() == 0 {
		*keys = *state.NewKeys(g.schema.Keys, g.env.Seed)
	}
	return keys.Normalise(vecs, len(rows), nil)
}

// spreadMany is spread for groups that are together and have so many windows that these
// go to parts, for several workers.
func (p *panes) spreadMany(from *groups, g *grouping, parts int) (*wideGroups, error) {
	n := from.table.Rows()
	all := &widePart{groups: from}
	if g.env.Store != nil {
		all.order = make([]int64, n)
		for i := range all.order {
			all.order[i] = int64(i)
		}
	}
	to := newWideGroups(g, parts)
	to.base = int64(n) * int64(p.overlap)
	var pieces []spreadPart
	for at := 0; at < n; at += BatchRows {
		pieces = append(pieces, spreadPart{from: all, first: at, end: min(n, at+BatchRows)})
	}
	return to, p.spreadPieces(pieces, to)
}

// spreadParts is spread for groups by part of the hash; the windows of a part's
// panes are of any part.
func (p *panes) spreadParts(from *wideGroups, g *grouping) (*wideGroups, error) {
	to := newWideGroups(g, len(from.parts))
	to.base = from.base * int64(p.overlap)
	pieces := make([]spreadPart, len(from.parts))
	for i, part := range from.parts {
		pieces[i] = spreadPart{from: part, end: part.table.Rows()}
		from.parts[i] = nil
	}
	return to, p.spreadPieces(pieces, to)
}

func (p *panes) spreadPieces(pieces []spreadPart, to *wideGroups) error {
	g, workers := to.plan, max(1, to.plan.env.Workers)
	// Some at a time, so that not all windows wait at once.
	step := 4 * workers
	for at := 0; at < len(pieces); at += step {
		some := pieces[at:min(len(pieces), at+step)]
		errs := make([]error, len(some))
		inTurn(workers, len(some), func(i int) { errs[i] = p.spreadPart(&some[i], g, len(to.parts)) })
		if err := firstOf(errs); err != nil {
			return err
		}
		errs = make([]error, len(to.parts))
		inTurn(workers, len(to.parts), func(i int) {
			for s := range some {
				if errs[i] == nil {
					errs[i] = to.parts[i].takeSpread(i, &some[s], p.overlap)
				}
			}
		})
		if err := firstOf(errs); err != nil {
			return err
		}
		clear(some)
	}
	return nil
}

// spreadPart is the windows of panes first … end−1 of a table, sorted by part: those of
// part q end before ends[q]. Row i of keys is a window of group panes[i], and was
// rows[i] before it was sorted.
type spreadPart struct {
	from       *widePart
	first, end int
	keys       state.Keys
	panes      []int32
	rows, ends []int32
}

func (p *panes) spreadPart(s *spreadPart, g *grouping, parts int) error {
	panes := p.repeated(s.first, s.end)
	if len(panes) == 0 {
		s.ends = make([]int32, parts)
		return nil
	}
	var keys state.Keys
	if err := p.windowKeys(s.from.groups, panes, &keys, g); err != nil {
		return err
	}
	s.rows, s.ends = keys.Split(nil, parts, nil, nil)
	keys.Gather(s.rows, &s.keys)
	s.panes = make([]int32, len(panes))
	for i, r := range s.rows {
		s.panes[i] = panes[r]
	}
	return nil
}

// takeSpread takes in the windows of s that belong to part i.
func (w *widePart) takeSpread(i int, s *spreadPart, overlap int) error {
	from, to := int32(0), s.ends[i]
	if i > 0 {
		from = s.ends[i-1]
	}
	if from == to {
		return nil
	}
	ids, src := w.groupsOf(int(to-from)), s.panes[from:to]
	if err := w.table.Upsert(&s.keys, w.span(from, to), ids); err != nil {
		return err
	}
	if s.from.order != nil {
		for j, id := range ids {
			number := s.from.order[src[j]]*int64(overlap) + int64(int(s.rows[int(from)+j])%overlap)
			if int(id) == len(w.order) {
				w.order = append(w.order, number)
			}
			w.order[id] = min(w.order[id], number)
		}
	}
	if err := w.merge(ids, s.from.groups, src); err != nil {
		return err
	}
	for _, a := range w.splitters {
		a.EndSplit(ids)
	}
	return nil
}
