package csvtext

import (
	"bytes"
	"errors"
	"io"
	"strconv"
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
	split splitter
	zone  *columnar.Zone
	// cells are the columns by their place in a line; nil is not wanted.
	cells   []*columnar.Column
	corrupt *columnar.Column
	skip    bool // the header is still to come
	// plain tells that a cell without quotes is what stands between separators of
	// one byte, numbers that no option may give another meaning.
	plain, numbers bool
	bad            string
}

// NewDecoder returns a decoder of r's lines, whose cells are the fields of
// schema by position, the corrupt-record column left out. Only the fields that
// columns names (ascending; nil is all) are decoded. file names r in errors.
func NewDecoder(r io.Reader, file string, schema *arrow.Schema, columns []int, opt Options) (*Decoder, error) {
	return NewRangeDecoder(r, columnar.WholeFile(), file, schema, columns, opt)
}

// NewRangeDecoder is NewDecoder for the lines of a range of a file; r reads the
// file from the begin of the range on. A header is in the first range.
func NewRangeDecoder(r io.Reader, in columnar.Range, file string, schema *arrow.Schema, columns []int, opt Options) (*Decoder, error) {
	if columns == nil {
		for i := range schema.NumFields() {
			columns = append(columns, i)
		}
	}
	var wanted []arrow.Field
	for _, i := range columns {
		wanted = append(wanted, schema.Field(i))
	}
	batch, err := columnar.NewBatch(arrow.NewSchema(wanted, nil))
	if err != nil {
		return nil, base.Wrap(err, "reading %s as CSV", file)
	}
	d := &Decoder{file: file, opt: opt, lines: columnar.NewLinesIn(r, opt.LineSep, in), batch: batch, zone: columnar.NewZone(opt.Zone), skip: opt.Header && in.Begin == 0}
	d.split.opt = &d.opt
	d.plain = len(opt.Sep) == 1 && !opt.TrimLeft && !opt.TrimRight
	d.numbers = opt.Null == "" || opt.Null[0] != '-' && (opt.Null[0] < '0' || opt.Null[0] > '9')
	at := 0
	for i, f := range schema.Fields() {
		var c *columnar.Column
		if at < len(columns) && columns[at] == i {
			c = batch.Columns[at]
			at++
		}
		if f.Name == opt.Malformed.Column && f.Type.ID() == arrow.STRING {
			d.corrupt = c
			continue
		}
		switch f.Type.ID() {
		case arrow.LIST, arrow.MAP, arrow.STRUCT, arrow.INTERVAL_MONTHS, arrow.DURATION:
			return nil, base.UserError("UNSUPPORTED_DATA_TYPE_FOR_DATASOURCE", "0A000", "The CSV datasource doesn't support the column `%s` of the type %s.", f.Name, f.Type)
		}
		d.cells = append(d.cells, c)
	}
	return d, nil
}

// Next returns the next record batch, of at most rows rows, or io.EOF. If no
// column is wanted it has rows only.
func (d *Decoder) Next(rows int) (arrow.RecordBatch, error) {
	n, size := 0, 0
	d.batch.Reserve()
	for n < rows && size < columnar.MaxBatchBytes {
		line, err := d.lines.Next()
		if errors.Is(err, io.EOF) {
			if n == 0 {
				return nil, io.EOF
			}
			break
		}
		if err != nil {
			return nil, base.Wrap(err, "reading %s", d.file)
		}
		if n, err = d.line(line, n); err != nil {
			return nil, err
		}
		if size += len(line); size >= columnar.MaxBatchBytes && n == 0 {
			size = 0
		}
	}
	return d.batch.Record(n), nil
}

// IsRecord reports whether line is neither blank nor a comment.
func (o *Options) IsRecord(line []byte) bool {
	if o.Comment != 0 && len(line) > 0 && line[0] == o.Comment {
		return false
	}
	for _, c := range line {
		if c > ' ' {
			return true
		}
	}
	return false
}

func (d *Decoder) line(line []byte, n int) (int, error) {
	if !d.opt.IsRecord(line) {
		return n, nil
	}
	if d.skip {
		d.skip = false
		return n, nil
	}
	d.bad = ""
	d.split.reset(line)
	at := 0
	if d.plain {
		at = d.cellsOf(line)
	}
	for {
		cell, quoted, ok := d.split.next()
		if !ok {
			break
		}
		if at < len(d.cells) && d.cells[at] != nil {
			d.cell(d.cells[at], cell, quoted)
		}
		at++
	}
	if at != len(d.cells) && d.bad == "" {
		d.bad = strconv.Itoa(at) + " cells, not " + strconv.Itoa(len(d.cells))
	}
	if d.bad != "" {
		switch d.opt.Malformed.Mode {
		case columnar.FailFast:
			return n, d.opt.Malformed.Error(d.file, d.lines.Position(), d.bad)
		case columnar.DropMalformed:
			d.batch.Truncate(n)
			return n, nil
		}
		if d.corrupt != nil {
			d.corrupt.AppendBytes(valid(line))
		}
	}
	d.batch.CloseRow(n)
	return n + 1, nil
}

// cellsOf decodes the cells of a line up to the first in quotes and returns how
// many there were; the splitter has the rest.
func (d *Decoder) cellsOf(line []byte) int {
	pad, sep, quote := line[:len(line)+columnar.LinePad], d.opt.Sep[0], d.opt.Quote
	i := 0
	for at, c := range d.cells {
		if i > len(line) {
			d.split.i, d.split.done = len(line), true
			return at
		}
		if i < len(line) && line[i] == quote && quote != 0 {
			d.split.i = i
			return at
		}
		end, ok := d.number(c, pad, i, len(line))
		if !ok {
			end = columnar.IndexOf(pad, i, len(line), sep)
			switch {
			case c == nil:
			case c.Kind == columnar.String && end > i && d.opt.Null == "" && d.lines.ASCII():
				if !c.AppendWithin(pad, i, end) {
					d.cell(c, line[i:end], false)
				}
			default:
				d.cell(c, line[i:end], false)
			}
		}
		i = end + 1
	}
	d.split.i, d.split.done = min(i, len(line)), i > len(line)
	return len(d.cells)
}

// number decodes the cell at pad[i] if it is a number of the plain form that most
// have, and returns where it ends; the line ends at size.
func (d *Decoder) number(c *columnar.Column, pad []byte, i, size int) (end int, ok bool) {
	if c == nil || !d.numbers {
		return 0, false
	}
	switch c.Kind {
	case columnar.Int8, columnar.Int16, columnar.Int32, columnar.Int64:
		var v int64
		v, end, ok = columnar.ScanInt(pad, i)
		return end, ok && (end == size || end < size && pad[end] == d.opt.Sep[0]) && c.AppendInt(v)
	case columnar.Float64:
		var v float64
		v, end, ok = columnar.ScanFloat(pad, i)
		if ok = ok && (end == size || end < size && pad[end] == d.opt.Sep[0]); ok {
			c.AppendFloat(v)
		}
		return end, ok
	}
	return 0, false
}

func valid(b []byte) []byte {
	if utf8.Valid(b) {
		return b
	}
	return bytes.ToValidUTF8(b, []byte("\uFFFD"))
}

// cell appends one cell; one that does not convert is null and makes the line
// malformed.
func (d *Decoder) cell(c *columnar.Column, cell []byte, quoted bool) {
	if len(cell) == 0 {
		if !quoted || d.opt.Empty == d.opt.Null {
			c.AppendNull()
			return
		}
		cell = []byte(d.opt.Empty)
	} else if string(cell) == d.opt.Null {
		c.AppendNull()
		return
	}
	if d.convert(c, cell) {
		return
	}
	c.AppendNull()
	if d.bad == "" {
		d.bad = "column " + c.Name + ": " + string(valid(cell[:min(len(cell), 40)])) + " is not of type " + c.Type.String()
	}
}

func (d *Decoder) convert(c *columnar.Column, cell []byte) bool {
	switch c.Kind {
	case columnar.String:
		if !d.lines.ASCII() {
			cell = valid(cell)
		}
		return c.AppendBytes(cell)
	case columnar.Binary:
		return c.AppendBytes(cell)
	case columnar.Int8, columnar.Int16, columnar.Int32, columnar.Int64:
		v, ok := columnar.ParseInt(cell)
		return ok && c.AppendInt(v)
	case columnar.Float32, columnar.Float64:
		v, ok := d.opt.parseFloat(cell, c.Kind == columnar.Float32)
		if ok {
			c.AppendFloat(v)
		}
		return ok
	case columnar.Decimal:
		if bytes.IndexByte(cell, ',') >= 0 { // groups of digits
			cell = bytes.ReplaceAll(cell, []byte(","), nil)
		}
		return c.AppendDecimalText(cell)
	case columnar.Bool:
		v, ok := parseBool(cell)
		if ok {
			c.AppendBool(v)
		}
		return ok
	case columnar.Date:
		return c.AppendDateText(cell)
	case columnar.Timestamp, columnar.TimestampNTZ:
		return c.AppendTimestampText(cell, d.zone)
	}
	return false
}

func parseBool(b []byte) (v, ok bool) {
	switch {
	case len(b) == 4 && bytes.EqualFold(b, []byte("true")):
		return true, true
	case len(b) == 5 && bytes.EqualFold(b, []byte("false")):
		return false, true
	}
	return false, false
}

// parseFloat reads the option's words and what Java's parseDouble reads: white
// space around, NaN, Infinity, a suffix d or f.
func (o *Options) parseFloat(b []byte, single bool) (float64, bool) {
	if len(b) == 0 {
		return 0, false
	}
	if last := b[len(b)-1]; last >= '0' && last <= '9' && !single {
		if v, ok := columnar.ParseFloat(b); ok {
			return v, true
		}
	}
	switch string(b) {
	case o.NaN:
		return columnar.ParseSpecialFloat([]byte("NaN"))
	case o.PosInf:
		return columnar.ParseSpecialFloat([]byte("Infinity"))
	case o.NegInf:
		return columnar.ParseSpecialFloat([]byte("-Infinity"))
	}
	b = bytes.TrimSpace(b)
	if v, ok := columnar.ParseSpecialFloat(b); ok && b[len(b)-1] != 'F' {
		return v, true
	}
	if n := len(b); n > 1 && bytes.IndexByte([]byte("dDfF"), b[n-1]) >= 0 {
		b = b[:n-1]
	}
	if single {
		return columnar.ParseFloat32(b)
	}
	return columnar.ParseFloat(b)
}
