package lint

import (
	"go/ast"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

var (
	link = regexp.MustCompile(`\]\(([^)#\s]*)(?:#([^)\s]+))?\)`)
	// A link into Go code names a declaration: file.go#Func or file.go#Type.Method.
	symbol = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*(\.[A-Za-z_][A-Za-z0-9_]*)?$`)
)

// TestLinks follows every relative link of every document; one into a Go file
// must name something declared there.
func TestLinks(t *testing.T) {
	declared := declarations(t)
	for _, p := range files(t) {
		if path.Ext(p) != ".md" || strings.Contains(p, "testdata/") {
			continue
		}
		for _, m := range link.FindAllStringSubmatch(read(t, p), -1) {
			to, name := m[1], m[2]
			if to == "" || strings.Contains(to, "://") || strings.HasPrefix(to, "mailto:") {
				continue
			}
			target := path.Clean(path.Join(path.Dir(p), to))
			if _, err := os.Stat(filepath.Join(root, target)); err != nil {
				t.Errorf("%s links to %s, which is not there", p, to)
				continue
			}
			if path.Ext(target) != ".go" || name == "" {
				continue
			}
			if !symbol.MatchString(name) || !declared[target+"#"+name] {
				t.Errorf("%s links to %s#%s; %s declares no such thing", p, to, name, target)
			}
		}
	}
}

// declarations lists "file#Name" and "file#Type.Method" of every Go file.
func declarations(t *testing.T) map[string]bool {
	out := map[string]bool{}
	for _, f := range sources(t) {
		for _, d := range f.ast.Decls {
			switch d := d.(type) {
			case *ast.FuncDecl:
				out[f.path+"#"+receiver(d)+d.Name.Name] = true
			case *ast.GenDecl:
				for _, s := range d.Specs {
					switch s := s.(type) {
					case *ast.TypeSpec:
						out[f.path+"#"+s.Name.Name] = true
						if it, ok := s.Type.(*ast.InterfaceType); ok {
							for _, m := range it.Methods.List {
								for _, n := range m.Names {
									out[f.path+"#"+s.Name.Name+"."+n.Name] = true
								}
							}
						}
					case *ast.ValueSpec:
						for _, n := range s.Names {
							out[f.path+"#"+n.Name] = true
						}
					}
				}
			}
		}
	}
	return out
}

// receiver is "Type." of a method, or "".
func receiver(fn *ast.FuncDecl) string {
	if fn.Recv == nil {
		return ""
	}
	e := fn.Recv.List[0].Type
	for {
		switch x := e.(type) {
		case *ast.StarExpr:
			e = x.X
		case *ast.IndexExpr:
			e = x.X
		case *ast.Ident:
			return x.Name + "."
		default:
			return ""
		}
	}
}
