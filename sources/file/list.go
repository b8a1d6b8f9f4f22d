package file

import (
	"context"
	"errors"
	"io/fs"
	"path/filepath"
	"sort"
	"strings"

	"github.com/flightd/flightd/internal/base"
	"github.com/flightd/flightd/internal/manifest"
)

// fileInfo is a file that was found.
type fileInfo struct {
	path  string
	size  int64
	mtime int64 // microseconds since 1970
	pairs []pair
}

// maxDirDepth bounds the descent, so that a link to its own parent ends.
const maxDirDepth = 64

// list returns the data files, in the order in which a stream takes them:
// modification time, then path. Files that known reports are left out, and are not
// looked at: most of a stream's directory is what it has read. It may be nil.
func (s *settings) list(ctx context.Context, known func(path string) bool) ([]fileInfo, error) {
	if known == nil {
		known = func(string) bool { return false }
	}
	roots, err := s.roots()
	if err != nil {
		return nil, err
	}
	var out []fileInfo
	for _, root := range roots {
		st, err := s.disk.Stat(root)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, base.Wrap(err, "listing %s", root)
		}
		if !st.IsDir() {
			if s.wanted(filepath.Base(root)) {
				out = append(out, s.info(root, st, filepath.Dir(root)))
			}
			continue
		}
		if log := manifest.Open(s.disk, root); log.Exists() {
			if out, err = s.fromManifest(log, root, known, out); err != nil {
				return nil, err
			}
			continue
		}
		if out, err = s.walk(ctx, root, root, 0, known, out); err != nil {
			return nil, err
		}
	}
	sort.Slice(out, func(i, j int) bool {
		if out[i].mtime != out[j].mtime {
			return out[i].mtime < out[j].mtime
		}
		return out[i].path < out[j].path
	})
	return dropRepeated(out), nil
}

// dropRepeated removes a path that two patterns found.
func dropRepeated(in []fileInfo) []fileInfo {
	out := in[:0]
	for i, f := range in {
		if i == 0 || f.path != in[i-1].path {
			out = append(out, f)
		}
	}
	return out
}

func (s *settings) info(path string, st fs.FileInfo, root string) fileInfo {
	f := fileInfo{path: path, size: st.Size(), mtime: st.ModTime().UnixMicro()}
	if s.base != "" {
		root = s.base
	}
	if !s.deep {
		f.pairs = pairs(root, path)
	}
	return f
}

// walk lists the files of dir and of its key=value directories; of all
// directories with recursiveFileLookup.
func (s *settings) walk(ctx context.Context, dir, root string, depth int, known func(string) bool, out []fileInfo) ([]fileInfo, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if depth > maxDirDepth {
		return nil, base.Errorf(base.CodeInvalid, "listing %s: more than %d directories deep", root, maxDirDepth)
	}
	names, err := s.disk.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) && depth > 0 {
		return out, nil
	}
	if err != nil {
		return nil, base.Wrap(err, "listing %s", dir)
	}
	for _, d := range names {
		if hidden(d.Name()) {
			continue
		}
		path := filepath.Join(dir, d.Name())
		if d.Type().IsRegular() && known(path) {
			continue
		}
		st, err := s.disk.Stat(path) // follows links
		if errors.Is(err, fs.ErrNotExist) {
			continue // gone since ReadDir
		}
		if err != nil {
			return nil, base.Wrap(err, "listing %s", path)
		}
		switch {
		case st.IsDir():
			if _, ok := parsePair(d.Name()); ok || s.deep {
				if out, err = s.walk(ctx, path, root, depth+1, known, out); err != nil {
					return nil, err
				}
			}
		case st.Mode().IsRegular() && s.wanted(d.Name()):
			out = append(out, s.info(path, st, root))
		}
	}
	return out, nil
}

// fromManifest appends the files that the manifest of root names.
func (s *settings) fromManifest(log manifest.Log, root string, known func(string) bool, out []fileInfo) ([]fileInfo, error) {
	entries, _, err := log.Read()
	if err != nil {
		return nil, err
	}
	for _, e := range entries {
		path, err := e.File()
		if err != nil {
			return nil, base.Wrap(err, "listing %s", root)
		}
		if e.IsDir || !s.wanted(filepath.Base(path)) || known(path) {
			continue
		}
		st, err := s.disk.Stat(path)
		if err != nil || st.Size() != e.Size {
			return nil, base.Errorf(base.CodeCorrupt, "the manifest of %s names %s with %d bytes, but it is not there with that size", root, path, e.Size)
		}
		f := s.info(path, st, root)
		out = append(out, f)
	}
	return out, nil
}

func (s *settings) wanted(name string) bool {
	if s.filter == "" {
		return !hidden(name)
	}
	for _, p := range braces(s.filter) {
		if ok, _ := filepath.Match(p, name); ok {
			return !hidden(name)
		}
	}
	return false
}

// hidden reports whether name belongs to some system: metadata, or a file that
// is being copied.
func hidden(name string) bool {
	return strings.HasPrefix(name, ".") || strings.HasPrefix(name, "_") && !strings.Contains(name, "=") || strings.HasSuffix(name, "._COPYING_")
}

func isPattern(path string) bool { return strings.ContainsAny(path, "*?[{") }

// fixedPart returns the directories of path before its first pattern.
func fixedPart(path string) string {
	for isPattern(path) {
		path = filepath.Dir(path)
	}
	return path
}

// roots returns what path names now: itself, or what its pattern matches.
func (s *settings) roots() ([]string, error) {
	if !isPattern(s.path) {
		return []string{s.path}, nil
	}
	if _, err := s.disk.Stat(s.path); err == nil { // a name with pattern characters
		return []string{s.path}, nil
	}
	var out []string
	for _, p := range braces(s.path) {
		got, err := s.disk.Glob(p)
		if errors.Is(err, filepath.ErrBadPattern) {
			return nil, base.Errorf(base.CodeInvalid, "path %s is not a pattern", s.path)
		}
		if err != nil {
			return nil, err
		}
		for _, g := range got {
			if !hidden(filepath.Base(g)) {
				out = append(out, g)
			}
		}
	}
	sort.Strings(out)
	return out, nil
}

// braces expands {a,b} into one pattern each, up to 1,024.
func braces(p string) []string {
	open := strings.IndexByte(p, '{')
	if open < 0 {
		return []string{p}
	}
	n := strings.IndexByte(p[open:], '}')
	if n < 0 {
		return []string{p}
	}
	var out []string
	for _, alt := range strings.Split(p[open+1:open+n], ",") {
		for _, rest := range braces(p[open+n+1:]) {
			if out = append(out, p[:open]+alt+rest); len(out) >= 1024 {
				return out
			}
		}
	}
	return out
}

// mustExist returns an error unless the path is there, or is a pattern.
func (s *settings) mustExist() error {
	if isPattern(s.path) {
		return nil
	}
	_, err := s.disk.Stat(s.path)
	if errors.Is(err, fs.ErrNotExist) {
		return notFound(s.path)
	}
	return base.Wrap(err, "opening %s", s.path)
}

func notFound(path string) error {
	e := base.UserError("PATH_NOT_FOUND", "42K03", "Path does not exist: file:%s.", path)
	e.Code = base.CodeNotFound
	return e
}
