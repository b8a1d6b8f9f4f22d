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
	words := map[string]bool{}
	for _, w := range strings.FieldsFunc(text, func(r rune) bool { return strings.ContainsRune(" \t\n\"`'()[]{},;:/=<>|*", r) }) {
		words[w] = true
	}
	dirs := map[string]bool{}
	for _, p := range data {
		if words[path.Base(p)] || named(text, path.Dir(p), dirs) {
			continue
		}
		t.Errorf("%s: nothing names it or its folder", p)
	}
}

// named reports whether text has "testdata/" with the folder dir or one above it;
// memo keeps the answers.
func named(text, dir string, memo map[string]bool) bool {
	if known, ok := memo[dir]; ok {
		return known
	}
	_, below, _ := strings.Cut("/"+dir+"/", "/testdata/")
	below = strings.TrimSuffix(below, "/")
	found := false
	for below != "" && below != "." && !found {
		found = strings.Contains(text, "testdata/"+below) || strings.Contains(text, `"testdata", "`+below)
		below = path.Dir(below)
	}
	memo[dir] = found
	return found
}
