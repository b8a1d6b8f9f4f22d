package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/apache/arrow-go/v18/arrow/flight/flightsql"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"

	"github.com/flightd/flightd/bench/engine"
	"github.com/flightd/flightd/bench/proc"
	"github.com/flightd/flightd/bench/report"
)

// asked is how often a client asks for one row, after a tenth as often that does not count.
const asked = 3000

// answers is how long one row takes: the ticket of SELECT 1 by the Go client, and
// execute and fetch of SELECT 1 by ADBC in Python.
func answers(ctx context.Context, o *options, s *flightServer) []report.Workload {
	one := func(name, title, goal string, f func() (map[string]float64, error)) report.Workload {
		w := report.Workload{Name: name, Title: title, Form: "f", Rows: asked, Goal: goal, Engines: []report.Engine{{Name: s.name}}}
		e := &w.Engines[0]
		for range o.runs + 1 {
			u, r := proc.Begin(), proc.Reply{}
			m, err := f()
			if err != nil {
				e.Error = err.Error()
				break
			}
			u.End(&r)
			e.Metrics = m
			e.Runs = append(e.Runs, report.Run{Wall: r.Wall, CPU: r.CPU})
		}
		w.Finish()
		return w
	}
	return []report.Workload{
		one("w14_ticket", "DoGet of one row, Go client", "p50 ≤ 0.3 ms", func() (map[string]float64, error) { return tickets(ctx, s.uri) }),
		one("w14_adbc", "SELECT 1, ADBC in Python", "p50 ≤ 3 ms", func() (map[string]float64, error) {
			cmd := exec.CommandContext(ctx, filepath.Join(o.home, ".venv-peers", "bin", "python"), filepath.Join(o.home, "peers", "adbc_client.py"), s.uri, fmt.Sprint(asked))
			cmd.Stderr = os.Stderr
			line, err := cmd.Output()
			var took []float64
			if err = errors.Join(err, json.Unmarshal(line, &took)); err != nil {
				return nil, err
			}
			times := make([]time.Duration, len(took))
			for i, t := range took {
				times[i] = time.Duration(t * float64(time.Second))
			}
			return engine.Percentiles(times), nil
		}),
	}
}

func tickets(ctx context.Context, uri string) (map[string]float64, error) {
	cl, err := flightsql.NewClient(strings.TrimPrefix(uri, "grpc://"), nil, nil, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		return nil, err
	}
	defer cl.Close()
	info, err := cl.Execute(ctx, "SELECT 1")
	if err != nil {
		return nil, err
	}
	var took []time.Duration
	for i := range asked + asked/10 {
		begun := time.Now()
		r, err := cl.DoGet(ctx, info.Endpoint[0].Ticket)
		if err != nil {
			return nil, err
		}
		var rows int64
		for r.Next() {
			rows += r.RecordBatch().NumRows()
		}
		err = r.Err()
		r.Release()
		if err != nil || rows != 1 {
			return nil, fmt.Errorf("%d rows, %w", rows, err)
		}
		if i >= asked/10 {
			took = append(took, time.Since(begun))
		}
	}
	return engine.Percentiles(took), nil
}
