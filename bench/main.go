// Command bench measures the whole engine through its public API: by itself,
// against its peers, and against another revision of itself.
//
//	go run ./bench -only w2 -form a -peers duckdb,polars
//
// Every engine runs in a process of its own, also ours, which is this program
// with -serve. The peers' Python is that of bench/.venv-peers; see the Makefile.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"runtime"
	"runtime/pprof"
	"slices"
	"strings"

	"github.com/flightd/flightd/bench/engine"
	"github.com/flightd/flightd/bench/proc"
	"github.com/flightd/flightd/bench/report"
	"github.com/flightd/flightd/bench/workload"
	"github.com/flightd/flightd/internal/headroom"
)

// options are the flags.
type options struct {
	rows, runs, threads         int
	seed                        uint64
	dir, home                   string
	only, forms, peers          string
	base, benchfmt              string
	json, markdown              string
	serve, first, scale, flight bool
	baseThreads                 int
	cpuprofile                  string
}

func main() {
	var o options
	flag.IntVar(&o.rows, "rows", 10_000_000, "rows of each workload")
	flag.IntVar(&o.runs, "runs", 5, "counted runs after the first")
	flag.IntVar(&o.threads, "threads", 2, "threads of each engine")
	flag.Uint64Var(&o.seed, "seed", 1, "seed of the generator")
	flag.StringVar(&o.home, "home", "bench", "the folder of the bench's sources, for the peers' Python")
	flag.StringVar(&o.dir, "dir", "", "where generated files are kept (default .data in -home)")
	flag.StringVar(&o.only, "only", "", "workloads, by comma; w2 is all of w2_…")
	flag.StringVar(&o.forms, "form", "a,b", "forms, by comma: a from memory, b from files, c as a stream, m as a stream from memory, l latency, s start-up, f Flight")
	flag.StringVar(&o.peers, "peers", "", "engines to compare with, by comma: duckdb, polars, spark, flink")
	flag.StringVar(&o.base, "base", "", "another build of this program to compare with")
	flag.StringVar(&o.json, "json", "", "write the report to this file as JSON")
	flag.StringVar(&o.markdown, "md", "", "write the report as Markdown to this file, or into a section of it: docs/performance.md#batch")
	flag.StringVar(&o.benchfmt, "benchfmt", "", "write our runs and those of -base to new.txt and base.txt in this folder, for benchstat")
	flag.BoolVar(&o.scale, "scale", false, "measure our engine against itself: threads, rows and keys up to -rows")
	flag.BoolVar(&o.serve, "serve", false, "be the child that runs our engine")
	flag.BoolVar(&o.flight, "flight", false, "be the child that serves Flight")
	flag.BoolVar(&o.first, "first", false, "be the child that answers SELECT 1")
	flag.StringVar(&o.cpuprofile, "cpuprofile", "", "write a CPU profile of our process to this file, for one workload in one form")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, &o); err != nil {
		fmt.Fprintln(os.Stderr, err)
		stop()
		os.Exit(1)
	}
}

func run(ctx context.Context, o *options) error {
	if o.serve {
		return serve(ctx, o)
	}
	if o.first {
		return first(ctx)
	}
	if o.dir == "" {
		o.dir = filepath.Join(o.home, ".data")
	}
	var err error
	if o.dir, err = filepath.Abs(o.dir); err != nil {
		return err
	}
	if o.flight {
		runtime.GOMAXPROCS(o.threads)
		return child(o, func() error { return serveFlight(ctx, o) })
	}
	workloads := workload.Select(list(o.only))
	if len(workloads) == 0 && !slices.ContainsFunc(list(o.only), func(n string) bool { return n == "w13" || n == "w14" }) {
		return fmt.Errorf("no workload %s", o.only)
	}
	run := compare
	if o.scale {
		run = func(ctx context.Context, o *options, _ []workload.Workload) (*report.Report, error) {
			return scale(ctx, o)
		}
	}
	rep, err := run(ctx, o, workloads)
	return errors.Join(err, writeBenchfmt(o.benchfmt, rep), write(o.json, rep.WriteJSON), writeMarkdown(o.markdown, rep))
}

// writeMarkdown writes the report to a file, or into the section of a file that a
// # names.
func writeMarkdown(name string, rep *report.Report) error {
	if name == "" {
		return nil
	}
	name, section, ok := strings.Cut(name, "#")
	text := rep.Markdown()
	if ok {
		page, err := os.ReadFile(name)
		if err != nil {
			return err
		}
		if text, err = report.Into(string(page), section, text); err != nil {
			return err
		}
	}
	return os.WriteFile(name, []byte(text), 0o644)
}

// serve is our engine as a child.
func serve(ctx context.Context, o *options) error {
	return child(o, func() error { return proc.Serve(ctx, engine.New(), os.Stdin, os.Stdout) })
}

// child runs f in a process with the collector set as the command has it, and writes
// its profile if one was asked for.
func child(o *options, f func() error) error {
	headroom.Set(headroom.Default)
	runtime.GOMAXPROCS(o.threads)
	if o.cpuprofile != "" {
		f, err := os.Create(o.cpuprofile)
		if err != nil {
			return err
		}
		defer f.Close()
		if err := pprof.StartCPUProfile(f); err != nil {
			return err
		}
		defer pprof.StopCPUProfile()
	}
	return f()
}

func list(s string) []string {
	return strings.FieldsFunc(s, func(r rune) bool { return r == ',' || r == ' ' })
}
