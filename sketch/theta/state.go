package theta

import "encoding/binary"

// AppendState appends everything that the table is, slot for slot, for
// RestoreTable.
func (t *Table) AppendState(dst []byte) []byte {
	dst = binary.AppendUvarint(dst, uint64(t.lg))
	dst = binary.LittleEndian.AppendUint64(dst, t.theta)
	empty := byte(0)
	if t.empty {
		empty = 1
	}
	dst = append(dst, empty)
	dst = binary.AppendUvarint(dst, uint64(t.n))
	last := 0
	for i, h := range t.slots {
		if h == 0 {
			continue
		}
		dst = binary.AppendUvarint(dst, uint64(i-last))
		last = i
		dst = binary.LittleEndian.AppendUint64(dst, h)
		if t.kind != Plain {
			dst = t.kind.appendSummary(dst, t.sums[i])
		}
	}
	return dst
}

// RestoreTable reads what AppendState wrote for a table of the same parameters, and
// returns the rest.
func RestoreTable(kind Kind, mode Mode, lgNominal int, src []byte) (*Table, []byte) {
	lg, n := binary.Uvarint(src)
	src = src[n:]
	t := &Table{kind: kind, mode: mode, lgNom: lgNominal, lg: int(lg)}
	t.alloc()
	t.theta, t.empty = binary.LittleEndian.Uint64(src), src[8] == 1
	count, n := binary.Uvarint(src[9:])
	r := &reader{b: src, at: 9 + n}
	t.n = int(count)
	slot := 0
	for range count {
		step, n := binary.Uvarint(r.b[r.at:])
		r.at += n
		slot += int(step)
		t.slots[slot] = r.u64()
		if kind != Plain {
			t.sums[slot] = r.summary(kind)
		}
	}
	return t, src[r.at:]
}

// AppendState appends everything that the union is, for RestoreUnion.
func (u *Union) AppendState(dst []byte) []byte {
	dst = binary.LittleEndian.AppendUint64(dst, u.theta)
	empty := byte(0)
	if u.empty {
		empty = 1
	}
	return u.gadget.AppendState(append(dst, empty))
}

// RestoreUnion reads what AppendState wrote for a union of the same parameters.
func RestoreUnion(kind Kind, mode Mode, lgNominal int, src []byte) *Union {
	u := &Union{theta: binary.LittleEndian.Uint64(src), empty: src[8] == 1}
	u.gadget, _ = RestoreTable(kind, mode, lgNominal, src[9:])
	return u
}

// AppendState appends everything that the intersection is, for
// RestoreIntersection.
func (x *Intersection) AppendState(dst []byte) []byte {
	flags := byte(0)
	if x.begun {
		flags |= 1
	}
	if x.empty {
		flags |= 2
	}
	t := Table{kind: x.kind, lg: x.lg, n: x.n, theta: x.theta, slots: x.slots, sums: x.sums}
	return t.AppendState(append(dst, flags))
}

// RestoreIntersection reads what AppendState wrote for an intersection of the same
// parameters.
func RestoreIntersection(kind Kind, mode Mode, src []byte) *Intersection {
	t, _ := RestoreTable(kind, mode, 0, src[1:])
	x := &Intersection{kind: kind, mode: mode, begun: src[0]&1 != 0, empty: src[0]&2 != 0,
		theta: t.theta, lg: t.lg, slots: t.slots, sums: t.sums, n: t.n}
	if kind == Plain {
		x.sums = make([]Summary, len(x.slots))
	}
	return x
}
