package compute

import (
	"context"
	"math"

	"github.com/apache/arrow-go/v18/arrow"

	cexpr "github.com/flightd/flightd/compute/expr"
	"github.com/flightd/flightd/plan/physical"
	"github.com/flightd/flightd/state"
)

// A Scan is a scan of the plan, and what its reader may do with record batches.
type Scan struct {
	*physical.Scan
	// Borrowed: their memory may be used again at the following call of Next or
	// Close.
	Borrowed bool
	// Dictionaries: their texts and bytes may be arrays of type dictionary<int32, utf8
	// or binary>. The dictionaries have no NULLs, outlive the record batches, and are
	// the same array as long as they are the same.
	Dictionaries bool
}

// A RowReader yields the rows of a split: never an empty record batch, io.EOF at
// the end. The record batch belongs to the caller, unless the scan is Borrowed.
type RowReader interface {
	Next(ctx context.Context) (arrow.RecordBatch, error)
	Close() error
}

// A Chooser is a RowReader that can ask which rows of a record batch are wanted when it
// has decoded some of its columns: sources.Chooser says how.
type Chooser interface {
	RowReader
	Choose(columns []int, choose func(cols []arrow.Array, rows int) (wanted []int32, taken []arrow.Array, err error)) bool
}

// A Split opens one part of an input.
type Split func(ctx context.Context) (RowReader, error)

// NoWatermark is the watermark of an operator that has none: nothing is late,
// nothing is due.
const NoWatermark = math.MinInt64

// Env is what an epoch's operators work with. The caller makes one for each
// epoch.
type Env struct {
	// Expr is what expressions depend on: time zone, the epoch's clock, seed.
	Expr *cexpr.Env
	// Open returns the splits of a scan for this epoch, in their order. Record
	// batches have exactly the columns of the scan.
	Open func(ctx context.Context, scan Scan) ([]Split, error)
	// Store holds the state; nil in a batch query.
	Store state.Store
	// Seed is the hash seed of all tables: that of Store, where there is one.
	Seed uint64
	// Late and Evict are the watermarks, in milliseconds, by number of the stateful
	// operator: rows at or before Late are late, state at or before Evict is due.
	// A missing one is NoWatermark.
	Late, Evict []int64
	// Workers is how many goroutines may work on the epoch, the caller's included;
	// below 2 there is only that one. It changes nothing that can be seen.
	Workers int
	// ManyGroups is how many groups a split may have before its rows are sorted by
	// part of the hash, and WaitingRows how many of those rows wait until the parts
	// take them in; 0 means what suits the caches.
	ManyGroups, WaitingRows int
	// ManyPairs is how many pairs a part of a record batch may have in a join of two
	// streams before they are made while they are put out; 0 means what suits the memory.
	ManyPairs int
	// Wrap, if set, is put around each operator, to measure or to check it, and
	// there is one of each: nothing is done by several workers.
	Wrap func(n physical.Node, op Operator) Operator
	// Metrics is filled in while the epoch runs, and is complete after io.EOF.
	Metrics Metrics
	// AllRead, if set, is called once within Next, when the rows of all inputs have been
	// read and Metrics.EventTimes are those of the epoch, but for nodes above stateful
	// operators: what follows works with the state only. It is not called if an
	// operator stops before the end of an input.
	AllRead func()

	// ahead are the operators that can read ahead, in the order in which they would read.
	ahead        []aheadReader
	readingAhead bool
	// unread counts the inputs that were not read to their end.
	unread int
	// twins are the nodes that report what those of another report.
	twins []*physical.Reuse
}

func watermark(list []int64, operator int) int64 {
	if operator < len(list) {
		return list[operator]
	}
	return NoWatermark
}

// Metrics are what an epoch's operators counted.
type Metrics struct {
	// InputRows counts the rows read, by input, before anything was done with
	// them; an input that is scanned twice is counted twice.
	InputRows []int64
	// EventTimes is what the watermark nodes saw, by their index.
	EventTimes []EventTime
	// State has an entry for each stateful operator.
	State []StateMetrics
	// Late are the rows that the plan's Late nodes kept, in the order of their
	// operator's input.
	Late []LateRows

	// bySplit is where a lane puts its event times: they are merged into EventTimes
	// in the order of the splits, whatever lane they come from.
	bySplit []splitTimes
	isLane  bool
}

// splitTimes is what a watermark node saw of a split.
type splitTimes struct {
	split int32
	index int
	times EventTime
}

func (m *Metrics) eventTime(index int) *EventTime {
	for len(m.EventTimes) <= index {
		m.EventTimes = append(m.EventTimes, EventTime{})
	}
	return &m.EventTimes[index]
}

func (m *Metrics) addTimes(index int, split int32, t EventTime) {
	if m.isLane {
		m.bySplit = append(m.bySplit, splitTimes{split, index, t})
		return
	}
	m.eventTime(index).Merge(t)
}

// StateMetrics are the figures of a stateful operator, as Spark defines them,
// and some of ours.
type StateMetrics struct {
	// Total is the number of rows in the state after the epoch; Updated, Removed and
	// Dropped are what was put, evicted, and refused as late in the epoch.
	// Aggregates count groups of a split's or epoch's rows as Dropped, not rows.
	Total, Updated, Removed, Dropped int64
	// Input counts the rows that reached the operator, after a window has repeated
	// them; each is one of Used, LateRows, or Refused. All are counted by themselves.
	Input int64
	// Used counts the rows that went into the state or on to the next operator.
	Used int64
	// LateRows counts the input rows that were late.
	LateRows int64
	// Refused counts, by reason, the rows that were neither late nor used:
	// RefusedDuplicate and its kind.
	Refused map[string]int64
	// Oldest is the event time, in milliseconds, of the oldest row that a watermark
	// can end and has not ended; HasOldest says that there is one.
	Oldest    int64
	HasOldest bool
	// Bytes is the memory of the state.
	Bytes int64
	// Custom are figures that only this operator has: numDroppedDuplicateRows.
	Custom map[string]int64
}

// Reasons for which a row is neither late nor used.
const (
	RefusedDuplicate = "duplicate" // its key has been seen
	RefusedOverLimit = "overLimit" // the limit was reached
	RefusedZeroGap   = "zeroGap"   // its session gap is not above 0
	RefusedNullTime  = "nullTime"  // it has no event time, and needs one
)

// Unaccounted returns how many rows of Input are neither used nor late nor
// refused: 0, or the operator has lost rows.
func (m *StateMetrics) Unaccounted() int64 {
	n := m.Input - m.Used - m.LateRows
	for _, rows := range m.Refused {
		n -= rows
	}
	return n
}

// account adds the rows that another has counted.
func (m *StateMetrics) account(o *StateMetrics) {
	m.Input += o.Input
	m.Used += o.Used
	m.LateRows += o.LateRows
	for reason, rows := range o.Refused {
		m.refuse(reason, rows)
	}
}

// refuse counts rows that are refused for reason.
func (m *StateMetrics) refuse(reason string, rows int64) {
	if rows == 0 {
		return
	}
	if m.Refused == nil {
		m.Refused = map[string]int64{}
	}
	m.Refused[reason] += rows
}

func (m *Metrics) state(operator int) *StateMetrics {
	for len(m.State) <= operator {
		m.State = append(m.State, StateMetrics{})
	}
	return &m.State[operator]
}

func (m *Metrics) addInput(input int, rows int64) {
	for len(m.InputRows) <= input {
		m.InputRows = append(m.InputRows, 0)
	}
	m.InputRows[input] += rows
}

// EventTime is the statistics of the event times, in milliseconds, that passed a
// watermark node in an epoch.
type EventTime struct {
	Count, Min, Max int64
	// Avg is the running mean of Spark's collector, to the bit: its rounding shows
	// where the mean is cut to whole milliseconds.
	Avg float64
}

func (e *EventTime) add(ms int64) {
	if e.Count == 0 {
		e.Min, e.Max = ms, ms
	}
	e.Min, e.Max = min(e.Min, ms), max(e.Max, ms)
	e.Count++
	e.Avg += (float64(ms) - e.Avg) / float64(e.Count)
}

// Merge takes in what another collector saw.
func (e *EventTime) Merge(o EventTime) {
	switch {
	case o.Count == 0:
	case e.Count == 0:
		*e = o
	default:
		e.Min, e.Max = min(e.Min, o.Min), max(e.Max, o.Max)
		n := e.Count + o.Count
		e.Avg = (float64(e.Avg*float64(e.Count)) + float64(o.Avg*float64(o.Count))) / float64(n)
		e.Count = n
	}
}
