package compute

import (
	"cmp"
	"slices"

	"github.com/flightd/flightd/compute/vec"
	"github.com/flightd/flightd/state"
)

// inTime lists the partial sessions of the part by key, each key's in the order of
// time: by start, then by end, then by arrival. Those of key k are before ends[k].
func (p *sessionPart) inTime() (list, ends []int32) {
	list, ends = byKey(p.key, p.keys.Rows(), nil, nil)
	if !p.tangled {
		return list, ends
	}
	from := int32(0)
	for _, to := range ends {
		p.sortInTime(list[from:to])
		from = to
	}
	return list, ends
}

// sortInTime puts partial sessions of a key, which are in the order of arrival, into
// that of time.
func (p *sessionPart) sortInTime(list []int32) {
	later := func(a, b int32) int {
		if c := cmp.Compare(p.starts[a], p.starts[b]); c != 0 {
			return c
		}
		return cmp.Compare(p.ends[a], p.ends[b])
	}
	if !slices.IsSortedFunc(list, later) {
		slices.SortStableFunc(list, later)
	}
}

// fuse fuses the partial sessions that touch, and returns those that are sessions
// now, in the order of their first rows, or by key and time.
func (p *sessionPart) fuse() ([]int32, error) {
	if !p.tangled {
		all := make([]int32, len(p.key))
		for i := range all {
			all[i] = int32(i)
		}
		return all, nil
	}
	list, ends := p.inTime()
	var heads, into, members []int32
	from := int32(0)
	for _, to := range ends {
		head := int32(-1)
		for _, at := range list[from:to] {
			if head >= 0 && p.starts[at] <= p.ends[head] {
				p.ends[head] = max(p.ends[head], p.ends[at])
				into, members = append(into, head), append(members, at)
				continue
			}
			head = at
			heads = append(heads, at)
		}
		from = to
	}
	settle(p.accs, heads) // as a merge into empty groups
	for _, acc := range p.accs {
		if err := acc.Merge(into, acc, members); err != nil {
			return nil, err
		}
	}
	return heads, nil
}

// columnOf returns output column i of the sessions in rows.
func (p *sessionPart) columnOf(s *sessions, i int, rows []int32) (*vec.Vec, error) {
	keys := len(s.of.Keys)
	switch {
	case i == s.key:
		starts, ends := make([]int64, len(rows)), make([]int64, len(rows))
		for j, r := range rows {
			starts[j], ends[j] = p.starts[r], p.ends[r]
		}
		return windowAt(s.of.Keys[i].Type(), starts, ends), nil
	case i < keys:
		ids := make([]int32, len(rows))
		for j, r := range rows {
			ids[j] = p.key[r]
		}
		return p.plan.keys.column(s.keyAt(i), func(k int) (state.Vector, error) { return p.keys.Key(k, ids) })
	}
	return p.accs[i-keys].Final(rows)
}
