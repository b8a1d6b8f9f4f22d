package rowtext

import (
	"bytes"

	"github.com/apache/arrow-go/v18/arrow"
)

// CSV says how lines are written.
type CSV struct {
	Sep           string
	Quote, Escape byte
	// Null is written for an absent cell, Empty for an empty text.
	Null, Empty string
	QuoteAll    bool
	// TrimLeft and TrimRight drop white space around texts.
	TrimLeft, TrimRight bool
}

// DefaultCSV is Spark's.
func DefaultCSV() CSV {
	return CSV{Sep: ",", Quote: '"', Escape: '\\', Empty: `""`, TrimLeft: true, TrimRight: true}
}

// AppendHeader appends the names of schema as a line, without its end.
func (o *CSV) AppendHeader(dst []byte, schema *arrow.Schema) []byte {
	for i, f := range schema.Fields() {
		if i > 0 {
			dst = append(dst, o.Sep...)
		}
		dst = o.appendCell(dst, []byte(f.Name))
	}
	return dst
}

// AppendCSV appends row i as a line, without its end. scratch is reused between
// calls.
func (r *Row) AppendCSV(dst []byte, i int, o *CSV, scratch *[]byte) []byte {
	for k := range r.cols {
		if k > 0 {
			dst = append(dst, o.Sep...)
		}
		c := &r.cols[k]
		if c.isNull(i) {
			dst = append(dst, o.Null...)
			continue
		}
		*scratch = c.appendPlain((*scratch)[:0], i)
		dst = o.appendCell(dst, *scratch)
	}
	return dst
}

func (o *CSV) appendCell(dst, cell []byte) []byte {
	if o.TrimLeft {
		cell = bytes.TrimLeft(cell, " \t\r\n")
	}
	if o.TrimRight {
		cell = bytes.TrimRight(cell, " \t\r\n")
	}
	if len(cell) == 0 {
		return append(dst, o.Empty...)
	}
	if o.Quote == 0 || !o.QuoteAll && !bytes.Contains(cell, []byte(o.Sep)) && bytes.IndexByte(cell, o.Quote) < 0 && !bytes.ContainsAny(cell, "\r\n") {
		return append(dst, cell...)
	}
	dst = append(dst, o.Quote)
	for _, c := range cell {
		if c == o.Quote || c == o.Escape && o.Escape != 0 {
			dst = append(dst, o.Escape)
		}
		dst = append(dst, c)
	}
	return append(dst, o.Quote)
}
