package state

import (
	"github.com/flightd/flightd/kernels"
)

// directKeys is the widest range of integer keys that a table finds by their
// value alone: 256 KiB of row numbers.
const directKeys = 1 << 16

// A direct finds the rows of integer keys of a small range by the key itself. It
// is a cache in front of the index: what it does not know is looked up there.
type direct struct {
	// ids[key-low] is the row of key plus one, or 0.
	ids []int32
	low int64
	off bool
	// scratch: the keys that are not known, where they are in the batch, their rows
	keys    *Keys
	missing []int32
	values  []int64
	narrow  []int32
	rows    []int32
}

// UpsertInts is Upsert for a table whose one key column is of integers of four or
// eight bytes: v is the column, without NULLs, and sel its rows (nil: all). It
// reports false, and has done nothing, where Upsert is the better way: for keys
// from a wide range.
func (t *Table) UpsertInts(v *Vector, sel, rows []int32) (bool, error) {
	d := &t.direct
	if d.off || t.epochs != nil || v.Valid != nil || len(t.schema.Keys) != 1 || v.Kind != Int64 && v.Kind != Int32 {
		return false, nil
	}
	if v.Kind == Int64 {
		return upsertDirect(t, Values[int64](v)[:v.Len], sel, rows)
	}
	return upsertDirect(t, Values[int32](v)[:v.Len], sel, rows)
}

func upsertDirect[T int32 | int64](t *Table, vals []T, sel, rows []int32) (bool, error) {
	d := &t.direct
	n := len(vals)
	if sel != nil {
		n = len(sel)
	}
	d.missing = sized(d.missing, n)
	var missing []int32
	if sel == nil {
		missing = d.missing[:kernels.FindDirect(d.ids, d.low, vals, rows, d.missing)]
	} else {
		missing = d.missing[:kernels.FindDirectSel(d.ids, d.low, vals, sel, rows, d.missing)]
	}
	if len(missing) == 0 {
		return true, nil
	}
	d.values = sized(d.values, len(missing))
	for i, m := range missing {
		r := m
		if sel != nil {
			r = sel[m]
		}
		d.values[i] = int64(vals[r])
	}
	if !d.widen(d.values) {
		d.off, d.ids = true, nil
		return false, nil
	}
	return true, t.learn(missing, rows)
}

// widen makes the range hold vals, if it may be that wide.
func (d *direct) widen(vals []int64) bool {
	low, high := vals[0], vals[0]
	for _, x := range vals {
		low, high = min(low, x), max(high, x)
	}
	if len(d.ids) > 0 {
		low, high = min(low, d.low), max(high, d.low+int64(len(d.ids))-1)
	}
	// The difference wraps around for ranges beyond 2^63.
	n := uint64(high) - uint64(low)
	switch {
	case n >= directKeys:
		return false
	case int(n) < len(d.ids):
		return true
	}
	ids := make([]int32, n+1)
	if len(d.ids) > 0 {
		copy(ids[d.low-low:], d.ids)
	}
	d.ids, d.low = ids, low
	return true
}

// learn looks up the values that were not known.
func (t *Table) learn(missing, rows []int32) error {
	d := &t.direct
	if d.keys == nil {
		d.keys = &Keys{layout: t.layout, seed: t.seed}
	}
	v := Vector{Kind: t.schema.Keys[0].Kind, Len: len(d.values), Data: bytesOf(d.values)}
	if v.Kind == Int32 {
		d.narrow = sized(d.narrow, len(d.values))
		for i, x := range d.values {
			d.narrow[i] = int32(x)
		}
		v.Data = bytesOf(d.narrow)
	}
	if err := d.keys.Normalise([]Vector{v}, v.Len, nil); err != nil {
		return err
	}
	d.rows = sized(d.rows, v.Len)
	if err := t.Upsert(d.keys, nil, d.rows); err != nil {
		return err
	}
	for i, m := range missing {
		rows[m] = d.rows[i]
		d.ids[d.values[i]-d.low] = d.rows[i] + 1
	}
	return nil
}

func (d *direct) memBytes() int64 {
	return memOf(d.ids) + memOf(d.missing) + memOf(d.values) + memOf(d.narrow) + memOf(d.rows)
}
