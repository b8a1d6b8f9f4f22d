//go:build long

package metamorphic

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// mutant is a fault planted in a file of the engine: old, which is there once,
// becomes new.
type mutant struct{ what, file, old, new string }

// mutants are mistakes that have been made in engines like this one.
var mutants = []mutant{
	{"a window that ends at the watermark is still open", "compute/keys.go", "out[i] = t <= us && times.IsValid(i)", "out[i] = t < us && times.IsValid(i)"},
	{"a row is in a window that begins after it", "compute/window.go", "into+back < w.node.Duration; back", "into+back <= w.node.Duration; back"},
	{"the watermark does not wait", "watermark.go", "v := s.Max - w.nodes[i].Delay", "v := s.Max"},
	{"the least watermark is the largest", "watermark.go", "if w.useMax == (v > next)", "if w.useMax != (v > next)"},
	{"rows are late by the watermark of their own epoch", "ahead.go", "watermark: marks.global, before: p.watermark,", "watermark: marks.global, before: marks.global,"},
	{"a bound of a join points the other way", "plan/physical/streamjoin.go", "+ r.Offset) / 1000)", "- r.Offset) / 1000)"},
	{"a match is forgotten", "compute/streamjoin_match.go", "	m.flags[row] = 1\n", "	m.flags[row] = 0\n"},
	{"matched rows come out alone, and the others do not", "compute/streamjoin_evict.go", "if flags[row] == 0 {", "if flags[row] != 0 {"},
	{"what is due at the watermark stays", "state/zones.go", "if at > limit {", "if at >= limit {"},
	{"a session does not grow by a row that touches it", "compute/session_merge.go", "if open < 0 || p.starts[part] > m.ends[open] {", "if open < 0 || p.starts[part] >= m.ends[open] {"},
	{"a stored session ends where the last one put to it does", "compute/session_merge.go", "m.ends[open] = max(m.ends[open], p.ends[part])", "m.ends[open] = p.ends[part]"},
	{"equal times do not match as they should", "compute/streamasof_walk.go", "leftFirst := j.node.Forward != j.node.Strict", "leftFirst := j.node.Forward == j.node.Strict"},
	{"the last right row is not kept", "compute/streamasof_walk.go", "		if r >= 0 {\n			sel = append(sel, r)", "		if r > 0 {\n			sel = append(sel, r)"},
	{"removals are not replayed", "state/changes.go", "return n, s.Remove(refs)", "return n, nil"},
}

// TestMutantsAreFound plants each fault and wants TestStreamsEqualBatches to fail
// of it: by a difference in rows, not because it does not compile.
func TestMutantsAreFound(t *testing.T) {
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range mutants {
		t.Run(m.what, func(t *testing.T) {
			path := filepath.Join(root, m.file)
			text, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if n := strings.Count(string(text), m.old); n != 1 {
				t.Fatalf("%q stands %d times in %s: plant the fault where the code is now", m.old, n, m.file)
			}
			dir := t.TempDir()
			planted, overlay := filepath.Join(dir, "planted.go"), filepath.Join(dir, "overlay.json")
			if err := os.WriteFile(planted, []byte(strings.Replace(string(text), m.old, m.new, 1)), 0o644); err != nil {
				t.Fatal(err)
			}
			replace, err := json.Marshal(map[string]map[string]string{"Replace": {path: planted}})
			if err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(overlay, replace, 0o644); err != nil {
				t.Fatal(err)
			}
			cmd := exec.Command("go", "test", "-overlay", overlay, "-count", "1", "-run", "TestStreamsEqualBatches", ".")
			cmd.Env = append(os.Environ(), "FLIGHTD_PAIRS=400", "FLIGHTD_SEED=1")
			out, err := cmd.CombinedOutput()
			switch {
			case err == nil:
				t.Errorf("nobody has noticed")
			case !strings.Contains(string(out), "rows are missing") && !strings.Contains(string(out), "comes again with another digest"):
				t.Errorf("it fails of something else:\n%s", out)
			}
		})
	}
}
