package memory

import (
	"context"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/compute"
	"github.com/apache/arrow-go/v18/arrow/memory"
)

// replaced returns the live rows with the keys of rec, in the order of rec, and
// which rows of rec have one. A key that rec has twice is found once.
func (r *result) replaced(rec arrow.RecordBatch, keys []int) (old []arrow.RecordBatch, found []bool, err error) {
	found = make([]bool, rec.NumRows())
	if r.places == nil || !r.keys.are(keys) {
		if r.live == 0 {
			return nil, found, nil
		}
		r.reindex(keys)
	}
	var c *chunk
	rows := array.NewInt64Builder(memory.DefaultAllocator)
	defer rows.Release()
	take := func() error {
		if rows.Len() == 0 {
			return nil
		}
		part, err := taken(c.rec, rows)
		old = append(old, part...)
		return err
	}
	seen := map[string]bool{}
	for i, key := range r.keys.encode(rec) {
		p, ok := r.places[string(key)]
		if !ok || seen[string(key)] {
			continue
		}
		seen[string(key)] = true
		if c != p.chunk {
			if err := take(); err != nil {
				releaseAll(old)
				return nil, nil, err
			}
			c = p.chunk
		}
		found[i] = true
		rows.Append(int64(p.row))
	}
	if err := take(); err != nil {
		releaseAll(old)
		return nil, nil, err
	}
	return old, found, nil
}

// taken returns rows of rec, and empties the builder of their numbers. Types that
// cannot be gathered come row by row.
func taken(rec arrow.RecordBatch, rows *array.Int64Builder) ([]arrow.RecordBatch, error) {
	at := rows.NewInt64Array()
	defer at.Release()
	from, to := compute.NewDatum(rec), compute.NewDatum(at)
	defer from.Release()
	defer to.Release()
	got, err := compute.Take(context.Background(), *compute.DefaultTakeOptions(), from, to)
	if err == nil {
		if d, ok := got.(*compute.RecordDatum); ok {
			return []arrow.RecordBatch{d.Value}, nil
		}
		got.Release()
	}
	var out []arrow.RecordBatch
	for _, i := range at.Int64Values() {
		out = append(out, rec.NewSlice(i, i+1))
	}
	return out, nil
}

// Keys returns bytes for each row of rec: equal in two rows, of any record batch
// with the same types, if the values in the columns are.
func Keys(rec arrow.RecordBatch, columns []int) []string {
	k := newKeyColumns(columns)
	out := make([]string, rec.NumRows())
	for i, key := range k.encode(rec) {
		out[i] = string(key)
	}
	return out
}
