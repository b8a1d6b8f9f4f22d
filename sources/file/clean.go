package file

import (
	"errors"
	"io/fs"
	"path/filepath"
)

// cleanFile deletes or archives a file whose rows are done. One that is gone is
// done already, by this commit before a crash.
func (s *settings) cleanFile(path string) error {
	if s.clean == cleanDelete {
		return ignoreGone(s.disk.Remove(path))
	}
	to := filepath.Join(s.archive, path)
	if err := s.disk.MkdirAll(filepath.Dir(to), 0o755); err != nil {
		return err
	}
	return ignoreGone(s.disk.Rename(path, to))
}

func ignoreGone(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}
