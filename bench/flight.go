package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/flightd/flightd"
	"github.com/flightd/flightd/bench/gen"
	"github.com/flightd/flightd/bench/proc"
	"github.com/flightd/flightd/bench/report"
	"github.com/flightd/flightd/flight"
	"github.com/flightd/flightd/sources"
	"github.com/flightd/flightd/sources/memory"
)

// flightTable is what w14 sends: 32 bytes a row.
func flightTable() *gen.Table {
	return &gen.Table{Name: "events", Format: gen.Parquet, Columns: []gen.Column{
		gen.Clock("ts", 100, 0), gen.Uniform("k", 1000), gen.Uniform("v", 1000), gen.Real("x", 1)}}
}

// serveFlight is our server of w14, over record batches in memory. It prints its
// address and ends when its standard input does.
func serveFlight(ctx context.Context, o *options) error {
	t := flightTable()
	recs := t.Records(o.seed, o.rows, 64<<10)
	provider := sources.Provider{Name: "generated", Batch: func(context.Context, sources.Config) (sources.Table, error) {
		return memory.NewTable(t.Schema(), recs), nil
	}}
	dir, err := os.MkdirTemp(o.dir, "flight-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	eng, err := flightd.Open(ctx, flightd.Options{DataDir: dir, Sources: []sources.Provider{provider}})
	if err != nil {
		return err
	}
	for _, text := range []string{"CREATE TABLE events USING generated",
		"CREATE TABLE append (ts TIMESTAMP, k BIGINT, v BIGINT, x DOUBLE) USING flight OPTIONS ('retentionBytes' = '500000000')"} {
		if _, err := eng.NewSession().Execute(ctx, text); err != nil {
			return errors.Join(err, eng.Close())
		}
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return errors.Join(err, eng.Close())
	}
	srv := flight.New(flight.Engine(eng), flight.Options{Version: flightd.Version})
	served := make(chan error, 1)
	go func() { served <- srv.Serve(l) }()
	fmt.Println("grpc://" + l.Addr().String())
	_, err = io.Copy(io.Discard, os.Stdin)
	srv.Stop(ctx)
	return errors.Join(err, <-served, eng.Close())
}

// flightServer is a server of w14 that runs.
type flightServer struct {
	name string
	cmd  *exec.Cmd
	in   io.Closer
	uri  string
}

func startFlight(ctx context.Context, name string, argv ...string) (*flightServer, error) {
	s := &flightServer{name: name, cmd: exec.CommandContext(ctx, argv[0], argv[1:]...)}
	s.cmd.Stderr = os.Stderr
	in, err := s.cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	s.in = in
	out, err := s.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := s.cmd.Start(); err != nil {
		return nil, err
	}
	s.uri, err = bufio.NewReader(out).ReadString('\n')
	s.uri = strings.TrimSpace(s.uri)
	return s, err
}

func (s *flightServer) stop() error { return errors.Join(s.in.Close(), s.cmd.Wait()) }

// flights is w14: one Python client against our server and Arrow's in C++. Our DoPut
// is durable; Arrow's server is there twice, once as its users begin, dropping what comes,
// once with the lines of Python that write the same to a file and have it on disk.
func flights(ctx context.Context, o *options) ([]report.Workload, error) {
	t := flightTable()
	files, err := t.Files(o.dir, o.seed, o.rows, o.rows)
	if err != nil {
		return nil, err
	}
	python, peers := filepath.Join(o.home, ".venv-peers", "bin", "python"), filepath.Join(o.home, "peers")
	ours, err := startFlight(ctx, report.Ours, "/proc/self/exe", "-flight", "-rows", strconv.Itoa(o.rows), "-seed", strconv.FormatUint(o.seed, 10),
		"-threads", strconv.Itoa(o.threads), "-dir", o.dir)
	if err != nil {
		return nil, fmt.Errorf("starting our server: %w", err)
	}
	defer ours.stop()
	theirs, err := startFlight(ctx, "arrow-cpp", python, filepath.Join(peers, "flight_server.py"), files)
	if err != nil {
		return nil, fmt.Errorf("starting Arrow's server: %w", err)
	}
	defer theirs.stop()
	dir, err := os.MkdirTemp(o.dir, "flight-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	keeping, err := startFlight(ctx, "arrow-cpp, kept", python, filepath.Join(peers, "flight_server.py"), files, dir)
	if err != nil {
		return nil, fmt.Errorf("starting Arrow's server: %w", err)
	}
	defer keeping.stop()
	var out []report.Workload
	for _, what := range []struct {
		name, title, op string
		streams         int
	}{{"w14_get", "DoGet, 1 stream", "get", 1}, {"w14_get4", "DoGet, 4 streams", "get", 4}, {"w14_put", "DoPut, 1 stream; ours is durable", "put", 1},
		{"w14_append", "DoPut by path, 1 stream; ours is durable", "append", 1}} {
		w := report.Workload{Name: what.name, Title: what.title, Form: "f", Rows: o.rows * what.streams}
		servers := []*flightServer{ours, theirs}
		if what.op != "get" {
			servers = append(servers, keeping)
		}
		for _, s := range servers {
			w.Engines = append(w.Engines, report.Engine{Name: s.name})
		}
		for round := range o.runs + 1 {
			for i := range servers {
				if round%2 == 1 {
					i = len(servers) - 1 - i
				}
				s, e := servers[i], &w.Engines[i]
				cmd := exec.CommandContext(ctx, python, filepath.Join(peers, "flight_client.py"), s.uri, strconv.Itoa(s.cmd.Process.Pid), files, strconv.Itoa(what.streams), what.op)
				cmd.Stderr = os.Stderr
				line, err := cmd.Output()
				var r proc.Reply
				if err = errors.Join(err, json.Unmarshal(line, &r)); err != nil {
					e.Error = err.Error()
					continue
				}
				e.Metrics = r.Metrics
				e.Runs = append(e.Runs, report.Run{Wall: r.Wall, CPU: r.CPU})
			}
		}
		w.Finish()
		out = append(out, w)
	}
	return append(out, answers(ctx, o, ours)...), nil
}
