package lint

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const module = "github.com/flightd/flightd"

// A goFile is one parsed file of the module. Its path is relative to the
// module's root, with slashes.
type goFile struct {
	path string
	dir  string
	test bool
	ast  *ast.File
	set  *token.FileSet
}

func (f goFile) lines(n ast.Node) int {
	return f.set.Position(n.End()).Line - f.set.Position(n.Pos()).Line + 1
}

func (f goFile) length() int { return f.set.File(f.ast.Pos()).LineCount() }

// root is the module's folder, seen from this package's.
const root = "../.."

// skipped are folders with nothing of ours in them.
var skipped = map[string]bool{".git": true, ".venv": true, ".venv-peers": true, ".venv-flink": true, ".data": true, "bin": true, "data": true, "node_modules": true, "__pycache__": true}

// files lists every file of the module.
func files(t *testing.T) []string {
	t.Helper()
	var out []string
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && skipped[d.Name()] {
			return filepath.SkipDir
		}
		if d.Type().IsRegular() {
			rel, err := filepath.Rel(root, path)
			if err != nil {
				return err
			}
			out = append(out, filepath.ToSlash(rel))
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// sources parses every Go file of the module.
func sources(t *testing.T) []goFile {
	t.Helper()
	var out []goFile
	for _, path := range files(t) {
		if !strings.HasSuffix(path, ".go") {
			continue
		}
		set := token.NewFileSet()
		f, err := parser.ParseFile(set, filepath.Join(root, path), nil, parser.ParseComments|parser.SkipObjectResolution)
		if err != nil {
			t.Error(err)
			continue
		}
		out = append(out, goFile{path: path, dir: filepath.ToSlash(filepath.Dir(path)), test: strings.HasSuffix(path, "_test.go"), ast: f, set: set})
	}
	return out
}

func read(t *testing.T, path string) string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(root, path))
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}
