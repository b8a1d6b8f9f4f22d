package main

import (
	"context"
	"fmt"
	"io"
	"path/filepath"

	"github.com/flightd/flightd"
	"github.com/flightd/flightd/bench/proc"
	"github.com/flightd/flightd/bench/report"
)

// first is the child of w13: it prints its peak of resident memory when it has
// the result of SELECT 1.
func first(ctx context.Context) error {
	eng, err := flightd.Open(ctx, flightd.Options{})
	if err != nil {
		return err
	}
	defer eng.Close()
	res, err := eng.NewSession().Execute(ctx, "SELECT 1")
	if err != nil {
		return err
	}
	defer res.Close()
	for {
		rec, err := res.Next(ctx)
		if err == io.EOF {
			break
		}
		if err != nil {
			return err
		}
		rec.Release()
	}
	_, err = fmt.Println(proc.PeakRSS())
	return err
}

// startup is w13: whole processes, from their start to their first result.
func startup(ctx context.Context, o *options) ([]report.Workload, error) {
	w := report.Workload{Name: "w13", Title: "process start → SELECT 1", Form: "s", Rows: 1, Goal: "≤ 100 ms, ≤ 60 MB"}
	type starter struct {
		name string
		argv []string
	}
	all := []starter{{report.Ours, []string{"/proc/self/exe", "-first"}}}
	if o.base != "" {
		all = append(all, starter{report.Base, []string{o.base, "-first"}})
	}
	for _, name := range list(o.peers) {
		venv := ".venv-peers"
		if name == "flink" {
			venv = ".venv-flink"
		}
		all = append(all, starter{name, []string{filepath.Join(o.home, venv, "bin", "python"), filepath.Join(o.home, "peers", "first.py"), name}})
	}
	w.Engines = make([]report.Engine, len(all))
	for round := range o.runs + 1 {
		for i := range all {
			if round%2 == 1 {
				i = len(all) - 1 - i
			}
			e := &w.Engines[i]
			if e.Name = all[i].name; e.Error != "" {
				continue
			}
			r, err := proc.First(ctx, nil, all[i].argv...)
			if err != nil {
				e.Error = err.Error()
				continue
			}
			e.Runs = append(e.Runs, report.Run{Wall: r.Wall, CPU: r.CPU, RSS: r.RSS})
		}
	}
	w.Finish()
	return []report.Workload{w}, nil
}
