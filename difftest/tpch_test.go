package difftest

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/flightd/flightd/bench/workload"
)

// TestTPCH asks the 22 queries of TPC-H of both engines, over Parquet files of scale
// 0.1, or FLIGHTD_TPCH_SCALE. FLIGHTD_TPCHGEN is the program tpchgen-cli, which make
// difftest installs.
func TestTPCH(t *testing.T) {
	program := os.Getenv("FLIGHTD_TPCHGEN")
	if program == "" {
		t.Skip("FLIGHTD_TPCHGEN does not name tpchgen-cli: make difftest does")
	}
	scale := os.Getenv("FLIGHTD_TPCH_SCALE")
	if scale == "" {
		scale = "0.1"
	}
	dir := t.TempDir()
	if out, err := exec.Command(program, "parquet", "-s", scale, "--output-dir="+dir).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	files, err := filepath.Glob(filepath.Join(dir, "*.parquet"))
	if err != nil || len(files) != 8 {
		t.Fatalf("tpchgen-cli made %v, %v", files, err)
	}
	var names []string
	for _, f := range files {
		name := strings.TrimSuffix(filepath.Base(f), ".parquet")
		names = append(names, name)
		folder := filepath.Join(dir, name)
		if err := os.Mkdir(folder, 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.Rename(f, filepath.Join(folder, "0.parquet")); err != nil {
			t.Fatal(err)
		}
	}
	e, err := open(t.Context(), dir, "*", names)
	if err != nil {
		t.Fatal(err)
	}
	defer e.close()
	asked := 0
	for _, w := range workload.All() {
		if w.TPCH == 0 {
			continue
		}
		asked++
		t.Run(w.Name, func(t *testing.T) {
			a, b := e.ours(t.Context(), w.SQL), e.ducks(t.Context(), w.DuckDB[0])
			// The order of equal keys is open, so rows are compared as a multiset.
			if d := difference(a, b, false); d != "" || a.err != nil || b.broken {
				t.Errorf("%s\nflightd: %v\nDuckDB:  %v", d, a, b)
			}
			if len(a.rows) == 0 {
				t.Error("no rows")
			}
		})
	}
	if asked != 22 {
		t.Errorf("%d queries", asked)
	}
}
