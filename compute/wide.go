package compute

import (
	"github.com/apache/arrow-go/v18/arrow"

	"github.com/flightd/flightd/compute/agg"
	"github.com/flightd/flightd/compute/vec"
	"github.com/flightd/flightd/state"
)

// wideGroups are groups by part of their keys' hash: a table for each part.
type wideGroups struct {
	plan  *grouping
	parts []*widePart
	// base is the ordinal of the next row to be taken in.
	base int64
}

// widePart is one part. Its groups are in the order of their first row.
type widePart struct {
	*groups
	splitters []agg.Splitter
	// order numbers the groups by their first row, over all parts.
	order []int64
	// touched are the groups of the current split, where its rows come bit by bit.
	touched []int32
	open    bool
	ids     []int32
	sel     []int32
}

func newWideGroups(g *grouping, parts int) *wideGroups {
	w := &wideGroups{plan: g, parts: make([]*widePart, parts)}
	for i := range w.parts {
		s := g.newGroups()
		w.parts[i] = &widePart{groups: s, splitters: splitters(s.accs)}
	}
	return w
}

// take takes in splits, in their order, with several workers.
func (w *wideGroups) take(splits []*splitGroups, workers int) error {
	starts := make([]int64, len(splits))
	merges := make([]merging, len(splits))
	for i, s := range splits {
		starts[i] = w.base
		if s.part != nil {
			m := &merges[i]
			s.part.table.Keys(&m.keys)
			m.rows, m.ends = m.keys.Split(nil, len(w.parts), nil, nil)
			w.base += int64(s.part.table.Rows())
		}
		for _, r := range s.runs {
			w.base += int64(r.batchRows)
		}
	}
	errs := make([]error, len(w.parts))
	inTurn(workers, len(w.parts), func(p int) {
		for i, s := range splits {
			if errs[p] == nil {
				errs[p] = w.parts[p].takeSplit(p, s, &merges[i], starts[i])
			}
		}
		if errs[p] == nil {
			errs[p] = w.parts[p].charge()
		}
	})
	return firstOf(errs)
}

// merging is the keys of a table of groups, split by part.
type merging struct {
	keys       state.Keys
	rows, ends []int32
}

// partOf returns what rows and ends say of part p.
func partOf(p int, rows, ends []int32) []int32 {
	from := int32(0)
	if p > 0 {
		from = ends[p-1]
	}
	return rows[from:ends[p]]
}

func (w *widePart) takeSplit(p int, s *splitGroups, m *merging, base int64) error {
	if !w.open {
		w.touched = w.touched[:0]
	}
	// The groups of one run need not be kept.
	keep := len(w.splitters) > 0 && (len(s.runs) != 1 || s.part != nil || s.open || w.open)
	if s.part != nil {
		if sel := partOf(p, m.rows, m.ends); len(sel) > 0 {
			ids, err := w.upsert(&m.keys, sel, base, sel)
			if err != nil {
				return err
			}
			if err := w.merge(ids, s.part, sel); err != nil {
				return err
			}
			if keep {
				w.touched = append(w.touched, ids...)
			}
		}
		base += int64(s.part.table.Rows())
	}
	ids := w.ids[:0]
	for _, r := range s.runs {
		from := int32(0)
		if p > 0 {
			from = r.parts[p-1]
		}
		if sel := w.span(from, r.parts[p]); len(sel) > 0 {
			var err error
			old := w.table.Rows()
			if ids, err = w.upsert(&r.keys, sel, base, partOf(p, r.rows, r.parts)); err != nil {
				return err
			}
			if err := w.takeRun(r, sel, ids, old); err != nil {
				return err
			}
			if keep {
				w.touched = append(w.touched, ids...)
			}
		}
		base += int64(r.batchRows)
	}
	if w.open = s.open; s.open {
		return nil
	}
	if keep {
		ids = w.touched
	}
	for _, a := range w.splitters {
		a.EndSplit(ids)
	}
	return nil
}

// groupsOf returns room for the groups of n keys, good until the next call.
func (w *widePart) groupsOf(n int) []int32 {
	if cap(w.ids) < n {
		w.ids = make([]int32, n, 2*n)
	}
	return w.ids[:n]
}

// span returns from … to−1.
func (w *widePart) span(from, to int32) []int32 {
	if cap(w.sel) < int(to-from) {
		w.sel = make([]int32, to-from, 2*(to-from))
	}
	w.sel = w.sel[:to-from]
	for i := range w.sel {
		w.sel[i] = from + int32(i)
	}
	return w.sel
}

// upsert finds the groups of keys sel. A new one is numbered base plus the member
// of at.
func (w *widePart) upsert(k *state.Keys, sel []int32, base int64, at []int32) ([]int32, error) {
	ids := w.groupsOf(len(sel))
	if err := w.table.Upsert(k, sel, ids); err != nil {
		return nil, err
	}
	if w.plan.env.Store != nil && w.table.Rows() > len(w.order) {
		for i, id := range ids {
			if int(id) == len(w.order) {
				w.order = append(w.order, base+int64(at[i]))
			}
		}
	}
	return ids, nil
}

// newWideEmitter puts out groups, and lets go of each part when it has made its
// columns.
func newWideEmitter(w *wideGroups, schema *arrow.Schema, columns int) *partsEmitter {
	e := &partsEmitter{schema: schema, columns: columns, parts: len(w.parts), workers: max(1, w.plan.env.Workers)}
	e.open = func(i int) ([]int32, func(c int, rows []int32) (*vec.Vec, error), error) {
		p := w.parts[i]
		w.parts[i] = nil
		return p.span(0, int32(p.table.Rows())), p.columnOf, nil
	}
	return e
}
