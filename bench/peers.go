package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"

	"github.com/flightd/flightd/bench/report"
	"github.com/flightd/flightd/bench/workload"
)

// peer is how an engine is started and asked.
type peer struct {
	name string
	// ours is set for builds of this program.
	ours bool
	// flushes is set for engines whose streams close all windows at the end of their
	// input.
	flushes bool
	argv    []string
	env     []string
	forms   []workload.Form
	queries func(*workload.Workload, workload.Form) []string
}

// enginesOf are the engines of a form, ours first.
func enginesOf(o *options, form workload.Form) []peer {
	out := []peer{ours(report.Ours, "/proc/self/exe", o.threads, o.cpuprofile)}
	if o.base != "" {
		threads := o.threads
		if o.baseThreads > 0 {
			threads = o.baseThreads
		}
		out = append(out, ours(report.Base, o.base, threads, ""))
	}
	for _, name := range list(o.peers) {
		p := python(o, name)
		for _, f := range p.forms {
			if f == form {
				out = append(out, p)
			}
		}
	}
	return out
}

func ours(name, binary string, threads int, profile string) peer {
	argv := []string{binary, "-serve", "-threads", strconv.Itoa(threads)}
	if profile != "" {
		argv = append(argv, "-cpuprofile", profile)
	}
	return peer{name: name, ours: true, argv: argv, env: os.Environ(), queries: (*workload.Workload).Ours}
}

// python is a peer that a script in peers/ runs.
func python(o *options, name string) peer {
	threads := strconv.Itoa(o.threads)
	p := peer{
		name: name,
		argv: []string{filepath.Join(o.home, ".venv-peers", "bin", "python"), filepath.Join(o.home, "peers", name+"_runner.py")},
		env:  append(os.Environ(), "POLARS_MAX_THREADS="+threads, "OMP_NUM_THREADS="+threads, "PYTHONUNBUFFERED=1"),
	}
	switch name {
	case "duckdb", "polars":
		p.forms = []workload.Form{workload.Memory, workload.Files}
		p.queries = func(w *workload.Workload, _ workload.Form) []string { return w.ForDuckDB() }
	case "spark":
		p.forms = []workload.Form{workload.Stream}
		p.queries = func(w *workload.Workload, _ workload.Form) []string { return []string{w.Spark()} }
	case "flink":
		p.argv[0] = filepath.Join(o.home, ".venv-flink", "bin", "python")
		p.flushes = true
		p.forms = []workload.Form{workload.Stream}
		p.queries = func(w *workload.Workload, _ workload.Form) []string { return []string{w.Flink()} }
	default:
		fmt.Fprintf(os.Stderr, "no peer %q: there are duckdb, polars, spark and flink\n", name)
	}
	return p
}
