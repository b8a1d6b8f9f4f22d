package checkpoint

import (
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	iofs "io/fs"
	"strings"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/flightd/flightd/internal/base"
)

// Names of files in a ledger's directory.
const (
	lockName       = "LOCK"
	segmentPrefix  = "ledger-"
	changesPrefix  = "changes-"
	snapshotPrefix = "snapshot-"
	foldsPrefix    = "folds-"
	tmpSuffix      = ".tmp"

	writeCategory vfs.DiskWriteCategory = "ledger"
)

func segmentName(n int) string         { return fmt.Sprintf("%s%06d", segmentPrefix, n) }
func changesName(e base.Epoch) string  { return fmt.Sprintf("%s%012d", changesPrefix, e) }
func snapshotName(e base.Epoch) string { return fmt.Sprintf("%s%012d", snapshotPrefix, e) }
func foldsName(e base.Epoch) string    { return fmt.Sprintf("%s%012d", foldsPrefix, e) }
func (l *Ledger) path(n string) string { return l.fs.PathJoin(l.dir, n) }
func isBlob(name string) bool {
	for _, p := range []string{changesPrefix, snapshotPrefix, foldsPrefix} {
		if strings.HasPrefix(name, p) {
			return true
		}
	}
	return false
}

// checksum counts and sums what is written through it, or read.
type checksum struct {
	n   int64
	crc uint32
}

func (c *checksum) add(b []byte) {
	c.n += int64(len(b))
	c.crc = crc32.Update(c.crc, castagnoli(), b)
}

// blobWriter writes in parts of some size to a file. The slice it is given may
// not be changed, which a vfs.File may do.
type blobWriter struct {
	f   vfs.File
	sum checksum
	buf []byte
}

func (w *blobWriter) Write(p []byte) (int, error) {
	w.sum.add(p)
	n := len(p)
	for len(p) > 0 {
		k := min(len(p), cap(w.buf)-len(w.buf))
		w.buf = append(w.buf, p[:k]...)
		p = p[k:]
		if len(w.buf) == cap(w.buf) {
			if err := w.flush(); err != nil {
				return 0, err
			}
		}
	}
	return n, nil
}

func (w *blobWriter) flush() error {
	_, err := w.f.Write(w.buf)
	w.buf = w.buf[:0]
	return err
}

// writeBlob makes a file that is whole and on disk, or is not there under its
// name.
func (l *Ledger) writeBlob(name string, fill func(io.Writer) error) (ref BlobRef, err error) {
	tmp := l.path(name + tmpSuffix)
	f, err := l.fs.Create(tmp, writeCategory)
	if err != nil {
		return ref, err
	}
	w := &blobWriter{f: f, buf: make([]byte, 0, 1<<18)}
	err = fill(w)
	if err == nil {
		err = w.flush()
	}
	if err == nil {
		err = f.Sync()
	}
	if e := f.Close(); err == nil {
		err = e
	}
	if err == nil {
		err = l.fs.Rename(tmp, l.path(name))
	}
	if err == nil {
		err = l.syncDir(l.dir)
	}
	if err != nil {
		_ = l.fs.Remove(tmp)
		return ref, err
	}
	return BlobRef{Name: name, Len: w.sum.n, CRC: w.sum.crc}, nil
}

func (l *Ledger) syncDir(dir string) error {
	d, err := l.fs.OpenDir(dir)
	if err != nil {
		return diskError(err)
	}
	err = d.Sync()
	if e := d.Close(); err == nil {
		err = e
	}
	return diskError(err)
}

// blobReader reads a blob and compares it, at its end, with what it must be.
type blobReader struct {
	f   vfs.File
	ref BlobRef
	sum checksum
}

func (r *blobReader) Read(p []byte) (int, error) {
	left := r.ref.Len - r.sum.n
	if left == 0 {
		if r.sum.crc != r.ref.CRC {
			return 0, base.Errorf(base.CodeCorrupt, "bad checksum %08x, want %08x", r.sum.crc, r.ref.CRC)
		}
		return 0, io.EOF
	}
	if int64(len(p)) > left {
		p = p[:left]
	}
	n, err := r.f.Read(p)
	r.sum.add(p[:n])
	if err == io.EOF && r.sum.n < r.ref.Len {
		err = base.Errorf(base.CodeCorrupt, "it has %d bytes, want %d", r.sum.n, r.ref.Len)
	} else if err == io.EOF && n > 0 {
		err = nil // the end is told when the checksum has been looked at
	}
	return n, err
}

// readBlob calls use with the contents of a blob. A file that is not there, or
// has other contents, is a Corrupt error; use may see damaged bytes before that.
func readBlob(fs vfs.FS, dir string, ref BlobRef, use func(io.Reader) error) error {
	f, err := fs.Open(fs.PathJoin(dir, ref.Name))
	if errors.Is(err, iofs.ErrNotExist) {
		return base.Errorf(base.CodeCorrupt, "file %s is missing", ref.Name)
	}
	if err != nil {
		return base.Wrap(diskError(err), "file %s", ref.Name)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return base.Wrap(diskError(err), "file %s", ref.Name)
	}
	if info.Size() != ref.Len {
		return base.Errorf(base.CodeCorrupt, "file %s: it has %d bytes, want %d", ref.Name, info.Size(), ref.Len)
	}
	r := &blobReader{f: f, ref: ref}
	if err := use(r); err != nil {
		return base.Wrap(diskError(err), "file %s", ref.Name)
	}
	// What use did not read is checked as well.
	_, err = io.Copy(io.Discard, r)
	return base.Wrap(diskError(err), "file %s", ref.Name)
}

// ReadSnapshot calls restore with the contents of a snapshot. A Corrupt error,
// even after restore returned nil, means that what restore made must be dropped.
func (l *Ledger) ReadSnapshot(s Snapshot, restore func(io.Reader) error) error {
	return base.Wrap(readBlob(l.fs, l.dir, s.File, restore), "reading snapshot of epoch %d", s.Epoch)
}

// ReadChanges returns the state changes of an epoch.
func (l *Ledger) ReadChanges(c Changes) ([]byte, error) {
	if c.ref == nil {
		return c.inline, nil
	}
	b, err := readAll(l.fs, l.dir, *c.ref)
	return b, base.Wrap(err, "reading state changes of epoch %d", c.Epoch)
}

// readAll reads a blob into memory: as much as the file has, which is compared
// with the reference first.
func readAll(fs vfs.FS, dir string, ref BlobRef) (b []byte, err error) {
	err = readBlob(fs, dir, ref, func(r io.Reader) error {
		b = make([]byte, ref.Len)
		_, err := io.ReadFull(r, b)
		return err
	})
	return b, err
}
