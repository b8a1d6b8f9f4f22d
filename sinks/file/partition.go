package file

import (
	"context"
	"strings"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/compute"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/flightd/flightd/internal/arrowtext"
)

// hiveNull names the directory of absent values.
const hiveNull = "__HIVE_DEFAULT_PARTITION__"

// escape writes s as Hive names directories: control characters and those with a
// meaning in paths become %XX.
func escape(s string) string {
	const special = "\"#%'*/:=?\\{[]^\x7f"
	const hex = "0123456789ABCDEF"
	var b strings.Builder
	for i := range len(s) {
		if c := s[i]; c < 0x20 || strings.IndexByte(special, c) >= 0 {
			b.Write([]byte{'%', hex[c>>4], hex[c&15]})
		} else {
			b.WriteByte(c)
		}
	}
	return b.String()
}

// directory returns the key=value directories of row i, "" without partitions.
func (s *settings) directory(dst []byte, rec arrow.RecordBatch, i int) []byte {
	for n, c := range s.partition {
		if n > 0 {
			dst = append(dst, '/')
		}
		dst = append(append(dst, escape(rec.ColumnName(c))...), '=')
		text, ok := arrowtext.Value(rec.Column(c), i, nil)
		if !ok || text == "" {
			dst = append(dst, hiveNull...)
		} else {
			dst = append(dst, escape(text)...)
		}
	}
	return dst
}

// piece is the rows of a record batch that go into one directory.
type piece struct {
	dir string
	rec arrow.RecordBatch
}

// pieces cuts rec by directory, in order of their first rows; the columns are
// those of files. The caller releases them.
func (s *settings) pieces(ctx context.Context, rec arrow.RecordBatch) ([]piece, error) {
	cols := make([]arrow.Array, len(s.data))
	for i, c := range s.data {
		cols[i] = rec.Column(c)
	}
	data := array.NewRecordBatch(s.dataSchema, cols, rec.NumRows())
	if len(s.partition) == 0 {
		return []piece{{"", data}}, nil
	}
	defer data.Release()
	place := map[string]int{}
	var dirs []string
	var rows [][]int32
	var name []byte
	for i := range int(rec.NumRows()) {
		name = s.directory(name[:0], rec, i)
		k, ok := place[string(name)]
		if !ok {
			k = len(dirs)
			place[string(name)] = k
			dirs, rows = append(dirs, string(name)), append(rows, nil)
		}
		rows[k] = append(rows[k], int32(i))
	}
	if len(dirs) == 1 {
		data.Retain()
		return []piece{{dirs[0], data}}, nil
	}
	var out []piece
	for k, dir := range dirs {
		b := array.NewInt32Builder(memory.DefaultAllocator)
		b.AppendValues(rows[k], nil)
		idx := b.NewArray()
		got, err := compute.Take(ctx, *compute.DefaultTakeOptions(), compute.NewDatumWithoutOwning(data), compute.NewDatumWithoutOwning(idx))
		idx.Release()
		b.Release()
		if err != nil {
			for _, p := range out {
				p.rec.Release()
			}
			return nil, err
		}
		out = append(out, piece{dir, got.(*compute.RecordDatum).Value})
	}
	return out, nil
}
