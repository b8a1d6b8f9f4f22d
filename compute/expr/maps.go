package expr

import (
	"github.com/flightd/flightd/compute/vec"
	"github.com/flightd/flightd/internal/base"
	"github.com/flightd/flightd/kernels"
	"github.com/flightd/flightd/plan/expr"
)

func mapRows() map[string]row {
	return map[string]row{
		"map_keys":         strict(func(f *frame) error { return mapPart(f, 0) }),
		"map_values":       strict(func(f *frame) error { return mapPart(f, 1) }),
		"map_entries":      strict(mapEntries),
		"map_from_arrays":  strict(mapFromArrays),
		"map_from_entries": strict(mapFromEntries),
		"map_concat":       {makeMapConcat},
		"map_contains_key": strict(mapContainsKey),
		"str_to_map":       prepared(func(*expr.Call, *Env) (func(f *frame) error, error) { return strToMap(), nil }),
	}
}

// shareOffsets gives the result the offsets of argument 0.
func shareOffsets(f *frame) {
	off := f.offsets()
	v := f.args[0]
	copy(off, v.Off[:min(len(v.Off), len(off))])
}

func mapPart(f *frame, part int) error {
	shareOffsets(f)
	f.out.Kids = []*vec.Vec{f.args[0].Kids[part]}
	f.borrow(f.args[0])
	return nil
}

// borrow marks a result that shares buffers of an argument.
func (f *frame) borrow(v *vec.Vec) {
	if v.Own != vec.Shared {
		f.out.Own = vec.Borrowed
	}
}

func mapEntries(f *frame) error {
	shareOffsets(f)
	v := f.args[0]
	f.out.Kids = []*vec.Vec{{Type: f.call.Typ.Elem, Len: v.Kids[0].Len, Kids: v.Kids}}
	f.borrow(v)
	return nil
}

func mapFromArrays(f *frame) error {
	a, b := f.list(0), f.list(1)
	keys, vals := a.kids[0], b.kids[0]
	var kidx, vidx []int32
	off := f.offsets()
	next := 0
	err := f.tryAll(func(i int) error {
		for ; next <= i; next++ {
			off[next] = int32(len(kidx))
		}
		if !f.valid(i) {
			return nil
		}
		lo, hi := a.at(i)
		vlo, vhi := b.at(i)
		if hi-lo != vhi-vlo {
			return base.UserError("_LEGACY_ERROR_TEMP_2128", "", "The key array and value array of MapData must have the same length.").At(f.call.At)
		}
		at := len(kidx)
		for k := range hi - lo {
			kidx, vidx = append(kidx, int32(lo+k)), append(vidx, int32(vlo+k))
		}
		n, err := uniqueKeys(f, i, keys, kidx[at:], vidx[at:])
		kidx, vidx = kidx[:at+n], vidx[:at+n]
		return err
	})
	if err != nil {
		return err
	}
	for ; next <= f.n; next++ {
		off[next] = int32(len(kidx))
	}
	f.out.Kids = []*vec.Vec{keys.Take(kidx), vals.Take(vidx)}
	return nil
}

func mapFromEntries(f *frame) error {
	a := f.list(0)
	entries := a.kids[0]
	keys := normalKeys(vec.Concat([]*vec.Vec{entries.Kids[0].Flat()}))
	return f.gather([]*vec.Vec{keys, entries.Kids[1].Flat()}, func(i int, idx []int32) ([]int32, error) {
		lo, hi := a.at(i)
		for k := lo; k < hi; k++ {
			if entries.Null(k) {
				f.setNull(i)
				return idx, nil
			}
		}
		at := len(idx)
		for k := lo; k < hi; k++ {
			idx = append(idx, int32(k))
		}
		n, err := uniqueKeys(f, i, keys, idx[at:], nil)
		return idx[:at+n], err
	})
}

func makeMapConcat(c *expr.Call, args []Evaluator, env *Env) (Evaluator, error) {
	if len(args) == 0 {
		return newLiteral([]expr.MapEntry{}, c.Typ)
	}
	return newFunction(c, args, env, func(f *frame) error {
		parts := make([]lists, len(f.args))
		start := make([]int, len(f.args))
		var keys, vals []*vec.Vec
		at := 0
		for k := range parts {
			parts[k], start[k] = f.list(k), at
			n := f.args[k].Kids[0].Len
			keys = append(keys, memberColumn(f.args[k].Kids[0], n, c.Typ.Key))
			vals = append(vals, memberColumn(f.args[k].Kids[1], n, c.Typ.Elem))
			at += n
		}
		all := normalKeys(vec.Concat(keys))
		return f.gather([]*vec.Vec{all, vec.Concat(vals)}, func(i int, idx []int32) ([]int32, error) {
			at := len(idx)
			for k, p := range parts {
				lo, hi := p.at(i)
				for e := lo; e < hi; e++ {
					idx = append(idx, int32(start[k]+e))
				}
			}
			n, err := uniqueKeys(f, i, all, idx[at:], nil)
			return idx[:at+n], err
		})
	}), nil
}

func mapContainsKey(f *frame) error {
	dst, a, keys, want := f.bits(), f.list(0), f.args[0].Kids[0], f.args[1]
	f.each(func(i int) {
		lo, hi := a.at(i)
		for k := lo; k < hi; k++ {
			if vec.Compare(keys, k, want, i) == 0 {
				kernels.SetBit(dst, i)
				return
			}
		}
	})
	return nil
}

// strToMap is str_to_map(text, pair delimiter ',', key delimiter ':'), both
// patterns.
func strToMap() func(f *frame) error {
	pairs, keys := &regexps{}, &regexps{}
	return func(f *frame) error {
		a := f.text(0)
		delim := func(k int, def string) func(i int) []byte {
			if len(f.args) > k {
				return f.text(k).at
			}
			return func(int) []byte { return []byte(def) }
		}
		pd, kd := delim(1, ","), delim(2, ":")
		kb, vb := vec.NewBuilder(f.call.Typ.Key), vec.NewBuilder(f.call.Typ.Elem)
		off := f.offsets()
		next := 0
		err := f.tryAll(func(i int) error {
			for ; next <= i; next++ {
				off[next] = int32(kb.Len())
			}
			if !f.valid(i) {
				return nil
			}
			seen := map[string]int{}
			var row [][]byte // keys and values in turns; a value that is missing is nil
			entries, err := splitBy(f, pairs, a.at(i), pd(i), -1)
			if err != nil {
				return err
			}
			for _, entry := range entries {
				kv, err := splitBy(f, keys, entry, kd(i), 2)
				if err != nil {
					return err
				}
				if len(kv) < 2 {
					kv = append(kv, nil)
				}
				at, had := seen[string(kv[0])]
				switch {
				case !had:
					seen[string(kv[0])] = len(row)
					row = append(row, kv[0], kv[1])
				case f.env.LastKeyWins:
					row[at+1] = kv[1]
				default:
					one := vec.NewBuilder(expr.String)
					one.AppendBytes(kv[0])
					return f.raise(i, duplicateMapKey(one.Vec(), 0))
				}
			}
			for k := 0; k < len(row); k += 2 {
				kb.AppendBytes(row[k])
				if row[k+1] == nil {
					vb.AppendNull()
				} else {
					vb.AppendBytes(row[k+1])
				}
			}
			return nil
		})
		for ; next <= f.n; next++ {
			off[next] = int32(kb.Len())
		}
		f.out.Kids = []*vec.Vec{kb.Vec(), vb.Vec()}
		return err
	}
}

// splitBy cuts s at the matches of a pattern into at most limit parts (−1: any).
func splitBy(f *frame, c *regexps, s, pattern []byte, limit int) ([][]byte, error) {
	re, err := c.of(f, pattern)
	if err != nil {
		return nil, err
	}
	var out [][]byte
	last := 0
	err = re.Each(s, kernels.IsASCII(s), func(lo, hi int) bool {
		if limit > 0 && len(out)+1 >= limit {
			return false
		}
		if hi > 0 {
			out = append(out, s[last:lo])
			last = hi
		}
		return true
	})
	return append(out, s[last:]), err
}
