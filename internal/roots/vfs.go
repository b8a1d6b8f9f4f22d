package roots

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/flightd/flightd/internal/base"
)

// FS returns the set as the file system of a ledger. A relative name is one of
// the working directory.
func (s *Set) FS() vfs.FS {
	if s == nil {
		return vfs.Default
	}
	return tree{s}
}

// tree is the files of a set. What a ledger does not need is refused.
type tree struct{ set *Set }

var _ vfs.FS = tree{}

func unneeded(what string) error {
	return base.Errorf(base.CodeInternal, "%s on the files of a root", what)
}

func (t tree) open(name string, flag int) (vfs.File, error) {
	path, err := filepath.Abs(name)
	if err != nil {
		return nil, err
	}
	var f *os.File
	if flag == os.O_RDONLY {
		f, err = t.set.Open(path)
	} else {
		f, err = t.set.OpenFile(path, flag, 0o666)
	}
	if err != nil {
		return nil, err
	}
	return file{f}, nil
}

func with(name string, f func(path string) error) error {
	path, err := filepath.Abs(name)
	if err != nil {
		return err
	}
	return f(path)
}

// Create makes a file anew; one of that name is removed first.
func (t tree) Create(name string, _ vfs.DiskWriteCategory) (vfs.File, error) {
	if err := t.Remove(name); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	return t.open(name, os.O_RDWR|os.O_CREATE|os.O_EXCL)
}

// Open opens a file for reading.
func (t tree) Open(name string, opts ...vfs.OpenOption) (vfs.File, error) {
	f, err := t.open(name, os.O_RDONLY)
	if err != nil {
		return nil, err
	}
	for _, o := range opts {
		o.Apply(f)
	}
	return f, nil
}

// OpenReadWrite opens a file or makes it.
func (t tree) OpenReadWrite(name string, _ vfs.DiskWriteCategory, _ ...vfs.OpenOption) (vfs.File, error) {
	return t.open(name, os.O_RDWR|os.O_CREATE)
}

// OpenDir opens a directory for its sync.
func (t tree) OpenDir(name string) (vfs.File, error) { return t.open(name, os.O_RDONLY) }

// Remove removes a file or an empty directory.
func (t tree) Remove(name string) error { return with(name, t.set.Remove) }

// RemoveAll removes a directory with all below it.
func (t tree) RemoveAll(name string) error { return with(name, t.set.RemoveAll) }

// Rename moves a file.
func (t tree) Rename(from, to string) error {
	return with(from, func(from string) error {
		return with(to, func(to string) error { return t.set.Rename(from, to) })
	})
}

// MkdirAll makes a directory and its parents.
func (t tree) MkdirAll(name string, perm os.FileMode) error {
	return with(name, func(path string) error { return t.set.MkdirAll(path, perm) })
}

// Lock locks a file, which it makes if need be, against every other open of it.
func (t tree) Lock(name string) (io.Closer, error) {
	path, err := filepath.Abs(name)
	if err != nil {
		return nil, err
	}
	f, err := t.set.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o666)
	if err != nil {
		return nil, err
	}
	if err := lock(f); err != nil {
		f.Close()
		return nil, err
	}
	return f, nil
}

// List returns the names in a directory.
func (t tree) List(name string) ([]string, error) {
	path, err := filepath.Abs(name)
	if err != nil {
		return nil, err
	}
	found, err := t.set.ReadDir(path)
	var out []string
	for _, d := range found {
		out = append(out, d.Name())
	}
	return out, err
}

// Stat tells about a file.
func (t tree) Stat(name string) (vfs.FileInfo, error) {
	path, err := filepath.Abs(name)
	if err != nil {
		return nil, err
	}
	st, err := t.set.Stat(path)
	if err != nil {
		return nil, err
	}
	return info{st}, nil
}

// PathBase is filepath.Base.
func (tree) PathBase(path string) string { return filepath.Base(path) }

// PathJoin is filepath.Join.
func (tree) PathJoin(elem ...string) string { return filepath.Join(elem...) }

// PathDir is filepath.Dir.
func (tree) PathDir(path string) string { return filepath.Dir(path) }

// Link is not needed.
func (tree) Link(_, _ string) error { return unneeded("a link") }

// ReuseForWrite is not needed.
func (tree) ReuseForWrite(_, _ string, _ vfs.DiskWriteCategory) (vfs.File, error) {
	return nil, unneeded("writing a file again")
}

// GetDiskUsage is not needed.
func (tree) GetDiskUsage(string) (vfs.DiskUsage, error) {
	return vfs.DiskUsage{}, unneeded("asking for space")
}

// Unwrap returns nil: there is nothing below.
func (tree) Unwrap() vfs.FS { return nil }

type info struct{ os.FileInfo }

// DeviceID is unknown.
func (info) DeviceID() vfs.DeviceID { return vfs.DeviceID{} }

type file struct{ *os.File }

// Preallocate does nothing: it is advice.
func (file) Preallocate(_, _ int64) error { return nil }

// Stat tells about the file.
func (f file) Stat() (vfs.FileInfo, error) {
	st, err := f.File.Stat()
	return info{st}, err
}

// SyncTo syncs all of the file.
func (f file) SyncTo(int64) (bool, error) { return true, f.Sync() }

// SyncData syncs the file.
func (f file) SyncData() error { return f.Sync() }

// Prefetch does nothing: it is advice.
func (file) Prefetch(_, _ int64) error { return nil }
