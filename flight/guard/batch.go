package guard

import "github.com/flightd/flightd/internal/base"

// maxValues bounds the values of a node, so that no product of a number of
// values and a width overflows.
const maxValues = 1 << 34

// A span is where a buffer lies: in a message its place in the body; after
// inflating, n is the size that it declares.
type span struct{ off, n int64 }

// A batchWalk goes over the nodes and buffers of one RecordBatch table in the
// order in which the schema's fields need them.
type batchWalk struct {
	h        *header
	limits   Limits
	nodes    vector // of {length, null count}
	variadic vector // of buffer counts
	spans    vector // of {offset, length}
	buffers  []span // the same
	codec    int64  // −1: not compressed
	rows     int64
	v4       bool // metadata version 4, in which unions had a validity bitmap

	node, buffer, count int
	free                int64 // values without bytes, so far
	freeLimit           int64
}

// newBatchWalk reads a RecordBatch table whose buffers lie in body.
func newBatchWalk(t table, body []byte, limits Limits) (*batchWalk, error) {
	w := &batchWalk{h: t.h, limits: limits, codec: -1}
	var err error
	if w.rows, err = t.int64(0, 0); err != nil {
		return nil, err
	}
	if w.nodes, err = t.vector(1, 16); err != nil {
		return nil, err
	}
	if w.spans, err = t.vector(2, 16); err != nil {
		return nil, err
	}
	if w.variadic, err = t.vector(4, 8); err != nil {
		return nil, err
	}
	comp, ok, err := t.sub(3)
	if err != nil {
		return nil, err
	}
	if ok {
		if w.codec, err = comp.int8(0, 0); err != nil {
			return nil, err
		}
		method, err := comp.int8(1, 0)
		if err != nil {
			return nil, err
		}
		if w.codec != codecLZ4 && w.codec != codecZstd || method != 0 {
			return nil, malformed("its compression is codec %d, method %d", w.codec, method)
		}
	}
	var sum int64
	w.buffers = make([]span, w.spans.n)
	for i := range w.buffers {
		s := span{off: t.h.i64(w.spans.pos + 16*i), n: t.h.i64(w.spans.pos + 16*i + 8)}
		if s.off < 0 || s.n < 0 || s.n > int64(len(body)) || s.off > int64(len(body))-s.n {
			return nil, malformed("buffer %d of %d bytes lies at %d of a body of %d bytes", i, s.n, s.off, len(body))
		}
		if s.off%8 != 0 {
			return nil, malformed("buffer %d lies at %d, which is not a multiple of 8", i, s.off)
		}
		if sum += s.n; sum > int64(len(body)) {
			return nil, malformed("its buffers overlap: together they are larger than the body of %d bytes", len(body))
		}
		w.buffers[i] = s
	}
	w.freeLimit = limits.freeRows(len(body) + len(t.h.b))
	return w, nil
}

// check holds the batch's nodes and buffers against fields.
func (w *batchWalk) check(fields []field) error {
	if w.rows < 0 {
		return malformed("it has %d rows", w.rows)
	}
	if len(fields) == 0 {
		if err := w.spend(w.rows); err != nil {
			return err
		}
	}
	for i := range fields {
		n, err := w.field(&fields[i], w.rows)
		if err != nil {
			return err
		}
		if n != w.rows {
			return malformed("column %d has %d of %d rows", i, n, w.rows)
		}
	}
	if w.node != w.nodes.n || w.buffer != len(w.buffers) || w.count != w.variadic.n {
		return malformed("it has %d nodes, %d buffers and %d buffer counts; its schema needs %d, %d and %d",
			w.nodes.n, len(w.buffers), w.variadic.n, w.node, w.buffer, w.count)
	}
	return nil
}

// field takes the nodes and buffers of f, which must have at least minLen
// values, and returns its number of values.
func (w *batchWalk) field(f *field, minLen int64) (int64, error) {
	if w.node == w.nodes.n {
		return 0, malformed("it has %d nodes; its schema needs more", w.nodes.n)
	}
	at := w.nodes.pos + 16*w.node
	w.node++
	n, nulls := w.h.i64(at), w.h.i64(at+8)
	if n < minLen || n > maxValues || nulls < 0 || nulls > n {
		return 0, malformed("node %d has %d values, %d of them null; at least %d are needed", w.node-1, n, nulls, minLen)
	}
	if w.v4 && (f.kind == kindDense || f.kind == kindSparse || f.kind == kindRunEnd) {
		return 0, base.Errorf(base.CodeInvalid, "unions of Arrow metadata version 4 are not accepted")
	}
	switch f.kind {
	case kindNull:
		return n, w.spend(n)
	case kindSparse, kindDense, kindRunEnd:
	default:
		valid := int64(0)
		if nulls > 0 {
			valid = (n + 7) / 8
		}
		if err := w.take(valid); err != nil {
			return 0, err
		}
	}
	if err := w.values(f, n); err != nil {
		return 0, err
	}
	return n, nil
}

// values takes what follows the validity bitmap of n values.
func (w *batchWalk) values(f *field, n int64) error {
	offsets := int64(0)
	if n > 0 {
		offsets = (n + 1) * f.width / 8
	}
	childLen := int64(0)
	switch f.kind {
	case kindFixed:
		if f.width == 0 {
			if err := w.spend(n); err != nil {
				return err
			}
		}
		return w.take((n*f.width + 7) / 8)
	case kindBytes:
		if err := w.take(offsets); err != nil {
			return err
		}
		return w.take(0)
	case kindView:
		return w.views(n)
	case kindList:
		if err := w.take(offsets); err != nil {
			return err
		}
	case kindListView:
		for range 2 {
			if err := w.take(n * f.width / 8); err != nil {
				return err
			}
		}
	case kindFixedList:
		if f.listSize == 0 {
			if err := w.spend(n); err != nil {
				return err
			}
		}
		if f.listSize > 0 && n > maxValues/f.listSize {
			return malformed("a list of %d rows of %d values each", n, f.listSize)
		}
		childLen = n * f.listSize
	case kindStruct:
		if len(f.children) == 0 {
			return w.spend(n)
		}
		childLen = n
	case kindSparse, kindDense:
		if err := w.take(n); err != nil {
			return err
		}
		if f.kind == kindDense {
			if err := w.take(4 * n); err != nil {
				return err
			}
		} else {
			childLen = n
		}
	case kindRunEnd:
		if err := w.spend(n); err != nil {
			return err
		}
	}
	for i := range f.children {
		if _, err := w.field(&f.children[i], childLen); err != nil {
			return err
		}
	}
	return nil
}

func (w *batchWalk) views(n int64) error {
	if w.count == w.variadic.n {
		return malformed("it has %d counts of data buffers; its schema needs more", w.variadic.n)
	}
	more := w.h.i64(w.variadic.pos + 8*w.count)
	w.count++
	if more < 0 || more > int64(len(w.buffers)) {
		return malformed("a column has %d data buffers of %d", more, len(w.buffers))
	}
	if err := w.take(16 * n); err != nil {
		return err
	}
	for range more {
		if err := w.take(0); err != nil {
			return err
		}
	}
	return nil
}

// take goes to the next buffer, which must have at least need bytes.
func (w *batchWalk) take(need int64) error {
	if w.buffer == len(w.buffers) {
		return malformed("it has %d buffers; its schema needs more", len(w.buffers))
	}
	if n := w.buffers[w.buffer].n; n < need {
		return malformed("buffer %d has %d bytes; its rows need %d", w.buffer, n, need)
	}
	w.buffer++
	return nil
}

// spend counts n values that need no bytes.
func (w *batchWalk) spend(n int64) error {
	if n > w.freeLimit || w.free > w.freeLimit-n {
		return base.Errorf(base.CodeExhausted, "an Arrow message has more than %d values that take no bytes", w.freeLimit)
	}
	w.free += n
	return nil
}
