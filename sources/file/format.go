package file

import (
	"compress/bzip2"
	"compress/gzip"
	"context"
	"io"
	"os"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/klauspost/compress/zstd"

	"github.com/flightd/flightd/internal/base"
	"github.com/flightd/flightd/sources"
)

// format is a kind of file.
type format struct {
	name    string
	options []string
	// fixed is the schema of a format that has but one.
	fixed *arrow.Schema
	open  func(cfg sources.Config) (opener, error)
}

// opener reads files of a format with certain options.
type opener interface {
	// infer returns the schema of files.
	infer(ctx context.Context, files []fileInfo) (*arrow.Schema, error)
	// check returns an error if the format cannot have the schema.
	check(schema *arrow.Schema) error
	// splits returns the splits of a file.
	splits(ctx context.Context, p *part) ([]sources.Split, error)
}

func formats() []format {
	return []format{parquetFormat(), jsonFormat(), csvFormat(), textFormat()}
}

// Providers returns the providers parquet, json, csv and text.
func Providers() []sources.Provider {
	var out []sources.Provider
	for _, f := range formats() {
		out = append(out, sources.Provider{
			Name:    f.name,
			Options: append(commonOptions(), f.options...),
			Stream: func(ctx context.Context, cfg sources.Config) (sources.Source, error) {
				return openStream(ctx, f, cfg)
			},
			Batch: func(ctx context.Context, cfg sources.Config) (sources.Table, error) {
				return openTable(ctx, f, cfg)
			},
		})
	}
	return out
}

// split is a whole file, or a row group of it.
type split struct {
	name string
	open func(ctx context.Context) (sources.Reader, error)
}

func (s split) Open(ctx context.Context) (sources.Reader, error) { return s.open(ctx) }
func (s split) String() string                                   { return s.name }

// openText opens a file of text, uncompressed by its name's end.
func openText(path string) (io.ReadCloser, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, base.Wrap(err, "opening %s", path)
	}
	var r io.Reader
	closeMore := func() {}
	switch {
	case hasExt(path, ".gz"):
		r, err = gzip.NewReader(f)
	case hasExt(path, ".bz2"):
		r = bzip2.NewReader(f)
	case hasExt(path, ".zst"), hasExt(path, ".zstd"):
		var d *zstd.Decoder
		if d, err = zstd.NewReader(f, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxMemory(128<<20)); err == nil {
			r, closeMore = d, d.Close
		}
	default:
		return f, nil
	}
	if err != nil {
		f.Close()
		return nil, base.Errorf(base.CodeCorrupt, "opening %s", path).Because(err)
	}
	return &unpacked{r: r, f: f, path: path, closeMore: closeMore}, nil
}

// unpacked is a compressed file, read as what it was.
type unpacked struct {
	r         io.Reader
	f         *os.File
	path      string
	closeMore func()
}

func (u *unpacked) Read(b []byte) (int, error) {
	n, err := u.r.Read(b)
	if err != nil && err != io.EOF {
		err = base.Errorf(base.CodeCorrupt, "unpacking %s", u.path).Because(err)
	}
	return n, err
}

func (u *unpacked) Close() error {
	u.closeMore()
	return u.f.Close()
}

// textSplit returns the one split of a file of lines, which decode reads.
func textSplit(p *part, decode func(r io.Reader) (func(rows int) (arrow.RecordBatch, error), error)) []sources.Split {
	return []sources.Split{split{p.file.Path, func(context.Context) (sources.Reader, error) {
		if err := p.unchanged(); err != nil {
			return nil, err
		}
		f, err := openText(p.file.Path)
		if err != nil {
			return nil, err
		}
		next, err := decode(f)
		if err != nil {
			f.Close()
			return nil, err
		}
		return p.newReader(&lineReader{next: next, f: f, rows: p.rows})
	}}}
}

// lineReader is the decoder of a file of lines.
type lineReader struct {
	next func(rows int) (arrow.RecordBatch, error)
	f    io.Closer
	rows int
}

func (l *lineReader) Next(context.Context) (arrow.RecordBatch, error) { return l.next(l.rows) }
func (l *lineReader) Close() error                                    { return l.f.Close() }
