package atomicfile

import (
	"errors"
	"os"
	"path/filepath"

	"github.com/flightd/flightd/internal/roots"
)

// In are the functions of this package on files that a user named: they stay
// within the roots. The package's own functions have the process's rights.
type In struct{ Roots *roots.Set }

// tempSuffix marks files that a crash may leave; they mean nothing.
const tempSuffix = ".tmp"

// IsTemp reports whether name is that of a file that was not finished.
func IsTemp(name string) bool { return filepath.Ext(name) == tempSuffix }

// Sweep removes the unfinished files that a crash left directly in dir, which
// may be missing. Only the one who writes there may call it.
func (in In) Sweep(dir string) error {
	entries, err := in.Roots.ReadDir(dir)
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	for _, e := range entries {
		if IsTemp(e.Name()) && !e.IsDir() {
			err = errors.Join(err, in.Roots.Remove(filepath.Join(dir, e.Name())))
		}
	}
	return err
}

// Write makes data the content of path, replacing what was there.
func (in In) Write(path string, data []byte) error {
	tmp, err := in.writeTemp(path, data, 0o644)
	if err != nil {
		return err
	}
	return in.Rename(tmp, path)
}

// Write makes data the content of path, replacing what was there.
func Write(path string, data []byte) error { return In{}.Write(path, data) }

// WritePrivate is Write for a file that its owner alone may read.
func WritePrivate(path string, data []byte) error {
	tmp, err := In{}.writeTemp(path, data, 0o600)
	if err != nil {
		return err
	}
	return Rename(tmp, path)
}

// Create is Write for a path that must not exist; otherwise the error is
// os.ErrExist, and of several processes that try one succeeds.
func (in In) Create(path string, data []byte) error {
	tmp, err := in.writeTemp(path, data, 0o644)
	if err != nil {
		return err
	}
	err = in.Roots.Link(tmp, path)
	if rm := in.Roots.Remove(tmp); err == nil {
		err = rm
	}
	if err != nil {
		return err
	}
	return in.SyncDir(filepath.Dir(path))
}

// Create is Write for a path that must not exist.
func Create(path string, data []byte) error { return In{}.Create(path, data) }

func (in In) writeTemp(path string, data []byte, mode os.FileMode) (string, error) {
	f, err := in.Roots.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+".*"+tempSuffix)
	if err != nil {
		return "", err
	}
	_, err = f.Write(data)
	if err == nil {
		err = f.Chmod(mode)
	}
	err = errors.Join(err, SyncClose(f, err == nil))
	// A file of a root knows its name there only.
	tmp := filepath.Join(filepath.Dir(path), filepath.Base(f.Name()))
	if err != nil {
		in.Roots.Remove(tmp)
		return "", err
	}
	return tmp, nil
}

// SyncClose closes f, after a sync if sync is set.
func SyncClose(f *os.File, sync bool) error {
	var err error
	if sync {
		err = f.Sync()
	}
	return errors.Join(err, f.Close())
}

// Rename gives a synced file its name and syncs the directory.
func (in In) Rename(from, to string) error {
	if err := in.Roots.Rename(from, to); err != nil {
		return err
	}
	return in.SyncDir(filepath.Dir(to))
}

// Rename gives a synced file its name and syncs the directory.
func Rename(from, to string) error { return In{}.Rename(from, to) }

// SyncDir makes the names in dir durable.
func (in In) SyncDir(dir string) error {
	d, err := in.Roots.Open(dir)
	if err != nil {
		return err
	}
	return SyncClose(d, true)
}

// SyncDir makes the names in dir durable.
func SyncDir(dir string) error { return In{}.SyncDir(dir) }

// MkdirAll makes dir and its parents durable directories.
func (in In) MkdirAll(dir string) error {
	var made []string
	for d := dir; ; d = filepath.Dir(d) {
		if _, err := in.Roots.Stat(d); err == nil || d == filepath.Dir(d) {
			break
		}
		made = append(made, filepath.Dir(d))
	}
	if err := in.Roots.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	for _, d := range made {
		if err := in.SyncDir(d); err != nil {
			return err
		}
	}
	return nil
}

// MkdirAll makes dir and its parents durable directories.
func MkdirAll(dir string) error { return In{}.MkdirAll(dir) }
