package memory

import (
	"slices"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"
)

// A merge makes a record batch of so many rows and bytes at most. Smaller ones are
// merged so that a query of many small epochs has few record batches.
const (
	mergedRows  = 1 << 16
	mergedBytes = 64 << 20
)

// result is rows in the order in which they were added; a row that replaces
// another is added.
type result struct {
	schema *arrow.Schema
	chunks []*chunk
	// live and dead count rows of the chunks.
	live, dead int
	// places finds the row of a key; nil while the epochs have no keys.
	places map[string]*place
	keys   keyColumns
	// keyBytes is what the texts of places take.
	keyBytes int64
}

// place is where a key's newest row is.
type place struct {
	chunk *chunk
	row   int
}

// placeBytes is what a key takes in places beside its bytes, roughly and rather
// too much.
const placeBytes = 96

// add puts recs behind the others. With keys (not nil) each row replaces the one
// with the same values in these columns; without any column there is one row.
func (r *result) add(recs []arrow.RecordBatch, keys []int) {
	if keys == nil {
		r.places, r.keyBytes = nil, 0
	} else if r.places == nil || !r.keys.are(keys) {
		r.reindex(keys)
	}
	for _, rec := range recs {
		rec.Retain()
		c := newChunk(rec)
		r.chunks = append(r.chunks, c)
		r.live += c.live()
		if keys != nil {
			r.index(c)
		}
		r.mergeTail()
	}
	if r.dead > r.live {
		r.rebuild()
	}
}

// reindex finds the keys of all rows, which may have been added without any.
func (r *result) reindex(keys []int) {
	r.keys, r.places, r.keyBytes = newKeyColumns(keys), map[string]*place{}, 0
	for _, c := range r.chunks {
		r.index(c)
	}
}

// index makes the rows of c the newest of their keys.
func (r *result) index(c *chunk) {
	for i, key := range r.keys.encode(c.rec) {
		if !c.isLive(i) {
			continue
		}
		if old, ok := r.places[string(key)]; ok {
			old.chunk.kill(old.row)
			r.live, r.dead = r.live-1, r.dead+1
			*old = place{c, i}
		} else {
			r.keyBytes += int64(len(key)) + placeBytes
			r.places[string(key)] = &place{c, i}
		}
	}
}

// mergeTail merges the last chunks while the one before is not much larger: each
// row is copied once per doubling.
func (r *result) mergeTail() {
	for n := len(r.chunks); n >= 2; n-- {
		a, b := r.chunks[n-2], r.chunks[n-1]
		if a.live() > 2*b.live() || a.live()+b.live() > mergedRows || a.bytes()+b.bytes() > mergedBytes || !r.merge(n-2, n) {
			return
		}
	}
}

// rebuild drops replaced rows and merges what is left. It is due when they are
// the majority, so that each replaced row pays for one that is copied.
func (r *result) rebuild() {
	for i := 0; i < len(r.chunks); i++ {
		end, rows, bytes := i+1, r.chunks[i].live(), r.chunks[i].bytes()
		for ; end < len(r.chunks); end++ {
			rows, bytes = rows+r.chunks[end].live(), bytes+r.chunks[end].bytes()
			if rows > mergedRows || bytes > mergedBytes {
				break
			}
		}
		if end > i+1 || r.chunks[i].dead > 0 {
			r.merge(i, end)
		}
	}
	r.chunks = slices.DeleteFunc(r.chunks, func(c *chunk) bool {
		if c.live() > 0 {
			return false
		}
		r.dead -= c.dead
		c.release()
		return true
	})
}

// merge makes one chunk of the live rows of chunks [from, to). If that cannot be
// done, they stay as they are; it returns whether it was.
func (r *result) merge(from, to int) bool {
	var views []arrow.RecordBatch
	for _, c := range r.chunks[from:to] {
		views = append(views, c.view()...)
	}
	if len(views) == 0 {
		views = []arrow.RecordBatch{r.chunks[from].rec.NewSlice(0, 0)}
		defer releaseAll(views)
	}
	rec, err := concatenate(r.schema, views)
	if err != nil {
		return false
	}
	for _, c := range r.chunks[from:to] {
		r.dead -= c.dead
		c.release()
	}
	merged := newChunk(rec)
	r.chunks = slices.Replace(r.chunks, from, to, merged)
	if r.places != nil {
		for i, key := range r.keys.encode(rec) {
			*r.places[string(key)] = place{merged, i}
		}
	}
	return true
}

func concatenate(schema *arrow.Schema, recs []arrow.RecordBatch) (arrow.RecordBatch, error) {
	if len(recs) == 1 {
		recs[0].Retain()
		return recs[0], nil
	}
	var rows int64
	for _, rec := range recs {
		rows += rec.NumRows()
	}
	cols := make([]arrow.Array, schema.NumFields())
	parts := make([]arrow.Array, len(recs))
	for c := range cols {
		for i, rec := range recs {
			parts[i] = rec.Column(c)
		}
		var err error
		if cols[c], err = array.Concatenate(parts, memory.DefaultAllocator); err != nil {
			return nil, err
		}
		defer cols[c].Release()
	}
	return array.NewRecordBatch(schema, cols, rows), nil
}

// parts returns the live rows, with a reference to each part.
func (r *result) parts() []*part {
	out := make([]*part, 0, len(r.chunks))
	for _, c := range r.chunks {
		if c.live() > 0 {
			p := c.part()
			p.refs.Add(1)
			out = append(out, p)
		}
	}
	return out
}

func (r *result) bytes() int64 {
	n := r.keyBytes
	for _, c := range r.chunks {
		n += c.bytes()
	}
	return n
}

func (r *result) clear() {
	for _, c := range r.chunks {
		c.release()
	}
	*r = result{schema: r.schema, keys: r.keys}
}
