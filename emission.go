package flightd

import (
	"slices"
	"strings"

	"github.com/flightd/flightd/compute"
	"github.com/flightd/flightd/internal/base"
	"github.com/flightd/flightd/plan/logical"
	"github.com/flightd/flightd/plan/physical"
	"github.com/flightd/flightd/plan/planner"
	"github.com/flightd/flightd/plan/streaming"
	"github.com/flightd/flightd/sources"
)

// emission is what EXPLAIN EMISSION knows of a query: it grows with each epoch of
// a run. The query's mutex guards it.
type emission struct {
	streaming.Emission
	// moved is, by stream and partition, the number of epochs with data after which
	// it had rows last.
	moved []map[string]int64
	// data counts the epochs with data; had is, by stream, which of them was its last.
	data int64
	had  []int64
}

// newEmission describes the plan of a run, before anything has come in.
func (r *run) newEmission() *emission {
	e := &emission{}
	e.Mode, e.Once, e.NoData = r.q.spec.mode, r.q.spec.trigger.Kind == Once, r.noData
	e.Ends = e.Once || r.q.spec.trigger.Kind == AvailableNow
	e.MaxPolicy = strings.EqualFold(r.conf.Lookup("spark.sql.streaming.multipleWatermarkPolicy", "min"), "max")
	for _, in := range r.streams {
		t := r.plan.Inputs[in.input].Table
		name := t.Name
		if name == "" {
			name = in.source.Describe()
		}
		e.Sources = append(e.Sources, streaming.SourceEmission{Name: name})
		e.moved, e.had = append(e.moved, map[string]int64{}), append(e.had, 0)
	}
	for _, w := range r.plan.Watermarks {
		m := streaming.MarkEmission{Column: w.Schema()[w.Column].Name, Delay: w.Delay}
		for _, i := range r.streamsBelow(w, &m.Filters) {
			m.Sources = append(m.Sources, e.Sources[i].Name)
		}
		e.Marks = append(e.Marks, m)
	}
	for _, s := range r.plan.Stateful {
		e.Operators = append(e.Operators, streaming.OperatorEmission{Number: s.Operator, Name: s.Name, Mode: s.Mode, EventKey: s.EventKey >= 0, Refused: map[string]int64{}})
	}
	for _, j := range streamJoins(r.plan.Root) {
		o := &e.Operators[j.State.Operator]
		o.Unbounded = !j.LeftSide.Bound.Bounded() && !j.RightSide.Bound.Bounded()
		o.Outer = j.Kind == physical.LeftOuter || j.Kind == physical.RightOuter || j.Kind == physical.FullOuter
	}
	return e
}

// streamJoins are the joins of two streams in a plan.
func streamJoins(n physical.Node) []*physical.StreamJoin {
	var out []*physical.StreamJoin
	if j, ok := n.(*physical.StreamJoin); ok {
		out = append(out, j)
	}
	for _, in := range n.Inputs() {
		out = append(out, streamJoins(in)...)
	}
	return out
}

// streamsBelow are the streams that n reads, and the filters above them.
func (r *run) streamsBelow(n physical.Node, filters *[]string) []int {
	var out []int
	switch n := n.(type) {
	case *physical.Filter:
		*filters = append(*filters, n.Cond.SQL())
	case *physical.Scan:
		return slices.DeleteFunc([]int{r.streamOf(n.Input)}, func(i int) bool { return i < 0 })
	}
	for _, in := range n.Inputs() {
		out = append(out, r.streamsBelow(in, filters)...)
	}
	return out
}

// streamOf is the stream that is an input of the plan, or -1.
func (r *run) streamOf(input int) int {
	return slices.IndexFunc(r.streams, func(in *streamInput) bool { return in.input == input })
}

// observeEmission takes in what an epoch did.
func (r *run) observeEmission(p planned, out *outcome) {
	r.q.mu.Lock()
	defer r.q.mu.Unlock()
	e := r.q.emission
	if e == nil {
		return
	}
	e.Epochs++
	e.Output += out.rows
	e.Global = r.marks.global
	if p.hasData {
		e.data++
	}
	for i, in := range r.streams {
		s := &e.Sources[i]
		if n := out.inputs[in.input]; n > 0 {
			s.Rows += n
			e.had[i] = e.data
		}
		s.Still = e.data - e.had[i]
		e.partitions(i, in.source, p.from[i], p.to[i])
	}
	for i, w := range r.plan.Watermarks {
		e.mark(&e.Marks[i], out.times[i])
		for _, s := range r.streamsBelow(w, new([]string)) {
			e.Marks[i].Read += out.inputs[r.streams[s].input]
		}
	}
	for i := range e.Operators {
		e.operator(&e.Operators[i], &out.state[i])
		e.Operators[i].Late, e.Operators[i].Evict = max(0, p.before), max(0, p.watermark)
	}
}

func (e *emission) mark(m *streaming.MarkEmission, t compute.EventTime) {
	if t.Count == 0 {
		return
	}
	if m.Rows == 0 {
		m.Least, m.Most = t.Min, t.Max
	}
	m.Rows += t.Count
	m.Least, m.Most = min(m.Least, t.Min), max(m.Most, t.Max)
}

func (e *emission) operator(o *streaming.OperatorEmission, m *compute.StateMetrics) {
	o.Rows, o.Oldest, o.HasOldest = m.Total, m.Oldest, m.HasOldest
	o.Input, o.Used, o.LateRows, o.Removed = o.Input+m.Input, o.Used+m.Used, o.LateRows+m.LateRows, o.Removed+m.Removed
	for reason, n := range m.Refused {
		o.Refused[reason] += n
	}
}

// partitions notes which partitions of stream i moved in an epoch, and lists those
// that stood still in the last ones while others moved.
func (e *emission) partitions(i int, s sources.Source, from, to base.Offset) {
	parts, ok := s.(sources.Partitioned)
	if !ok || from == to {
		return
	}
	before, err := parts.Positions(from)
	if err != nil {
		return
	}
	after, err := parts.Positions(to)
	if err != nil {
		return
	}
	idle := e.Sources[i].IdleParts[:0]
	for _, name := range sortedKeys(after) {
		if after[name] != before[name] {
			e.moved[i][name] = e.data
		} else if still := e.data - e.moved[i][name]; still >= idleEpochs {
			idle = append(idle, streaming.IdlePart{Name: name, Still: still})
		}
	}
	e.Sources[i].IdleParts = idle
}

// idleEpochs is for how many epochs with data a partition must stand still to be
// worth a word.
const idleEpochs = 2

// Emission says where the query stands and why nothing comes out, if nothing
// does: what EXPLAIN EMISSION prints.
func (q *StreamingQuery) Emission() []streaming.Finding {
	active := q.IsActive()
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.emission == nil {
		return []streaming.Finding{{Code: "NOT_RUNNING", Subject: "query", Text: "the query has not run since the engine was opened"}}
	}
	e := q.emission.Emission
	e.Active, e.Now = active, q.eng.clock.Now().UnixMilli()
	if q.err != nil {
		e.Failure = base.AsError(q.err).Display()
	}
	return e.Explain()
}

// explainEmission runs EXPLAIN EMISSION: of one query, or of all.
func (s *Session) explainEmission(st *logical.Explain) (*Result, error) {
	queries := s.eng.AllQueries()
	if st.Name != "" {
		q := s.eng.Query(st.Name)
		if q == nil {
			return nil, s.eng.noQuery(st.Name).At(st.At)
		}
		queries = []*StreamingQuery{q}
	}
	var rows [][]any
	for _, q := range queries {
		for _, f := range q.Emission() {
			rows = append(rows, []any{orUnnamed(q.name), orNull(f.Code), f.Subject, f.Text, orNull(f.Hint)})
		}
	}
	return textResult([]string{"query", "finding", "subject", "text", "hint"}, rows), nil
}

func orNull(s string) any {
	if s == "" {
		return nil
	}
	return s
}

// explainRules says of a plan, before it runs, when each of its operators puts rows
// out.
func (s *Session) explainRules(plan logical.Node, mode base.OutputMode) (*Result, error) {
	names, conf := s.snapshot()
	p, _, err := planStream(plan, names, conf, planner.Options{Mode: mode, Fold: s.eng.fold(conf)})
	if err != nil {
		return nil, err
	}
	var rows [][]any
	for _, f := range streaming.EmissionRules(p.Root, mode) {
		rows = append(rows, []any{nil, orNull(f.Code), f.Subject, f.Text, orNull(f.Hint)})
	}
	return textResult([]string{"query", "finding", "subject", "text", "hint"}, rows), nil
}
