package console

import (
	"bytes"
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/flightd/flightd/internal/arrowtext"
)

// minWidth is the width of the narrowest column.
const minWidth = 3

// AppendTable appends the first numRows rows of recs as Dataset.show draws them,
// each line ended. Cells of more than truncate characters are cut, and all are
// aligned right; with truncate 0 they are whole and aligned left. If more says
// that there are other rows beside those of recs, or recs has more, a line after
// the table says so.
func AppendTable(dst []byte, schema *arrow.Schema, recs []arrow.RecordBatch, numRows, truncate int, more bool) []byte {
	grid := make([][]string, 1, 1+numRows)
	for _, f := range schema.Fields() {
		grid[0] = append(grid[0], escape([]byte(f.Name)))
	}
	var text []byte
	for _, rec := range recs {
		for i := range int(rec.NumRows()) {
			if len(grid) > numRows {
				more = true
				break
			}
			row := make([]string, rec.NumCols())
			for c := range row {
				text = appendCell(text[:0], rec.Column(c), i)
				row[c] = cut(escape(text), truncate)
			}
			grid = append(grid, row)
		}
	}
	dst = appendGrid(dst, grid, truncate == 0)
	if more {
		dst = append(dst, "only showing top "...)
		dst = strconv.AppendInt(dst, int64(numRows), 10)
		if numRows == 1 {
			return append(dst, " row\n"...)
		}
		return append(dst, " rows\n"...)
	}
	return dst
}

// appendGrid draws the header, grid[0], and the rows below it.
func appendGrid(dst []byte, grid [][]string, left bool) []byte {
	widths := make([]int, len(grid[0]))
	for c := range widths {
		widths[c] = minWidth
		for _, row := range grid {
			widths[c] = max(widths[c], width(row[c]))
		}
	}
	border := []byte{'+'}
	for _, w := range widths {
		border = append(append(border, strings.Repeat("-", w)...), '+')
	}
	if len(widths) == 0 {
		border = append(border, '+')
	}
	border = append(border, '\n')
	dst = append(dst, border...)
	for r, row := range grid {
		dst = append(dst, '|')
		for c, cell := range row {
			pad := strings.Repeat(" ", widths[c]-width(cell))
			if left {
				dst = append(append(dst, cell...), pad...)
			} else {
				dst = append(append(dst, pad...), cell...)
			}
			dst = append(dst, '|')
		}
		if len(row) == 0 {
			dst = append(dst, '|')
		}
		dst = append(dst, '\n')
		if r == 0 {
			dst = append(dst, border...)
		}
	}
	return append(dst, border...)
}

// appendCell appends a value as show prints it: as CAST AS STRING, except that
// NULL is NULL also inside of others and BINARY is hexadecimal.
func appendCell(dst []byte, arr arrow.Array, i int) []byte {
	if arr.IsNull(i) {
		return append(dst, "NULL"...)
	}
	switch a := arr.(type) {
	case *array.Binary:
		return arrowtext.AppendBytes(dst, a.Value(i))
	case *array.List:
		lo, hi := a.ValueOffsets(i)
		dst = append(dst, '[')
		for j := int(lo); j < int(hi); j++ {
			dst = appendCell(comma(dst, j > int(lo)), a.ListValues(), j)
		}
		return append(dst, ']')
	case *array.Map:
		lo, hi := a.ValueOffsets(i)
		dst = append(dst, '{')
		for j := int(lo); j < int(hi); j++ {
			dst = appendCell(comma(dst, j > int(lo)), a.Keys(), j)
			dst = appendCell(append(dst, " -> "...), a.Items(), j)
		}
		return append(dst, '}')
	case *array.Struct:
		dst = append(dst, '{')
		for f := range a.NumField() {
			dst = appendCell(comma(dst, f > 0), a.Field(f), i)
		}
		return append(dst, '}')
	}
	return arrowtext.Append(dst, arr, i, nil)
}

func comma(dst []byte, due bool) []byte {
	if due {
		return append(dst, ", "...)
	}
	return dst
}

// escape shows characters that would move the cursor by their names.
func escape(text []byte) string {
	if bytes.IndexFunc(text, func(r rune) bool { return r < ' ' }) < 0 {
		return string(text)
	}
	return strings.NewReplacer("\n", `\n`, "\r", `\r`, "\t", `\t`, "\f", `\f`, "\b", `\b`, "\v", `\v`, "\a", `\a`).Replace(string(text))
}

// cut shortens s to n characters, the last three of them dots if there is room.
// A character beyond the Basic Multilingual Plane counts as two, as in Java.
func cut(s string, n int) string {
	if n == 0 || len(s) <= n || units(s) <= n {
		return s
	}
	keep, dots := n-3, "..."
	if n < 4 {
		keep, dots = n, ""
	}
	for at, r := range s {
		if keep -= utf16.RuneLen(r); keep < 0 {
			return s[:at] + dots
		}
	}
	return s
}

// units is the length of s in Java.
func units(s string) int {
	n := 0
	for _, r := range s {
		n += max(1, utf16.RuneLen(r))
	}
	return n
}

// width is how many columns of a terminal s takes in Spark's reckoning: a wide
// East Asian character takes two.
func width(s string) int {
	if utf8.RuneCountInString(s) == len(s) {
		return len(s)
	}
	n := units(s)
	for _, r := range s {
		if isWide(r) {
			n++
		}
	}
	return n
}

func isWide(r rune) bool {
	switch {
	case r < 0x1100:
		return false
	case r <= 0x115F, r >= 0x2E80 && r <= 0xA4CF, r >= 0xAC00 && r <= 0xD7A3, r >= 0xF900 && r <= 0xFAFF,
		r >= 0xFE30 && r <= 0xFE6F, r >= 0xFF00 && r <= 0xFF60, r >= 0xFFE0 && r <= 0xFFE6:
		return true
	}
	return false
}
