package lint

import (
	"path"
	"strings"
	"testing"
)

// TestNoDeadTestdata finds files under a testdata folder that nothing reads: no
// Go file, script, makefile or document has the name of the file or of a folder
// that it lies in.
func TestNoDeadTestdata(t *testing.T) {
	var readers strings.Builder
	var data []string
	for _, p := range files(t) {
		switch {
		case strings.Contains(p, "testdata/fuzz/"):
		case strings.HasPrefix(p, "testdata/") || strings.Contains(p, "/testdata/"):
			data = append(data, p)
			if path.Ext(p) == ".py" || path.Ext(p) == ".md" {
				readers.WriteString(read(t, p))
			}
		case path.Ext(p) == ".go" || path.Ext(p) == ".md" || path.Ext(p) == ".sql" || path.Base(p) == "Makefile" || strings.HasPrefix(p, ".ci/"):
			readers.WriteString(read(t, p))
		}
	}
	text := readers.String()
	for _, p := range data {
		if !mentioned(text, p) {
			t.Errorf("%s: nothing names it or its folder", p)
		}
	}
}

// mentioned reports whether text has the file's name, or "testdata/" with the
// folders below it.
func mentioned(text, p string) bool {
	if base := path.Base(p); strings.Contains(text, base) {
		return true
	}
	_, below, _ := strings.Cut("/"+p, "/testdata/")
	for dir := path.Dir(below); dir != "."; dir = path.Dir(dir) {
		if strings.Contains(text, "testdata/"+dir) || strings.Contains(text, `"testdata", "`+dir) {
			return true
		}
	}
	return false
}
