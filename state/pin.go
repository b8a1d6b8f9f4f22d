package state

import "sync"

// A pin keeps the rows of a sub-table as they were, for a reader that runs beside
// the next epochs. Nothing is copied until the table is about to change; if the
// reader is done by then, nothing is copied at all.
type pin struct {
	mu   sync.Mutex
	rows rows
	done bool
}

// pin returns a view of t as it is now.
func (t *Table) pin() *pin {
	p := &pin{rows: t.rows}
	t.pins = append(t.pins, p)
	return p
}

// unpin gives every reader its own copy. The table calls it before any change.
func (t *Table) unpin() {
	for _, p := range t.pins {
		p.mu.Lock()
		if !p.done {
			p.rows = p.rows.clone(t.layout.words)
		}
		p.mu.Unlock()
	}
	t.pins = t.pins[:0]
}

// read calls f with the rows and lets go of them. While f runs the table cannot
// change.
func (p *pin) read(f func(*rows) error) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	defer p.release()
	return f(&p.rows)
}

func (p *pin) release() { p.rows, p.done = rows{}, true }
