package compute

import (
	"cmp"
	"slices"

	"github.com/flightd/flightd/state"
)

// sessionParts are the sessions of an epoch, by part of their keys' hash. The
// sessions of a key are all in one part, where its rows are grouped into partial
// sessions as they come; these are fused among each other, and with those of earlier
// epochs, at the end.
type sessionParts struct {
	plan  *grouping
	parts []*sessionPart
	// late is the watermark (microseconds) at or before which rows are late; noTime:
	// none are.
	late int64
	// base is the ordinal of the next row to be taken in.
	base int64
}

func newSessionParts(g *grouping, parts int, late int64) *sessionParts {
	s := &sessionParts{plan: g, parts: make([]*sessionPart, parts), late: noTime}
	if late != NoWatermark {
		s.late = late * 1000
	}
	return s
}

// take takes in splits, in their order, with several workers.
func (s *sessionParts) take(splits []*splitGroups, workers int) error {
	starts := make([]int64, len(splits))
	for i, split := range splits {
		starts[i] = s.base
		for _, r := range split.runs {
			s.base += int64(r.batchRows)
		}
	}
	errs := make([]error, len(s.parts))
	inTurn(workers, len(s.parts), func(p int) {
		for i, split := range splits {
			if errs[p] == nil {
				errs[p] = s.takeSplit(p, split, starts[i])
			}
		}
	})
	return firstOf(errs)
}

func (s *sessionParts) takeSplit(p int, split *splitGroups, base int64) error {
	for _, r := range split.runs {
		if s.parts[p] == nil && len(partOf(p, r.rows, r.parts)) > 0 {
			s.parts[p] = newSessionPart(s.plan, s.late)
		}
	}
	part := s.parts[p]
	if part == nil {
		return nil
	}
	var err error
	if s.plan.session.fused {
		err = part.takeFused(p, split, base)
	} else {
		err = part.takeOrdered(p, split, base)
	}
	if !split.open {
		part.endSplit()
	}
	return err
}

// A sessionPart is the partial sessions of the keys of one part. Those of a key are
// in the order of their first row.
type sessionPart struct {
	*groups // without a table of its own: its groups are partial sessions
	keys    *state.Table
	values  *state.Block
	late    int64

	// The partial sessions: key, from, to, the ordinal of the first row, and the one
	// that is next before it in time.
	key    []int32
	starts []int64
	ends   []int64
	order  []int64
	before []int32
	// newest is the one that is last in time, by key.
	newest []int32
	// tangled says that partial sessions of a key may touch, or are not in the order
	// of time.
	tangled bool

	// What the rows of the part came to: groups of late rows of one key and window in a
	// split, late rows, and rows used.
	lateGroups, lateRows, used int64
	lateKeys                   []lateKey

	ids, sel, to []int32
	rows         orderedRows
}

// lateKey is the key and the window of a late row.
type lateKey struct {
	key        int32
	start, end int64
}

func newSessionPart(g *grouping, late int64) *sessionPart {
	p := &sessionPart{keys: state.NewTable(state.Schema{Keys: g.schema.Keys}, g.env.Seed), values: state.NewBlock(g.schema.Values), late: late}
	p.groups = &groups{plan: g, accs: g.bind(p.values)}
	return p
}

// find returns rows sel of a run and the numbers of their keys, without those that
// are late.
func (p *sessionPart) find(r *run, from, to int32) (sel, ids []int32, err error) {
	n := int(to - from)
	p.sel, p.ids = sized(p.sel, n), sized(p.ids, n)
	sel, ids = p.sel, p.ids
	for i := range sel {
		sel[i] = from + int32(i)
	}
	if err := p.keys.Upsert(&r.keys, sel, ids); err != nil {
		return nil, nil, err
	}
	for len(p.newest) < p.keys.Rows() {
		p.newest = append(p.newest, -1)
	}
	if p.late != noTime && !p.plan.session.local {
		sel, ids = p.punctual(r, sel, ids)
	}
	p.used += int64(len(sel))
	return sel, ids, nil
}

// punctual returns the rows that are not late.
func (p *sessionPart) punctual(r *run, sel, ids []int32) ([]int32, []int32) {
	kept := 0
	for i, row := range sel {
		if t := r.times[row]; t <= p.late && t != noTime {
			p.lateKeys = append(p.lateKeys, lateKey{ids[i], r.starts[row], r.ends[row]})
			continue
		}
		sel[kept], ids[kept] = row, ids[i]
		kept++
	}
	return sel[:kept], ids[:kept]
}

// endSplit counts the late rows of a split: those of one key and window once, as
// Spark does.
func (p *sessionPart) endSplit() {
	if len(p.lateKeys) == 0 {
		return
	}
	p.lateRows += int64(len(p.lateKeys))
	slices.SortFunc(p.lateKeys, func(a, b lateKey) int {
		return cmp.Or(cmp.Compare(a.key, b.key), cmp.Compare(a.start, b.start), cmp.Compare(a.end, b.end))
	})
	p.lateGroups += int64(len(slices.Compact(p.lateKeys)))
	p.lateKeys = p.lateKeys[:0]
}

// add makes a partial session and returns its number.
func (p *sessionPart) add(key int32, start, end, order int64, before int32) int32 {
	p.key = append(p.key, key)
	p.starts, p.ends = append(p.starts, start), append(p.ends, end)
	p.order = append(p.order, order)
	p.before = append(p.before, before)
	return int32(len(p.key) - 1)
}

// takeFused takes in rows of a split where their order does not matter: each joins
// the partial session of its key that it touches, or begins one.
func (p *sessionPart) takeFused(part int, split *splitGroups, base int64) error {
	for _, r := range split.runs {
		from := int32(0)
		if part > 0 {
			from = r.parts[part-1]
		}
		if to := r.parts[part]; to > from {
			sel, ids, err := p.find(r, from, to)
			if err != nil {
				return err
			}
			if len(sel) > 0 {
				old := len(p.key)
				p.to = sized(p.to, len(sel))
				p.join(r, sel, ids, base, p.to)
				p.values.Grow(len(p.key))
				if err := p.takeRun(r, sel, p.to, old); err != nil {
					return err
				}
			}
		}
		base += int64(r.batchRows)
	}
	return nil
}

// join finds the partial sessions of rows sel, whose keys are ids.
func (p *sessionPart) join(r *run, sel, ids []int32, base int64, to []int32) {
	for i, row := range sel {
		id, start, end := ids[i], r.starts[row], r.ends[row]
		at := p.newest[id]
		if at >= 0 && start >= p.starts[at] && start <= p.ends[at] {
			p.ends[at] = max(p.ends[at], end)
			to[i] = at
			continue
		}
		if at < 0 || start > p.ends[at] {
			at = p.add(id, start, end, base+int64(r.rows[row]), at)
			p.newest[id], to[i] = at, at
			continue
		}
		to[i] = p.joinEarlier(id, start, end, base+int64(r.rows[row]))
	}
}

// maxBack is how many partial sessions of a key an early row is tried with.
const maxBack = 16

// joinEarlier finds the partial session of a row that begins before the newest one
// of its key.
func (p *sessionPart) joinEarlier(id int32, start, end, order int64) int32 {
	above, at := int32(-1), p.newest[id]
	for n := 0; at >= 0 && end < p.starts[at] && n < maxBack; n++ {
		above, at = at, p.before[at]
	}
	p.tangled = true // it may touch its neighbours now
	if at >= 0 && end >= p.starts[at] && start <= p.ends[at] {
		p.starts[at], p.ends[at] = min(p.starts[at], start), max(p.ends[at], end)
		return at
	}
	fresh := p.add(id, start, end, order, at)
	if above >= 0 {
		p.before[above] = fresh
	} else {
		p.newest[id] = fresh
	}
	return fresh
}
