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
)

// maxFooter is the most bytes of a footer that is read.
const maxFooter = 256 << 20

// File is an open Parquet file.
type File struct {
	path   string
	f      *os.File
	rdr    *file.Reader
	arrow  *pqarrow.FileReader
	schema *arrow.Schema
}

// Footer is a footer that was read, for opening the same file again.
type Footer struct{ meta *metadata.FileMetaData }

// Footer returns the file's footer.
func (p *File) Footer() Footer { return Footer{p.rdr.MetaData()} }

// Open reads the footer of the file at path. The caller closes the file.
func Open(path string) (*File, error) { return OpenWith(path, Footer{}) }

// OpenWith is Open with a footer that was read before. The caller has made sure
// that the file has not changed since.
func OpenWith(path string, known Footer) (*File, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, base.Errorf(base.CodeNotFound, "opening %s", path).Because(err)
	}
	p := &File{path: path, f: f}
	if err := p.guard(func() error { return p.footer(known.meta) }); err != nil {
		f.Close()
		return nil, err
	}
	return p, nil
}

func (p *File) footer(known *metadata.FileMetaData) error {
	opts := []file.ReadOption{file.WithReadProps(parquet.NewReaderProperties(memory.DefaultAllocator))}
	if known != nil {
		opts = append(opts, file.WithMetadata(known))
	} else if err := checkTail(p.f); err != nil {
		return err
	}
	rdr, err := file.NewParquetReader(p.f, opts...)
	if err != nil {
		return err
	}
	p.rdr = rdr
	var rows int64
	for i := range rdr.NumRowGroups() {
		n := rdr.MetaData().RowGroup(i).NumRows()
		if n < 0 {
			return fmt.Errorf("row group %d claims %d rows", i, n)
		}
		rows += n
	}
	if rows != rdr.NumRows() {
		return fmt.Errorf("row groups have %d rows, the footer says %d", rows, rdr.NumRows())
	}
	if p.arrow, err = pqarrow.NewFileReader(rdr, pqarrow.ArrowReadProperties{}, memory.DefaultAllocator); err != nil {
		return err
	}
	p.schema, err = p.arrow.Schema()
	return err
}

// checkTail compares what the last eight bytes claim with the file's size,
// before anyone takes memory for it.
func checkTail(f *os.File) error {
	st, err := f.Stat()
	if err != nil {
		return err
	}
	if !st.Mode().IsRegular() {
		return fmt.Errorf("it is not a file")
	}
	var tail [8]byte
	if st.Size() < 12 {
		return fmt.Errorf("%d bytes are no Parquet file", st.Size())
	}
	if _, err := f.ReadAt(tail[:], st.Size()-8); err != nil {
		return err
	}
	if bytes.Equal(tail[4:], []byte("PARE")) {
		return fmt.Errorf("its footer is encrypted")
	}
	if !bytes.Equal(tail[4:], []byte("PAR1")) {
		return fmt.Errorf("it does not end in PAR1: truncated, or no Parquet file")
	}
	n := int64(uint32(tail[0]) | uint32(tail[1])<<8 | uint32(tail[2])<<16 | uint32(tail[3])<<24)
	if n > st.Size()-12 || n > maxFooter {
		return fmt.Errorf("a footer of %d bytes in a file of %d", n, st.Size())
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
func (p *File) RowGroups() int { return p.rdr.NumRowGroups() }

// Rows returns the number of rows of row group i.
func (p *File) Rows(i int) int64 { return p.rdr.MetaData().RowGroup(i).NumRows() }

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
