package parquetfile

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/memory"
	"github.com/apache/arrow-go/v18/parquet"
	"github.com/apache/arrow-go/v18/parquet/file"
	"github.com/apache/arrow-go/v18/parquet/metadata"
	"github.com/apache/arrow-go/v18/parquet/pqarrow"

	"github.com/flightd/flightd/internal/base"
	"github.com/flightd/flightd/internal/roots"
)

// maxFooter is the most bytes of a footer that is read.
const maxFooter = 256 << 20

// File is an open Parquet file. Its row groups may be read at the same time.
type File struct {
	path string
	f    *os.File
	size int64
	// cache has memory for readers; it may be nil.
	cache *Cache
	*footer
}

// Footer is a footer that was read, for opening the same file again.
type Footer struct{ *footer }

// footer is what a file says of itself. It is not changed once it is made.
type footer struct {
	meta   *metadata.FileMetaData
	fields *pqarrow.SchemaManifest
	schema *arrow.Schema
	// shortLengths says that the writer was one whose column chunks are longer than
	// the footer says.
	shortLengths bool
}

// Footer returns the file's footer.
func (p *File) Footer() Footer { return Footer{p.footer} }

// Open reads the footer of the file at path. The caller closes the file.
func Open(path string) (*File, error) { return OpenWith(path, Footer{}) }

// OpenWith is Open with a footer that was read before. The caller has made sure
// that the file has not changed since.
func OpenWith(path string, known Footer) (*File, error) {
	return (*Cache)(nil).OpenWith(nil, path, known)
}

// open opens a file whose footer is what known returns, unless that is nil.
func open(disk *roots.Set, path string, known func(os.FileInfo) *footer, cache *Cache) (*File, error) {
	f, err := disk.Open(path)
	if err != nil {
		return nil, base.Errorf(base.CodeNotFound, "opening %s", path).Because(err)
	}
	p := &File{path: path, f: f, cache: cache}
	if err := p.guard(func() error { return p.open(known) }); err != nil {
		f.Close()
		return nil, err
	}
	return p, nil
}

func (p *File) open(known func(os.FileInfo) *footer) error {
	st, err := p.f.Stat()
	if err != nil {
		return err
	}
	if !st.Mode().IsRegular() {
		return fmt.Errorf("it is not a file")
	}
	p.size = st.Size()
	if p.footer = known(st); p.footer != nil {
		return nil
	}
	if err := checkTail(p.f, p.size); err != nil {
		return err
	}
	if p.footer, err = readFooter(p.f); err != nil {
		return err
	}
	p.cache.keep(p.path, st, p.footer)
	return nil
}

func readFooter(f *os.File) (*footer, error) {
	rdr, err := file.NewParquetReader(f, file.WithReadProps(parquet.NewReaderProperties(memory.DefaultAllocator)))
	if err != nil {
		return nil, err
	}
	out := &footer{meta: rdr.MetaData()}
	// Among the writer's own entries may be an Arrow schema, and decoding that takes
	// as much memory as it claims to need. The file's types do without.
	out.meta.FileMetaData.KeyValueMetadata = nil
	out.shortLengths = out.meta.WriterVersion().LessThan(metadata.Parquet816FixedVersion)
	var rows int64
	for i := range rdr.NumRowGroups() {
		n := out.meta.RowGroup(i).NumRows()
		if n < 0 {
			return nil, fmt.Errorf("row group %d claims %d rows", i, n)
		}
		rows += n
	}
	if rows != rdr.NumRows() {
		return nil, fmt.Errorf("row groups have %d rows, the footer says %d", rows, rdr.NumRows())
	}
	arr, err := pqarrow.NewFileReader(rdr, pqarrow.ArrowReadProperties{}, memory.DefaultAllocator)
	if err != nil {
		return nil, err
	}
	out.fields = arr.Manifest
	out.schema, err = arr.Schema()
	return out, err
}

// checkTail compares what the last eight bytes claim with the file's size,
// before anyone takes memory for it.
func checkTail(f *os.File, size int64) error {
	var tail [8]byte
	if size < 12 {
		return fmt.Errorf("%d bytes are no Parquet file", size)
	}
	if _, err := f.ReadAt(tail[:], size-8); err != nil {
		return err
	}
	if bytes.Equal(tail[4:], []byte("PARE")) {
		return fmt.Errorf("its footer is encrypted")
	}
	if !bytes.Equal(tail[4:], []byte("PAR1")) {
		return fmt.Errorf("it does not end in PAR1: truncated, or no Parquet file")
	}
	n := int64(uint32(tail[0]) | uint32(tail[1])<<8 | uint32(tail[2])<<16 | uint32(tail[3])<<24)
	if n > size-12 || n > maxFooter {
		return fmt.Errorf("a footer of %d bytes in a file of %d", n, size)
	}
	return nil
}

// guard runs fn and turns its errors, and panics of the decoder, into Corrupt
// errors that name the file.
func (p *File) guard(fn func() error) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = p.corrupt(fmt.Errorf("decoding panicked: %v", r))
		}
	}()
	err = fn()
	if err == nil || err == io.EOF {
		return err
	}
	var known *base.Error
	if errors.As(err, &known) {
		return err
	}
	if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return err
	}
	return p.corrupt(err)
}

func (p *File) corrupt(err error) error {
	return base.Errorf(base.CodeCorrupt, "reading Parquet file %s", p.path).Because(err)
}

// Close closes the file.
func (p *File) Close() error { return p.f.Close() }

// RowGroups returns the number of row groups.
func (p *File) RowGroups() int { return p.meta.NumRowGroups() }

// Rows returns the number of rows of row group i.
func (p *File) Rows(i int) int64 { return p.meta.RowGroup(i).NumRows() }

// Schema returns the file's columns in the engine's types. A column whose type
// the engine lacks is an error that names it.
func (p *File) Schema() (*arrow.Schema, error) {
	var out []arrow.Field
	for _, f := range p.schema.Fields() {
		t, err := natural(f.Type)
		if err != nil {
			return nil, base.UserError("PARQUET_TYPE_NOT_SUPPORTED", "42846", "Parquet file %s: column %s: %v", p.path, f.Name, err)
		}
		out = append(out, arrow.Field{Name: f.Name, Type: t, Nullable: true})
	}
	return arrow.NewSchema(out, nil), nil
}

// find returns the index of the top-level field for name, −1 if there is none.
func (p *File) find(name string) (int, error) {
	found := -1
	for i, f := range p.schema.Fields() {
		if f.Name == name {
			return i, nil
		}
		if strings.EqualFold(f.Name, name) {
			if found >= 0 {
				return -1, base.Errorf(base.CodeInvalid, "Parquet file %s: column %s could be %s or %s", p.path, name, p.schema.Field(found).Name, f.Name)
			}
			found = i
		}
	}
	return found, nil
}

// leaves appends the leaf column indices below f.
func leaves(f *pqarrow.SchemaField, to []int) []int {
	if f.IsLeaf() {
		return append(to, f.ColIndex)
	}
	for i := range f.Children {
		to = leaves(&f.Children[i], to)
	}
	return to
}
