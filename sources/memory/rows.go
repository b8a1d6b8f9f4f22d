package memory

import (
	"sort"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/flightd/flightd/sources"
	"github.com/flightd/flightd/sources/numbered"
)

// rows are record batches of one schema and where each begins.
type rows struct {
	schema *arrow.Schema
	recs   []arrow.RecordBatch
	// starts[i] is the number of the first row of recs[i]; the last element is the
	// number of all rows. Both slices only ever grow.
	starts []int64
}

func newRows(schema *arrow.Schema) rows { return rows{schema: schema, starts: []int64{0}} }

// add retains rec and puts it behind the others.
func (r *rows) add(rec arrow.RecordBatch) {
	rec.Retain()
	r.recs = append(r.recs, rec)
	r.starts = append(r.starts, r.starts[len(r.starts)-1]+rec.NumRows())
}

// fits returns an error unless rec has the columns of the schema.
func (r *rows) fits(rec arrow.RecordBatch) error {
	return numbered.CheckSchema("memory", rec.Schema(), r.schema)
}

// splits cuts the record batches from lo up to and without hi.
func (r *rows) splits(name string, lo, hi int64, scan sources.Scan) []sources.Split {
	recs, starts, schema := r.recs, r.starts, numbered.Project(r.schema, scan)
	return numbered.Splits(name, starts[lo], starts[hi], numbered.LargeSplitRows(starts[hi]-starts[lo]), scan, func(lo, hi int64) (arrow.RecordBatch, error) {
		// The last record batch that begins at or before lo and has row lo: empty ones
		// begin where the next does.
		i := sort.Search(len(recs), func(i int) bool { return starts[i+1] > lo })
		return slice(schema, recs[i], scan.Columns, lo-starts[i], min(hi, starts[i+1])-starts[i]), nil
	})
}

// slice returns rows [lo, hi) of some columns of rec, sharing its buffers.
func slice(schema *arrow.Schema, rec arrow.RecordBatch, columns []int, lo, hi int64) arrow.RecordBatch {
	n := schema.NumFields()
	cols := make([]arrow.Array, n)
	for i := range cols {
		c := i
		if columns != nil {
			c = columns[i]
		}
		cols[i] = array.NewSlice(rec.Column(c), lo, hi)
		defer cols[i].Release()
	}
	return array.NewRecordBatch(schema, cols, hi-lo)
}

// release gives the record batches back.
func (r *rows) release() {
	for _, rec := range r.recs {
		rec.Release()
	}
	*r = newRows(r.schema)
}
