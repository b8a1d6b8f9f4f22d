package file

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
)

// cleanFile deletes or archives a file whose rows are done. One that is gone is
// done already, by this commit before a crash.
func (s *settings) cleanFile(path string) error {
	if s.clean == cleanDelete {
		return ignoreGone(os.Remove(path))
	}
	to := filepath.Join(s.archive, path)
	if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
		return err
	}
	return ignoreGone(os.Rename(path, to))
}

func ignoreGone(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}
