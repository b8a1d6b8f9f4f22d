package roots

import (
	"io"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"

	"github.com/flightd/flightd/internal/base"
)

// Open opens a file or directory for reading.
func (s *Set) Open(path string) (*os.File, error) {
	if s == nil {
		return os.Open(path)
	}
	// Without waiting for the other end, should it be a pipe.
	f, err := s.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, err
	}
	st, err := f.Stat()
	if err == nil && !st.Mode().IsRegular() && !st.IsDir() {
		err = base.Errorf(base.CodeInvalid, "opening %s: it is neither a file nor a directory", path)
	}
	if err != nil {
		f.Close()
		return nil, err
	}
	return f, nil
}

// OpenFile is os.OpenFile.
func (s *Set) OpenFile(path string, flag int, perm fs.FileMode) (*os.File, error) {
	if s == nil {
		return os.OpenFile(path, flag, perm)
	}
	root, rel, err := s.find(path)
	if err != nil {
		return nil, err
	}
	f, err := root.OpenFile(rel, flag, perm)
	return f, s.outcome(err, path)
}

// Create makes or empties a file.
func (s *Set) Create(path string) (*os.File, error) {
	return s.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_TRUNC, 0o666)
}

// CreateTemp makes a file in dir whose name is new: pattern with a number for
// its last *.
func (s *Set) CreateTemp(dir, pattern string) (*os.File, error) {
	if s == nil {
		return os.CreateTemp(dir, pattern)
	}
	before, after := pattern, ""
	if i := strings.LastIndexByte(pattern, '*'); i >= 0 {
		before, after = pattern[:i], pattern[i+1:]
	}
	for {
		path := filepath.Join(dir, before+strconv.FormatUint(uint64(rand.Uint32()), 10)+after)
		f, err := s.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600)
		if os.IsExist(err) {
			continue
		}
		if err != nil {
			return nil, err
		}
		return f, nil
	}
}

// Stat is os.Stat: links are followed.
func (s *Set) Stat(path string) (fs.FileInfo, error) {
	if s == nil {
		return os.Stat(path)
	}
	root, rel, err := s.find(path)
	if err != nil {
		return nil, err
	}
	st, err := root.Stat(rel)
	return st, s.outcome(err, path)
}

// ReadFile returns the content of a file.
func (s *Set) ReadFile(path string) ([]byte, error) {
	if s == nil {
		return os.ReadFile(path)
	}
	f, err := s.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return io.ReadAll(f)
}

// ReadDir lists a directory by name.
func (s *Set) ReadDir(path string) ([]fs.DirEntry, error) {
	if s == nil {
		return os.ReadDir(path)
	}
	root, rel, err := s.find(path)
	if err != nil {
		return nil, err
	}
	out, err := fs.ReadDir(root.FS(), filepath.ToSlash(rel))
	return out, s.outcome(err, path)
}

// WalkDir is filepath.WalkDir.
func (s *Set) WalkDir(path string, f fs.WalkDirFunc) error {
	if s == nil {
		return filepath.WalkDir(path, f)
	}
	root, rel, err := s.find(path)
	if err != nil {
		return err
	}
	return fs.WalkDir(root.FS(), filepath.ToSlash(rel), func(at string, d fs.DirEntry, err error) error {
		r, e := filepath.Rel(rel, at)
		if e != nil {
			return e
		}
		full := filepath.Join(path, r)
		return f(full, d, s.outcome(err, full))
	})
}

// Glob is filepath.Glob. The part of the pattern that leads to a directory of the
// set has no pattern characters.
func (s *Set) Glob(pattern string) ([]string, error) {
	if s == nil {
		return filepath.Glob(pattern)
	}
	pattern = filepath.Clean(pattern)
	root, rel, err := s.find(pattern)
	if err != nil {
		return nil, err
	}
	found, err := fs.Glob(root.FS(), filepath.ToSlash(rel))
	if err != nil {
		return nil, err
	}
	at := strings.TrimSuffix(pattern, rel)
	for i, f := range found {
		found[i] = filepath.Join(at, f)
	}
	return found, nil
}

// MkdirAll makes a directory and its parents.
func (s *Set) MkdirAll(path string, perm fs.FileMode) error {
	if s == nil {
		return os.MkdirAll(path, perm)
	}
	root, rel, err := s.find(path)
	if err != nil || rel == "." {
		return err
	}
	return s.outcome(root.MkdirAll(rel, perm), path)
}

// Remove removes a file or an empty directory.
func (s *Set) Remove(path string) error {
	if s == nil {
		return os.Remove(path)
	}
	root, rel, err := s.find(path)
	if err != nil {
		return err
	}
	return s.outcome(root.Remove(rel), path)
}

// RemoveAll removes a directory with all below it, if it is there.
func (s *Set) RemoveAll(path string) error {
	if s == nil {
		return os.RemoveAll(path)
	}
	root, rel, err := s.find(path)
	if err != nil {
		return err
	}
	return s.outcome(root.RemoveAll(rel), path)
}

// Rename moves a file; both names lie under the same directory of the set.
func (s *Set) Rename(from, to string) error {
	if s == nil {
		return os.Rename(from, to)
	}
	return s.both(from, to, (*os.Root).Rename)
}

// Link gives a file a second name; both lie under the same directory of the set.
func (s *Set) Link(from, to string) error {
	if s == nil {
		return os.Link(from, to)
	}
	return s.both(from, to, (*os.Root).Link)
}

func (s *Set) both(from, to string, f func(root *os.Root, from, to string) error) error {
	a, relA, err := s.find(from)
	if err != nil {
		return err
	}
	b, relB, err := s.find(to)
	if err != nil {
		return err
	}
	if a != b {
		return base.Errorf(base.CodeInvalid, "%s and %s lie under different roots", from, to).WithHint("a file is moved within one root only")
	}
	err = f(a, relA, relB)
	var link *os.LinkError
	if le, ok := err.(*os.LinkError); ok { //nolint:errorlint // the package os returns it bare
		link = le
		if link.Err.Error() == "path escapes from parent" {
			return s.refuse(to)
		}
		return &os.LinkError{Op: link.Op, Old: from, New: to, Err: link.Err}
	}
	return s.outcome(err, to)
}
