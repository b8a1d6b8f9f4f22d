package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
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
	return rep, extras(ctx, o, rep)
}

// extras are the workloads that are not a question over rows.
func extras(ctx context.Context, o *options, rep *report.Report) error {
	for _, extra := range []struct {
		name, form string
		run        func(context.Context, *options) ([]report.Workload, error)
	}{{"w13", "s", startup}, {"w14", "f", flights}} {
		only := list(o.only)
		if !slices.Contains(only, extra.name) && (len(only) > 0 || !slices.Contains(list(o.forms), extra.form)) {
			continue
		}
		found, err := extra.run(ctx, o)
		if err != nil {
			return fmt.Errorf("%s: %w", extra.name, err)
		}
		for _, w := range found {
			fmt.Print(w.Lines())
			rep.Workloads = append(rep.Workloads, w)
		}
	}
	return ctx.Err()
}

// contestant is an engine in a workload.
type contestant struct {
	result report.Engine
	peer   peer
	spec   proc.Spec
	child  *proc.Child
}

// one runs a workload in one form: every engine loads, runs once, chooses its
// fastest way, and then they take turns.
func one(ctx context.Context, o *options, w *workload.Workload, form workload.Form) (*report.Workload, error) {
	res := &report.Workload{Name: w.Name, Title: w.Title, Form: string(form), Rows: w.Size(o.rows), Target: w.Targets[form], Goal: w.Goals[form]}
	if err := os.MkdirAll(o.dir, 0o755); err != nil {
		return nil, err
	}
	scratch, err := os.MkdirTemp(o.dir, "scratch-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(scratch)
	all, err := contestants(o, w, form, scratch)
	if err != nil {
		return nil, err
	}
	for _, c := range all {
		if err := c.begin(ctx); err != nil {
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
	// Some engines close all windows at the end of their input: their answer is whole.
	var right, whole *checksum.Sum
	var oneGo float64
	if form == workload.Stream || form == workload.Pushed {
		if right, whole, oneGo, err = answer(ctx, o, w); err != nil {
			return nil, err
		}
	}
	for _, c := range all {
		if c.peer.flushes {
			c.check(&whole)
		} else {
			c.check(&right)
		}
		res.Engines = append(res.Engines, c.result)
	}
	res.Finish()
	for i, e := range res.Engines {
		if form == workload.Stream && e.Wall > 0 && strings.HasPrefix(e.Name, report.Ours) {
			res.Engines[i].Metrics["times (b)"] = e.Wall / oneGo
		}
	}
	return res, nil
}

// contestants are the engines of a workload. A stream of ours is one for each
// size of micro-batches.
func contestants(o *options, w *workload.Workload, form workload.Form, scratch string) ([]*contestant, error) {
	data := workload.Data{Dir: o.dir, Home: o.home, Seed: o.seed, Rows: o.rows, PerFile: fileRows, Small: true, Halves: strings.Contains(o.peers, "flink")}
	spec, err := workload.SpecOf(w, form, data)
	if err != nil {
		return nil, err
	}
	spec.Threads = o.threads
	var out []*contestant
	add := func(name string, p peer, ways []proc.Way) {
		c := &contestant{result: report.Engine{Name: name}, peer: p, spec: *spec}
		c.spec.Queries, c.spec.Ways = p.queries(w, form), ways
		c.spec.Scratch = filepath.Join(scratch, strings.ReplaceAll(name, " ", "-"))
		out = append(out, c)
	}
	for _, p := range enginesOf(o, form) {
		switch ways := waysOf(o, p); {
		case form != workload.Stream:
			add(p.name, p, nil)
		case p.ours:
			for _, way := range ways {
				add(p.name+" "+way.Name, p, []proc.Way{way})
			}
		default:
			add(p.name, p, ways)
		}
	}
	return out, nil
}

// waysOf are the sizes of micro-batches that leave at least one after the first.
func waysOf(o *options, p peer) []proc.Way {
	ways := []proc.Way{{Name: "1M", Files: 1}}
	if o.rows >= 10*fileRows {
		ways = append(ways, proc.Way{Name: "5M", Files: 5})
	}
	if p.ours {
		ways = append(ways, proc.Way{Name: "100k", Files: 1, Small: true})
	}
	return ways
}

// answer is the checksum of our answer from files in one go, which form (b)
// compares with the peers': as far as a stream has put it out when it ends, and the
// whole; and the time that the whole takes: what a stream costs more is the price of
// its micro-batches.
func answer(ctx context.Context, o *options, w *workload.Workload) (ended, whole *checksum.Sum, seconds float64, err error) {
	whole, all, err := inOneGo(ctx, o, w, w.Batch(), max(3, o.runs))
	ended = whole
	if err == nil && w.Ended != "" {
		ended, _, err = inOneGo(ctx, o, w, w.AtEnd(), 0)
	}
	return ended, whole, all.Wall, err
}

// inOneGo is what a query over a workload's files answers, and how long it takes.
func inOneGo(ctx context.Context, o *options, w *workload.Workload, query string, runs int) (*checksum.Sum, report.Engine, error) {
	spec, err := workload.SpecOf(w, workload.Files, workload.Data{Dir: o.dir, Home: o.home, Seed: o.seed, Rows: o.rows, PerFile: fileRows})
	if err != nil {
		return nil, report.Engine{}, err
	}
	spec.Queries = []string{query}
	c := &contestant{peer: enginesOf(o, workload.Files)[0], spec: *spec}
	err = c.begin(ctx)
	if c.child != nil {
		defer c.child.Close()
	}
	if err != nil {
		return nil, report.Engine{}, err
	}
	for range runs {
		c.run(proc.Run)
	}
	var sum *checksum.Sum
	if c.check(&sum); sum == nil {
		return nil, report.Engine{}, fmt.Errorf("answering from files: %s", c.result.Error)
	}
	timed := report.Workload{Rows: spec.Rows, Engines: []report.Engine{c.result}}
	timed.Engines[0].Name = report.Ours
	timed.Finish()
	return sum, timed.Engines[0], nil
}

// begin starts the engine, loads, runs for the first time and lets it choose.
func (c *contestant) begin(ctx context.Context) error {
	if c.spec.Scratch != "" {
		if err := os.MkdirAll(c.spec.Scratch, 0o755); err != nil {
			return err
		}
	}
	var err error
	if c.child, err = proc.Start(ctx, c.peer.name, c.peer.env, c.peer.argv...); err != nil {
		return err
	}
	r, err := c.child.Ask(proc.Request{Op: proc.Load, Spec: &c.spec})
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

// check sums up the last answer and compares it with the right one, which is that
// of the first engine that has one. An engine that differs has no figures.
func (c *contestant) check(right **checksum.Sum) {
	if c.result.Error != "" {
		return
	}
	r, err := c.child.Ask(proc.Request{Op: proc.Check})
	switch {
	case err != nil:
		c.fail(err)
	case *right == nil:
		*right = r.Sum
	default:
		if diff := (*right).Differs(*r.Sum); diff != "" {
			c.fail(fmt.Errorf("another answer: %s", diff))
		}
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
	if build, ok := debug.ReadBuildInfo(); ok {
		for _, set := range build.Settings {
			if set.Key == "vcs.revision" {
				m.Revision = set.Value[:min(len(set.Value), 12)]
			}
		}
	}
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
