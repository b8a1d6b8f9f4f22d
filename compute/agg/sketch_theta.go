package agg

import (
	"strings"

	cexpr "github.com/flightd/flightd/compute/expr"
	"github.com/flightd/flightd/compute/vec"
	"github.com/flightd/flightd/sketch/theta"
)

// keySet is a theta or tuple sketch in the making: a table of keys, which becomes a
// union when another is merged into it.
type keySet struct {
	table *theta.Table
	union *theta.Union
}

func (s *keySet) compact() *theta.Compact {
	if s.union != nil {
		return s.union.Result()
	}
	return s.table.Compact()
}

// newKeySet is theta_sketch_agg and tuple_sketch_agg_*.
func newKeySet(c call) (*Func, error) {
	kind := tupleKind(c.Fn)
	var lg int
	var mode theta.Mode
	var err error
	if kind == theta.Plain {
		lg, err = c.lgNominal(1)
	} else {
		lg, mode, err = c.tupleParameters(2, 3)
	}
	if err != nil {
		return nil, err
	}
	hash := cexpr.NewKeyHash(c.arg(0))
	more := 0
	if kind != theta.Plain {
		more = 1
	}
	return heldFunc(c, &sketchKind[*keySet]{
		more:  more,
		fresh: func() *keySet { return &keySet{table: theta.NewTable(kind, mode, lg)} },
		load: func(b []byte) *keySet {
			if b[0] == 1 {
				return &keySet{union: theta.RestoreUnion(kind, mode, lg, b[1:])}
			}
			t, _ := theta.RestoreTable(kind, mode, lg, b[1:])
			return &keySet{table: t}
		},
		store: func(dst []byte, s *keySet) []byte {
			if s.union != nil {
				return s.union.AppendState(append(dst, 1))
			}
			return s.table.AppendState(append(dst, 0))
		},
		update: func(s *keySet, args []*vec.Vec, row int32) (*keySet, error) {
			h, _, ok := hash(args[0], int(row))
			if ok {
				s.table.Update(h>>1, summaryOf(kind, args, row))
			}
			return s, nil
		},
		merge: func(dst, src *keySet) (*keySet, error) {
			if dst.union == nil {
				first := dst.table.Compact()
				dst = &keySet{union: theta.NewUnion(kind, mode, lg)}
				dst.union.Add(first, theta.Summary{})
			}
			dst.union.Add(src.compact(), theta.Summary{})
			return dst, nil
		},
		final: func(b *vec.Builder, s *keySet) error {
			b.AppendBytes(s.compact().Append(nil))
			return nil
		},
	}), nil
}

func tupleKind(fn string) theta.Kind {
	switch {
	case strings.HasPrefix(fn, "theta_"):
		return theta.Plain
	case strings.HasSuffix(fn, "_double"):
		return theta.Double
	}
	return theta.Integer
}

func summaryOf(kind theta.Kind, args []*vec.Vec, row int32) uint64 {
	switch kind {
	case theta.Double:
		return theta.OfFloat(vec.Values[float64](args[1])[row])
	case theta.Integer:
		return theta.OfInt(vec.Values[int32](args[1])[row])
	}
	return 0
}

// newKeyUnion is theta_union_agg and tuple_union_agg_*.
func newKeyUnion(c call) (*Func, error) {
	kind := tupleKind(c.Fn)
	var lg int
	var mode theta.Mode
	var err error
	if kind == theta.Plain {
		lg, err = c.lgNominal(1)
	} else {
		lg, mode, err = c.tupleParameters(1, 2)
	}
	if err != nil {
		return nil, err
	}
	return heldFunc(c, &sketchKind[*theta.Union]{
		fresh: func() *theta.Union { return theta.NewUnion(kind, mode, lg) },
		load:  func(b []byte) *theta.Union { return theta.RestoreUnion(kind, mode, lg, b) },
		store: func(dst []byte, s *theta.Union) []byte { return s.AppendState(dst) },
		update: func(s *theta.Union, args []*vec.Vec, row int32) (*theta.Union, error) {
			in, err := cexpr.ParseTheta(c.Fn, args[0].Str(int(row)), kind)
			if err != nil {
				return nil, err
			}
			s.Add(in, theta.Summary{})
			return s, nil
		},
		merge: func(dst, src *theta.Union) (*theta.Union, error) {
			dst.Add(src.Result(), theta.Summary{})
			return dst, nil
		},
		final: func(b *vec.Builder, s *theta.Union) error {
			b.AppendBytes(s.Result().Append(nil))
			return nil
		},
	}), nil
}

// newKeyIntersection is theta_intersection_agg and tuple_intersection_agg_*.
func newKeyIntersection(c call) (*Func, error) {
	kind := tupleKind(c.Fn)
	var mode theta.Mode
	if kind != theta.Plain {
		var err error
		if _, mode, err = c.tupleParameters(-1, 1); err != nil {
			return nil, err
		}
	}
	return heldFunc(c, &sketchKind[*theta.Intersection]{
		fresh: func() *theta.Intersection { return theta.NewIntersection(kind, mode) },
		load:  func(b []byte) *theta.Intersection { return theta.RestoreIntersection(kind, mode, b) },
		store: func(dst []byte, s *theta.Intersection) []byte { return s.AppendState(dst) },
		update: func(s *theta.Intersection, args []*vec.Vec, row int32) (*theta.Intersection, error) {
			in, err := cexpr.ParseTheta(c.Fn, args[0].Str(int(row)), kind)
			if err != nil {
				return nil, err
			}
			s.Add(in, theta.Summary{})
			return s, nil
		},
		merge: func(dst, src *theta.Intersection) (*theta.Intersection, error) {
			dst.Add(src.Result(), theta.Summary{})
			return dst, nil
		},
		final: func(b *vec.Builder, s *theta.Intersection) error {
			out := &theta.Compact{Kind: kind, Theta: theta.One, Empty: true}
			if s.Begun() {
				out = s.Result()
			}
			b.AppendBytes(out.Append(nil))
			return nil
		},
	}), nil
}
