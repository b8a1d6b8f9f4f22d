package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/flightd/flightd/bench/report"
	"github.com/flightd/flightd/bench/workload"
)

// scale measures our engine against itself: two threads against one, and the
// cost of a row while rows and keys grow up to -rows.
func scale(ctx context.Context, o *options) (*report.Report, error) {
	alone := *o
	alone.peers, alone.base = "", ""
	rep := &report.Report{Machine: machine(o)}
	var text strings.Builder
	out := io.MultiWriter(os.Stdout, &text)
	fmt.Fprint(out, rep.Heading())
	for _, part := range []func(context.Context, *options, *report.Report, io.Writer) error{threads, rows, keys} {
		o := alone
		if err := part(ctx, &o, rep, out); err != nil {
			return rep, err
		}
	}
	rep.Text = text.String()
	return rep, nil
}

// threads compares the threads that the flags name with one.
func threads(ctx context.Context, o *options, rep *report.Report, out io.Writer) error {
	fmt.Fprintf(out, "\n| workload | form | M rows/s, 1 thread | %d threads | ratio (range) | target |\n|---|---|---|---|---|---|\n", o.threads)
	o.base, o.baseThreads, o.rows = "/proc/self/exe", 1, min(o.rows, 10_000_000)
	for _, name := range []string{"w2_100k", "w2_1m", "w2_10m", "w4", "w5", "w10"} {
		form := workload.Memory
		if name == "w10" {
			form = workload.Files
		}
		w := workload.Select([]string{name})[0]
		res, err := one(ctx, o, &w, form)
		if err != nil {
			return err
		}
		res.Name += " threads"
		rep.Workloads = append(rep.Workloads, *res)
		if ours, single := res.Engines[0], res.Engines[1]; single.Ratio != nil {
			fmt.Fprintf(out, "| %s %s | %s | %.2f | %.2f | **%.2f** (%.2f–%.2f) | 1.7 |\n", w.Name, w.Title, form, single.Rate, ours.Rate,
				single.Ratio.Median, single.Ratio.Least, single.Ratio.Most)
		} else {
			fmt.Fprintf(out, "| %s %s | %s | %s | | | |\n", w.Name, w.Title, form, ours.Error+single.Error)
		}
	}
	return nil
}

// growing are the sizes of a table: the cost of a row should stay.
func growing(ctx context.Context, o *options, rep *report.Report, out io.Writer, what string, sizes []int, of func(size int) workload.Workload) error {
	fmt.Fprintf(out, "\n| %s | M | wall ns a row | CPU ns a row | against the first | peak MB |\n|---|---|---|---|---|---|\n", what)
	var first float64
	for _, size := range sizes {
		if size > o.rows {
			break
		}
		sized := *o
		sized.rows = size
		w := of(size)
		res, err := one(ctx, &sized, &w, workload.Files)
		if err != nil {
			return err
		}
		rep.Workloads = append(rep.Workloads, *res)
		e := res.Engines[0]
		if e.Error != "" {
			return fmt.Errorf("%s: %s", w.Name, e.Error)
		}
		per := e.Wall / float64(size) * 1e9
		if first == 0 {
			first = per
		}
		fmt.Fprintf(out, "| %s | %d | %.1f | %.1f | %.2f | %.0f |\n", w.Name, size/1_000_000, per, e.CPU/float64(size)*1e9, per/first, float64(e.RSS)/1e6)
	}
	return nil
}

func rows(ctx context.Context, o *options, rep *report.Report, out io.Writer) error {
	sizes := []int{1_000_000, 3_000_000, 10_000_000, 30_000_000, 100_000_000}
	return growing(ctx, o, rep, out, "rows, 1 k groups", sizes, func(int) workload.Workload { return workload.Select([]string{"w2_1k"})[0] })
}

func keys(ctx context.Context, o *options, rep *report.Report, out io.Writer) error {
	sizes := []int{1_000_000, 3_000_000, 10_000_000, 30_000_000}
	return growing(ctx, o, rep, out, "keys, each once", sizes, workload.Keys)
}
