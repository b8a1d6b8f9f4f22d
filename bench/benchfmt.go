package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/flightd/flightd/bench/report"
)

// writeBenchfmt writes the counted runs of our engine and of the base in the
// format of Go's benchmarks, to new.txt and base.txt in dir, for benchstat.
func writeBenchfmt(dir string, rep *report.Report) error {
	if dir == "" {
		return nil
	}
	var ours, base strings.Builder
	for _, w := range rep.Workloads {
		for _, e := range w.Engines {
			out := &ours
			if strings.HasPrefix(e.Name, report.Base) {
				out = &base
			} else if !strings.HasPrefix(e.Name, report.Ours) {
				continue
			}
			_, size, _ := strings.Cut(e.Name, " ")
			name := strings.TrimSuffix(w.Name+"/"+w.Form+"/"+size, "/")
			for _, r := range e.Runs[min(1, len(e.Runs)):] {
				fmt.Fprintf(out, "Benchmark%s 1 %.0f ns/op %.0f cpu-ns/op %d peak-bytes\n", name, r.Wall*1e9, r.CPU*1e9, r.RSS)
			}
		}
	}
	head := "goos: linux\npkg: github.com/flightd/flightd/bench\n"
	if err := os.WriteFile(filepath.Join(dir, "base.txt"), []byte(head+base.String()), 0o644); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dir, "new.txt"), []byte(head+ours.String()), 0o644)
}
