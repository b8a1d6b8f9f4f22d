package compute_test

import (
	"context"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/decimal128"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/flightd/flightd/compute"
	"github.com/flightd/flightd/compute/computetest"
	cexpr "github.com/flightd/flightd/compute/expr"
	"github.com/flightd/flightd/compute/vec"
	"github.com/flightd/flightd/plan/expr"
)

// The columns of the tests' events, by their index.
const (
	cID = iota
	cSmall
	cName
	cText
	cTime
	cX
	cV
	cDec
	cList
	cFlag
	cF
	cSpan
)

var (
	dec102   = expr.Decimal(10, 2)
	intList  = expr.ArrayOf(expr.Int64, true)
	eventful = computetest.Schema("id", expr.Int64, "small", expr.Int32, "name", expr.String, "text", expr.String,
		"ts", expr.Timestamp, "x", expr.Float64, "v", expr.Int64, "dec", dec102, "list", intList, "flag", expr.Bool, "f", expr.Float32, "span", expr.DayTime)
	dims = computetest.Schema("k", expr.Int64, "label", expr.String)
)

// input is the rows of an input, and how they are dealt to splits and cut into
// batches: the lengths of the batches by split.
type input struct {
	schema expr.Schema
	cols   []*vec.Vec
	cuts   [][]int
}

func inputOf(t *testing.T, s expr.Schema, rows int, value func(row, column int) any) *input {
	t.Helper()
	in := &input{schema: s}
	for c, f := range s {
		b := vec.NewBuilder(f.Type)
		for r := range rows {
			if err := cexpr.AppendValue(b, value(r, c)); err != nil {
				t.Fatal(err)
			}
		}
		in.cols = append(in.cols, b.Vec())
	}
	in.cuts = [][]int{{rows}}
	return in
}

// deal cuts the rows into random splits of random batches; some splits are empty.
func (in *input) deal(rnd *rand.Rand) *input {
	left := in.cols[0].Len
	in.cuts = nil
	for n := 1 + rnd.IntN(7); n > 0; n-- {
		share := rnd.IntN(2*left/n + 1)
		if n == 1 {
			share = left
		}
		share = min(share, left)
		left -= share
		var cuts []int
		for most := 1 + rnd.IntN(200); share > 0; {
			c := min(share, 1+rnd.IntN(most))
			cuts = append(cuts, c)
			share -= c
		}
		in.cuts = append(in.cuts, cuts)
	}
	return in
}

// drawEvents draws rows: ids below a bound that makes few or many groups, numbers
// whose sums round, NULLs in most columns, signed zeros.
func drawEvents(t *testing.T, rnd *rand.Rand, rows int) *input {
	bound := []int64{3, 40, 5000, math.MaxInt64}[rnd.IntN(4)]
	noNulls, start := rnd.IntN(3) == 0, rnd.Int64N(1_000)*second
	null := func() bool { return !noNulls && rnd.IntN(12) == 0 }
	value := func(row, c int) any {
		if c != cSmall && c != cV && null() {
			return nil
		}
		switch c {
		case cID:
			return rnd.Int64N(bound) - bound/2
		case cSmall:
			return rnd.Int64N(9)
		case cName:
			return []string{"", "a", "bc", "fifteen letters"}[rnd.IntN(4)]
		case cText:
			return strings.Repeat("text", 4+rnd.IntN(3)) + fmt.Sprint(rnd.Int64N(min(bound, 1000)))
		case cTime:
			return start + int64(row)*second/50 - rnd.Int64N(8*second)
		case cX:
			return []float64{rnd.NormFloat64() * 1e9, rnd.Float64(), 0.1, math.Copysign(0, -1), 0, 1e300, -1e300}[rnd.IntN(7)]
		case cV:
			return rnd.Int64N(2_000_001) - 1_000_000
		case cDec:
			return decimal128.FromI64(rnd.Int64N(1_000_000) - 300_000)
		case cList:
			return []any{rnd.Int64N(4), nil, rnd.Int64N(100)}[:rnd.IntN(4)]
		case cFlag:
			return rnd.IntN(2) == 0
		case cF:
			return []float32{float32(rnd.NormFloat64()), 0, float32(math.Copysign(0, -1)), 0.1}[rnd.IntN(4)]
		}
		return rnd.Int64N(1e12)
	}
	return inputOf(t, eventful, rows, value).deal(rnd)
}

// drawLabels draws a build side: each key once, or some more often, some NULL.
func drawLabels(t *testing.T, rnd *rand.Rand) *input {
	unique, from := rnd.IntN(2) == 0, rnd.Int64N(30)-25
	return inputOf(t, dims, rnd.IntN(40), func(row, c int) any {
		switch {
		case c == 1 && rnd.IntN(6) > 0:
			return []string{"", "a", "bc", "fifteen letters", "another label, of more letters"}[rnd.IntN(5)]
		case c == 0 && unique:
			return from + int64(row)
		case c == 0 && rnd.IntN(10) > 0:
			return from + rnd.Int64N(12)
		}
		return nil
	}).deal(rnd)
}

// scribbled is a checked allocator that overwrites what is freed.
type scribbled struct{ *memory.CheckedAllocator }

func (s scribbled) Free(b []byte) {
	for i := range b {
		b[i] = 0xdb
	}
	s.CheckedAllocator.Free(b)
}

// A lender owns record batches. Those that it lends it writes over when it is asked
// for the next one.
type lender struct {
	mem  memory.Allocator
	lent [][]byte
}

// owned returns a copy of d in the lender's memory.
func (l *lender) owned(d arrow.ArrayData) arrow.ArrayData {
	bufs, kids := make([]*memory.Buffer, len(d.Buffers())), make([]arrow.ArrayData, len(d.Children()))
	for i, b := range d.Buffers() {
		if b != nil {
			room := l.mem.Allocate(b.Len())
			copy(room, b.Bytes())
			l.lent = append(l.lent, room)
			bufs[i] = memory.NewBufferWithAllocator(room, l.mem)
			defer bufs[i].Release()
		}
	}
	for i, k := range d.Children() {
		kids[i] = l.owned(k)
		defer kids[i].Release()
	}
	return array.NewData(d.DataType(), d.Len(), bufs, kids, d.NullN(), d.Offset())
}

// again writes over what was lent, if it was, and forgets it.
func (l *lender) again(borrowed bool) {
	for _, b := range l.lent {
		for i := range b {
			if borrowed {
				b[i] = 0xa5
			}
		}
	}
	l.lent = l.lent[:0]
}

// splits opens the input in memory of mem, which is borrowed or not.
func (in *input) splits(mem memory.Allocator, borrowed bool) []compute.Split {
	out, at := make([]compute.Split, len(in.cuts)), 0
	for i, cuts := range in.cuts {
		from := at
		for _, c := range cuts {
			at += c
		}
		out[i] = func(context.Context) (compute.RowReader, error) {
			return &cutReader{in: in, borrowed: borrowed, lender: lender{mem: mem}, at: from, cuts: cuts}, nil
		}
	}
	return out
}

// cutReader reads a split batch by batch.
type cutReader struct {
	in       *input
	borrowed bool
	lender
	at   int
	cuts []int
}

func (r *cutReader) Next(ctx context.Context) (arrow.RecordBatch, error) {
	r.again(r.borrowed)
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if len(r.cuts) == 0 || r.cuts[0] == 0 {
		return nil, io.EOF
	}
	n := r.cuts[0]
	arrs := make([]arrow.Array, len(r.in.cols))
	for i, c := range r.in.cols {
		d := r.owned(c.Slice(r.at, r.at+n).Arrow().Data())
		arrs[i] = array.MakeFromData(d)
		d.Release()
		defer arrs[i].Release()
	}
	r.at, r.cuts = r.at+n, r.cuts[1:]
	return array.NewRecordBatch(r.in.schema.Arrow(), arrs, int64(n)), nil
}

func (r *cutReader) Close() error {
	r.again(r.borrowed)
	return nil
}
