package streaming

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/flightd/flightd/internal/base"
)

// Emission is what is known of a query since its start: from it follows why rows
// came out or did not. Times are milliseconds since 1970.
type Emission struct {
	Mode base.OutputMode
	// Ends says that the trigger ends the query, Once that it does so after one epoch;
	// NoData that epochs without data run.
	Ends, Once, NoData bool
	// Active says that the query runs, Failure why it ended.
	Active  bool
	Failure string
	// Epochs counts the epochs of this run, Output the rows that came out of them.
	Epochs, Output int64
	// Now is the clock, Global the query's watermark, MaxPolicy that it is the largest
	// of the nodes' and not the least.
	Now, Global int64
	MaxPolicy   bool
	Sources     []SourceEmission
	Marks       []MarkEmission
	Operators   []OperatorEmission
}

// SourceEmission is what a stream has given.
type SourceEmission struct {
	Name string
	Rows int64
	// Still is how many epochs with data ago it last had rows; it means nothing
	// without rows.
	Still int64
	// IdleParts are partitions without new rows while others had some, and for how
	// many epochs.
	IdleParts []IdlePart
}

// IdlePart is a partition that has stood still for so many epochs.
type IdlePart struct {
	Name  string
	Still int64
}

// MarkEmission is what a watermark node has seen.
type MarkEmission struct {
	Column  string
	Sources []string // the streams below it
	Delay   int64
	// Rows is how many rows passed, Read how many were read from its sources: the
	// others were removed by Filters.
	Rows, Read int64
	Filters    []string
	// Least and Most are the event times seen, if Rows > 0.
	Least, Most int64
}

// watermark is where the node's own watermark is.
func (m *MarkEmission) watermark() int64 {
	if m.Rows == 0 {
		return 0
	}
	return max(0, m.Most-m.Delay)
}

func (m *MarkEmission) name() string {
	return fmt.Sprintf("%s of %s", m.Column, strings.Join(m.Sources, ", "))
}

// OperatorEmission is what a stateful operator has done.
type OperatorEmission struct {
	Number int
	Name   string
	Mode   base.OutputMode
	// EventKey says that its state has the event time, so that a watermark ends it.
	EventKey bool
	// Late and Evict are the watermarks of the last epoch.
	Late, Evict int64
	// Rows is how many rows its state has, Oldest the event time of the oldest one
	// that a watermark can end, if HasOldest.
	Rows      int64
	Oldest    int64
	HasOldest bool
	// Input, Used, LateRows and Refused count rows since the start, Removed rows of
	// the state.
	Input, Used, LateRows, Removed int64
	Refused                        map[string]int64
	// Unbounded says, of a join, that a watermark bounds neither side.
	Unbounded bool
	// Outer says, of a join, that rows without a match come out when they are evicted.
	Outer bool
}

// Finding is one line of the answer: what it is about, what is so, and what can be
// done. Code names the rule, in capitals; lines that only inform have none.
type Finding struct {
	Code, Subject, Text, Hint string
}

// Explain says where a query stands and why nothing is put out: first what is
// wrong or awaited, most telling first, then where each source, watermark and
// operator is.
func (e *Emission) Explain() []Finding {
	var out []Finding
	add := func(code, subject, hint, text string, args ...any) {
		out = append(out, Finding{code, subject, fmt.Sprintf(text, args...), hint})
	}
	if e.running(add); e.Failure == "" {
		e.inputs(add)
	}
	e.marks(add)
	e.epochs(add)
	for i := range e.Operators {
		e.operator(&e.Operators[i], add)
	}
	e.above(add)
	if len(out) == 0 {
		if e.Output > 0 || e.Epochs == 0 {
			add("", "query", "", "nothing stands in the way: %d rows came out in %d epochs", e.Output, e.Epochs)
		} else {
			add("", "query", "", "nothing came out of %d epochs, and no rule says why", e.Epochs)
		}
	}
	return append(out, e.places()...)
}

type adder func(code, subject, hint, text string, args ...any)

func (e *Emission) running(add adder) {
	switch {
	case e.Failure != "":
		add("FAILED", "query", "mend the cause and start it again: it goes on where it was", "the query has failed: %s", e.Failure)
	case !e.Active && e.Ends:
		add("NOT_RUNNING", "query", "start it again for what has come since", "the query has ended, as its trigger says")
	case !e.Active:
		add("NOT_RUNNING", "query", "start it again: it goes on where it was", "the query was stopped")
	}
}

// inputs are the mistakes with what comes in.
func (e *Emission) inputs(add adder) {
	empty := 0
	for _, s := range e.Sources {
		if s.Rows == 0 {
			empty++
		}
	}
	if empty == len(e.Sources) {
		add("NO_INPUT", "query", "check path, topic and starting offsets: by default Kafka starts at the newest row", "no source has given a row since the start")
		return
	}
	for _, s := range e.Sources {
		if s.Rows == 0 {
			continue
		}
		for _, p := range s.IdleParts {
			add("PARTITION_IDLE", s.Name+" "+p.Name, "its rows will be late when they come: lengthen the delay, or let its producer send heartbeats",
				"the partition has had no row for %d epochs, while others move the watermark", p.Still)
		}
	}
}

// marks are the mistakes with watermarks.
func (e *Emission) marks(add adder) {
	read := false
	for _, s := range e.Sources {
		read = read || s.Rows > 0
	}
	if !read {
		return
	}
	for _, m := range e.Marks {
		if len(m.Filters) > 0 && m.Read > m.Rows {
			add("FILTER_BELOW_WATERMARK", m.name(), "filter after the aggregation (HAVING), or on the event time itself: such filters stay above the watermark",
				"%d of %d rows were removed below the watermark by %s: they do not move it", m.Read-m.Rows, m.Read, strings.Join(m.Filters, " AND "))
		}
		switch {
		case m.Rows == 0 && len(e.Marks) > 1 && !e.MaxPolicy:
			add("SOURCE_WITHOUT_DATA", m.name(), "send it a row, or set spark.sql.streaming.multipleWatermarkPolicy = max",
				"no row has passed this watermark yet: it counts as 0, and the least one holds the query's")
		case m.Rows == 0:
			add("WATERMARK_WITHOUT_ROWS", m.name(), "see which filter removes the rows", "no row has passed this watermark yet")
		case m.Most > e.Now+ahead:
			add("EVENT_TIME_IN_FUTURE", m.name(), "check the producer's clock, or filter such rows: WHERE ts <= current_timestamp() + INTERVAL 5 MINUTES",
				"an event time of %s is %s ahead of the clock: it moved the watermark, and rows of the present are late", moment(m.Most), span(m.Most-e.Now))
		case m.Most == 0 && m.Least == 0:
			add("NULL_EVENT_TIMES", m.name(), "filter rows without an event time, or give them one: coalesce(ts, current_timestamp())",
				"the event times are NULL, which counts as 1970-01-01")
		case m.Most < year1971 && e.Now > year1971:
			add("EVENT_TIME_IN_1970", m.name(), "seconds or milliseconds read as microseconds? timestamp_seconds(x) and timestamp_millis(x) read the others",
				"all event times lie near 1970, the newest is %s", moment(m.Most))
		case m.Rows > 1 && m.Most-m.Least < m.Delay && m.watermark() == e.Global && e.waits():
			add("DELAY_TOO_LONG", m.name(), "shorten the delay, or wait",
				"all event times seen lie within %s, the delay is %s: the watermark is still before the first row", span(m.Most-m.Least), span(m.Delay))
		}
	}
}

const (
	ahead    = 5 * 60 * 1000
	year1971 = 365 * 24 * 3600 * 1000
)

// waits reports whether some state waits for a watermark.
func (e *Emission) waits() bool {
	return slices.ContainsFunc(e.Operators, func(o OperatorEmission) bool {
		return o.HasOldest && o.Oldest > e.Global && o.emitsAtEnd()
	})
}

// emitsAtEnd reports whether rows come out when the watermark passes them.
func (o *OperatorEmission) emitsAtEnd() bool {
	return o.Mode == base.Append && (o.aggregates() || o.Outer)
}

func (o *OperatorEmission) aggregates() bool {
	return o.Name == "stateStoreSave" || strings.HasPrefix(o.Name, "sessionWindow")
}

// epochs are the mistakes with what makes an epoch run.
func (e *Emission) epochs(add adder) {
	for _, o := range e.Operators {
		if !o.HasOldest || o.Oldest > e.Global || !o.emitsAtEnd() {
			continue
		}
		switch {
		case e.Once:
			add("TRIGGER_ONCE", o.name(), "TRIGGER AVAILABLE NOW runs the last epoch too", "the watermark has passed its oldest state (%s), which the next epoch puts out: a trigger that runs once leaves it", moment(o.Oldest))
		case !e.NoData:
			add("NO_DATA_EPOCHS_OFF", o.name(), "set spark.sql.streaming.noDataMicroBatches.enabled = true",
				"the watermark has passed its oldest state (%s), which comes out with the next data: epochs without data are switched off", moment(o.Oldest))
		}
	}
}

func (o *OperatorEmission) name() string { return fmt.Sprintf("operator %d %s", o.Number, o.Name) }

// operator is what one operator waits for or drops.
func (e *Emission) operator(o *OperatorEmission, add adder) {
	if o.Input > 0 && o.LateRows == o.Input {
		add("ALL_ROWS_LATE", o.name(), "LATE ROWS INTO keeps them; lengthen the delay, or read old rows in a query of their own",
			"all of its %d rows were late: at or before the watermark %s", o.Input, moment(o.Late))
	} else if o.LateRows > 0 {
		add("ROWS_LATE", o.name(), "LATE ROWS INTO keeps them", "%d of its %d rows were late", o.LateRows, o.Input)
	}
	for _, reason := range []string{"nullTime", "zeroGap", "overLimit"} {
		if n := o.Refused[reason]; n > 0 {
			add("ROWS_REFUSED", o.name(), refusal[reason], "%d of its %d rows were refused: %s", n, o.Input, reason)
		}
	}
	if len(e.Marks) > 0 && o.aggregates() && !o.EventKey && o.Mode != base.Complete {
		add("KEY_WITHOUT_WATERMARK", o.name(), "group by the watermark's column, or by a window over it", "none of its keys holds the watermark's column: its state stays for ever")
	}
	if o.Unbounded && o.Outer {
		add("JOIN_WITHOUT_BOUND", o.name(), "declare a watermark on both sides, and bound their distance: l.ts BETWEEN r.ts AND r.ts + INTERVAL …",
			"no watermark bounds its state, so rows without a match never come out")
	}
	if !o.emitsAtEnd() || o.Rows == 0 {
		return
	}
	switch {
	case !o.HasOldest:
		add("NEVER_ENDS", o.name(), "rows whose event time is NULL, or rolled up, never come out in append mode", "its %d rows have no event time that a watermark could pass", o.Rows)
	case o.Oldest > e.Global:
		e.awaited(o, add)
	}
}

var refusal = map[string]string{
	"nullTime":  "rows without an event time belong to no window",
	"zeroGap":   "rows whose session gap is not above 0 belong to no session",
	"overLimit": "LIMIT counts over the life of the query",
}

// awaited says what must come before the oldest state ends.
func (e *Emission) awaited(o *OperatorEmission, add adder) {
	if len(e.Marks) == 0 {
		return
	}
	var need []string
	for _, m := range e.Marks {
		if m.watermark() < o.Oldest {
			need = append(need, fmt.Sprintf("%s at or after %s", m.name(), moment(o.Oldest+m.Delay)))
		}
	}
	how := " and "
	if e.MaxPolicy {
		how = " or "
	}
	at := fmt.Sprintf("the watermark is at %s: %s of event time are missing", moment(e.Global), span(o.Oldest-e.Global))
	if e.Global == 0 {
		at = "the watermark has not moved yet"
	}
	add("WAITING", o.name(), "", "the oldest of its %d rows ends at %s, %s; it needs an event of %s", o.Rows, moment(o.Oldest), at, strings.Join(need, how))
}

// above is when operators put rows out and something above them keeps them.
func (e *Emission) above(add adder) {
	if e.Output > 0 || len(e.Operators) == 0 || e.Operators[0].Removed == 0 || !e.Operators[0].emitsAtEnd() {
		return
	}
	add("FILTERED_ABOVE", e.Operators[0].name(), "look at HAVING and at filters around the aggregation", "%d groups ended and came out of it, and what stands above kept them all", e.Operators[0].Removed)
}

// places says where everything is.
func (e *Emission) places() []Finding {
	var out []Finding
	for _, s := range e.Sources {
		text := fmt.Sprintf("%d rows", s.Rows)
		if s.Rows > 0 && s.Still > 0 {
			text += fmt.Sprintf(", the last %d epochs without", s.Still)
		}
		out = append(out, Finding{Subject: "source " + s.Name, Text: text})
	}
	for _, m := range e.Marks {
		text := "no row yet"
		if m.Rows > 0 {
			text = fmt.Sprintf("%s = %s − %s, of %d rows", moment(m.watermark()), moment(m.Most), span(m.Delay), m.Rows)
		}
		if m.watermark() == e.Global && len(e.Marks) > 1 {
			text += "; it holds the query's watermark"
		}
		out = append(out, Finding{Subject: "watermark " + m.name(), Text: text})
	}
	if len(e.Marks) > 0 {
		out = append(out, Finding{Subject: "watermark", Text: moment(e.Global)})
	}
	for _, o := range e.Operators {
		text := fmt.Sprintf("%d rows of state; of %d rows %d used, %d late", o.Rows, o.Input, o.Used, o.LateRows)
		if o.HasOldest {
			text += ", the oldest ends at " + moment(o.Oldest)
		}
		out = append(out, Finding{Subject: o.name(), Text: text})
	}
	return out
}

func moment(ms int64) string { return time.UnixMilli(ms).UTC().Format("2006-01-02 15:04:05.999") }

func span(ms int64) string { return (time.Duration(ms) * time.Millisecond).String() }
