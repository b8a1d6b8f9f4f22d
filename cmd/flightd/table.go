package main

import (
	"context"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/flightd/flightd"
	"github.com/flightd/flightd/internal/arrowtext"
)

// rows are the answer to a statement, from this process or from a server.
type rows interface {
	Schema() *arrow.Schema
	IsUpdate() bool
	RowsAffected() int64
	Notices() []string
	Next(context.Context) (arrow.RecordBatch, error)
	Close() error
}

type local struct{ *flightd.Result }

var _ rows = local{}

const (
	// maxShown bounds the rows of one table: it is laid out in memory.
	maxShown = 10_000
	// maxWidth bounds the width of a column for a person at a terminal.
	maxWidth = 60
)

// zoneSetting is the session's time zone, in which timestamps are printed.
const zoneSetting = "spark.sql.session.timezone"

// printResult prints the answer, with timestamps in a time zone ("" is UTC), and
// closes it.
func printResult(s *session, r rows, zone string) error {
	defer r.Close()
	for _, n := range r.Notices() {
		fmt.Fprintln(s.term.err, "note:", n)
	}
	if r.IsUpdate() {
		if n := r.RowsAffected(); n > 0 && s.term.interactive {
			fmt.Fprintf(s.term.out, "ok, %s\n", plural(n, "row"))
		} else if s.term.interactive {
			fmt.Fprintln(s.term.out, "ok")
		}
		return nil
	}
	if e, ok := r.(endless); ok && e.Endless() {
		return printLive(s, r, zone)
	}
	t := newTable(r.Schema(), s.term.interactive, zone)
	for {
		rec, err := r.Next(s.ctx)
		if err == io.EOF {
			break
		}
		if err != nil {
			return err
		}
		t.add(rec)
		rec.Release()
	}
	return t.write(s.term.out)
}

// showsTime reports whether the time zone matters for what is printed.
func showsTime(schema *arrow.Schema) bool {
	return strings.Contains(schema.String(), "timestamp")
}

// A table lays out rows in columns.
type table struct {
	names, types []string
	right        []bool // numbers
	cells        [][]string
	width        []int
	total        int64
	clip         bool
	// value is the text of a value, or false for a null.
	value func(col arrow.Array, row int) (string, bool)
	// prose: one column of text with lines, such as a plan, is not laid out.
	prose bool
	// flowed are the widths of the head that was printed, of rows that come one by
	// one.
	flowed []int
}

func newTable(schema *arrow.Schema, clip bool, zone string) *table {
	var zones arrowtext.Zones
	z := zones.Zone(zone)
	t := &table{clip: clip, value: func(col arrow.Array, row int) (string, bool) { return arrowtext.Value(col, row, z) }}
	for _, f := range schema.Fields() {
		t.names = append(t.names, t.fit(f.Name))
		t.types = append(t.types, typeName(f.Type))
		t.right = append(t.right, numeric(f.Type))
		t.width = append(t.width, max(utf8.RuneCountInString(t.fit(f.Name)), utf8.RuneCountInString(typeName(f.Type))))
	}
	return t
}

func runes(s string) int { return utf8.RuneCountInString(s) }

func numeric(dt arrow.DataType) bool {
	_, decimal := dt.(arrow.DecimalType)
	return decimal || arrow.IsInteger(dt.ID()) || arrow.IsFloating(dt.ID())
}

func typeName(dt arrow.DataType) string {
	if ts, ok := dt.(*arrow.TimestampType); ok {
		if ts.TimeZone == "" {
			return "timestamp_ntz"
		}
		return "timestamp"
	}
	switch dt.ID() {
	case arrow.STRING, arrow.LARGE_STRING:
		return "string"
	case arrow.INT64:
		return "bigint"
	case arrow.INT32:
		return "int"
	case arrow.FLOAT64:
		return "double"
	case arrow.FLOAT32:
		return "float"
	case arrow.BOOL:
		return "boolean"
	case arrow.DATE32:
		return "date"
	}
	if d, ok := dt.(arrow.DecimalType); ok {
		return fmt.Sprintf("decimal(%d,%d)", d.GetPrecision(), d.GetScale())
	}
	return dt.Name()
}

// fit shortens a text for a terminal and keeps it in one line.
func (t *table) fit(s string) string {
	s = strings.NewReplacer("\n", `\n`, "\r", `\r`, "\t", " ").Replace(s)
	if t.clip && utf8.RuneCountInString(s) > maxWidth {
		s = string([]rune(s)[:maxWidth-1]) + "…"
	}
	return s
}

func (t *table) add(rec arrow.RecordBatch) {
	n := int(rec.NumRows())
	t.total += int64(n)
	for i := range min(n, maxShown-len(t.cells)) {
		row := make([]string, len(t.names))
		for c, col := range rec.Columns() {
			text, ok := t.value(col, i)
			if !ok {
				text = "NULL"
			}
			if len(t.names) == 1 && strings.Contains(text, "\n") {
				t.prose = true
			}
			if !t.prose {
				text = t.fit(text)
			}
			row[c] = text
			t.width[c] = max(t.width[c], utf8.RuneCountInString(row[c]))
		}
		t.cells = append(t.cells, row)
	}
}

func (t *table) write(w io.Writer) error {
	var b strings.Builder
	if t.prose {
		for _, c := range t.cells {
			b.WriteString(strings.TrimSuffix(c[0], "\n") + "\n")
		}
		_, err := io.WriteString(w, b.String())
		return err
	}
	rule := func(left, mid, right string) {
		b.WriteString(left)
		for i, n := range t.width {
			if i > 0 {
				b.WriteString(mid)
			}
			b.WriteString(strings.Repeat("─", n+2))
		}
		b.WriteString(right + "\n")
	}
	row := func(cells []string, right []bool) {
		for i, c := range cells {
			pad := strings.Repeat(" ", t.width[i]-utf8.RuneCountInString(c))
			if right != nil && right[i] {
				c = pad + c
			} else {
				c += pad
			}
			b.WriteString("│ " + c + " ")
		}
		b.WriteString("│\n")
	}
	if len(t.names) > 0 {
		rule("┌", "┬", "┐")
		row(t.names, t.right)
		row(t.types, t.right)
		rule("├", "┼", "┤")
		for _, c := range t.cells {
			row(c, t.right)
		}
		rule("└", "┴", "┘")
	}
	b.WriteString(plural(t.total, "row"))
	if t.total > int64(len(t.cells)) {
		fmt.Fprintf(&b, ", the first %d shown", len(t.cells))
	}
	b.WriteString("\n")
	_, err := io.WriteString(w, b.String())
	return err
}

func plural(n int64, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}
