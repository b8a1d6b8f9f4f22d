package compute

import (
	"cmp"
	"slices"
)

// orderedRows are the rows of one part in one split, where aggregates ask for their
// order. Spark first groups the rows of a task that have one key and one window, in
// the order of arrival, and then merges these groups in the order of time.
type orderedRows struct {
	ids, runs, rows []int32
	starts, ends    []int64
	order           []int64

	at, place, to []int32
	first         []int32
}

func (o *orderedRows) reset() {
	o.ids, o.runs, o.rows = o.ids[:0], o.runs[:0], o.rows[:0]
	o.starts, o.ends, o.order = o.starts[:0], o.ends[:0], o.order[:0]
}

// takeOrdered takes in the rows of a split: those of one key and window become one
// partial session.
func (p *sessionPart) takeOrdered(part int, split *splitGroups, base int64) error {
	o := &p.rows
	o.reset()
	for i, r := range split.runs {
		from := int32(0)
		if part > 0 {
			from = r.parts[part-1]
		}
		if to := r.parts[part]; to > from {
			sel, ids, err := p.find(r, from, to)
			if err != nil {
				return err
			}
			for j, row := range sel {
				o.ids, o.runs, o.rows = append(o.ids, ids[j]), append(o.runs, int32(i)), append(o.rows, row)
				o.starts, o.ends = append(o.starts, r.starts[row]), append(o.ends, r.ends[row])
				o.order = append(o.order, base+int64(r.rows[row]))
			}
		}
		base += int64(r.batchRows)
	}
	if len(o.ids) == 0 {
		return nil
	}
	p.tangled = true
	before := len(p.key)
	p.group(o)
	p.values.Grow(len(p.key))
	for lo, hi := 0, 0; lo < len(o.runs); lo = hi {
		for hi = lo; hi < len(o.runs) && o.runs[hi] == o.runs[lo]; hi++ {
		}
		// The new groups are not all among the rows of this run, so that none count as new.
		if err := p.takeRun(split.runs[o.runs[lo]], o.rows[lo:hi], o.to[lo:hi], len(p.key)); err != nil {
			return err
		}
	}
	if p.plan.session.local {
		return p.fuseSplit(before)
	}
	return nil
}

// group makes the partial sessions of the rows, in the order of their first rows, and
// says which is each row's.
func (p *sessionPart) group(o *orderedRows) {
	n := len(o.ids)
	o.at, o.place = byKey(o.ids, p.keys.Rows(), o.at, o.place)
	from := int32(0)
	for _, to := range o.place {
		o.sort(o.at[from:to])
		from = to
	}
	// The first row of each group stands for it.
	o.first, o.to = sized(o.first, n), sized(o.to, n)
	leader := int32(0)
	for i, at := range o.at {
		if i == 0 || o.compare(leader, at) != 0 {
			leader = at
		}
		o.first[at] = leader
	}
	for i := range o.ids {
		if lead := o.first[i]; int(lead) == i {
			o.to[i] = p.add(o.ids[i], o.starts[i], o.ends[i], o.order[i], -1)
		} else {
			o.to[i] = o.to[lead]
		}
	}
}

// compare compares two rows by key, start and end.
func (o *orderedRows) compare(a, b int32) int {
	if c := cmp.Compare(o.ids[a], o.ids[b]); c != 0 {
		return c
	}
	if c := cmp.Compare(o.starts[a], o.starts[b]); c != 0 {
		return c
	}
	return cmp.Compare(o.ends[a], o.ends[b])
}

// sort puts rows of one key, which are in the order of arrival, in that of time.
func (o *orderedRows) sort(rows []int32) {
	for i := 1; i < len(rows); i++ {
		if o.compare(rows[i-1], rows[i]) > 0 {
			slices.SortStableFunc(rows, o.compare)
			return
		}
	}
}

// byKey lists 0 … len(keys)−1 by their keys, of which there are n, each key's in
// their order, without those of noKey; those of key k are before ends[k]. The slices
// are used if they have the room.
func byKey(keys []int32, n int, list, ends []int32) ([]int32, []int32) {
	list, ends = sized(list, len(keys)), sized(ends, n)
	clear(ends)
	for _, k := range keys {
		if k >= 0 {
			ends[k]++
		}
	}
	sum := int32(0)
	for k, c := range ends {
		ends[k] = sum
		sum += c
	}
	for i, k := range keys {
		if k >= 0 {
			list[ends[k]] = int32(i)
			ends[k]++
		}
	}
	return list[:sum], ends
}
