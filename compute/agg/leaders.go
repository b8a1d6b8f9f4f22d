package agg

import (
	"encoding/binary"
	"slices"

	"github.com/flightd/flightd/compute/vec"
	"github.com/flightd/flightd/plan/expr"
)

// leaders are the values beside the limit best keys, as Spark keeps them: heap has
// the worst of the entries on top, which a strictly better one replaces.
type leaders struct {
	entries []leader
	heap    []int
}

type leader struct{ key, value []byte }

// leaderOrder says which key is better.
type leaderOrder struct {
	typ   *expr.Type
	max   bool
	limit int
}

const maxLeaders = 100000

// newLeaders is min_by and max_by with a number of values.
func newLeaders(c call) (*Func, error) {
	limit, _, constant, err := c.constantInt(2, 0)
	if err != nil {
		return nil, err
	}
	if !constant {
		return nil, c.mismatch("NON_FOLDABLE_INPUT", "the input k should be a foldable int expression; however, got %s.", c.Args[2].SQL())
	}
	if limit < 1 || limit > maxLeaders {
		return nil, c.mismatch("VALUE_OUT_OF_RANGE", "The `k` must be between [1, %d] (current value = %d).", maxLeaders, limit)
	}
	o := leaderOrder{c.arg(1), c.Fn == "max_by", int(limit)}
	return heldFunc(c, &sketchKind[*leaders]{
		nulls: true,
		more:  1,
		fresh: func() *leaders { return &leaders{} },
		load:  loadLeaders,
		store: func(dst []byte, e *leaders) []byte { return e.store(dst) },
		update: func(e *leaders, args []*vec.Vec, row int32) (*leaders, error) {
			if !args[1].Null(int(row)) {
				e.insert(o, leader{encodeValue(nil, args[1], int(row)), encodeValue(nil, args[0], int(row))})
			}
			return e, nil
		},
		merge: func(dst, src *leaders) (*leaders, error) {
			for _, x := range src.entries {
				dst.insert(o, x)
			}
			return dst, nil
		},
		final: func(b *vec.Builder, e *leaders) error {
			if len(e.entries) == 0 {
				b.AppendNull()
				return nil
			}
			best := slices.Clone(e.entries)
			slices.SortStableFunc(best, func(x, y leader) int { return -o.compare(x, y) })
			for _, x := range best {
				decodeInto(b.Kids[0], x.value)
			}
			b.EndList()
			return nil
		},
	}), nil
}

// compare is positive if x is better than y.
func (o leaderOrder) compare(x, y leader) int {
	c := compareEncoded(o.typ, x.key, y.key)
	if o.max {
		return c
	}
	return -c
}

func (e *leaders) insert(o leaderOrder, x leader) {
	if len(e.entries) < o.limit {
		e.heap = append(e.heap, len(e.entries))
		e.entries = append(e.entries, x)
		for i := len(e.heap) - 1; i > 0; {
			up := (i - 1) / 2
			if e.compare(o, i, up) >= 0 {
				break
			}
			e.heap[i], e.heap[up] = e.heap[up], e.heap[i]
			i = up
		}
		return
	}
	if o.compare(x, e.entries[e.heap[0]]) <= 0 {
		return
	}
	e.entries[e.heap[0]] = x
	for i := 0; ; {
		worst := i
		for down := 2*i + 1; down <= 2*i+2 && down < len(e.heap); down++ {
			if e.compare(o, down, worst) < 0 {
				worst = down
			}
		}
		if worst == i {
			return
		}
		e.heap[i], e.heap[worst] = e.heap[worst], e.heap[i]
		i = worst
	}
}

// compare compares the entries at two places of the heap.
func (e *leaders) compare(o leaderOrder, i, j int) int {
	return o.compare(e.entries[e.heap[i]], e.entries[e.heap[j]])
}

func (e *leaders) store(dst []byte) []byte {
	dst = binary.AppendUvarint(dst, uint64(len(e.entries)))
	for i, x := range e.entries {
		dst = binary.AppendUvarint(dst, uint64(e.heap[i]))
		for _, b := range [][]byte{x.key, x.value} {
			dst = append(binary.AppendUvarint(dst, uint64(len(b))), b...)
		}
	}
	return dst
}

func loadLeaders(b []byte) *leaders {
	number := func() int {
		n, w := binary.Uvarint(b)
		b = b[w:]
		return int(n)
	}
	bytes := func() []byte {
		n := number()
		s := slices.Clone(b[:n])
		b = b[n:]
		return s
	}
	e := &leaders{}
	for range number() {
		e.heap = append(e.heap, number())
		e.entries = append(e.entries, leader{bytes(), bytes()})
	}
	return e
}
