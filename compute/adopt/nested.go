package adopt

import (
	"math"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/flightd/flightd/compute/vec"
	"github.com/flightd/flightd/plan/expr"
)

// dictionary writes out coded values.
func (r reader) dictionary(a *array.Dictionary, t *expr.Type) (*vec.Vec, error) {
	values, err := r.read(a.Dictionary(), t)
	if err != nil {
		return nil, err
	}
	idx := make([]int32, a.Len())
	for i := range idx {
		idx[i] = -1
		if a.IsValid(i) {
			idx[i] = int32(a.GetValueIndex(i))
		}
	}
	return r.take(values, idx)
}

// runs writes out values that are stored once for a run of rows.
func (r reader) runs(a *array.RunEndEncoded, t *expr.Type) (*vec.Vec, error) {
	if err := r.spend(4 * int64(a.Len())); err != nil {
		return nil, err
	}
	values, err := r.read(a.Values(), t)
	if err != nil {
		return nil, err
	}
	idx := make([]int32, a.Len())
	off, run, ends := a.Data().Offset(), a.GetPhysicalOffset(), a.RunEndsArr()
	for i := range idx {
		for int64(i+off) >= runEnd(ends, run) {
			run++
		}
		idx[i] = int32(run)
	}
	return r.take(values, idx)
}

// take returns the values that idx names, if they are not too many bytes.
func (r reader) take(v *vec.Vec, idx []int32) (*vec.Vec, error) {
	if fixed := v.Type.Width(); fixed > 0 || v.Type.Kind == expr.KindBool {
		if err := r.spend(int64(max(fixed, 1)) * int64(len(idx))); err != nil {
			return nil, err
		}
		return v.Take(idx), nil
	}
	for _, j := range idx {
		if j < 0 {
			continue
		}
		if err := r.spend(size(v, int(j), int(j)+1)); err != nil {
			return nil, err
		}
	}
	return v.Take(idx), nil
}

// size is about the number of bytes of the values [lo, hi) of v.
func size(v *vec.Vec, lo, hi int) int64 {
	n := int64(hi - lo)
	switch v.Type.Kind {
	case expr.KindString, expr.KindBinary, expr.KindVariant:
		return 4*n + int64(v.Off[hi]-v.Off[lo])
	case expr.KindArray, expr.KindMap:
		sum := 4 * n
		for _, k := range v.Kids {
			sum += size(k, int(v.Off[lo]), int(v.Off[hi]))
		}
		return sum
	case expr.KindStruct:
		sum := n
		for _, k := range v.Kids {
			sum += size(k, lo, hi)
		}
		return sum
	}
	return n * int64(max(v.Type.Width(), 1))
}

// lists reads lists of every layout: those whose values stand one behind another
// as they are, others by gathering their values.
func (r reader) lists(a array.ListLike, t *expr.Type) (*vec.Vec, error) {
	n := a.Len()
	v := &vec.Vec{Type: t, Len: n, Valid: validity(a), Off: make([]int32, 1, n+1)}
	var ranges [][2]int64
	var total int64
	for i := range n {
		var from, to int64
		if a.IsValid(i) {
			from, to = a.ValueOffsets(i)
		}
		if total += to - from; total > math.MaxInt32 {
			return nil, r.bad(i, "the lists of a record batch have more than %d values", math.MaxInt32)
		}
		if k := len(ranges); k > 0 && ranges[k-1][1] == from {
			ranges[k-1][1] = to
		} else if from < to {
			ranges = append(ranges, [2]int64{from, to})
		}
		v.Off = append(v.Off, int32(total))
	}
	elements := r.inside("element")
	child := a.ListValues()
	if len(ranges) <= 1 {
		from, to := int64(0), int64(0)
		if len(ranges) == 1 {
			from, to = ranges[0][0], ranges[0][1]
		}
		part := array.NewSlice(child, from, to)
		defer part.Release()
		kid, err := elements.read(part, t.Elem)
		v.Kids = []*vec.Vec{kid}
		return v, err
	}
	if err := r.spend(4 * total); err != nil {
		return nil, err
	}
	all, err := elements.read(child, t.Elem)
	if err != nil {
		return nil, err
	}
	idx := make([]int32, 0, total)
	for _, rg := range ranges {
		for j := rg[0]; j < rg[1]; j++ {
			idx = append(idx, int32(j))
		}
	}
	kid, err := elements.take(all, idx)
	v.Kids = []*vec.Vec{kid}
	return v, err
}

// entries reads a map as a list of keys and one of values with the same offsets.
func (r reader) entries(a *array.Map, t *expr.Type) (*vec.Vec, error) {
	keys, err := r.inside("key").lists(half{a, a.Keys()}, expr.ArrayOf(t.Key, false))
	if err != nil {
		return nil, err
	}
	items, err := r.inside("value").lists(half{a, a.Items()}, expr.ArrayOf(t.Elem, true))
	if err != nil {
		return nil, err
	}
	return &vec.Vec{Type: t, Len: keys.Len, Valid: keys.Valid, Off: keys.Off, Kids: []*vec.Vec{keys.Kids[0], items.Kids[0]}}, nil
}

// half is a map as the list of its keys, or of its values.
type half struct {
	*array.Map
	child arrow.Array
}

// ListValues are the keys, or the values.
func (h half) ListValues() arrow.Array { return h.child }

func (r reader) fields(a *array.Struct, t *expr.Type) (*vec.Vec, error) {
	if t.Kind == expr.KindVariant {
		return vec.FromArrow(a, t), nil
	}
	v := &vec.Vec{Type: t, Len: a.Len(), Valid: validity(a)}
	for i, f := range t.Fields {
		kid, err := r.inside(f.Name).read(a.Field(i), f.Type)
		if err != nil {
			return nil, err
		}
		v.Kids = append(v.Kids, kid)
	}
	return v, nil
}

// runEnd is where run k ends.
func runEnd(ends arrow.Array, k int) int64 {
	switch e := ends.(type) {
	case *array.Int16:
		return int64(e.Value(k))
	case *array.Int32:
		return int64(e.Value(k))
	case *array.Int64:
		return e.Value(k)
	}
	return math.MaxInt64
}
