package jsonlines

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"unicode/utf8"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/flightd/flightd/internal/base"
	"github.com/flightd/flightd/sources/columnar"
)

// Decoder reads the lines of one file into record batches.
type Decoder struct {
	file  string
	opt   Options
	lines *columnar.Lines
	batch *columnar.Batch

	s       scanner
	root    node
	zone    *columnar.Zone
	corrupt *columnar.Column // takes the text of malformed records; may be nil
	rest    arrow.RecordBatch
	// bad is why a field of the current row was not converted.
	bad string
}

// node is a column with the names of its fields.
type node struct {
	col      *columnar.Column
	children []*node
	index    map[string]int
	next     int // the field that is expected, because it came here last time
	// first is the literal that began the object before this one, literals are all
	// that are remembered. What comes after one that is not is noted in unknown.
	first, unknown *literal
	literals       []*literal
}

// NewDecoder returns a decoder of r's lines into columns of schema. file names
// r in errors. The corrupt-record column is filled if schema has it.
func NewDecoder(r io.Reader, file string, schema *arrow.Schema, opt Options) (*Decoder, error) {
	return NewRangeDecoder(r, columnar.WholeFile(), file, schema, opt)
}

// NewRangeDecoder is NewDecoder for the lines of a range of a file; r reads the
// file from the begin of the range on.
func NewRangeDecoder(r io.Reader, in columnar.Range, file string, schema *arrow.Schema, opt Options) (*Decoder, error) {
	batch, err := columnar.NewBatch(schema)
	if err != nil {
		return nil, base.Wrap(err, "reading %s as JSON", file)
	}
	d := &Decoder{file: file, opt: opt, lines: columnar.NewLinesIn(r, opt.LineSep, in), batch: batch, zone: columnar.NewZone(opt.Zone)}
	d.s.single, d.s.words = opt.SingleQuotes, opt.NonNumeric
	cols := batch.Columns
	for i, c := range cols {
		if c.Name == opt.Malformed.Column && c.Kind == columnar.String && d.corrupt == nil {
			d.corrupt = c
			cols = append(append([]*columnar.Column(nil), cols[:i]...), cols[i+1:]...)
		}
	}
	if d.root.children, d.root.index, err = newNodes(cols); err != nil {
		return nil, err
	}
	return d, nil
}

func newNodes(cols []*columnar.Column) ([]*node, map[string]int, error) {
	index := make(map[string]int, len(cols))
	var out []*node
	for i, c := range cols {
		n := &node{col: c}
		switch c.Kind {
		case columnar.MonthInterval, columnar.Duration:
			return nil, nil, base.Errorf(base.CodeInvalid, "column %s: intervals are not read from JSON", c.Name)
		case columnar.Map:
			if c.Children[0].Kind != columnar.String {
				return nil, nil, base.Errorf(base.CodeInvalid, "column %s: the keys of a map in JSON are strings, not %s", c.Name, c.Children[0].Type)
			}
		}
		var err error
		if n.children, n.index, err = newNodes(c.Children); err != nil {
			return nil, nil, err
		}
		index[c.Name] = i
		out = append(out, n)
	}
	return out, index, nil
}

// Next returns the next record batch, of at most rows rows, or io.EOF.
func (d *Decoder) Next(rows int) (arrow.RecordBatch, error) {
	for d.rest == nil {
		n, more, err := d.fill(rows)
		if err != nil {
			return nil, err
		}
		if n > 0 {
			d.rest = d.batch.Record(n)
		} else if !more {
			return nil, io.EOF
		}
	}
	rec := d.rest
	d.rest = nil
	if n := rec.NumRows(); n > int64(rows) { // a line was an array
		d.rest = rec.NewSlice(int64(rows), n)
		head := rec.NewSlice(0, int64(rows))
		rec.Release()
		return head, nil
	}
	return rec, nil
}

// Close lets go of what Next did not return.
func (d *Decoder) Close() {
	if d.rest != nil {
		d.rest.Release()
		d.rest = nil
	}
}

// fill gathers rows, fewer than wanted only at the end of the file or if they are
// large. more tells that the end is not reached.
func (d *Decoder) fill(rows int) (n int, more bool, err error) {
	size := 0
	d.batch.Reserve()
	for n < rows && size < columnar.MaxBatchBytes {
		line, err := d.lines.Next()
		if errors.Is(err, io.EOF) {
			return n, false, nil
		}
		if err != nil {
			return 0, false, base.Wrap(err, "reading %s", d.file)
		}
		if n, err = d.line(line, n); err != nil {
			return 0, false, err
		}
		size += len(line)
	}
	return n, true, nil
}

// line decodes one line into the rows from n on and returns the number of rows.
func (d *Decoder) line(line []byte, n int) (int, error) {
	s := &d.s
	s.b, s.pad, s.i, s.why, d.bad = line, line[:len(line)+columnar.LinePad], 0, "", ""
	c := s.peek()
	if c == 0 && s.i == len(line) {
		return n, nil
	}
	if !d.lines.ASCII() && !utf8.Valid(line) {
		return d.malformed(line, n, "it is not UTF-8")
	}
	switch c {
	case '{':
		if !d.row(n, 0) {
			return d.malformed(line, n, s.why)
		}
		return d.close(line, n)
	case '[':
		first, at := true, n
		for {
			more, ok := s.element(&first, 0)
			if !ok {
				return d.malformed(line, at, s.why)
			}
			if !more {
				return n, nil
			}
			if s.peek() != '{' || !d.row(n, 1) {
				return d.malformed(line, at, "an array whose elements are not all objects")
			}
			var err error
			if n, err = d.close(line, n); err != nil {
				return n, err
			}
		}
	}
	return d.malformed(line, n, "it is not an object")
}

// close ends row n, which is JSON but perhaps not of the schema.
func (d *Decoder) close(line []byte, n int) (int, error) {
	if d.bad != "" {
		switch d.opt.Malformed.Mode {
		case columnar.FailFast:
			return n, d.opt.Malformed.Error(d.file, d.lines.Position(), d.bad)
		case columnar.DropMalformed:
			d.batch.Truncate(n)
			d.bad = ""
			return n, nil
		}
		d.keep(line)
	}
	d.bad = ""
	d.batch.CloseRow(n)
	return n + 1, nil
}

// malformed makes row n, and whatever was begun after it, one row of nulls.
func (d *Decoder) malformed(line []byte, n int, why string) (int, error) {
	d.batch.Truncate(n)
	d.bad = ""
	switch d.opt.Malformed.Mode {
	case columnar.FailFast:
		return n, d.opt.Malformed.Error(d.file, d.lines.Position(), why)
	case columnar.DropMalformed:
		return n, nil
	}
	d.keep(line)
	d.batch.CloseRow(n)
	return n + 1, nil
}

func (d *Decoder) keep(line []byte) {
	if d.corrupt == nil {
		return
	}
	if !utf8.Valid(line) {
		line = bytes.ToValidUTF8(line, []byte("\uFFFD"))
	}
	d.corrupt.AppendBytes(line)
}

// reject notes that a field did not convert. The first reason is kept.
func (d *Decoder) reject(c *columnar.Column, tok []byte) {
	if d.bad != "" {
		return
	}
	const most = 40
	shown := string(tok)
	if len(shown) > most {
		shown = strings.ToValidUTF8(shown[:most], "") + "…"
	}
	d.bad = "field " + c.Name + ": " + shown + " is not of type " + c.Type.String()
}
