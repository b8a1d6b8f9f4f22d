package subscribe

import (
	"context"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/compute"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/flightd/flightd/internal/base"
	"github.com/flightd/flightd/sinks"
	"github.com/flightd/flightd/sinks/feed"
	sinkmemory "github.com/flightd/flightd/sinks/memory"
)

// part is rows with the query's columns; ops has one value for all of them, or one
// per row.
type part struct {
	rec arrow.RecordBatch
	ops []int8
	// of is what this is of an epoch's rows as they are, or nil.
	of *origin
}

// origin is record batch number at of an epoch.
type origin struct {
	derived *feed.Derived
	at      int
}

// An envelope tells an epoch as changes. What it returns is released by the
// caller.
type envelope interface {
	// change tells the changes of an epoch, retractions first.
	change(e *feed.Epoch) ([]part, error)
	// follow takes an epoch in without telling it.
	follow(e *feed.Epoch) error
	// rows is the result so far.
	rows() []part
	// held is how many bytes the envelope keeps.
	held() int64
	release()
}

// newEnvelope returns the envelope of a request for a query of a mode. remember
// says that the result so far is needed, too.
func newEnvelope(r *Request, schema *arrow.Schema, mode sinks.Mode, remember bool) envelope {
	switch {
	case mode.Kind == base.Complete:
		keys := r.Keys
		if keys == nil {
			keys = allColumns(schema)
		}
		return &replacing{schema: schema, keys: keys, upsert: r.Envelope == Upsert}
	case mode.Kind == base.Update && mode.Keys != nil && (r.Envelope == Changelog || remember):
		return &updating{state: sinkmemory.New(schema), mode: mode, upsert: r.Envelope == Upsert}
	case r.Envelope == Upsert:
		return plain{OpUpdateAfter}
	}
	return plain{OpInsert}
}

// plain tells every row as it is.
type plain struct{ op int8 }

func (p plain) change(e *feed.Epoch) ([]part, error) {
	var out []part
	for i, rec := range e.Rows {
		rec.Retain()
		out = append(out, part{rec, []int8{p.op}, &origin{e.Derived, i}})
	}
	return out, nil
}

func (plain) follow(*feed.Epoch) error { return nil }
func (plain) rows() []part             { return nil }
func (plain) held() int64              { return 0 }
func (plain) release()                 {}

// updating tells the rows of a query in output mode update; it knows the newest
// row of each key. For upsert it only makes the snapshot.
type updating struct {
	state  *sinkmemory.Sink
	mode   sinks.Mode
	upsert bool
}

func (u *updating) change(e *feed.Epoch) (out []part, err error) {
	defer func() {
		if err != nil {
			releaseParts(out)
			out = nil
		}
	}()
	var after []part
	for _, rec := range e.Rows {
		old, found, err := u.state.Replaced(rec, u.mode.Keys)
		if err != nil {
			releaseParts(after)
			return out, err
		}
		for _, o := range old {
			out = append(out, part{rec: o, ops: []int8{OpUpdateBefore}})
		}
		ops := make([]int8, len(found))
		for i, known := range found {
			ops[i] = OpInsert
			if known {
				ops[i] = OpUpdateAfter
			}
		}
		rec.Retain()
		after = append(after, part{rec: rec, ops: ops})
	}
	return append(out, after...), u.follow(e)
}

func (u *updating) follow(e *feed.Epoch) error {
	for _, rec := range e.Rows {
		if err := u.state.Write(context.Background(), e.Number, u.mode, rec); err != nil {
			return err
		}
	}
	return u.state.Commit(context.Background(), e.Number, u.mode, e.Digest)
}

func (u *updating) rows() (out []part) {
	op := OpInsert
	if u.upsert {
		op = OpUpdateAfter
	}
	_, recs := u.state.Snapshot()
	for _, rec := range recs {
		out = append(out, part{rec: rec, ops: []int8{op}})
	}
	return out
}

func (u *updating) held() int64 { return u.state.MemBytes() }
func (u *updating) release()    { u.state.Release() }

// replacing tells the difference between the result of an epoch and that of the
// epoch before, of a query in output mode complete.
type replacing struct {
	schema *arrow.Schema
	keys   []int
	upsert bool
	last   []arrow.RecordBatch
}

// place is a row of the record batches of an epoch.
type place struct{ rec, row int }

func (r *replacing) change(e *feed.Epoch) ([]part, error) {
	all := allColumns(r.schema)
	old := map[string][]place{}
	var contents [][]string
	for i, rec := range r.last {
		contents = append(contents, sinkmemory.Keys(rec, all))
		for row, key := range sinkmemory.Keys(rec, r.keys) {
			old[key] = append(old[key], place{i, row})
		}
	}
	// gone and come are the operations of the rows; 0 is none.
	gone, come := blank(r.last), blank(e.Rows)
	for i, rec := range e.Rows {
		texts := sinkmemory.Keys(rec, all)
		for row, key := range sinkmemory.Keys(rec, r.keys) {
			before := old[key]
			if len(before) == 0 {
				come[i][row] = OpInsert
				continue
			}
			p := before[0]
			old[key] = before[1:]
			if contents[p.rec][p.row] != texts[row] {
				gone[p.rec][p.row], come[i][row] = OpUpdateBefore, OpUpdateAfter
			}
		}
	}
	for _, rest := range old {
		for _, p := range rest {
			gone[p.rec][p.row] = OpDelete
		}
	}
	out, err := chosen(r.last, gone, r.upsert)
	if err == nil {
		var more []part
		more, err = chosen(e.Rows, come, r.upsert)
		out = append(out, more...)
	}
	if err != nil {
		releaseParts(out)
		return nil, err
	}
	return out, r.follow(e)
}

func blank(recs []arrow.RecordBatch) [][]int8 {
	out := make([][]int8, len(recs))
	for i, rec := range recs {
		out[i] = make([]int8, rec.NumRows())
	}
	return out
}

// chosen returns the rows that have an operation. An upsert does not tell the row
// before, and does not tell a new key from an old one.
func chosen(recs []arrow.RecordBatch, ops [][]int8, upsert bool) ([]part, error) {
	var out []part
	for i, rec := range recs {
		mask := array.NewBooleanBuilder(memory.DefaultAllocator)
		var kept []int8
		for _, op := range ops[i] {
			if upsert && op == OpUpdateBefore {
				op = 0
			}
			if upsert && op == OpInsert {
				op = OpUpdateAfter
			}
			mask.Append(op != 0)
			if op != 0 {
				kept = append(kept, op)
			}
		}
		of := mask.NewBooleanArray()
		mask.Release()
		if len(kept) > 0 {
			some, err := compute.FilterRecordBatch(context.Background(), rec, of, compute.DefaultFilterOptions())
			if err != nil {
				of.Release()
				return out, err
			}
			out = append(out, part{rec: some, ops: kept})
		}
		of.Release()
	}
	return out, nil
}

func (r *replacing) follow(e *feed.Epoch) error {
	r.release()
	for _, rec := range e.Rows {
		rec.Retain()
		r.last = append(r.last, rec)
	}
	return nil
}

func (r *replacing) rows() (out []part) {
	op := OpInsert
	if r.upsert {
		op = OpUpdateAfter
	}
	for _, rec := range r.last {
		rec.Retain()
		out = append(out, part{rec: rec, ops: []int8{op}})
	}
	return out
}

func (r *replacing) held() int64 {
	var n int64
	for _, rec := range r.last {
		for _, c := range rec.Columns() {
			n += int64(c.Data().SizeInBytes())
		}
	}
	return n
}

func (r *replacing) release() {
	for _, rec := range r.last {
		rec.Release()
	}
	r.last = nil
}

func allColumns(schema *arrow.Schema) []int {
	out := make([]int, schema.NumFields())
	for i := range out {
		out[i] = i
	}
	return out
}

func releaseParts(ps []part) {
	for _, p := range ps {
		p.rec.Release()
	}
}
