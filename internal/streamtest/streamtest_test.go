package streamtest

import (
	"io/fs"
	"path/filepath"
	"strings"
	"testing"
)

// TestScripts plays every script of testdata/stream with both multipliers.
func TestScripts(t *testing.T) {
	root := filepath.Join("..", "..", "testdata", "stream")
	n := 0
	err := filepath.WalkDir(root, func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() || strings.HasPrefix(e.Name(), ".") {
			return err
		}
		n++
		name, _ := filepath.Rel(root, path)
		t.Run(filepath.ToSlash(name), func(t *testing.T) {
			t.Parallel()
			Run(t, path)
		})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if n == 0 {
		t.Fatalf("no scripts in %s", root)
	}
}
