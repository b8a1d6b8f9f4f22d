package file

import (
	"context"
	"errors"
	"io/fs"
	"strings"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/flightd/flightd/internal/base"
	"github.com/flightd/flightd/sources"
	"github.com/flightd/flightd/sources/columnar"
)

// part is a file of a scan: which wanted columns its bytes give, which its
// directories.
type part struct {
	layout *layout
	file   planned
	pairs  []pair
	rows   int
	// splitBytes is about how long a part of a file of lines is.
	splitBytes int64
	changed    func(path, why string) error
	// dictionaries and borrowed are those of sources.Scan.
	dictionaries, borrowed bool
	where                  []sources.Predicate

	// out is the schema of the record batches. from says where each of its columns
	// comes from: ≥ 0 is the place in wanted, < 0 is the directory −from−1.
	out  *arrow.Schema
	from []int
	// data are the columns that a file of this directory has, wanted the places in
	// data that the scan wants, ascending.
	data   *arrow.Schema
	wanted []int
}

// assign finds where the columns of the scan come from.
func (p *part) assign(columns []int) error {
	schema := p.layout.schema
	dirs := map[int]int{} // column → pair
	for i, kv := range p.pairs {
		c := indexFold(schema, kv.key)
		if c < 0 {
			return base.Errorf(base.CodeInvalid, "file %s lies in a directory %s=, but the table has no such column", p.file.Path, kv.key).
				WithHint("declare the column %s, or open the table anew", kv.key)
		}
		dirs[c] = i
	}
	// A column that only other directories give is null here, not in the file.
	place := map[int]int{}
	var data []arrow.Field
	for i, f := range schema.Fields() {
		if _, ok := dirs[i]; !ok && indexFold(p.layout.data, f.Name) >= 0 {
			place[i] = len(data)
			data = append(data, f)
		}
	}
	p.data = arrow.NewSchema(data, nil)
	var out []arrow.Field
	for _, c := range columns {
		if c < 0 || c >= schema.NumFields() {
			return base.Errorf(base.CodeInternal, "column %d of %d is wanted", c, schema.NumFields())
		}
		out = append(out, schema.Field(c))
		switch at, ok := place[c]; {
		case ok:
			p.from = append(p.from, len(p.wanted))
			p.wanted = append(p.wanted, at)
		default:
			i, ok := dirs[c]
			if !ok {
				i = len(p.pairs)
				p.pairs = append(p.pairs, pair{key: schema.Field(c).Name, null: true})
			}
			p.from = append(p.from, -i-1)
		}
	}
	p.out = arrow.NewSchema(out, nil)
	return nil
}

// wantedSchema is the schema of the columns that the file's bytes must give.
func (p *part) wantedSchema() *arrow.Schema {
	var f []arrow.Field
	for _, i := range p.wanted {
		f = append(f, p.data.Field(i))
	}
	return arrow.NewSchema(f, nil)
}

// unchanged returns an error unless the file is as it was planned.
func (p *part) unchanged() error {
	st, err := p.layout.set.disk.Stat(p.file.Path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return p.changed(p.file.Path, "has gone")
	case err != nil:
		return base.Wrap(err, "opening %s", p.file.Path)
	case st.Size() != p.file.Size || st.ModTime().UnixMicro() != p.file.MTime:
		return p.changed(p.file.Path, "has changed")
	}
	return nil
}

// decoder is what reads the bytes of a split.
type decoder interface {
	// Next returns record batches of the part's wanted schema, then io.EOF.
	Next(ctx context.Context) (arrow.RecordBatch, error)
	Close() error
}

// chooser is a decoder that can ask as sources.Chooser does.
type chooser interface {
	Choose(columns []int, choose sources.Choose) bool
}

// reader puts the directories' columns beside those of the file.
type reader struct {
	part *part
	in   decoder
	// constants are the directories' columns with part.rows cells, by pair.
	constants []arrow.Array
	// inner is the schema of the last record batch of in, outer that of ours with the
	// dictionaries of inner.
	inner, outer *arrow.Schema
}

// newReader returns the reader of in's rows; it closes in.
func (p *part) newReader(in decoder) (*reader, error) {
	r := &reader{part: p, in: in, constants: make([]arrow.Array, len(p.pairs))}
	z := columnar.NewZone(p.layout.set.zone)
	for i, from := range p.from {
		if from >= 0 {
			continue
		}
		k := -from - 1
		c, err := constant(p.pairs[k], p.out.Field(i), p.rows, z)
		if err != nil {
			r.Close()
			return nil, base.Wrap(err, "reading %s", p.file.Path)
		}
		r.constants[k] = c
	}
	return r, nil
}

// Next returns the next record batch of the scan's columns, or io.EOF.
func (r *reader) Next(ctx context.Context) (arrow.RecordBatch, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	rec, err := r.in.Next(ctx)
	if err != nil {
		return nil, err
	}
	defer rec.Release()
	cols := make([]arrow.Array, len(r.part.from))
	for i, from := range r.part.from {
		if from >= 0 {
			cols[i] = rec.Column(from)
			cols[i].Retain()
		} else {
			cols[i] = repeat(r.constants[-from-1], rec.NumRows())
		}
	}
	out := array.NewRecordBatch(r.schemaOf(rec, cols), cols, rec.NumRows())
	for _, c := range cols {
		c.Release()
	}
	return out, nil
}

// Choose is that of sources.Chooser, for columns that are all of the file.
func (r *reader) Choose(columns []int, choose sources.Choose) bool {
	in, ok := r.in.(chooser)
	if !ok {
		return false
	}
	inner := make([]int, len(columns))
	for k, c := range columns {
		if inner[k] = r.part.from[c]; inner[k] < 0 {
			return false
		}
	}
	outer := make([]arrow.Array, len(r.part.from))
	return in.Choose(inner, func(cols []arrow.Array, rows int) ([]int32, []arrow.Array, error) {
		for k, c := range columns {
			outer[c] = cols[inner[k]]
		}
		return choose(outer, rows)
	})
}

// schemaOf returns the part's schema with the types of cols, which are those of
// rec and the directories'.
func (r *reader) schemaOf(rec arrow.RecordBatch, cols []arrow.Array) *arrow.Schema {
	if !r.part.dictionaries {
		return r.part.out
	}
	if r.inner != rec.Schema() {
		fields := r.part.out.Fields()
		for i := range fields {
			fields[i].Type = cols[i].DataType()
		}
		r.inner, r.outer = rec.Schema(), arrow.NewSchema(fields, nil)
	}
	return r.outer
}

// Close closes the file.
func (r *reader) Close() error {
	for _, c := range r.constants {
		if c != nil {
			c.Release()
		}
	}
	r.constants = nil
	return r.in.Close()
}

// hasExt reports whether path's name ends in ext, ignoring case.
func hasExt(path, ext string) bool { return strings.HasSuffix(strings.ToLower(path), ext) }
