package roots

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/flightd/flightd/internal/base"
)

// A Set is the directories that may be used. It may be used from any goroutine.
type Set struct {
	dirs []dir
	// private are absolute paths, as named and without links, that are refused
	// with all below them.
	private []string
}

// dir is one of the directories.
type dir struct {
	// names are the absolute paths that lead to it: as given, and without links.
	names []string
	root  *os.Root
}

// New opens directories. What private names, below them or not, need not exist.
// The caller closes the set.
func New(dirs, private []string) (*Set, error) {
	s := &Set{}
	for _, name := range dirs {
		d, err := open(name)
		if err != nil {
			s.Close()
			return nil, base.Errorf(base.CodeInvalid, "the root %s: %v", name, err).WithHint("--root names a directory that exists")
		}
		s.dirs = append(s.dirs, d)
	}
	for _, name := range private {
		abs, err := filepath.Abs(name)
		if err != nil {
			s.Close()
			return nil, base.Wrap(err, "the private path %s", name)
		}
		s.private = append(s.private, abs, resolved(abs))
	}
	return s, nil
}

func open(name string) (dir, error) {
	abs, err := filepath.Abs(name)
	if err != nil {
		return dir{}, err
	}
	real, err := filepath.EvalSymlinks(abs)
	if err != nil {
		return dir{}, err
	}
	root, err := os.OpenRoot(real)
	return dir{names: slices.Compact([]string{abs, real}), root: root}, err
}

// Close lets go of the directories.
func (s *Set) Close() error {
	if s == nil {
		return nil
	}
	var err error
	for _, d := range s.dirs {
		err = errors.Join(err, d.root.Close())
	}
	return err
}

// Names lists the directories as they were given.
func (s *Set) Names() []string {
	if s == nil {
		return nil
	}
	var out []string
	for _, d := range s.dirs {
		out = append(out, d.names[0])
	}
	return out
}

// Check refuses a path that no operation would accept. It is for an early
// message: what it lets pass is checked again when it is used.
func (s *Set) Check(path string) error {
	if s == nil {
		return nil
	}
	_, _, err := s.find(path)
	return err
}

// find returns the directory that path lies in, by name, and its name there.
func (s *Set) find(path string) (*os.Root, string, error) {
	path = filepath.Clean(path)
	var root *os.Root
	rel, longest := "", -1
	for _, d := range s.dirs {
		for _, name := range d.names {
			if r, ok := below(name, path); ok && len(name) > longest {
				root, rel, longest = d.root, r, len(name)
			}
		}
	}
	if root == nil || strings.ContainsRune(path, 0) || s.isPrivate(path) {
		return nil, "", s.refuse(path)
	}
	return root, rel, nil
}

// below returns path as seen from dir; ok is false if it lies elsewhere.
func below(dir, path string) (rel string, ok bool) {
	if path == dir {
		return ".", true
	}
	rel, ok = strings.CutPrefix(path, strings.TrimSuffix(dir, "/")+"/")
	return rel, ok && filepath.IsLocal(rel)
}

func (s *Set) isPrivate(path string) bool {
	if len(s.private) == 0 {
		return false
	}
	real := resolved(path)
	for _, p := range s.private {
		if _, ok := below(p, path); ok {
			return true
		}
		if _, ok := below(p, real); ok {
			return true
		}
	}
	return false
}

// resolved returns path without links, as far as it exists.
func resolved(path string) string {
	rest := ""
	for at := path; ; at = filepath.Dir(at) {
		if real, err := filepath.EvalSymlinks(at); err == nil {
			return filepath.Join(real, rest)
		}
		if at == filepath.Dir(at) {
			return path
		}
		rest = filepath.Join(filepath.Base(at), rest)
	}
}

func (s *Set) refuse(path string) error {
	e := base.UserError("PATH_NOT_ALLOWED", "42501", "The path %q is not one that this server may use.", path).
		WithHint("it uses files below %s; flightd serve --root DIR adds a directory", strings.Join(s.Names(), ", "))
	e.Code = base.CodeDenied
	return e
}

// outcome gives an error of a root the name that the user knows, and the shape
// of a refusal if a link led out of the root.
func (s *Set) outcome(err error, path string) error {
	if err == nil {
		return nil
	}
	var p *fs.PathError
	if !errors.As(err, &p) {
		return err
	}
	// The package os has no name for the error of a path that leads out.
	if p.Err.Error() == "path escapes from parent" {
		return s.refuse(path)
	}
	return &fs.PathError{Op: p.Op, Path: path, Err: p.Err}
}
