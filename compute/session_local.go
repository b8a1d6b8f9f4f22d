package compute

// fuseSplit fuses the partial sessions of a split, from number from on, among
// themselves, and drops those that are late then: so does Spark where it is told to
// merge sessions before the shuffle
// (spark.sql.streaming.sessionWindow.merge.sessions.in.local.partition). A row whose own
// window is closed is kept if it touches one that is not.
func (p *sessionPart) fuseSplit(from int) error {
	n := int32(len(p.key) - from)
	list, ends := byKey(p.key[from:], p.keys.Rows(), nil, nil)
	var heads, into, members []int32
	at := int32(0)
	for _, to := range ends {
		part := list[at:to]
		for i := range part {
			part[i] += int32(from)
		}
		p.sortInTime(part)
		head := int32(-1)
		for _, m := range part {
			if head >= 0 && p.starts[m] <= p.ends[head] {
				p.ends[head] = max(p.ends[head], p.ends[m])
				into, members = append(into, head), append(members, m)
				continue
			}
			head = m
			heads = append(heads, m)
		}
		at = to
	}
	settle(p.accs, heads)
	for _, acc := range p.accs {
		if err := acc.Merge(into, acc, members); err != nil {
			return err
		}
	}
	size := make([]int64, n)
	for _, g := range p.rows.to {
		size[g-int32(from)]++
	}
	for i, m := range members {
		size[into[i]-int32(from)] += size[m-int32(from)]
		p.key[m] = noKey
	}
	for _, h := range heads {
		rows := size[h-int32(from)]
		if t := p.ends[h]; t <= p.late && t != noTime {
			p.lateGroups++
			p.lateRows += rows
			p.used -= rows
			p.key[h] = noKey
		}
	}
	return nil
}

// noKey is the key of a partial session that was dropped or fused into another.
const noKey = -1
