package gen

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/parquet"
	"github.com/apache/arrow-go/v18/parquet/compress"
	"github.com/apache/arrow-go/v18/parquet/pqarrow"
)

// Files writes the table into a folder below dir, perFile rows a file, and
// returns the folder. One that is there already is used as it is.
func (t *Table) Files(dir string, seed uint64, rows, perFile int) (string, error) {
	rows = t.Size(rows)
	folder := filepath.Join(dir, fmt.Sprintf("%s-%d-%d-%d-%s", t.Name, seed, rows, perFile, t.fingerprint()))
	if _, err := os.Stat(folder); err == nil {
		return folder, nil
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return "", err
	}
	made, err := os.MkdirTemp(dir, "making-")
	if err != nil {
		return "", err
	}
	defer os.RemoveAll(made)
	if err := os.Chmod(made, 0o755); err != nil {
		return "", err
	}
	if err := t.write(made, seed, rows, perFile); err != nil {
		return "", fmt.Errorf("generating table %s: %w", t.Name, err)
	}
	// Another process may have been faster: its files are the same.
	if err := os.Rename(made, folder); err != nil {
		if _, there := os.Stat(folder); there != nil {
			return "", err
		}
	}
	return folder, nil
}

// write makes the files, two at a time.
func (t *Table) write(dir string, seed uint64, rows, perFile int) error {
	var next atomic.Int64
	var wg sync.WaitGroup
	errs := make([]error, 2)
	for w := range errs {
		wg.Go(func() {
			for errs[w] == nil {
				i := int(next.Add(1)) - 1
				if i*perFile >= rows {
					return
				}
				errs[w] = t.writeFile(dir, i, seed, i*perFile, min(perFile, rows-i*perFile))
			}
		})
	}
	wg.Wait()
	return errors.Join(errs...)
}

func (t *Table) writeFile(dir string, i int, seed uint64, from, rows int) error {
	name := filepath.Join(dir, fmt.Sprintf("%05d.%s", i, t.Format))
	f, err := os.Create(name)
	if err != nil {
		return err
	}
	write := t.writeParquet
	if t.Format == JSON {
		write = t.writeJSON
	}
	if err := errors.Join(write(f, seed, from, rows), f.Close()); err != nil {
		return err
	}
	// A stream takes files by modification time.
	at := time.Unix(1767225600+int64(i), 0)
	return os.Chtimes(name, at, at)
}

const (
	// batchRows are written at a time.
	batchRows = 64 << 10
	// groupRows is the size of a row group.
	groupRows = 512 << 10
)

// writeParquet writes what most writers write by default: snappy, dictionary
// pages while they are worth it.
func (t *Table) writeParquet(f io.Writer, seed uint64, from, rows int) error {
	props := parquet.NewWriterProperties(parquet.WithCompression(compress.Codecs.Snappy), parquet.WithMaxRowGroupLength(groupRows))
	// Not closing f: it is closed, and its error seen, by the caller.
	w, err := pqarrow.NewFileWriter(t.Schema(), struct{ io.Writer }{f}, props, pqarrow.DefaultWriterProps())
	if err != nil {
		return err
	}
	for at := 0; at < rows; at += batchRows {
		rec := t.Record(seed, from+at, min(batchRows, rows-at))
		err := w.WriteBuffered(rec)
		rec.Release()
		if err != nil {
			return errors.Join(err, w.Close())
		}
	}
	return w.Close()
}

// writeJSON writes one object a line.
func (t *Table) writeJSON(f io.Writer, seed uint64, from, rows int) error {
	out := bufio.NewWriterSize(f, 1<<20)
	var line []byte
	for at := 0; at < rows; at += batchRows {
		rec := t.Record(seed, from+at, min(batchRows, rows-at))
		for row := range int(rec.NumRows()) {
			line = append(line[:0], '{')
			for c, col := range t.Columns {
				if c > 0 {
					line = append(line, ',')
				}
				line = append(append(append(line, '"'), col.Name...), '"', ':')
				line = appendJSON(line, rec.Column(c), row)
			}
			if _, err := out.Write(append(line, '}', '\n')); err != nil {
				return err
			}
		}
		rec.Release()
	}
	return out.Flush()
}

// appendJSON appends a value as JSON; the bench's strings need no escapes.
func appendJSON(line []byte, col arrow.Array, row int) []byte {
	if col.IsNull(row) {
		return append(line, "null"...)
	}
	switch col := col.(type) {
	case *array.Int64:
		return strconv.AppendInt(line, col.Value(row), 10)
	case *array.Float64:
		return strconv.AppendFloat(line, col.Value(row), 'g', -1, 64)
	case *array.Timestamp:
		line = append(line, '"')
		line = time.UnixMicro(int64(col.Value(row))).UTC().AppendFormat(line, "2006-01-02T15:04:05.000Z")
		return append(line, '"')
	case *array.String:
		return append(append(append(line, '"'), col.Value(row)...), '"')
	}
	return append(line, col.ValueStr(row)...)
}
