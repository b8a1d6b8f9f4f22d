package expr

import (
	"bytes"

	"github.com/flightd/flightd/internal/base"
	"github.com/flightd/flightd/plan/expr"
)

func elt(f *frame) error {
	return f.write(func(i int, dst []byte) ([]byte, error) {
		if f.absent(0, i) {
			f.setNull(i)
			return dst, nil
		}
		n := argument[int32](f, 0).at(i)
		if n < 1 || int(n) >= len(f.args) {
			return dst, f.fail(i, base.UserError("INVALID_ARRAY_INDEX", "22003",
				"The index %d is out of bounds. The array has %d elements. Use the SQL function `get()` to tolerate accessing element at invalid index and return NULL instead.", n, len(f.args)-1))
		}
		if f.absent(int(n), i) {
			f.setNull(i)
			return dst, nil
		}
		return append(dst, f.args[n].Str(i)...), nil
	})
}

// concatWS joins texts and the members of arrays, NULLs left out.
func concatWS(f *frame) error {
	return f.write(func(i int, dst []byte) ([]byte, error) {
		if f.absent(0, i) {
			f.setNull(i)
			return dst, nil
		}
		sep, first := f.args[0].Str(i), true
		add := func(s []byte) {
			if !first {
				dst = append(dst, sep...)
			}
			first = false
			dst = append(dst, s...)
		}
		for _, v := range f.args[1:] {
			if v.Null(i) {
				continue
			}
			if v.Type.Kind != expr.KindArray {
				add(v.Str(i))
				continue
			}
			k := v.Index(i)
			for e := v.Off[k]; e < v.Off[k+1]; e++ {
				if !v.Kids[0].Null(int(e)) {
					add(v.Kids[0].Str(int(e)))
				}
			}
		}
		return dst, nil
	})
}

func splitPart(f *frame) error {
	a, d, n := f.text(0), f.text(1), ints(f, 2, nil)
	return f.write(func(i int, dst []byte) ([]byte, error) {
		if n[i] == 0 {
			return dst, base.UserError("INVALID_INDEX_OF_ZERO", "22003",
				"The index 0 is invalid. An index shall be either < 0 or > 0 (the first element has index 1).").At(f.call.At)
		}
		parts := [][]byte{a.at(i)}
		if len(d.at(i)) > 0 {
			parts = bytes.Split(a.at(i), d.at(i))
		}
		k := n[i] - 1
		if n[i] < 0 {
			k = int64(len(parts)) + n[i]
		}
		if k >= 0 && k < int64(len(parts)) {
			dst = append(dst, parts[k]...)
		}
		return dst, nil
	})
}
