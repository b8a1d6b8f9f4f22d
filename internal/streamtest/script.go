package streamtest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/cockroachdb/datadriven"
	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/cockroachdb/pebble/v2/vfs/errorfs"

	"github.com/flightd/flightd"
	"github.com/flightd/flightd/checkpoint"
	"github.com/flightd/flightd/internal/base"
)

// script is the state of one play of a script.
type script struct {
	home  string
	disk  vfs.FS      // of the checkpoint
	extra [][2]string // settings of the multiplier
	fuse  *fuse
	// recover restarts on the spot after a crash that the script did not order.
	recover bool

	eng     *flightd.Engine
	session *flightd.Session
	query   *flightd.StreamingQuery
	clock   *base.VirtualClock
	sinks   map[string]*store // by folder of the checkpoint
	marks   map[base.Epoch]string
	last    *flightd.Progress
	streams map[string]stream
	first   string            // the stream that push means by default
	tables  map[string]string // name -> DDL
	conf    [][2]string
	sql     string
	mode    string
	late    string // the table of late rows
	folder  string // of the checkpoint
	format  string // of the sink
	trigger flightd.Trigger
	// subscribers are by name.
	subscribers map[string]*subscriber
	files       int
}

// stream is a source that push feeds.
type stream struct {
	ddl     string
	options [][2]string
}

func newScript(home string, disk vfs.FS, extra [][2]string, f *fuse) *script {
	return &script{home: home, disk: errorfs.Wrap(disk, f), extra: extra, fuse: f, recover: f.k > 0, marks: map[base.Epoch]string{}, folder: "checkpoint", format: "script", subscribers: map[string]*subscriber{},
		streams: map[string]stream{}, tables: map[string]string{}, sinks: map[string]*store{}, clock: base.NewVirtualClock(time.Unix(1_800_000_000, 0))}
}

// command runs one command of the script and returns what it prints.
func (s *script) command(d *datadriven.TestData) (string, error) {
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	switch d.Cmd {
	case "source":
		return s.source(d)
	case "table":
		return s.table(d)
	case "set":
		return s.set(d.Input)
	case "query":
		return s.declare(ctx, d)
	case "explain":
		return s.explain(ctx, d.Input)
	case "push":
		return s.push(arg(d, "source", s.first), d.Input)
	case "run":
		return s.run(ctx)
	case "subscribe":
		return s.subscribe(ctx, d)
	case "state":
		return s.state(), nil
	case "emission":
		return s.emission(), nil
	case "sql":
		return s.statement(ctx, d.Input)
	case "sink":
		return s.sink().String(), nil
	case "ledger":
		return s.ledger()
	case "clock":
		dur, err := base.ParseDuration(strings.TrimPrefix(d.CmdArgs[0].Key, "+"))
		s.clock.Advance(dur)
		return "ok\n", err
	case "crash":
		return s.crash(ctx, arg(d, "before", ""))
	case "fail":
		return s.fail(ctx, arg(d, "op", ""))
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

// runID is what differs in the message of a failed query from run to run.
var runID = regexp.MustCompile(`query q \[id = [-0-9a-f]+, runId = [-0-9a-f]+\] terminated: `)

// show is an error as a user sees it.
func (s *script) show(err error) string {
	text := runID.ReplaceAllString(base.AsError(err).Display(), "")
	return strings.ReplaceAll(text, s.home, "") + "\n"
}

// set adds settings; they hold from the next start on.
func (s *script) set(input string) (string, error) {
	for line := range strings.SplitSeq(strings.TrimSpace(input), "\n") {
		k, v, _ := strings.Cut(line, "=")
		k, v = strings.TrimSpace(k), strings.TrimSpace(v)
		if s.session != nil {
			if _, err := s.session.Set(k, v); err != nil {
				return s.show(err), nil
			}
		}
		s.conf = append(s.conf, [2]string{k, v})
	}
	return "ok\n", nil
}

// declare takes a query and starts it, in place of the one before it. It has
// worked off what was there, and waits or has ended, when declare returns.
func (s *script) declare(ctx context.Context, d *datadriven.TestData) (string, error) {
	s.sql, s.mode, s.trigger = d.Input, arg(d, "mode", "append"), flightd.Trigger{}
	s.folder, s.late = arg(d, "checkpoint", s.folder), arg(d, "late", "")
	s.format = arg(d, "sink", "script")
	switch trigger := arg(d, "trigger", ""); trigger {
	case "":
	case "available-now":
		s.trigger.Kind = flightd.AvailableNow
	case "once":
		s.trigger.Kind = flightd.Once
	default:
		interval, err := base.ParseDuration(trigger)
		if err != nil {
			return "", err
		}
		s.trigger.Interval = interval
	}
	if s.query != nil {
		if err := s.query.Stop(ctx); err != nil {
			return "", err
		}
	}
	s.query = nil
	if err := s.start(ctx); err != nil {
		return s.show(err), nil
	}
	_ = s.settle(ctx) // the next run tells
	return "ok\n", nil
}

// emission is what EXPLAIN EMISSION finds of the query.
func (s *script) emission() string {
	var b strings.Builder
	for _, f := range s.query.Emission() {
		if f.Code != "" {
			fmt.Fprintf(&b, "%s ", f.Code)
		}
		fmt.Fprintf(&b, "%s: %s\n", f.Subject, f.Text)
	}
	return strings.ReplaceAll(b.String(), s.home, "")
}

// statement runs a statement as a batch and prints its rows.
func (s *script) statement(ctx context.Context, sql string) (string, error) {
	if err := s.open(ctx); err != nil {
		return "", err
	}
	r, err := s.session.Execute(ctx, sql)
	if err != nil {
		return s.show(err), nil
	}
	defer r.Close()
	recs, err := r.Collect(ctx)
	if err != nil {
		return s.show(err), nil
	}
	var lines []string
	for _, rec := range recs {
		lines = append(lines, rowLines(rec)...)
		rec.Release()
	}
	if len(lines) == 0 {
		return "no rows\n", nil
	}
	return strings.ReplaceAll(strings.Join(lines, "\n"), s.home, "") + "\n", nil
}

func (s *script) explain(ctx context.Context, sql string) (string, error) {
	if err := s.open(ctx); err != nil {
		return "", err
	}
	text, err := s.session.SQL(sql).Explain()
	if err != nil {
		return s.show(err), nil
	}
	return strings.ReplaceAll(text, s.home, ""), nil
}

// run lets the query work until it is idle or ends, and prints the epochs that
// the sink has not printed yet. A query that ended by itself is started again.
func (s *script) run(ctx context.Context) (string, error) {
	if s.query == nil {
		return "no query runs\n", nil
	}
	err := s.wakened(ctx)
	if err == nil {
		err = s.settle(ctx)
	}
	if err == nil {
		if err := s.readState(ctx); err != nil {
			return "", err
		}
	}
	var b bytes.Buffer
	for _, c := range s.sink().unseen() {
		fmt.Fprintf(&b, "epoch %d%s\n", c.epoch, s.marks[c.epoch])
		for _, r := range c.rows {
			fmt.Fprintf(&b, "  %s\n", r)
		}
	}
	if err != nil {
		b.WriteString(s.show(err))
	} else if s.format == "feed" {
		return "idle\n", nil
	} else if b.Len() == 0 {
		return "nothing to do\n", nil
	}
	return b.String(), nil
}

// wakened starts a query that has ended by itself again.
func (s *script) wakened(ctx context.Context) error {
	if s.trigger.Kind == flightd.ProcessingTime || s.query.IsActive() {
		return nil
	}
	return s.start(ctx)
}

// crash waits for a crash that the next step of a name has. A query that has
// ended or crashed is started again for it.
func (s *script) crash(ctx context.Context, step string) (string, error) {
	if s.query == nil {
		return "no query runs\n", nil
	}
	s.fuse.arm(step)
	return s.blown(ctx, errCrash)
}

// fail waits for the failure of the next operation of a kind on the checkpoint's
// disk.
func (s *script) fail(ctx context.Context, op string) (string, error) {
	if s.query == nil {
		return "no query runs\n", nil
	}
	s.fuse.armDisk(op)
	return s.blown(ctx, errInjected)
}

// blown runs the query, which is armed, and tells what ended it.
func (s *script) blown(ctx context.Context, want error) (string, error) {
	var err error
	if !s.query.IsActive() {
		err = s.start(ctx)
	}
	if err == nil {
		err = s.drain(ctx)
	}
	blown := s.fuse.disarm()
	if !errors.Is(err, want) {
		return fmt.Sprintf("did not happen: %v\n", err), nil
	}
	return blown + "\n", nil
}

// restart abandons the engine as a crash would, opens the folder again and tells
// what the query does first.
func (s *script) restart(ctx context.Context) (string, error) {
	steps, repeats := s.fuse.count(), s.sink().repeated()
	if err := s.reopen(ctx); err != nil {
		return s.show(err), nil
	}
	if err := s.drain(ctx); err != nil {
		return s.show(err), nil
	}
	first, ok := s.fuse.first(steps)
	switch {
	case !ok:
		return "nothing to do\n", nil
	case first.step == "plan":
		return fmt.Sprintf("goes on with epoch %d\n", first.epoch), nil
	case s.sink().repeated() > repeats:
		return fmt.Sprintf("replays epoch %d; the sink had it\n", first.epoch), nil
	}
	return fmt.Sprintf("replays epoch %d\n", first.epoch), nil
}

// state is what the last epoch reported of its stateful operators.
func (s *script) state() string {
	if s.last == nil {
		return "no epoch yet\n"
	}
	var b bytes.Buffer
	for i, o := range s.last.StateOps {
		fmt.Fprintf(&b, "operator %d %s: rows %d, updated %d, removed %d, dropped %d\n", i, o.OperatorName, o.NumRowsTotal, o.NumRowsUpdated,
			o.NumRowsRemoved, o.NumRowsDroppedByWatermark)
	}
	fmt.Fprintf(&b, "late input rows: %d\n", s.last.LateInputRows)
	return b.String()
}

// volatile is what differs in a ledger from run to run.
var volatile = regexp.MustCompile(`^\S+ frame \d+ |,"file":\{[^}]*\}| \+ \d+ bytes`)

// ledger prints the plans and done records of the checkpoint.
func (s *script) ledger() (string, error) {
	var b bytes.Buffer
	if err := checkpoint.Dump(s.disk, filepath.Join(s.home, s.folder), &b); err != nil {
		return "", err
	}
	var out strings.Builder
	for line := range strings.SplitSeq(strings.TrimSpace(b.String()), "\n") {
		if strings.Contains(line, " opening ") {
			continue // settings, which a multiplier changes
		}
		out.WriteString(volatile.ReplaceAllString(strings.ReplaceAll(line, s.home, ""), "") + "\n")
	}
	return out.String(), nil
}

// moment is an ISO time as seconds since 1970 in its first hour, as a time of day
// on its first day, else with the date; "-" if there is none.
func moment(iso string) string {
	t, err := time.Parse("2006-01-02T15:04:05.000Z", iso)
	switch {
	case err != nil:
		return "-"
	case t.Unix() < 3600:
		return strconv.FormatFloat(float64(t.UnixMilli())/1000, 'f', -1, 64)
	case t.Unix() < 86400:
		return t.Format("15:04:05.999")
	}
	return t.Format("2006-01-02 15:04:05.999")
}
