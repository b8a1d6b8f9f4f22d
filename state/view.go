package state

import (
	"sync"
	"sync/atomic"

	"github.com/flightd/flightd/internal/base"
)

// A Budget bounds the memory that views keep from a store's tables: copies of pages
// that have changed since, and rows that a table has moved away from. A view that
// would go beyond it is lost, as its readers are told; the tables go on.
type Budget struct {
	// Limit is in bytes; 0 is no bound.
	Limit int64
	used  atomic.Int64
}

// Used is how many bytes views hold now.
func (b *Budget) Used() int64 { return b.used.Load() }

// A View is the state as it was after an epoch, for any number of readers at the same
// time, beside the epochs that follow. It costs nothing but what the tables change
// while it is held.
type View struct {
	epoch  base.Epoch
	tables []*TableView
	budget *Budget

	mu   sync.Mutex
	held int64
	gone bool
	lost bool
}

// A TableView is a table as a View has it.
type TableView struct {
	of     *View
	id     ID
	schema Schema
	layout *layout
	seed   uint64
	weak   bool
	subs   []*pin
}

// View keeps the state as the last Commit left it, within b's bound. Whoever takes it
// releases it.
func (m *MemoryStore) View(b *Budget) *View {
	v := &View{epoch: m.epoch, budget: b}
	for _, s := range m.tables {
		t := &TableView{of: v, id: s.id, schema: s.schema, layout: s.layout, seed: s.seed, weak: s.weak}
		for _, sub := range s.subs {
			p := sub.pin()
			p.of = v
			t.subs = append(t.subs, p)
		}
		v.tables = append(v.tables, t)
	}
	return v
}

// Epoch is the epoch whose state it is; base.NoEpoch before the first.
func (v *View) Epoch() base.Epoch { return v.epoch }

// Table returns the table that id names, or nil if the epoch did not have it.
func (v *View) Table(id ID) *TableView {
	for _, t := range v.tables {
		if t.id == id {
			return t
		}
	}
	return nil
}

// Release lets go of everything. Pages that readers have stay good.
func (v *View) Release() { v.end(false) }

func (v *View) end(lost bool) {
	v.mu.Lock()
	if v.gone {
		v.mu.Unlock()
		return
	}
	v.gone, v.lost = true, lost
	v.budget.used.Add(-v.held)
	v.held = 0
	v.mu.Unlock()
	for _, t := range v.tables {
		for _, p := range t.subs {
			p.release()
		}
	}
}

// charge counts n bytes more. It may be called for no view.
func (v *View) charge(n int64) {
	if v == nil {
		return
	}
	v.mu.Lock()
	if v.gone {
		v.mu.Unlock()
		return
	}
	v.held += n
	used := v.budget.used.Add(n)
	v.mu.Unlock()
	if v.budget.Limit > 0 && used > v.budget.Limit {
		v.end(true)
	}
}

// roomy reports whether there is room to keep what need not be kept: a quarter of the
// budget.
func (v *View) roomy() bool { return v.budget.Limit <= 0 || v.budget.used.Load() < v.budget.Limit/4 }

// Lost reports whether the view went beyond its budget.
func (v *View) Lost() bool {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.lost
}

// ended is why a view cannot be read any more.
func (v *View) ended() error {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.lost {
		e := base.UserError("UNABLE_TO_ACQUIRE_MEMORY", "53200",
			"The state of epoch %d was read for too long: what the epochs since have changed of it takes more than the %d bytes that readers of a query may hold.", v.epoch, v.budget.Limit)
		e.Code = base.CodeExhausted
		return e.WithHint("read less, or faster, or raise flightd.memoryLimit")
	}
	return base.Errorf(base.CodeInternal, "the view of epoch %d was released", v.epoch)
}

// ID is the table's operator and name.
func (t *TableView) ID() ID { return t.id }

// Schema returns the table's schema. Its slices must not be written.
func (t *TableView) Schema() Schema { return t.schema }

// Subs returns the number of sub-tables.
func (t *TableView) Subs() int { return len(t.subs) }

// NewKeys returns an empty Keys for Find.
func (t *TableView) NewKeys() *Keys {
	k := NewKeys(t.schema.Keys, t.seed)
	k.weak = t.weak
	return k
}

// Pages returns how many pages sub-table i has.
func (t *TableView) Pages(i int) int { return len(t.subs[i].read) }

// Page returns a page of sub-table i. Nobody may write to it.
func (t *TableView) Page(i, page int) (*Page, error) {
	r := t.subs[i].share(page, t.layout.words)
	if r == nil {
		return nil, t.of.ended()
	}
	return &Page{r, t.layout}, nil
}

// Find returns the rows with the keys of k, removed ones included: Row counts over all
// pages of the sub-table. A key's sub-table is found by its hash, and its keys are
// compared one by one, where they lie: no page is copied.
func (t *TableView) Find(k *Keys) ([]Ref, error) {
	var out []Ref
	for r := range int32(k.n) {
		sub := int32(k.hashes[r] & uint64(len(t.subs)-1))
		keys, ok := t.subs[sub].keys()
		if !ok {
			return nil, t.of.ended()
		}
		for row := range int32(keys.n) {
			if keys.has(k, r, row, t.layout.words) {
				out = append(out, Ref{sub, row})
			}
		}
	}
	return out, nil
}

// PageOf says in which page a row is that Find returned, and where.
func PageOf(row int32) (page int, at int32) { return int(row >> pageBits), row & (pageRows - 1) }

// A Page is some rows of a sub-table that nobody changes.
type Page struct {
	rows   *rows
	layout *layout
}

// Live returns the rows that were not removed, ascending.
func (p *Page) Live() []int32 { return p.rows.live() }

// Alive reports whether row was not removed.
func (p *Page) Alive(row int32) bool { return p.rows.alive(row) }

// Value returns value column i: a *Fixed[T], or a *BytesColumn, to read.
func (p *Page) Value(i int) Column { return p.rows.values[i] }

// Key returns key column i of rows.
func (p *Page) Key(i int, rows []int32) (Vector, error) { return p.rows.key(p.layout, i, rows) }

// share returns page i, for a reader who may ask again; nil if it is gone.
func (p *pin) share(i, words int) *rows {
	p.mu.Lock()
	if p.done.Load() {
		p.mu.Unlock()
		return nil
	}
	r, made := p.pages[i], int64(0)
	if r == nil {
		// As long as the table has the page as it was, the next reader can copy it again.
		r = p.copied(i)
		if p.of.roomy() {
			p.pages[i], made = r, r.pageBytes()
		}
	}
	// The copy may be that of other pins, too.
	shared := *r
	shared.words = p.rows.words[i<<pageBits*words : (i<<pageBits+r.n)*words]
	p.mu.Unlock()
	if made > 0 {
		p.of.charge(made)
	}
	return &shared
}

// keys returns the rows to read their keys alone; false if they are gone. Keys are
// never changed in their place.
func (p *pin) keys() (rows, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.rows, !p.done.Load()
}

// has reports whether row has key r of k.
func (r *rows) has(k *Keys, i, row int32, words int) bool {
	for j := range words {
		if r.words[int(row)*words+j] != k.words[int(i)*words+j] {
			return false
		}
	}
	nulls := uint8(0)
	if r.nulls != nil {
		nulls = r.nulls[row]
	}
	if nulls != k.nulls(i) {
		return false
	}
	for c := range k.longs {
		if b := k.long(c, i); b != nil && string(b) != string(r.texts[c].Get(row)) {
			return false
		}
	}
	return true
}

// pageBytes is the memory of a page that is not the table's own.
func (r *rows) pageBytes() int64 {
	sum := memOf(r.epochs)
	for _, v := range r.values {
		sum += v.MemBytes()
	}
	return sum
}
