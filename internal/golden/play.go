package golden

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"hash/fnv"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"sort"
	"strings"
	"sync/atomic"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/flightd/flightd"
	"github.com/flightd/flightd/internal/arrowtext"
	"github.com/flightd/flightd/internal/base"
	"github.com/flightd/flightd/kernels"
	"github.com/flightd/flightd/plan/expr"
)

// answer is what flightd did with a scenario: an Expect of its own.
type answer struct {
	schema string
	steps  [][]Epoch
	err    error
	at     string
}

// player plays the steps of one scenario in a directory of its own.
type player struct {
	spec     Scenario
	settings map[string]string
	home     string
	eng      *flightd.Engine
	query    *flightd.StreamingQuery
	rows     map[int64][][]*string
	files    int
	schema   string
	seen     int
	// done are the epochs that a run which crashed has reported, and nobody has taken.
	done []Epoch
	// fuse is the durable step before which the query dies; 0: none.
	fuse atomic.Int64
}

const stepTimeout = 60 * time.Second

// play runs the scenario on an engine of its own whose clock stands still, so
// that the query looks for data only when it is told to.
func play(ctx context.Context, s *Scenario, v Variant) (a answer) {
	home, err := os.MkdirTemp("", "golden-")
	if err != nil {
		return answer{err: err, at: "setup"}
	}
	defer os.RemoveAll(home)
	p := &player{spec: *s, settings: v.Settings, home: home, rows: map[int64][][]*string{}}
	p.fuse.Store(crashes(s, v.Crash))
	clock := base.NewVirtualClock(time.UnixMilli(1_800_000_000_000))
	p.eng, err = flightd.Open(ctx, flightd.Options{DataDir: filepath.Join(home, "data"), Clock: clock, BeforeStep: p.beforeStep})
	if err != nil {
		return answer{err: err, at: "setup"}
	}
	defer p.eng.Close()
	for name := range s.Streams {
		if err := os.MkdirAll(p.in(name), 0o755); err != nil {
			return answer{err: err, at: "setup"}
		}
	}
	if s.Trigger == "" {
		if err, at := p.start(ctx); err != nil {
			return answer{err: err, at: at}
		}
	} else if _, err := p.build(); err != nil {
		return answer{err: err, at: "analysis"}
	}
	for _, step := range s.Steps {
		epochs, err, at := p.step(ctx, step)
		if err != nil {
			return answer{steps: a.steps, err: err, at: at}
		}
		a.steps = append(a.steps, epochs)
	}
	a.schema = p.schema
	return a
}

func (p *player) in(stream string) string { return filepath.Join(p.home, "in", stream) }

// build makes a fresh session with the tables, streams and views, and returns
// the output.
func (p *player) build() (*flightd.DataFrame, error) {
	s := p.eng.NewSession()
	conf := maps.Clone(p.spec.Conf)
	if conf == nil {
		conf = map[string]string{}
	}
	maps.Copy(conf, p.settings)
	for k, v := range conf {
		if _, err := s.Set(k, v); err != nil {
			return nil, err
		}
	}
	for name, t := range p.spec.Tables {
		dir := filepath.Join(p.home, "tables", name)
		if err := os.MkdirAll(dir, 0o755); err != nil {
			return nil, err
		}
		// The file that is there stays: an epoch that is replayed wants its very inputs.
		if path := filepath.Join(dir, "rows.json"); !exists(path) {
			if err := writeLines(path, t.Schema, t.Rows); err != nil {
				return nil, err
			}
		}
		d := s.Read().Schema(t.Schema).Option("mode", "FAILFAST").JSON(dir)
		if err := d.CreateOrReplaceTempView(name); err != nil {
			return nil, err
		}
	}
	for name, st := range p.spec.Streams {
		r := s.ReadStream().Schema(st.Schema).Option("mode", "FAILFAST")
		if st.MaxFilesPerTrigger > 0 {
			r = r.Option("maxFilesPerTrigger", st.MaxFilesPerTrigger)
		}
		if err := r.JSON(p.in(name)).CreateOrReplaceTempView(name); err != nil {
			return nil, err
		}
	}
	for _, op := range p.spec.Ops {
		if err := apply(s, op).CreateOrReplaceTempView(op.As); err != nil {
			return nil, err
		}
	}
	out := s.Table(p.spec.Output)
	var err error
	p.schema, err = out.DDL()
	return out, err
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

// apply makes the DataFrame of one op.
func apply(s *flightd.Session, op Op) *flightd.DataFrame {
	switch op.Op {
	case "with_watermark":
		return s.Table(op.Input).WithWatermark(op.Column, op.Delay)
	case "drop_duplicates":
		return s.Table(op.Input).DropDuplicates(op.Columns...)
	case "drop_duplicates_within_watermark":
		return s.Table(op.Input).DropDuplicatesWithinWatermark(op.Columns...)
	case "union":
		d := s.Table(op.Inputs[0])
		for _, other := range op.Inputs[1:] {
			if op.ByName {
				d = d.UnionByName(s.Table(other), false)
			} else {
				d = d.Union(s.Table(other))
			}
		}
		return d
	}
	return s.SQL(op.Text)
}

// start builds and starts the query. at says where an error came from.
func (p *player) start(ctx context.Context) (err error, at string) {
	out, err := p.build()
	if err != nil {
		return err, "analysis"
	}
	w := out.WriteStream().OutputMode(p.spec.OutputMode).Option("checkpointLocation", filepath.Join(p.home, "checkpoint")).
		ForeachBatch(p.collect)
	switch p.spec.Trigger {
	case "available_now":
		w = w.Trigger(flightd.Trigger{Kind: flightd.AvailableNow})
	case "once":
		w = w.Trigger(flightd.Trigger{Kind: flightd.Once})
	}
	p.seen = 0
	if p.query, err = w.Start(ctx); err != nil || p.spec.Trigger != "" {
		return err, "start"
	}
	// The first look at the inputs must not meet files that are being moved in.
	err = p.query.ProcessAllAvailable(ctx)
	if errors.Is(err, errCrash) {
		p.done = p.epochs()
		return p.start(ctx)
	}
	return err, "run"
}

// dayTime is a day-time interval as text, with the fields of its column's type.
func dayTime(micros int64, f arrow.Field) string {
	s, err := expr.SchemaFromArrow(arrow.NewSchema([]arrow.Field{f}, nil))
	if err != nil {
		return err.Error()
	}
	return string(arrowtext.AppendDayTime(nil, micros, int(s[0].Type.From), int(s[0].Type.To)))
}

var utc = kernels.NewZone(time.UTC)

// collect is the query's sink.
func (p *player) collect(_ context.Context, recs []arrow.RecordBatch, batchID int64) error {
	rows := [][]*string{}
	for _, rec := range recs {
		for i := range int(rec.NumRows()) {
			row := make([]*string, rec.NumCols())
			for c := range row {
				text, ok := arrowtext.Value(rec.Column(c), i, utc)
				switch col := rec.Column(c).(type) {
				case *array.Binary:
					if ok {
						text = fmt.Sprintf("%X", col.Value(i))
					}
				case *array.Duration:
					if ok {
						text = dayTime(int64(col.Value(i)), rec.Schema().Field(c))
					}
				}
				if ok {
					row[c] = &text
				}
			}
			rows = append(rows, row)
		}
	}
	p.rows[batchID] = rows
	return nil
}

// step does what a step says and returns the epochs that it caused.
func (p *player) step(ctx context.Context, st Step) (epochs []Epoch, err error, at string) {
	ctx, cancel := context.WithTimeout(ctx, stepTimeout)
	defer cancel()
	switch {
	case len(st.Restart) > 0 && !bytes.Equal(st.Restart, []byte("false")):
		if err := p.query.Stop(ctx); err != nil {
			return nil, err, "run"
		}
		if st.Restart[0] == '{' {
			d := json.NewDecoder(bytes.NewReader(st.Restart))
			d.UseNumber()
			// A field that is given replaces the old one, maps included.
			var fields map[string]json.RawMessage
			if err := json.Unmarshal(st.Restart, &fields); err != nil {
				return nil, err, "setup"
			}
			if fields["conf"] != nil {
				p.spec.Conf = nil
			}
			if fields["ops"] != nil {
				p.spec.Ops = nil
			}
			if fields["streams"] != nil {
				p.spec.Streams = nil
			}
			if err := d.Decode(&p.spec); err != nil {
				return nil, err, "setup"
			}
			for name := range p.spec.Streams {
				if err := os.MkdirAll(p.in(name), 0o755); err != nil {
					return nil, err, "setup"
				}
			}
		}
		if err, at := p.start(ctx); err != nil {
			return nil, err, at
		}
	case st.Run:
		if err, at := p.start(ctx); err != nil {
			return nil, err, at
		}
	}
	if st.Add != nil {
		if err := p.add(st.Add); err != nil {
			return nil, err, "setup"
		}
	}
	if p.query == nil || p.spec.Trigger != "" && !st.Run {
		return nil, nil, ""
	}
	if err = p.settle(ctx); errors.Is(err, errCrash) {
		p.done = p.epochs()
		if err, at := p.start(ctx); err != nil {
			return nil, err, at
		}
		err = p.settle(ctx)
	}
	if err != nil {
		return nil, err, "run"
	}
	return p.epochs(), nil, ""
}

// settle waits until the query has nothing to do, or has ended.
func (p *player) settle(ctx context.Context) error {
	if p.spec.Trigger == "" {
		return p.query.ProcessAllAvailable(ctx)
	}
	return p.query.AwaitTermination(ctx)
}

var errCrash = errors.New("planned crash")

// beforeStep dies before the durable step that the fuse names.
func (p *player) beforeStep(string, string, base.Epoch) error {
	if p.fuse.Add(-1) == 0 {
		return errCrash
	}
	return nil
}

// crashes returns the durable step before which the play of s dies, or 0. After a
// restart the watermark nodes have forgotten what they saw, and only the global
// watermark is kept: so a recording with several of them, or with an error, is not
// the same when it is cut.
func crashes(s *Scenario, seed uint64) int64 {
	marks := 0
	for _, op := range s.Ops {
		marks += strings.Count(strings.ToUpper(op.Text), "WATERMARK ") - strings.Count(strings.ToUpper(op.Text), "WITHIN WATERMARK ")
		if op.Op == "with_watermark" {
			marks++
		}
	}
	if seed == 0 || marks > 1 || s.Expect.Error != nil {
		return 0
	}
	h := fnv.New64a()
	fmt.Fprintf(h, "%d %s", seed, s.ID())
	return 1 + int64(h.Sum64()%20)
}

// add puts one new file into each stream, with the modification times that keep
// their order.
func (p *player) add(batches map[string][][]any) error {
	for _, name := range slices.Sorted(maps.Keys(batches)) {
		p.files++
		staged := filepath.Join(p.home, fmt.Sprintf("staged-%s-%05d", name, p.files))
		if err := writeLines(staged, p.spec.Streams[name].Schema, batches[name]); err != nil {
			return err
		}
		at := time.UnixMilli(1_700_000_000_000).Add(time.Duration(p.files) * 10 * time.Second)
		if err := os.Chtimes(staged, at, at); err != nil {
			return err
		}
		if err := os.Rename(staged, filepath.Join(p.in(name), fmt.Sprintf("%05d.json", p.files))); err != nil {
			return err
		}
	}
	return nil
}

var streamOf = regexp.MustCompile(`/in/([^/\]]+)\]`)

// epochs are the epochs run since the last call.
func (p *player) epochs() []Epoch {
	out := append([]Epoch{}, p.done...)
	p.done = nil
	progress := p.query.RecentProgress()
	for _, pr := range progress[min(p.seen, len(progress)):] {
		e := Epoch{BatchID: int64(pr.BatchID), InputRows: map[string]int64{}, Rows: p.rows[int64(pr.BatchID)], EventTime: map[string]string{}}
		for name := range p.spec.Streams {
			e.InputRows[name] = 0
		}
		for _, s := range pr.Sources {
			if m := streamOf.FindStringSubmatch(s.Description); m != nil {
				e.InputRows[m[1]] += s.NumInputRows
			}
		}
		for k, v := range pr.EventTime {
			if k == "watermark" {
				e.Watermark = &v
			} else {
				e.EventTime[k] = v
			}
		}
		for _, o := range pr.StateOps {
			st := State{OperatorName: o.OperatorName, NumRowsTotal: o.NumRowsTotal, NumRowsUpdated: o.NumRowsUpdated,
				NumRowsRemoved: o.NumRowsRemoved, NumRowsDroppedByWatermark: o.NumRowsDroppedByWatermark}
			if n, ok := o.CustomMetrics["numDroppedDuplicateRows"]; ok {
				st.NumDroppedDuplicateRows = &n
			}
			e.State = append(e.State, st)
		}
		if !p.spec.Ordered {
			sortRows(e.Rows)
		}
		out = append(out, e)
	}
	p.seen = len(progress)
	return out
}

// sortRows orders rows column by column, NULL first, by code point.
func sortRows(rows [][]*string) {
	sort.SliceStable(rows, func(i, j int) bool {
		for c := range rows[i] {
			a, b := rows[i][c], rows[j][c]
			switch {
			case a == nil && b == nil || a != nil && b != nil && *a == *b:
				continue
			case a == nil || b == nil:
				return a == nil
			}
			return *a < *b
		}
		return false
	})
}

// writeLines writes rows as JSON lines with the names of a DDL schema.
func writeLines(path, schema string, rows [][]any) error {
	names, err := columnNames(schema)
	if err != nil {
		return err
	}
	var b bytes.Buffer
	for _, row := range rows {
		if len(row) != len(names) {
			return fmt.Errorf("a row of %d values for %d columns", len(row), len(names))
		}
		b.WriteByte('{')
		for i, v := range row {
			if i > 0 {
				b.WriteByte(',')
			}
			key, _ := json.Marshal(names[i])
			val, err := json.Marshal(v)
			if err != nil {
				return err
			}
			b.Write(key)
			b.WriteByte(':')
			b.Write(val)
		}
		b.WriteString("}\n")
	}
	return os.WriteFile(path, b.Bytes(), 0o644)
}

// columnNames asks the engine's own DDL parser through the public API.
func columnNames(ddl string) ([]string, error) {
	schema, err := flightd.ParseSchema(ddl)
	if err != nil {
		return nil, err
	}
	var names []string
	for _, f := range schema.Fields() {
		names = append(names, f.Name)
	}
	return names, nil
}

// conditionOf is the condition and SQLSTATE of an error, or two empty texts.
func conditionOf(err error) (condition, state string) {
	var e *base.Error
	if !errors.As(err, &e) {
		return "", ""
	}
	e = base.AsError(err)
	return e.Condition, e.SQLState
}
