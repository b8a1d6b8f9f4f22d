package state

import (
	"math"
	"slices"

	"github.com/flightd/flightd/kernels"
)

// directKeys is how many keys a table finds by their value alone: 256 KiB of row
// numbers.
const directKeys = 1 << 16

// A direct finds the rows of keys of one to three integer columns by the keys
// themselves, where each column has a small range: row numbers lie in an array
// with a dimension for each column. Codes count as integers as long as the
// dictionary is the same. It is a cache in front of the index: what it does not
// know is looked up there, and it may forget.
type direct struct {
	// ids[at] is a row plus one, or 0.
	ids  []int32
	dims []dimension
	// dicts are the dictionaries of the columns that are coded.
	dicts [maxDirectColumns]*Vector
	off   bool
	// batches and moves count how often it was asked, and how often it forgot.
	batches, moves int
	// scratch: places in ids; the rows of a batch that are not known, their keys,
	// their rows in the table
	at      []uint64
	missing []int32
	source  []int32
	found   []int32
	keys    *Keys
	rows    []int32
}

// A dimension is one column's range: size values from low on, stride apart in ids.
type dimension struct {
	low          int64
	size, stride uint64
}

// maxDirectColumns is how many key columns a direct may have.
const maxDirectColumns = 3

// UpsertDirect is Upsert for a table whose key columns are integers of four or eight
// bytes, or coded, one to three of them: vs are the columns, without NULLs, and sel
// their rows (nil: the first len(rows)). It reports false, and has done nothing,
// where Upsert is the better way: for other columns, for keys from a wide range,
// and for a kept table.
func (t *Table) UpsertDirect(vs []Vector, sel, rows []int32) (bool, error) {
	d := &t.direct
	if d.off || t.epochs != nil || t.schema.Many || len(rows) == 0 || !t.direct.takes(t.schema.Keys, vs) {
		return false, nil
	}
	d.batches++
	d.follow(vs)
	missing := d.find(vs, sel, rows)
	if len(missing) == 0 {
		return true, nil
	}
	d.source = sized(d.source, len(missing))
	for i, m := range missing {
		d.source[i] = m
		if sel != nil {
			d.source[i] = sel[m]
		}
	}
	if !d.widen(vs, d.source) {
		d.off, d.ids = true, nil
		return false, nil
	}
	return true, t.learnAll(vs, missing, d.source, rows)
}

// firstKeys is how many unknown keys are looked up before the others are tried
// again: most of many are the same few keys.
const firstKeys = 1024

// learnAll looks up keys that were not known: key missing[i] of the batch is in
// row source[i] of vs.
func (t *Table) learnAll(vs []Vector, missing, source, rows []int32) error {
	d := &t.direct
	for len(missing) > 2*firstKeys {
		if err := t.learn(vs, missing[:firstKeys], source[:firstKeys], rows); err != nil {
			return err
		}
		// What find returns lies where missing does.
		missing, source = slices.Clone(missing[firstKeys:]), source[firstKeys:]
		d.found = sized(d.found, len(missing))
		still := d.find(vs, source, d.found)
		for i, m := range missing {
			rows[m] = d.found[i]
		}
		few := 2*len(still) < len(missing)
		for i, at := range still {
			still[i], source[i] = missing[at], source[at]
		}
		if missing, source = still, source[:len(still)]; !few {
			break
		}
	}
	if len(missing) == 0 {
		return nil
	}
	return t.learn(vs, missing, source, rows)
}

// FindInts is Find for a table all of whose keys one call of UpsertDirect has put
// in, none of them coded; vs and sel, which is not nil, are as there. It reports
// false, and has done nothing, where the range of keys was too wide, or there are
// several columns. Calls may run at the same time.
func (t *Table) FindInts(vs []Vector, sel, rows []int32) bool {
	d := &t.direct
	if d.off || len(d.dims) != 1 || len(vs) != 1 || d.moves > 0 || vs[0].Dict != nil || !d.takes(t.schema.Keys, vs) {
		return false
	}
	if v := &vs[0]; v.Kind == Int64 {
		kernels.LookupDirect(d.ids, d.dims[0].low, Values[int64](v), sel, rows)
	} else {
		kernels.LookupDirect(d.ids, d.dims[0].low, Values[int32](v), sel, rows)
	}
	return true
}

func (d *direct) takes(fields []Field, vs []Vector) bool {
	if len(vs) != len(fields) || len(vs) == 0 || len(vs) > maxDirectColumns {
		return false
	}
	for i := range vs {
		v := &vs[i]
		if v.Valid != nil || v.Kind != fields[i].Kind || v.Kind != Int64 && v.Kind != Int32 && v.Dict == nil {
			return false
		}
	}
	return true
}

// follow forgets all keys where a dictionary is another one.
func (d *direct) follow(vs []Vector) {
	for c := range vs {
		if d.dicts[c] != vs[c].Dict {
			d.dicts[c], d.dims = vs[c].Dict, nil
		}
	}
}

// find fills in the rows that are known and returns the places of the others.
func (d *direct) find(vs []Vector, sel, rows []int32) []int32 {
	d.missing = sized(d.missing, len(rows))
	if len(d.dims) == 0 {
		for i := range d.missing {
			d.missing[i] = int32(i)
		}
		return d.missing
	}
	if len(vs) == 1 {
		low := d.dims[0].low
		if vs[0].Kind == Int64 {
			return d.missing[:kernels.FindDirect(d.ids, low, Values[int64](&vs[0]), sel, rows, d.missing)]
		}
		return d.missing[:kernels.FindDirect(d.ids, low, Values[int32](&vs[0]), sel, rows, d.missing)]
	}
	d.at = sized(d.at, len(rows))
	for c := range vs {
		m := d.dims[c]
		if vs[c].Kind == Int64 {
			kernels.AddPlaces(d.at, c == 0, m.low, m.size, m.stride, Values[int64](&vs[c]), sel)
		} else {
			kernels.AddPlaces(d.at, c == 0, m.low, m.size, m.stride, Values[int32](&vs[c]), sel)
		}
	}
	return d.missing[:kernels.FindPlaces(d.ids, d.at, rows, d.missing)]
}

// value returns row r of an integer column, or its code.
func value(v *Vector, r int32) int64 {
	if v.Kind == Int64 {
		return Values[int64](v)[r]
	}
	return int64(Values[int32](v)[r])
}

// widen makes the ranges hold the keys of source: by growing them, or by forgetting
// what they held.
func (d *direct) widen(vs []Vector, source []int32) bool {
	need := make([]dimension, len(vs))
	for c := range vs {
		if vs[c].Dict != nil {
			if need[c] = (dimension{size: uint64(vs[c].Dict.Len)}); need[c].size > directKeys {
				return false
			}
			continue
		}
		low, high := value(&vs[c], source[0]), value(&vs[c], source[0])
		for _, r := range source {
			x := value(&vs[c], r)
			low, high = min(low, x), max(high, x)
		}
		// The difference wraps around for ranges beyond 2^63.
		if need[c] = (dimension{low: low, size: uint64(high) - uint64(low) + 1}); need[c].size-1 >= directKeys {
			return false
		}
	}
	if len(d.dims) == 0 {
		return d.set(need)
	}
	both, grows := make([]dimension, len(need)), false
	for c, n := range need {
		o := d.dims[c]
		low := min(n.low, o.low)
		high := max(n.low+int64(n.size)-1, o.low+int64(o.size)-1)
		b := dimension{low: low, size: uint64(high) - uint64(low) + 1}
		if b.size-1 >= directKeys {
			return d.move(need)
		}
		if b.size > o.size {
			grows = true
			if high > o.low+int64(o.size)-1 { // time goes on: leave room above
				b.size += min(b.size/2, uint64(math.MaxInt64)-uint64(high))
			}
		}
		both[c] = b
	}
	if !grows {
		return true
	}
	old, dims := d.ids, d.dims
	if !d.set(both) {
		return d.move(need)
	}
	for i, id := range old {
		if id != 0 {
			d.ids[d.moved(uint64(i), dims)] = id
		}
	}
	return true
}

// set makes the ranges dims, which know no key.
func (d *direct) set(dims []dimension) bool {
	n := uint64(1)
	for c := len(dims) - 1; c >= 0; c-- {
		dims[c].stride = n
		if n *= dims[c].size; n > directKeys {
			return false
		}
	}
	if cap(d.ids) >= int(n) && len(d.dims) == 0 {
		d.ids = d.ids[:n]
		clear(d.ids)
	} else {
		d.ids = make([]int32, n)
	}
	d.dims = dims
	return true
}

// move forgets all keys; too often, and it is not worth it.
func (d *direct) move(dims []dimension) bool {
	if d.moves++; d.moves > 16 && d.moves > d.batches/4 {
		return false
	}
	d.dims = nil
	return d.set(dims)
}

// moved returns where place at of the ranges dims is now.
func (d *direct) moved(at uint64, dims []dimension) uint64 {
	to := uint64(0)
	for c, m := range dims {
		x := at / m.stride
		at -= x * m.stride
		to += (x + uint64(m.low-d.dims[c].low)) * d.dims[c].stride
	}
	return to
}

// learn is learnAll in one go.
func (t *Table) learn(vs []Vector, missing, source, rows []int32) error {
	d := &t.direct
	if d.keys == nil {
		d.keys = &Keys{layout: t.layout, seed: t.seed}
	}
	some := make([]Vector, len(vs))
	for c := range vs {
		some[c] = Vector{Kind: vs[c].Kind, Len: len(missing), Dict: vs[c].Dict}
		if vs[c].Kind == Int64 {
			some[c].Data = bytesOf(taken(Values[int64](&vs[c]), source))
		} else {
			some[c].Data = bytesOf(taken(Values[int32](&vs[c]), source))
		}
	}
	if err := d.keys.Normalise(some, len(missing), nil); err != nil {
		return err
	}
	d.rows = sized(d.rows, len(missing))
	if err := t.Upsert(d.keys, nil, d.rows); err != nil {
		return err
	}
	for i, m := range missing {
		rows[m] = d.rows[i]
		at := uint64(0)
		for c := range vs {
			at += uint64(value(&vs[c], source[i])-d.dims[c].low) * d.dims[c].stride
		}
		d.ids[at] = d.rows[i] + 1
	}
	return nil
}

// reset forgets all keys. Ranges of more than one column move along with time, and
// are forgotten too.
func (d *direct) reset() {
	d.batches, d.moves = 0, 0
	if len(d.dims) > 1 {
		d.dims = nil
	} else {
		clear(d.ids)
	}
}

func (d *direct) memBytes() int64 {
	return memOf(d.ids) + memOf(d.at) + memOf(d.missing) + memOf(d.source) + memOf(d.found) + memOf(d.rows)
}
