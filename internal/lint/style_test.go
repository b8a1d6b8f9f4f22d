package lint

import (
	"go/ast"
	"path"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// longFiles may have more lines than maxFile, for the reason given.
var longFiles = map[string]string{}

// longFunctions may have more lines than maxFunction: "file#function".
var longFunctions = map[string]string{}

const (
	maxFile     = 600
	maxFunction = 120
)

// banned are words that tell nothing about what a thing is.
var banned = regexp.MustCompile(`(?i)(utils?|helpers?|common|manager|impl)$`)

func TestNoInit(t *testing.T) {
	for _, f := range sources(t) {
		for _, d := range f.ast.Decls {
			if fn, ok := d.(*ast.FuncDecl); ok && fn.Recv == nil && fn.Name.Name == "init" {
				t.Errorf("%s has an init function: pass a value instead", f.path)
			}
		}
	}
}

func TestPackageComments(t *testing.T) {
	has, seen := map[string]bool{}, map[string]string{}
	for _, f := range sources(t) {
		if f.test {
			continue
		}
		seen[f.dir] = f.ast.Name.Name
		if f.ast.Doc != nil {
			has[f.dir] = true
			want := "Package " + f.ast.Name.Name
			if f.ast.Name.Name == "main" {
				want = "Command "
			}
			if !strings.HasPrefix(f.ast.Doc.Text(), want) {
				t.Errorf("%s: the package comment does not begin with %q", f.path, want)
			}
		}
	}
	for dir, name := range seen {
		if !has[dir] {
			t.Errorf("package %s (%s) has no package comment", dir, name)
		}
	}
}

func TestLengths(t *testing.T) {
	for _, f := range sources(t) {
		if f.length() > maxFile && longFiles[f.path] == "" {
			t.Errorf("%s has %d lines, more than %d", f.path, f.length(), maxFile)
		}
		if f.test {
			continue
		}
		for _, d := range f.ast.Decls {
			fn, ok := d.(*ast.FuncDecl)
			if ok && f.lines(fn) > maxFunction && longFunctions[f.path+"#"+fn.Name.Name] == "" {
				t.Errorf("%s: function %s has %d lines, more than %d", f.path, fn.Name.Name, f.lines(fn), maxFunction)
			}
		}
	}
}

func TestNames(t *testing.T) {
	for _, f := range sources(t) {
		if base := strings.TrimSuffix(path.Base(f.path), ".go"); banned.MatchString(base) || banned.MatchString(f.ast.Name.Name) {
			t.Errorf("%s: name it after what it is", f.path)
		}
		for _, d := range f.ast.Decls {
			g, ok := d.(*ast.GenDecl)
			if !ok {
				continue
			}
			for _, s := range g.Specs {
				if ts, ok := s.(*ast.TypeSpec); ok && banned.MatchString(ts.Name.Name) {
					t.Errorf("%s: name the type %s after what it is", f.path, ts.Name.Name)
				}
			}
		}
	}
}

// TestExportedNamesAreDocumented looks at everything that another package can
// use: functions, types and methods of exported types.
func TestExportedNamesAreDocumented(t *testing.T) {
	for _, f := range sources(t) {
		if f.test || f.ast.Name.Name == "main" {
			continue
		}
		for _, d := range f.ast.Decls {
			switch d := d.(type) {
			case *ast.FuncDecl:
				if d.Name.IsExported() && d.Doc == nil && exportedReceiver(d) {
					t.Errorf("%s: %s has no comment", f.path, d.Name.Name)
				}
			case *ast.GenDecl:
				for _, s := range d.Specs {
					if ts, ok := s.(*ast.TypeSpec); ok && ts.Name.IsExported() && d.Doc == nil && ts.Doc == nil {
						t.Errorf("%s: type %s has no comment", f.path, ts.Name.Name)
					}
				}
			}
		}
	}
}

func exportedReceiver(fn *ast.FuncDecl) bool {
	if fn.Recv == nil {
		return true
	}
	e := fn.Recv.List[0].Type
	for {
		switch x := e.(type) {
		case *ast.StarExpr:
			e = x.X
		case *ast.IndexExpr:
			e = x.X
		case *ast.Ident:
			return x.IsExported()
		default:
			return false
		}
	}
}

var machinePath = regexp.MustCompile(`(^|[\s"'=(:])/(work|root|home|Users)/[a-zA-Z]`)

// TestNoMachinePaths finds paths that exist on one computer only, and bytes that
// are not text where text is expected.
func TestNoMachinePaths(t *testing.T) {
	text := []string{".go", ".md", ".sql", ".py", ".txt", ".sh", ".yaml", ".yml", ".mod", ""}
	for _, p := range files(t) {
		if !slices.Contains(text, path.Ext(p)) || p == "internal/lint/style_test.go" || strings.Contains(p, "testdata/fuzz/") {
			continue
		}
		for i, line := range strings.Split(read(t, p), "\n") {
			if machinePath.MatchString(line) {
				t.Errorf("%s:%d: a path of one computer: %s", p, i+1, strings.TrimSpace(line))
			}
		}
	}
}
