package compute

import (
	"cmp"
	"slices"

	"github.com/flightd/flightd/compute/agg"
	"github.com/flightd/flightd/state"
)

// sessionMerge merges the partial sessions of a part into its sub-table.
type sessionMerge struct {
	plan  *grouping
	part  *sessionPart
	kept  *state.Sharded
	sub   int
	table *state.Table

	// The sessions of the keys of the part, as they are after the epoch: the row that
	// each lives in, or -1 and the partial session that it begins with; its end; and the
	// first of its partial sessions to come, or -1.
	rows, heads, firsts []int32
	ends                []int64
	// phases are what is merged into sessions: partial sessions in even phases, rows in
	// odd ones, so that each session takes in its parts in the order of time.
	phases []mergePhase
	// gone are the rows that were fused into others.
	gone []int32

	starts, until *state.Fixed[int64]
	stored        []int32
}

// mergePhase merges src[i] into session into[i].
type mergePhase struct{ into, src []int32 }

// run merges. touched and fresh are what the ordinals of partial sessions are added to,
// for rows that change and for new ones.
func (m *sessionMerge) run(touched, fresh int64) error {
	p := m.part
	m.starts, m.until = sessionColumns(m.table)
	accs := m.plan.bind(m.table)
	list, ends := p.inTime()
	var keys state.Keys
	p.keys.Keys(&keys)
	newest := make([]int32, p.keys.Rows())
	if err := m.table.Find(&keys, nil, newest); err != nil {
		return err
	}
	n := len(list)
	m.rows, m.heads, m.firsts, m.ends = make([]int32, 0, n), make([]int32, 0, n), make([]int32, 0, n), make([]int64, 0, n)
	m.phases = append(m.phases, mergePhase{into: make([]int32, 0, n), src: make([]int32, 0, n)})
	from := int32(0)
	for k, to := range ends {
		if to > from {
			m.key(list[from:to], newest[k])
		}
		from = to
	}
	if err := m.write(&keys, touched, fresh); err != nil {
		return err
	}
	if err := m.merge(accs); err != nil || len(m.gone) == 0 {
		return err
	}
	return m.kept.RemoveSub(m.sub, m.gone)
}

// key fuses the partial sessions of a key, in the order of time, with its rows.
func (m *sessionMerge) key(parts []int32, newest int32) {
	p := m.part
	m.stored = m.stored[:0]
	for r := newest; r >= 0; r = m.table.Older(r) {
		m.stored = append(m.stored, r)
	}
	m.sortStored()
	starts, until := m.starts.Data(), m.until.Data()
	stored, open, phase := m.stored, -1, 0
	for len(parts) > 0 || len(stored) > 0 {
		// Of a row and a partial session that begin at once the row is first.
		if len(stored) > 0 && (len(parts) == 0 || starts[stored[0]] <= p.starts[parts[0]]) {
			row := stored[0]
			stored = stored[1:]
			if open < 0 || starts[row] > m.ends[open] {
				open, phase = m.open(row, -1, until[row]), 0
				continue
			}
			phase |= 1
			m.add(phase, open, row)
			m.gone = append(m.gone, row)
			m.ends[open] = max(m.ends[open], until[row])
			continue
		}
		part := parts[0]
		parts = parts[1:]
		if open < 0 || p.starts[part] > m.ends[open] {
			open, phase = m.open(-1, part, p.ends[part]), 0
		}
		phase += phase & 1
		m.add(phase, open, part)
		m.ends[open] = max(m.ends[open], p.ends[part])
		if f := m.firsts[open]; f < 0 || part < f {
			m.firsts[open] = part
		}
	}
}

// sortStored puts the rows of a key into the order of time.
func (m *sessionMerge) sortStored() {
	if len(m.stored) < 2 {
		return
	}
	slices.Reverse(m.stored)
	starts := m.starts.Data()
	slices.SortFunc(m.stored, func(a, b int32) int { return cmp.Compare(starts[a], starts[b]) })
}

// open begins a session.
func (m *sessionMerge) open(row, head int32, end int64) int {
	m.rows, m.heads, m.firsts = append(m.rows, row), append(m.heads, head), append(m.firsts, -1)
	m.ends = append(m.ends, end)
	return len(m.rows) - 1
}

func (m *sessionMerge) add(phase, session int, src int32) {
	for len(m.phases) <= phase {
		m.phases = append(m.phases, mergePhase{})
	}
	ph := &m.phases[phase]
	ph.into, ph.src = append(ph.into, int32(session)), append(ph.src, src)
}

// write marks the rows of the sessions that change, and gives new ones rows: both in
// the order in which the first of their partial sessions came.
func (m *sessionMerge) write(keys *state.Keys, touched, fresh int64) error {
	p := m.part
	by := make([]int32, len(p.key)) // by partial session, the one that begins with it plus one
	n := 0
	for i, f := range m.firsts {
		if f >= 0 {
			by[f] = int32(i) + 1
			n++
		}
	}
	var old, begun newSessions
	old.grow(n)
	begun.grow(n)
	for part, s := range by {
		switch {
		case s == 0:
		case m.rows[s-1] >= 0:
			old.add(s-1, m.rows[s-1], touched+p.order[part])
		default:
			begun.add(s-1, p.key[part], p.order[part])
		}
	}
	if len(old.sessions) > 0 {
		if err := m.kept.TouchPart(m.sub, old.at, old.ordinals); err != nil {
			return err
		}
		until := m.until.Data()
		for i, s := range old.sessions {
			until[old.at[i]] = m.ends[s]
		}
	}
	if len(begun.sessions) == 0 {
		return nil
	}
	var k state.Keys
	keys.Gather(begun.at, &k)
	k.Number(begun.ordinals)
	rows := begun.at // the keys are copied
	if err := m.kept.InsertPart(m.sub, &k, nil, rows, fresh); err != nil {
		return err
	}
	starts, until := m.starts.Data(), m.until.Data()
	for i, s := range begun.sessions {
		m.rows[s] = rows[i]
		starts[rows[i]], until[rows[i]] = p.starts[m.heads[s]], m.ends[s]
	}
	return nil
}

// newSessions are sessions that change or begin, with their rows or keys, and their
// ordinals.
type newSessions struct {
	sessions, at []int32
	ordinals     []int64
}

func (n *newSessions) grow(to int) {
	n.sessions, n.at, n.ordinals = make([]int32, 0, to), make([]int32, 0, to), make([]int64, 0, to)
}

func (n *newSessions) add(session, at int32, ordinal int64) {
	n.sessions, n.at, n.ordinals = append(n.sessions, session), append(n.at, at), append(n.ordinals, ordinal)
}

// merge merges the parts of each session.
func (m *sessionMerge) merge(accs []agg.Accumulator) error {
	for i, ph := range m.phases {
		into := taken(m.rows, ph.into)
		for j, acc := range accs {
			from := m.part.accs[j]
			if i&1 == 1 {
				from = acc
			}
			if err := acc.Merge(into, from, ph.src); err != nil {
				return err
			}
		}
	}
	return nil
}

func taken[T any](s []T, at []int32) []T {
	out := make([]T, len(at))
	for i, r := range at {
		out[i] = s[r]
	}
	return out
}
