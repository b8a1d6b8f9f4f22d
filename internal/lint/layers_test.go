package lint

import (
	"slices"
	"strconv"
	"strings"
	"testing"
)

// A room is a folder of packages and what they may import of this module:
// names of folders, each standing for itself and what is in it; "=x" stands for
// the package x alone. Everyone may import base and invariants.
type room struct {
	dir    string
	may    []string
	reason string
}

// rooms is the table of docs/design.md §1. The most specific line counts. A
// package that no line covers fails the test.
var rooms = []room{
	{dir: "internal/base"},
	{dir: "internal/invariants"},
	{dir: "internal/lint"},
	{dir: "internal/arrowtext", may: []string{"kernels", "internal/variant"}},
	{dir: "internal/variant", may: []string{"kernels"}},
	{dir: "internal/roots"},
	{dir: "internal/atomicfile", may: []string{"internal/roots"}},
	{dir: "internal/headroom"},
	{dir: "internal/layout"},
	{dir: "internal/turnstile"},
	{dir: "internal/kafkaclient", may: []string{"internal/roots"}},
	{dir: "internal/manifest", may: []string{"internal/atomicfile", "internal/roots"}},
	{dir: "internal/tablelog", may: []string{"internal/atomicfile"}},
	{dir: "internal/seglog", may: []string{"internal/atomicfile"}},
	{dir: "internal/rowlog", may: []string{"internal/atomicfile", "internal/seglog"}},
	{dir: "internal/streamtest", may: all},
	{dir: "internal/metamorphic", may: all},
	{dir: "internal/golden", may: all},

	{dir: "kernels"},
	{dir: "sketch", may: []string{"sketch"}},
	{dir: "plan", may: []string{"plan"}},
	{dir: "state", may: []string{"kernels", "state"}},
	{dir: "compute", may: []string{"compute", "plan/expr", "plan/physical", "state", "kernels", "sketch", "internal/arrowtext", "internal/variant"}},
	{dir: "checkpoint", may: []string{"checkpoint"}},

	{dir: "sources", may: append([]string{"=sources"}, append(sharedBySources, onDisk...)...)},
	{dir: "sinks", may: append([]string{"=sinks"}, append(sharedBySinks, onDisk...)...)},

	// The hallway: it may enter every room of the engine, and no front door.
	{dir: ".", may: []string{"plan", "compute", "state", "checkpoint", "sources", "sinks", "subscribe", "kernels", "internal/arrowtext", "internal/atomicfile", "internal/layout", "internal/roots", "internal/rowlog", "internal/turnstile"}},

	{dir: "subscribe", may: []string{"=sinks", "sinks/feed", "sinks/memory", "internal/turnstile"}},

	{dir: "flight/guard"},
	{dir: "flight/transport"},
	{dir: "flight/wire"},
	{dir: "flight/access", may: []string{"internal/atomicfile"}},
	{dir: "flight", may: []string{"=.", "flight", "sinks/feed"}},
	{dir: "client"},
	{dir: "cmd", may: []string{"=.", "flight", "internal/arrowtext", "internal/headroom"}, reason: "the shell prints values"},
	{dir: "bench", may: []string{"=.", "bench", "flight", "=sources", "=sources/memory", "internal/headroom"}, reason: "measures what a user gets: the public API, and streams from memory"},
	{dir: "examples", may: []string{"=."}},
	{dir: "difftest", may: []string{"=."}, reason: "a module of its own that compares what a user gets with DuckDB"},
}

var all = []string{"=.", "plan", "compute", "state", "checkpoint", "sources", "sinks", "kernels", "flight", "internal"}

// sharedBySources and sharedBySinks are packages that several connectors of a
// room build on; onDisk are what both rooms know about files and brokers.
var (
	onDisk          = []string{"internal/arrowtext", "internal/atomicfile", "internal/manifest", "internal/tablelog", "internal/rowlog", "internal/seglog", "internal/kafkaclient", "internal/roots", "internal/turnstile"}
	sharedBySources = []string{"sources/columnar", "sources/csvtext", "sources/jsonlines", "sources/numbered", "sources/parquetfile"}
	sharedBySinks   = []string{"sinks/rowtext", "sinks/parquetfile", "internal/layout"}
)

func covers(dir, pkg string) bool {
	return dir == pkg || dir != "." && strings.HasPrefix(pkg, dir+"/")
}

func TestLayers(t *testing.T) {
	for _, f := range sources(t) {
		at := slices.IndexFunc(byLength(rooms), func(r room) bool { return covers(r.dir, f.dir) })
		if at < 0 {
			t.Errorf("%s: the package %s is in no room of the table in internal/lint", f.path, f.dir)
			continue
		}
		if f.test {
			continue
		}
		r := byLength(rooms)[at]
		for _, imp := range f.ast.Imports {
			path, err := strconv.Unquote(imp.Path.Value)
			if err != nil {
				t.Fatal(err)
			}
			pkg, ok := ours(path)
			if !ok || covers(f.dir, pkg) || pkg == "internal/base" || pkg == "internal/invariants" {
				continue
			}
			if !slices.ContainsFunc(r.may, func(m string) bool {
				only, exact := strings.CutPrefix(m, "=")
				return exact && only == pkg || !exact && covers(m, pkg)
			}) {
				t.Errorf("%s imports %s, which the room %s must not know", f.path, pkg, r.dir)
			}
		}
	}
}

// byLength puts the most specific rooms first.
func byLength(rs []room) []room {
	out := slices.Clone(rs)
	slices.SortStableFunc(out, func(a, b room) int { return len(b.dir) - len(a.dir) })
	return out
}

// ours cuts the module's path off an import path of this module.
func ours(path string) (string, bool) {
	if path == module {
		return ".", true
	}
	return strings.CutPrefix(path, module+"/")
}

// The kernels are inner loops over slices: nothing but the standard library.
func TestKernelsImportTheStandardLibraryOnly(t *testing.T) {
	for _, f := range sources(t) {
		if f.test || !covers("kernels", f.dir) {
			continue
		}
		for _, imp := range f.ast.Imports {
			path, _ := strconv.Unquote(imp.Path.Value)
			first, _, _ := strings.Cut(path, "/")
			if strings.Contains(first, ".") {
				t.Errorf("%s imports %s", f.path, path)
			}
		}
	}
}
