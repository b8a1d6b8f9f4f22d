package streamtest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/cockroachdb/datadriven"

	"github.com/flightd/flightd"
	"github.com/flightd/flightd/internal/base"
	"github.com/flightd/flightd/sinks"
)

// errCrash is what a crashed step returns.
var errCrash = errors.New("crashed here")

// fuse crashes the engine before a durable step: the next one of a name, or the
// k-th of all.
type fuse struct {
	step  string
	k     int
	steps int
	blown string
}

func (f *fuse) before(_, step string, epoch base.Epoch) error {
	f.steps++
	if f.step == step || f.k > 0 && f.steps == f.k {
		f.step, f.k = "", 0
		f.blown = fmt.Sprintf("crashed before %s of epoch %d", step, epoch)
		return errCrash
	}
	return nil
}

// script is the state of one play of a script.
type script struct {
	home      string
	batchRows int
	fuse      *fuse
	// recover restarts on the spot after a crash that the script did not order.
	recover bool

	eng     *flightd.Engine
	session *flightd.Session
	query   *flightd.StreamingQuery
	clock   *base.VirtualClock
	sink    store
	marks   map[base.Epoch]string
	printed int
	streams map[string]string // name -> DDL
	first   string            // the stream that push means by default
	tables  map[string]string
	conf    [][2]string
	sql     string
	mode    string
	trigger flightd.Trigger
	files   int
}

func newScript(home string, batchRows int, f *fuse) *script {
	return &script{home: home, batchRows: batchRows, fuse: f, recover: f.k > 0, marks: map[base.Epoch]string{},
		streams: map[string]string{}, tables: map[string]string{}, clock: base.NewVirtualClock(time.Unix(1_800_000_000, 0))}
}

// command runs one command of the script and returns what it prints.
func (s *script) command(d *datadriven.TestData) (string, error) {
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	switch d.Cmd {
	case "source":
		name := arg(d, "name", "s")
		if s.first == "" {
			s.first = name
		}
		s.streams[name] = strings.TrimSpace(d.Input)
		return "ok\n", os.MkdirAll(filepath.Join(s.home, "in", name), 0o755)
	case "table":
		return s.table(d)
	case "set":
		for _, line := range strings.Split(strings.TrimSpace(d.Input), "\n") {
			k, v, _ := strings.Cut(line, "=")
			s.conf = append(s.conf, [2]string{strings.TrimSpace(k), strings.TrimSpace(v)})
		}
		return "ok\n", nil
	case "query":
		s.sql, s.mode = d.Input, arg(d, "mode", "append")
		switch arg(d, "trigger", "") {
		case "available-now":
			s.trigger.Kind = flightd.AvailableNow
		case "once":
			s.trigger.Kind = flightd.Once
		}
		if err := s.start(ctx); err != nil {
			return show(err, s.sql), nil
		}
		return "ok\n", nil
	case "explain":
		if err := s.open(ctx); err != nil {
			return "", err
		}
		text, err := s.session.SQL(d.Input).Explain()
		if err != nil {
			return show(err, d.Input), nil
		}
		return text, nil
	case "push":
		return s.push(arg(d, "source", s.first), d.Input)
	case "run":
		return s.run(ctx)
	case "state":
		return s.state(), nil
	case "sink":
		return s.sink.String(), nil
	case "clock":
		dur, err := base.ParseDuration(strings.TrimPrefix(d.CmdArgs[0].Key, "+"))
		s.clock.Advance(dur)
		return "ok\n", err
	case "crash":
		s.fuse.step = arg(d, "before", "")
		err := s.drain(ctx)
		if !errors.Is(err, errCrash) {
			return fmt.Sprintf("did not crash: %v\n", err), nil
		}
		return s.fuse.blown + "\n", nil
	case "restart":
		return s.restart(ctx)
	}
	return "", fmt.Errorf("no command %s", d.Cmd)
}

func arg(d *datadriven.TestData, key, def string) string {
	for _, a := range d.CmdArgs {
		if a.Key == key && len(a.Vals) > 0 {
			return a.Vals[0]
		}
	}
	return def
}

// show is an error as a user sees it.
func show(err error, _ string) string { return base.AsError(err).Display() + "\n" }

// open opens the engine on the script's folder, if it is not open.
func (s *script) open(ctx context.Context) error {
	if s.eng != nil {
		return nil
	}
	eng, err := flightd.Open(ctx, flightd.Options{DataDir: filepath.Join(s.home, "data"), Clock: s.clock,
		Sinks: []sinks.Provider{s.sink.provider()}, BeforeStep: s.fuse.before})
	if err != nil {
		return err
	}
	s.eng, s.session = eng, eng.NewSession()
	for _, kv := range s.conf {
		if _, err := s.session.Set(kv[0], kv[1]); err != nil {
			return err
		}
	}
	if s.batchRows > 0 {
		if _, err := s.session.Set("flightd.batchRows", strconv.Itoa(s.batchRows)); err != nil {
			return err
		}
	}
	for name, ddl := range s.streams {
		if err := s.session.ReadStream().Schema(ddl).Option("mode", "FAILFAST").Option("pathGlobFilter", "*.json").
			JSON(filepath.Join(s.home, "in", name)).CreateOrReplaceTempView(name); err != nil {
			return err
		}
	}
	for name, ddl := range s.tables {
		if err := s.session.Read().Schema(ddl).JSON(filepath.Join(s.home, "tables", name)).CreateOrReplaceTempView(name); err != nil {
			return err
		}
	}
	return nil
}

func (s *script) start(ctx context.Context) error {
	if err := s.open(ctx); err != nil {
		return err
	}
	q, err := s.session.SQL(s.sql).WriteStream().OutputMode(s.mode).QueryName("q").Format("script").Trigger(s.trigger).
		Option("checkpointLocation", filepath.Join(s.home, "checkpoint")).Start(ctx)
	if err != nil {
		return err
	}
	s.query = q
	return nil
}

// drain lets the query work until it is idle, or ends.
func (s *script) drain(ctx context.Context) error {
	var err error
	if s.trigger.Kind == flightd.ProcessingTime {
		err = s.query.ProcessAllAvailable(ctx)
	} else {
		err = s.query.AwaitTermination(ctx)
	}
	for _, p := range s.query.RecentProgress() {
		s.marks[p.BatchID] = fmt.Sprintf("watermark %s -> %s", seconds(p.EventTime["watermark"]), seconds(p.NextWatermark))
	}
	return err
}

// seconds is an ISO time as seconds since 1970, "-" if there is none.
func seconds(iso string) string {
	t, err := time.Parse("2006-01-02T15:04:05.000Z", iso)
	if err != nil {
		return "-"
	}
	return strconv.FormatFloat(float64(t.UnixMilli())/1000, 'f', -1, 64)
}

func (s *script) run(ctx context.Context) (string, error) {
	err := s.drain(ctx)
	for tries := 0; s.recover && errors.Is(err, errCrash) && tries < 3; tries++ {
		if _, err = s.restart(ctx); err == nil {
			err = s.drain(ctx)
		}
	}
	var b bytes.Buffer
	for _, c := range s.sink.since(s.printed) {
		fmt.Fprintf(&b, "epoch %d  %s\n", c.epoch, s.marks[c.epoch])
		for _, r := range c.rows {
			fmt.Fprintf(&b, "  %s\n", r)
		}
		s.printed++
	}
	if err != nil {
		b.WriteString(show(err, s.sql))
	}
	return b.String(), nil
}

// restart abandons the engine as a crash would and opens the folder again.
func (s *script) restart(ctx context.Context) (string, error) {
	done := base.NoEpoch
	if s.eng != nil {
		s.eng.Close()
	}
	for _, c := range s.sink.since(0) {
		done = max(done, c.epoch)
	}
	s.eng = nil
	repeats := s.sink.repeats
	if err := s.start(ctx); err != nil {
		return show(err, s.sql), nil
	}
	if s.recover {
		return "", nil
	}
	before := len(s.sink.since(0))
	if err := s.drain(ctx); err != nil {
		return show(err, s.sql), nil
	}
	switch {
	case s.sink.repeats > repeats:
		return fmt.Sprintf("epoch %d is replayed; the sink had it\n", done), nil
	case len(s.sink.since(0)) > before:
		return fmt.Sprintf("goes on with epoch %d\n", s.sink.since(before)[0].epoch), nil
	}
	return "nothing to replay\n", nil
}

func (s *script) state() string {
	p := s.query.LastProgress()
	if p == nil {
		return "no epoch yet\n"
	}
	var b bytes.Buffer
	for i, o := range p.StateOps {
		fmt.Fprintf(&b, "operator %d %s: %d rows, %d updated, %d removed, %d dropped\n", i, o.OperatorName, o.NumRowsTotal, o.NumRowsUpdated, o.NumRowsRemoved, o.NumRowsDroppedByWatermark)
	}
	fmt.Fprintf(&b, "late input rows: %d\n", p.LateInputRows)
	return b.String()
}
