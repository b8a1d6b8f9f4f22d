package file

import (
	"bufio"
	"compress/gzip"
	"io"
	"os"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/klauspost/compress/zstd"

	"github.com/flightd/flightd/internal/atomicfile"
	"github.com/flightd/flightd/sinks/parquetfile"
	"github.com/flightd/flightd/sinks/rowtext"
)

// encoder writes record batches into one file. Its bytes depend on the rows
// only.
type encoder interface {
	Write(rec arrow.RecordBatch) error
	// Close ends the file and syncs it.
	Close() error
	// Abort closes the file as it is.
	Abort()
}

// ext is how the names of files end.
func (s *settings) ext() string {
	pack := map[string]string{"gzip": ".gz", "zstd": ".zst", "snappy": ".snappy"}[s.compression]
	switch s.format {
	case "parquet":
		return pack + ".parquet"
	case "text":
		return ".txt" + pack
	}
	return "." + s.format + pack
}

func (s *settings) newEncoder(path string) (encoder, error) {
	f, err := s.disk.Create(path)
	if err != nil {
		return nil, err
	}
	if s.format == "parquet" {
		return parquetfile.New(f, s.dataSchema, s.compression), nil
	}
	t := &textEncoder{set: s, f: f}
	t.buf = bufio.NewWriterSize(f, 256<<10)
	t.w = t.buf
	switch s.compression {
	case "gzip":
		t.pack = gzip.NewWriter(t.buf)
	case "zstd":
		t.pack, err = zstd.NewWriter(t.buf, zstd.WithEncoderLevel(zstd.SpeedFastest), zstd.WithEncoderConcurrency(1))
	}
	if err != nil {
		f.Close()
		return nil, err
	}
	if t.pack != nil {
		t.w = t.pack
	}
	if s.format == "csv" && s.header {
		t.line = append(s.csv.AppendHeader(nil, s.dataSchema), s.lineSep...)
		_, err = t.w.Write(t.line)
	}
	return t, err
}

// textEncoder writes lines.
type textEncoder struct {
	set           *settings
	f             *os.File
	buf           *bufio.Writer
	pack          io.WriteCloser // nil without compression
	w             io.Writer
	line, scratch []byte
}

func (t *textEncoder) Write(rec arrow.RecordBatch) error {
	row := rowtext.NewRow(rec)
	for i := range int(rec.NumRows()) {
		t.line = t.line[:0]
		switch t.set.format {
		case "json":
			t.line = row.AppendJSON(t.line, i, t.set.keepNulls)
		case "csv":
			t.line = row.AppendCSV(t.line, i, &t.set.csv, &t.scratch)
		default:
			if c := rec.Column(0).(*array.String); c.IsValid(i) {
				t.line = append(t.line, c.Value(i)...)
			}
		}
		t.line = append(t.line, t.set.lineSep...)
		if _, err := t.w.Write(t.line); err != nil {
			return err
		}
	}
	return nil
}

func (t *textEncoder) Close() error {
	var err error
	if t.pack != nil {
		err = t.pack.Close()
	}
	if e := t.buf.Flush(); err == nil {
		err = e
	}
	if e := atomicfile.SyncClose(t.f, err == nil); err == nil {
		err = e
	}
	return err
}

func (t *textEncoder) Abort() {
	if t.pack != nil {
		t.pack.Close()
	}
	t.f.Close()
}
