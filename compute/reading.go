package compute

import (
	"context"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/flightd/flightd/compute/vec"
	"github.com/flightd/flightd/internal/invariants"
	"github.com/flightd/flightd/plan/expr"
	"github.com/flightd/flightd/plan/physical"
)

// reading is how a scan is read: what its reader may do, and which of its columns
// stay coded where they come so.
type reading struct {
	Scan
	coded []bool
}

// reading returns how n is read: in the plain way, unless read has said another.
func (b *builder) reading(n *physical.Scan) *reading {
	if r := b.readings[n]; r != nil {
		return r
	}
	return &reading{Scan: Scan{Scan: n}}
}

// read decides how the scan below an aggregation is read: what is between them
// looks at a record batch before it asks for the next one, and the aggregation
// copies what it keeps. Other operators above a scan keep record batches, or hand
// them to others.
func (b *builder) read(a *physical.Aggregate) {
	used := make(uses, len(a.Input.Schema()))
	used.addKeys(a.Keys...)
	for _, g := range a.Aggs {
		used.add(g.Args...)
		used.addCondition(g.Filter)
	}
	b.borrow(a.Input, used)
}

// borrow does so for the input n of any operator that copies what it keeps; used
// says how it uses the columns.
func (b *builder) borrow(n physical.Node, used uses) {
	for {
		if s, ok := n.(*physical.Scan); ok {
			if b.readings == nil {
				b.readings = map[*physical.Scan]*reading{}
			}
			b.readings[s] = newReading(s, used)
			return
		}
		if j, ok := n.(*physical.Join); ok && !sideOf(j).probeOnly && !sideOf(j).buildOnly {
			if b.lending == nil {
				b.lending = map[*physical.Join]*lending{}
			}
			b.lending[j] = newLending(j, used)
		}
		if used = usesBelow(n, used); used == nil {
			return
		}
		n = streamedInput(n)
	}
}

func newReading(n *physical.Scan, used uses) *reading {
	r := &reading{Scan: Scan{Scan: n, Borrowed: true}}
	for i, f := range n.Out {
		if used[i] == coded && (f.Type.Kind == expr.KindString || f.Type.Kind == expr.KindBinary) {
			if r.coded == nil {
				r.coded = make([]bool, len(n.Out))
			}
			r.coded[i], r.Dictionaries = true, true
		}
	}
	return r
}

// usesBelow returns how the columns of n's streamed input are used, where used is
// how those of n are; nil if n keeps record batches of the input.
func usesBelow(n physical.Node, used uses) uses {
	switch n.(type) {
	case *physical.Filter, *physical.Project, *physical.Window, *physical.Session, *physical.Watermark, *physical.Expand, *physical.Generate, *physical.Join:
	default:
		return nil
	}
	below := make(uses, len(streamedInput(n).Schema()))
	switch n := n.(type) {
	case *physical.Filter:
		copy(below, used)
		below.addCondition(n.Cond)
	case *physical.Project:
		for i, e := range n.Exprs {
			if r, ok := e.(*expr.Ref); ok {
				below[r.Index] |= used[i]
			} else {
				below.add(e)
			}
		}
	case *physical.Watermark:
		copy(below, used)
		below[n.Column] |= plain
	case *physical.Window:
		copy(below, used)
		below.add(n.Time)
	case *physical.Session:
		copy(below, used)
		below.add(n.Time, n.Gap)
	case *physical.Expand:
		for _, l := range n.Lists {
			below.add(l...)
		}
	case *physical.Generate:
		below.all(plain)
	case *physical.Join:
		keys, from := n.LeftKeys, 0
		if !n.BuildRight {
			keys = n.RightKeys
			if s := sideOf(n); !s.probeOnly && !s.buildOnly {
				from = len(n.Left.Schema())
			}
		}
		if s := sideOf(n); s.buildOnly {
			below.all(plain)
			return below
		}
		copy(below, used[from:])
		below.add(keys...)
		if n.Cond != nil { // it sees copies of the columns of both sides
			both := make(uses, len(n.Left.Schema())+len(n.Right.Schema()))
			both.add(n.Cond)
			if !n.BuildRight {
				both = both[len(n.Left.Schema()):]
			}
			for i := range below {
				if both[i] != 0 {
					below[i] |= coded
				}
			}
		}
	}
	return below
}

// declared returns rec with columns as the plan has them: only those coded that stay
// so, and VARIANT of the type that Arrow has for it, where files have a plain struct.
// It takes over the reference.
func (r *reading) declared(rec arrow.RecordBatch) arrow.RecordBatch {
	var cols []arrow.Array
	fields := rec.Schema().Fields()
	for i := range r.Out {
		c := r.declaredColumn(i, rec.Column(i))
		if c == nil {
			continue
		}
		if cols == nil {
			cols = append(cols, rec.Columns()...)
		}
		cols[i], fields[i].Type = c, c.DataType()
	}
	if cols == nil {
		return rec
	}
	for i, c := range cols {
		if c == rec.Column(i) {
			c.Retain()
		}
	}
	defer rec.Release()
	return newRecord(arrow.NewSchema(fields, nil), cols, int(rec.NumRows()))
}

// declaredColumn returns column i as declared returns it, or nil if it is so already.
func (r *reading) declaredColumn(i int, c arrow.Array) arrow.Array {
	t := r.Out[i].Type
	switch {
	case r.Dictionaries && !r.coded[i] && c.DataType().ID() == arrow.DICTIONARY:
		return vec.FromArrow(c, t).Arrow()
	case t.Kind == expr.KindVariant && c.DataType().ID() == arrow.STRUCT && !arrow.TypeEqual(c.DataType(), t.Arrow(), arrow.CheckMetadata()):
		d := c.Data()
		marked := array.NewData(t.Arrow(), d.Len(), d.Buffers(), d.Children(), d.NullN(), d.Offset())
		defer marked.Release()
		return array.MakeFromData(marked)
	}
	return nil
}

// lent returns rd; in a build with the tag invariants with record batches whose
// memory really is used again, where they are borrowed.
func (r *reading) lent(rd RowReader) RowReader {
	if r.Borrowed && invariants.Enabled {
		return &lender{RowReader: rd}
	}
	return rd
}

// lender overwrites each record batch when the following one is asked for.
type lender struct {
	RowReader
	lent [][]byte
}

// Choose is that of the reader, if it has one.
func (l *lender) Choose(columns []int, choose func([]arrow.Array, int) ([]int32, []arrow.Array, error)) bool {
	c, ok := l.RowReader.(Chooser)
	return ok && c.Choose(columns, choose)
}

func (l *lender) Next(ctx context.Context) (arrow.RecordBatch, error) {
	l.poison()
	rec, err := l.RowReader.Next(ctx)
	if err != nil {
		return nil, err
	}
	defer rec.Release()
	cols := make([]arrow.Array, rec.NumCols())
	for i := range cols {
		d := l.copied(rec.Column(i).Data())
		cols[i] = array.MakeFromData(d)
		d.Release()
	}
	out := array.NewRecordBatch(rec.Schema(), cols, rec.NumRows())
	for _, c := range cols {
		c.Release()
	}
	return out, nil
}

// copied copies all of d but a dictionary.
func (l *lender) copied(d arrow.ArrayData) *array.Data {
	bufs := make([]*memory.Buffer, len(d.Buffers()))
	for i, b := range d.Buffers() {
		if b != nil {
			c := append(make([]byte, 0, b.Len()), b.Bytes()...)
			l.lent = append(l.lent, c)
			bufs[i] = memory.NewBufferBytes(c)
		}
	}
	kids := make([]arrow.ArrayData, len(d.Children()))
	for i, k := range d.Children() {
		kid := l.copied(k)
		defer kid.Release()
		kids[i] = kid
	}
	if dict, ok := d.Dictionary().(*array.Data); ok && dict != nil {
		return array.NewDataWithDictionary(d.DataType(), d.Len(), bufs, d.NullN(), d.Offset(), dict)
	}
	return array.NewData(d.DataType(), d.Len(), bufs, kids, d.NullN(), d.Offset())
}

func (l *lender) poison() {
	for _, b := range l.lent {
		for i := range b {
			b[i] = 0xA5
		}
	}
	l.lent = l.lent[:0]
}

// Close closes the reader.
func (l *lender) Close() error {
	l.poison()
	return l.RowReader.Close()
}
