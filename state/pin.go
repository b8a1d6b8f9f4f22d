package state

import (
	"slices"
	"sync"
	"sync/atomic"
)

// pageRows is how many rows a page has: the unit in which a pinned sub-table is
// copied. It is a multiple of 8, so that pages have whole bytes of bitmaps.
const (
	pageBits = 13
	pageRows = 1 << pageBits
)

// A pin keeps the rows of a sub-table as they were, for a reader that runs beside the
// next epochs. Keys and row numbers of a row never change in their place, so only
// epoch words and values are copied, a page of rows at a time: by the table before the
// first change of the page in an epoch, or by the reader when it comes to it. When
// the table moves its rows it takes new memory, and leaves the old to the reader.
type pin struct {
	// rows has the table's memory as it was: what is behind n of it is the table's.
	rows rows
	done atomic.Bool

	mu sync.Mutex
	// pages are the copies that were made, by page; read those that need none, since the
	// reader has passed them.
	pages []*rows
	read  []bool
	// of, if set, is the view that the pin belongs to: its pages may be read again and
	// again, and count.
	of *View
}

// pin returns a view of t as it is now.
func (t *Table) pin() *pin {
	p := &pin{rows: t.rows.header()}
	n := (t.n + pageRows - 1) >> pageBits
	p.pages, p.read = make([]*rows, n), make([]bool, n)
	t.pins = append(t.pins, p)
	t.kept = make([]bool, max(n, len(t.kept)))
	return p
}

// keep copies the pages of rows for the readers. The table calls it before it changes
// an epoch word or a value.
func (t *Table) keep(rows []int32) {
	if len(t.pins) == 0 {
		return
	}
	for _, r := range rows {
		if r >= 0 {
			t.keepPage(int(r) >> pageBits)
		}
	}
}

// keepFrom is keep for row and all behind it.
func (t *Table) keepFrom(row int) {
	if len(t.pins) == 0 {
		return
	}
	for i := row >> pageBits; i < len(t.kept); i++ {
		t.keepPage(i)
	}
}

func (t *Table) keepPage(i int) {
	if i >= len(t.kept) || t.kept[i] {
		return
	}
	t.kept[i] = true
	var copied *rows
	for _, p := range t.pins {
		copied = p.keep(i, copied)
	}
}

// dropPins forgets the readers that are done.
func (t *Table) dropPins() {
	t.pins = slices.DeleteFunc(t.pins, func(p *pin) bool { return p.done.Load() })
}

// leave gives the memory of the rows to the readers. The table calls it after it has
// moved its rows into new memory.
func (t *Table) leave() {
	for _, p := range t.pins {
		p.left()
	}
	clear(t.pins)
	t.pins, t.kept = t.pins[:0], t.kept[:0]
}

// keep copies page i, unless that has been done or the reader has passed it. same, if
// set, is the copy that another pin made of the page: it serves where the page had as
// many rows. keep returns a copy for the next pin.
func (p *pin) keep(i int, same *rows) *rows {
	p.mu.Lock()
	if i >= len(p.pages) || p.pages[i] != nil || p.read[i] || p.done.Load() {
		p.mu.Unlock()
		return same
	}
	if n := min((i+1)<<pageBits, p.rows.n) - i<<pageBits; same == nil || same.n != n {
		same = p.copied(i)
	}
	p.pages[i] = same
	p.mu.Unlock()
	// Without the lock: the view lets go of this pin, too, if that was too much.
	p.of.charge(same.pageBytes())
	return same
}

// left tells the view that the rows are no longer those of the table.
func (p *pin) left() {
	if p.of == nil || p.done.Load() {
		return
	}
	p.mu.Lock()
	n := p.rows.memBytes()
	p.mu.Unlock()
	p.of.charge(n)
}

func (p *pin) copied(i int) *rows {
	c := p.rows.page(i<<pageBits, min((i+1)<<pageBits, p.rows.n))
	return &c
}

// page returns page i for its reader, who may have it once.
func (p *pin) page(i int) *rows {
	p.mu.Lock()
	defer p.mu.Unlock()
	r := p.pages[i]
	p.pages[i], p.read[i] = nil, true
	if r == nil {
		r = p.copied(i)
	}
	return r
}

// each calls f with the pages, in their order, and lets go of them. The table is
// held up by the copying of a page only.
func (p *pin) each(words int, f func(*rows) error) error {
	defer p.release()
	for i := range p.pages {
		r := *p.page(i) // others may have the copy, too
		r.words = p.rows.words[i<<pageBits*words : (i<<pageBits+r.n)*words]
		if err := f(&r); err != nil {
			return err
		}
	}
	return nil
}

// release lets go of everything.
func (p *pin) release() {
	p.done.Store(true)
	p.mu.Lock()
	defer p.mu.Unlock()
	p.rows, p.pages = rows{}, nil
}

// header returns r with columns of its own over the same memory.
func (r *rows) header() rows {
	h := *r
	h.texts = make([]*BytesColumn, len(r.texts))
	for i, t := range r.texts {
		if t != nil {
			c := *t
			h.texts[i] = &c
		}
	}
	h.values = make([]Column, len(r.values))
	for i, v := range r.values {
		h.values[i] = v.header()
	}
	return h
}

// page returns the rows from lo to hi−1, without their words: epoch words and values
// are copied.
func (r *rows) page(lo, hi int) rows {
	p := rows{n: hi - lo, numbers: r.numbers[lo:hi], epochs: append([]uint32(nil), r.epochs[lo:hi]...)}
	if r.nulls != nil {
		p.nulls = r.nulls[lo:hi]
	}
	p.texts = make([]*BytesColumn, len(r.texts))
	for i, t := range r.texts {
		if t != nil {
			p.texts[i] = &BytesColumn{refs: t.refs[lo:hi], arena: t.arena}
		}
	}
	p.values = make([]Column, len(r.values))
	for i, v := range r.values {
		p.values[i] = v.page(lo, hi)
	}
	return p
}
