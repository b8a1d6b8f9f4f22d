package atomicfile

import (
	"errors"
	"os"
	"path/filepath"
)

// tempSuffix marks files that a crash may leave; they mean nothing.
const tempSuffix = ".tmp"

// IsTemp reports whether name is that of a file that was not finished.
func IsTemp(name string) bool { return filepath.Ext(name) == tempSuffix }

// Sweep removes the unfinished files that a crash left directly in dir, which
// may be missing. Only the one who writes there may call it.
func Sweep(dir string) error {
	entries, err := os.ReadDir(dir)
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	for _, e := range entries {
		if IsTemp(e.Name()) && !e.IsDir() {
			err = errors.Join(err, os.Remove(filepath.Join(dir, e.Name())))
		}
	}
	return err
}

// Write makes data the content of path, replacing what was there.
func Write(path string, data []byte) error {
	tmp, err := writeTemp(path, data)
	if err != nil {
		return err
	}
	return Rename(tmp, path)
}

// Create is Write for a path that must not exist; otherwise the error is
// os.ErrExist, and of several processes that try one succeeds.
func Create(path string, data []byte) error {
	tmp, err := writeTemp(path, data)
	if err != nil {
		return err
	}
	err = os.Link(tmp, path)
	if rm := os.Remove(tmp); err == nil {
		err = rm
	}
	if err != nil {
		return err
	}
	return SyncDir(filepath.Dir(path))
}

func writeTemp(path string, data []byte) (string, error) {
	f, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+".*"+tempSuffix)
	if err != nil {
		return "", err
	}
	_, err = f.Write(data)
	if err == nil {
		err = f.Chmod(0o644)
	}
	err = errors.Join(err, SyncClose(f, err == nil))
	if err != nil {
		os.Remove(f.Name())
		return "", err
	}
	return f.Name(), nil
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
func Rename(from, to string) error {
	if err := os.Rename(from, to); err != nil {
		return err
	}
	return SyncDir(filepath.Dir(to))
}

// SyncDir makes the names in dir durable.
func SyncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return SyncClose(d, true)
}

// MkdirAll makes dir and its parents durable directories.
func MkdirAll(dir string) error {
	var made []string
	for d := dir; ; d = filepath.Dir(d) {
		if _, err := os.Stat(d); err == nil || d == filepath.Dir(d) {
			break
		}
		made = append(made, filepath.Dir(d))
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	for _, d := range made {
		if err := SyncDir(d); err != nil {
			return err
		}
	}
	return nil
}
