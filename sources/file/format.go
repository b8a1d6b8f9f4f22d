package file

import (
	"compress/bzip2"
	"compress/gzip"
	"context"
	"fmt"
	"io"
	"os"
	"slices"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/klauspost/compress/zstd"

	"github.com/flightd/flightd/internal/base"
	"github.com/flightd/flightd/internal/roots"
	"github.com/flightd/flightd/sources"
	"github.com/flightd/flightd/sources/columnar"
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

// split is a whole file, a row group of it, or a range of its lines.
type split struct {
	name string
	open func(ctx context.Context) (sources.Reader, error)
}

func (s split) Open(ctx context.Context) (sources.Reader, error) { return s.open(ctx) }
func (s split) String() string                                   { return s.name }

// openText opens a file of text, uncompressed by its name's end.
func openText(disk *roots.Set, path string) (io.ReadCloser, error) {
	f, err := disk.Open(path)
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

// packedExts are the ends of names of compressed files.
func packedExts() []string { return []string{".gz", ".bz2", ".zst", ".zstd"} }

// ranges cuts a file of lines that end in sep into parts of about size bytes.
// The cuts depend on nothing but the file's length and name.
func (p *part) ranges(sep string) []columnar.Range {
	size := p.splitBytes
	n := (p.file.Size + size/2) / size
	if len(sep) > 1 || n <= 1 || slices.ContainsFunc(packedExts(), func(ext string) bool { return hasExt(p.file.Path, ext) }) {
		return []columnar.Range{columnar.WholeFile()}
	}
	out := make([]columnar.Range, n)
	for i := range out {
		// The quotient and the rest apart, for a product might overflow.
		at := func(i int64) int64 { return p.file.Size/n*i + p.file.Size%n*i/n }
		out[i] = columnar.Range{Begin: at(int64(i)), End: at(int64(i) + 1)}
	}
	return out
}

// lineDecoder makes the reader of the lines of a range; r reads the file from the
// begin of the range on.
type lineDecoder func(r io.Reader, in columnar.Range) (func(rows int) (arrow.RecordBatch, error), error)

// textSplits returns the splits of a file of lines that end in sep; each is read
// by itself.
func (p *part) textSplits(sep string, decode lineDecoder) []sources.Split {
	var out []sources.Split
	ranges := p.ranges(sep)
	for _, in := range ranges {
		name := p.file.Path
		if len(ranges) > 1 {
			name = fmt.Sprintf("%s, bytes %d to %d", p.file.Path, in.Begin, in.End)
		}
		out = append(out, split{name, func(context.Context) (sources.Reader, error) {
			if err := p.unchanged(); err != nil {
				return nil, err
			}
			f, err := openText(p.layout.set.disk, p.file.Path)
			if err != nil {
				return nil, err
			}
			var r io.Reader = f
			if file, ok := f.(*os.File); ok && len(ranges) > 1 {
				r = io.NewSectionReader(file, in.Begin, p.file.Size-in.Begin)
			}
			next, err := decode(r, in)
			if err != nil {
				f.Close()
				return nil, err
			}
			return p.newReader(&lineReader{next: next, f: f, rows: p.rows})
		}})
	}
	return out
}

// lineReader is the decoder of a file of lines.
type lineReader struct {
	next func(rows int) (arrow.RecordBatch, error)
	f    io.Closer
	rows int
}

func (l *lineReader) Next(context.Context) (arrow.RecordBatch, error) { return l.next(l.rows) }
func (l *lineReader) Close() error                                    { return l.f.Close() }
