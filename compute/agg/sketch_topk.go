package agg

import (
	"encoding/binary"

	cexpr "github.com/flightd/flightd/compute/expr"
	"github.com/flightd/flightd/compute/vec"
	"github.com/flightd/flightd/internal/base"
	"github.com/flightd/flightd/plan/expr"
)

// Defaults of approx_top_k: how many items are asked for, and kept.
const (
	defaultTopK     = 5
	defaultTopKKept = 10000
)

// topKParameter returns argument i, called name.
func (c call) topKParameter(i int, name string, fallback int64) (int64, error) {
	v, null, _, err := c.constantInt(i, fallback)
	if err == nil && null {
		err = cexpr.NullTopK(name)
	}
	return v, err
}

// newTopK is approx_top_k and approx_top_k_accumulate.
func newTopK(c call) (*Func, error) {
	k, at := int64(0), 1
	if c.Fn == "approx_top_k" {
		var err error
		if k, err = c.topKParameter(1, "k", defaultTopK); err != nil {
			return nil, err
		}
		if k <= 0 {
			return nil, cexpr.NonPositiveTopK("k", k)
		}
		at = 2
	}
	kept, err := c.topKParameter(at, "maxItemsTracked", defaultTopKKept)
	if err == nil {
		err = cexpr.CheckTopK(kept, k)
	}
	if err != nil {
		return nil, err
	}
	item := c.arg(0)
	kind := topKKind(item)
	kind.fresh = func() *cexpr.TopK { return cexpr.NewTopK(item, int32(kept)) }
	kind.update = func(s *cexpr.TopK, args []*vec.Vec, row int32) (*cexpr.TopK, error) {
		s.Add(args[0], int(row))
		return s, nil
	}
	kind.merge = func(dst, src *cexpr.TopK) (*cexpr.TopK, error) {
		dst.Merge(src)
		return dst, nil
	}
	kind.final = appendTopKState
	if k > 0 {
		kind.final = func(b *vec.Builder, s *cexpr.TopK) error {
			s.AppendTop(b, int(k))
			return nil
		}
	}
	return heldFunc(c, kind), nil
}

// topKKind is how a TopK of items of type t lies in a group's bytes: how many items
// it keeps, the NULLs, the length of its DDL, the DDL, the sketch.
func topKKind(t *expr.Type) *sketchKind[*cexpr.TopK] {
	return &sketchKind[*cexpr.TopK]{
		nulls: true,
		load: func(b []byte) *cexpr.TopK {
			n := 13 + int(b[12])
			s := &cexpr.TopK{Max: int32(binary.LittleEndian.Uint32(b)), Nulls: int64(binary.LittleEndian.Uint64(b[4:])), DDL: string(b[13:n])}
			s.Sketch = cexpr.RestoreTopK(t, s.DDL, b[n:])
			return s
		},
		store: func(dst []byte, s *cexpr.TopK) []byte {
			dst = binary.LittleEndian.AppendUint32(dst, uint32(s.Max))
			dst = binary.LittleEndian.AppendUint64(dst, uint64(s.Nulls))
			return s.Sketch.AppendState(append(append(dst, byte(len(s.DDL))), s.DDL...))
		},
	}
}

func appendTopKState(b *vec.Builder, s *cexpr.TopK) error {
	b.Kids[0].AppendBytes(s.Append(nil))
	vec.AppendFixed(b.Kids[1], s.Max)
	b.Kids[2].AppendNull()
	b.Kids[3].AppendBytes([]byte(s.DDL))
	b.EndStruct()
	return nil
}

// newTopKUnion is approx_top_k_combine. Without a number of items to keep, all
// states must have been made with the same.
func newTopKUnion(c call) (*Func, error) {
	kept := int64(-1)
	if len(c.Args) > 1 {
		var err error
		if kept, err = c.topKParameter(1, "maxItemsTracked", 0); err == nil {
			err = cexpr.CheckTopK(kept, 0)
		}
		if err != nil {
			return nil, err
		}
	}
	item := c.arg(0).Fields[2].Type
	kind := topKKind(item)
	kind.nulls = false
	kind.fresh = func() *cexpr.TopK {
		size := kept
		if size < 0 {
			size = cexpr.MaxTopK
		}
		s := cexpr.NewTopK(item, int32(size))
		s.Max, s.DDL = int32(kept), ""
		return s
	}
	kind.merge = func(dst, src *cexpr.TopK) (*cexpr.TopK, error) {
		if kept < 0 {
			if dst.Max >= 0 && src.Max >= 0 && dst.Max != src.Max {
				return nil, base.UserError("APPROX_TOP_K_SKETCH_SIZE_NOT_MATCH", "42846",
					"The states keep %d and %d items. Give `%s` the number to keep.", dst.Max, src.Max, c.Fn)
			}
			dst.Max = max(dst.Max, src.Max)
		}
		if dst.DDL != "" && src.DDL != "" && dst.DDL != src.DDL {
			return nil, base.UserError("APPROX_TOP_K_SKETCH_TYPE_NOT_MATCH", "42846",
				"The states count items of different types, %q and %q.", dst.DDL, src.DDL)
		}
		dst.DDL = src.DDL
		dst.Merge(src)
		return dst, nil
	}
	kind.update = func(s *cexpr.TopK, args []*vec.Vec, row int32) (*cexpr.TopK, error) {
		in, err := cexpr.TopKState(c.Fn, args[0], int(row))
		if err != nil {
			return nil, err
		}
		if s.DDL == "" {
			s.Sketch = in.Sketch.Like(s.Sketch)
		}
		return kind.merge(s, in)
	}
	kind.final = appendTopKState
	return heldFunc(c, kind), nil
}
