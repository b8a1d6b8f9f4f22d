package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/flightd/flightd/bench/checksum"
	"github.com/flightd/flightd/bench/proc"
	"github.com/flightd/flightd/bench/report"
	"github.com/flightd/flightd/bench/workload"
)

// compare runs the workloads on our engine and its peers and prints the table
// line by line as it goes.
func compare(ctx context.Context, o *options, workloads []workload.Workload) (*report.Report, error) {
	rep := &report.Report{Machine: machine(o)}
	fmt.Print(rep.Heading(), "\n", report.Columns)
	for _, w := range workloads {
		for _, f := range list(o.forms) {
			form := workload.Form(f)
			if !w.Runs(form) {
				continue
			}
			res, err := one(ctx, o, &w, form)
			if err != nil {
				return rep, fmt.Errorf("%s (%s): %w", w.Name, form, err)
			}
			fmt.Print(res.Lines())
			rep.Workloads = append(rep.Workloads, *res)
		}
	}
	return rep, nil
}

// contestant is an engine in a workload.
type contestant struct {
	result report.Engine
	child  *proc.Child
	sum    *checksum.Sum
}

// one runs a workload in one form: every engine loads, runs once, chooses its
// fastest way, and then they take turns.
func one(ctx context.Context, o *options, w *workload.Workload, form workload.Form) (*report.Workload, error) {
	res := &report.Workload{Name: w.Name, Title: w.Title, Form: string(form), Rows: o.rows, Target: w.Targets[form]}
	var all []*contestant
	scratch, err := os.MkdirTemp(o.dir, "scratch-")
	if err != nil && os.IsNotExist(err) {
		if err = os.MkdirAll(o.dir, 0o755); err == nil {
			scratch, err = os.MkdirTemp(o.dir, "scratch-")
		}
	}
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(scratch)
	spec, err := workload.SpecOf(w, form, workload.Data{Dir: o.dir, Seed: o.seed, Rows: o.rows, PerFile: fileRows})
	if err != nil {
		return nil, err
	}
	for _, p := range enginesOf(o, form) {
		c := &contestant{result: report.Engine{Name: p.name}}
		all = append(all, c)
		s := *spec
		s.Threads = o.threads
		s.Queries, s.Scratch = p.queries(w, form), filepath.Join(scratch, p.name)
		if err := c.begin(ctx, p, &s); err != nil {
			c.fail(err)
		}
		if c.child != nil {
			defer c.child.Close()
		}
	}
	for round := range o.runs {
		order := slices.Clone(all)
		if round%2 == 1 {
			slices.Reverse(order)
		}
		for _, c := range order {
			if c.result.Error == "" {
				c.run(proc.Run)
			}
		}
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
	}
	for _, c := range all {
		c.check(all)
		res.Engines = append(res.Engines, c.result)
	}
	res.Finish()
	return res, nil
}

// begin starts the engine, loads, runs for the first time and lets it choose.
func (c *contestant) begin(ctx context.Context, p peer, spec *proc.Spec) error {
	if err := os.MkdirAll(spec.Scratch, 0o755); err != nil {
		return err
	}
	var err error
	if c.child, err = proc.Start(ctx, p.name, p.env, p.argv...); err != nil {
		return err
	}
	r, err := c.child.Ask(proc.Request{Op: proc.Load, Spec: spec})
	if err != nil {
		return err
	}
	c.result.Version = r.Version
	c.run(proc.Run)
	if c.result.Error == "" {
		_, err = c.child.Ask(proc.Request{Op: proc.Choose})
	}
	return err
}

func (c *contestant) run(op proc.Op) {
	r, err := c.child.Ask(proc.Request{Op: op})
	if err != nil {
		c.fail(err)
		return
	}
	c.result.Note, c.result.Metrics = r.Note, r.Metrics
	c.result.Runs = append(c.result.Runs, report.Run{Wall: r.Wall, CPU: r.CPU, RSS: r.RSS})
}

// check sums up the last answer and compares it with that of the first engine
// that has one; an engine that differs has no figures.
func (c *contestant) check(all []*contestant) {
	if c.result.Error != "" {
		return
	}
	r, err := c.child.Ask(proc.Request{Op: proc.Check})
	if err != nil {
		c.fail(err)
		return
	}
	c.sum = r.Sum
	for _, d := range all {
		if d == c || d.sum == nil {
			continue
		}
		if diff := d.sum.Differs(*c.sum); diff != "" {
			c.fail(fmt.Errorf("another answer than %s: %s", d.result.Name, diff))
		}
		return
	}
}

func (c *contestant) fail(err error) {
	c.result.Error = err.Error()
}

// fileRows is the size of a generated file.
const fileRows = 1_000_000

func machine(o *options) report.Machine {
	m := report.Machine{CPU: runtime.GOARCH, Cores: runtime.NumCPU(), Threads: o.threads, Go: runtime.Version(),
		Date: time.Now().UTC().Format(time.DateOnly), Seed: o.seed, Runs: o.runs}
	info, err := os.ReadFile("/proc/cpuinfo")
	if err != nil {
		return m
	}
	for line := range strings.Lines(string(info)) {
		if name, value, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(name) == "model name" {
			m.CPU = strings.TrimSpace(value)
			break
		}
	}
	return m
}

// write writes a report to a file, if one is named.
func write(name string, to func(io.Writer) error) error {
	if name == "" {
		return nil
	}
	f, err := os.Create(name)
	if err != nil {
		return err
	}
	if err := to(f); err != nil {
		_ = f.Close()
		return err
	}
	return f.Close()
}
