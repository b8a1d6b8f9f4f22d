package parquetfile

import (
	"encoding/binary"
	"io"
	"math"
	"strings"
	"sync/atomic"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/decimal128"
	"github.com/apache/arrow-go/v18/parquet"
	"github.com/apache/arrow-go/v18/parquet/metadata"
	"github.com/apache/arrow-go/v18/parquet/schema"

	"github.com/flightd/flightd/sources"
)

// A Filter is a predicate about a column of a file.
type Filter struct {
	// Name is the column's, and Type the type that it is read as.
	Name string
	Type arrow.DataType
	sources.Predicate
}

// Pruned counts what readers of a Cache have read and what predicates spared them.
type Pruned struct {
	Groups, GroupsSkipped atomic.Int64
	// Rows are those of skipped pages, in groups that were read.
	RowsSkipped atomic.Int64
}

// rows is a range of the rows of a row group, from included, to not.
type rows struct{ from, to int64 }

// keep returns the rows of row group g that may satisfy all filters, ascending. What is
// wrong with statistics makes them of no use, never an error.
func (p *File) keep(g int, filters []Filter) []rows {
	all := []rows{{0, p.Rows(g)}}
	out := all
	for i := range filters {
		f := &filters[i]
		leaf, ok := p.bounded(f)
		if !ok {
			continue
		}
		if b, ok := p.chunkBounds(g, leaf, f.Type); ok && !f.May(b) {
			return nil
		}
		if p.meta.NumRowGroups() > 0 && len(out) > 0 {
			if pages, ok := p.pages(g, leaf, f); ok {
				out = intersect(out, pages)
			}
		}
	}
	return out
}

// bounded returns the leaf of a filter's column, if its values are kept in the file as
// they are read, in an order that is that of the engine.
func (p *File) bounded(f *Filter) (leaf int, ok bool) {
	at, err := p.find(f.Name)
	if err != nil || at < 0 || !p.fields.Fields[at].IsLeaf() || !arrow.TypeEqual(p.schema.Field(at).Type, f.Type) {
		return 0, false
	}
	leaf = p.fields.Fields[at].ColIndex
	c := p.meta.Schema.Column(leaf)
	if c.MaxRepetitionLevel() > 0 || c.MaxDefinitionLevel() > 1 {
		return 0, false
	}
	switch t := f.Type.(type) {
	case *arrow.Int8Type, *arrow.Int16Type, *arrow.Int32Type, *arrow.Int64Type, *arrow.Date32Type, *arrow.Decimal128Type,
		*arrow.Float32Type, *arrow.Float64Type, *arrow.StringType, *arrow.BinaryType:
		return leaf, true
	case *arrow.TimestampType:
		return leaf, t.Unit == arrow.Microsecond && c.PhysicalType() == parquet.Types.Int64
	}
	return 0, false
}

// chunkBounds returns what the footer knows of a column chunk.
func (p *File) chunkBounds(g, leaf int, t arrow.DataType) (b sources.Bounds, ok bool) {
	defer func() {
		if recover() != nil {
			ok = false
		}
	}()
	chunk := p.meta.FileMetaData.RowGroups[g].Columns[leaf].MetaData
	if chunk == nil || chunk.Statistics == nil {
		return b, false
	}
	s := chunk.Statistics
	b = sources.Bounds{Rows: p.Rows(g), Nulls: -1}
	if chunk.NumValues != b.Rows {
		return b, false
	}
	if s.NullCount != nil && *s.NullCount >= 0 && *s.NullCount <= b.Rows {
		b.Nulls = *s.NullCount
	}
	column := p.meta.Schema.Column(leaf)
	lo, hi := s.MinValue, s.MaxValue
	if column.ColumnOrder() != parquet.ColumnOrders.TypeDefinedOrder {
		lo, hi = nil, nil
	}
	if lo == nil && hi == nil && column.PhysicalType() != parquet.Types.ByteArray && column.PhysicalType() != parquet.Types.FixedLenByteArray {
		lo, hi = s.Min, s.Max // older writers compared numbers as they are
	}
	if lo == nil || hi == nil {
		return b, true
	}
	// Some writers are known to have been wrong.
	if m, err := p.meta.RowGroup(g).ColumnChunk(leaf); err != nil {
		return b, true
	} else if right, err := m.StatsSet(); err != nil || !right {
		return b, true
	}
	b.Min, b.Max = bound(lo, column, t), bound(hi, column, t)
	return b, true
}

// bound decodes a bound, as plain values are encoded; nil if it is none.
func bound(raw []byte, column *schema.Column, t arrow.DataType) any {
	switch column.PhysicalType() {
	case parquet.Types.Int32:
		if len(raw) != 4 {
			return nil
		}
		return integer(int64(int32(binary.LittleEndian.Uint32(raw))), t)
	case parquet.Types.Int64:
		if len(raw) != 8 {
			return nil
		}
		return integer(int64(binary.LittleEndian.Uint64(raw)), t)
	case parquet.Types.Float:
		if len(raw) != 4 {
			return nil
		}
		return number(float64(math.Float32frombits(binary.LittleEndian.Uint32(raw))))
	case parquet.Types.Double:
		if len(raw) != 8 {
			return nil
		}
		return number(math.Float64frombits(binary.LittleEndian.Uint64(raw)))
	case parquet.Types.ByteArray, parquet.Types.FixedLenByteArray:
		if _, ok := t.(*arrow.Decimal128Type); ok {
			return decimalBound(raw)
		}
		return string(raw)
	}
	return nil
}

func integer(v int64, t arrow.DataType) any {
	if _, ok := t.(*arrow.Decimal128Type); ok {
		return decimal128.FromI64(v)
	}
	return v
}

func number(v float64) any {
	if v != v {
		return nil
	}
	return v
}

// decimalBound decodes a decimal in big-endian two's complement.
func decimalBound(raw []byte) any {
	if len(raw) == 0 || len(raw) > 16 {
		return nil
	}
	var b [16]byte
	if raw[0]&0x80 != 0 {
		for i := range b {
			b[i] = 0xff
		}
	}
	copy(b[16-len(raw):], raw)
	return decimal128.New(int64(binary.BigEndian.Uint64(b[:8])), binary.BigEndian.Uint64(b[8:]))
}

// maxIndex is the most bytes of a page index that are read.
const maxIndex = 16 << 20

// pages returns the rows of those pages of a column chunk in which a filter may hold; ok
// is false if the file does not say.
func (p *File) pages(g, leaf int, f *Filter) (out []rows, ok bool) {
	defer func() {
		if recover() != nil {
			ok = false
		}
	}()
	group := p.meta.RowGroup(g)
	chunk, err := group.ColumnChunk(leaf)
	if err != nil {
		return nil, false
	}
	values, places := p.index(chunk.GetColumnIndexLocation()), p.index(chunk.GetOffsetIndexLocation())
	if values == nil || places == nil {
		return nil, false
	}
	column := p.meta.Schema.Column(leaf)
	index := metadata.NewColumnIndex(column, values, nil, nil)
	pages := metadata.NewOffsetIndex(places, nil, nil).GetPageLocations()
	empty, lo, hi := index.GetNullPages(), index.GetMinValues(), index.GetMaxValues()
	if len(empty) != len(pages) || len(lo) != len(pages) || len(hi) != len(pages) || len(pages) == 0 || pages[0].FirstRowIndex != 0 {
		return nil, false
	}
	ordered := column.ColumnOrder() == parquet.ColumnOrders.TypeDefinedOrder
	for i, page := range pages {
		end := group.NumRows()
		if i+1 < len(pages) {
			end = pages[i+1].FirstRowIndex
		}
		b := sources.Bounds{Rows: end - page.FirstRowIndex, Nulls: -1}
		if b.Rows < 0 || end > group.NumRows() {
			return nil, false
		}
		if index.IsSetNullCounts() && len(index.GetNullCounts()) == len(pages) {
			b.Nulls = index.GetNullCounts()[i]
		}
		switch {
		case empty[i]:
			b.Nulls = b.Rows
		case ordered:
			b.Min, b.Max = bound(lo[i], column, f.Type), bound(hi[i], column, f.Type)
		}
		if b.Rows == 0 || !f.May(b) {
			continue
		}
		if n := len(out); n > 0 && out[n-1].to == page.FirstRowIndex {
			out[n-1].to = end
		} else {
			out = append(out, rows{page.FirstRowIndex, end})
		}
	}
	return out, true
}

// index reads a part of the page index; nil if there is none.
func (p *File) index(at *metadata.IndexLocation) []byte {
	if at == nil || at.Offset < 0 || at.Length <= 0 || at.Length > maxIndex || at.Offset > p.size-int64(at.Length) {
		return nil
	}
	b := make([]byte, at.Length)
	if n, err := p.f.ReadAt(b, at.Offset); n < len(b) || err != nil && err != io.EOF {
		return nil
	}
	return b
}

// intersect returns the rows that are in both.
func intersect(a, b []rows) []rows {
	var out []rows
	for i, j := 0, 0; i < len(a) && j < len(b); {
		from, to := max(a[i].from, b[j].from), min(a[i].to, b[j].to)
		if from < to {
			out = append(out, rows{from, to})
		}
		if a[i].to < b[j].to {
			i++
		} else {
			j++
		}
	}
	return out
}

// FiltersOf returns the predicates of a scan about columns of schema that has says the
// file gives.
func FiltersOf(where []sources.Predicate, schema *arrow.Schema, has func(name string) bool) []Filter {
	var out []Filter
	for _, w := range where {
		if w.Column < 0 || w.Column >= schema.NumFields() {
			continue
		}
		if f := schema.Field(w.Column); has(strings.ToLower(f.Name)) {
			out = append(out, Filter{f.Name, f.Type, w})
		}
	}
	return out
}
