package flightd

import (
	"encoding/json"
	"math"
	"strconv"
	"time"

	"github.com/flightd/flightd/compute"
	"github.com/flightd/flightd/internal/base"
)

// Progress is the report of one epoch, with Spark's field names and order.
type Progress struct {
	ID            string            `json:"id"`
	RunID         string            `json:"runId"`
	Name          string            `json:"name"`
	Timestamp     string            `json:"timestamp"`
	BatchID       base.Epoch        `json:"batchId"`
	BatchDuration int64             `json:"batchDuration"`
	NumInputRows  int64             `json:"numInputRows"`
	InputRate     Rate              `json:"inputRowsPerSecond,omitzero"`
	ProcessedRate Rate              `json:"processedRowsPerSecond,omitzero"`
	DurationMs    map[string]int64  `json:"durationMs"`
	EventTime     map[string]string `json:"eventTime,omitempty"`
	StateOps      []StateProgress   `json:"stateOperators"`
	Sources       []SourceProgress  `json:"sources"`
	Sink          SinkProgress      `json:"sink"`
	// LateInputRows counts the input rows that a watermark made late, where
	// Spark's numRowsDroppedByWatermark counts partial groups. Ours.
	LateInputRows int64 `json:"flightdLateInputRows"`
	// NextWatermark is the watermark that the epoch left behind, "" in a query
	// without one. Ours.
	NextWatermark string `json:"flightdNextWatermark,omitempty"`
}

// Rate is rows per second, rounded to one decimal; NaN and infinity are left out.
type Rate float64

// IsZero reports whether the rate is left out of JSON.
func (r Rate) IsZero() bool { return math.IsNaN(float64(r)) || math.IsInf(float64(r), 0) }

// MarshalJSON writes one decimal.
func (r Rate) MarshalJSON() ([]byte, error) {
	if r.IsZero() {
		return []byte("null"), nil
	}
	return []byte(strconv.FormatFloat(math.Round(float64(r)*10)/10, 'f', 1, 64)), nil
}

// StateProgress is the report of one stateful operator.
type StateProgress struct {
	OperatorName              string           `json:"operatorName"`
	NumRowsTotal              int64            `json:"numRowsTotal"`
	NumRowsUpdated            int64            `json:"numRowsUpdated"`
	AllUpdatesTimeMs          int64            `json:"allUpdatesTimeMs"`
	NumRowsRemoved            int64            `json:"numRowsRemoved"`
	AllRemovalsTimeMs         int64            `json:"allRemovalsTimeMs"`
	CommitTimeMs              int64            `json:"commitTimeMs"`
	MemoryUsedBytes           int64            `json:"memoryUsedBytes"`
	NumRowsDroppedByWatermark int64            `json:"numRowsDroppedByWatermark"`
	NumShufflePartitions      int64            `json:"numShufflePartitions"`
	NumStateStoreInstances    int64            `json:"numStateStoreInstances"`
	CustomMetrics             map[string]int64 `json:"customMetrics,omitempty"`
	// Rows says what became of the rows that reached the operator, each window of a
	// row counting as one: input = used + late + those refused for a named reason.
	// Ours.
	Rows map[string]int64 `json:"flightdRows,omitempty"`
}

// accounts are the rows of an operator by what became of them.
func accounts(m *compute.StateMetrics) map[string]int64 {
	rows := map[string]int64{"input": m.Input, "used": m.Used, "late": m.LateRows}
	for reason, n := range m.Refused {
		rows[reason] = n
	}
	return rows
}

// SourceProgress is the report of one source.
type SourceProgress struct {
	Description   string            `json:"description"`
	StartOffset   json.RawMessage   `json:"startOffset"`
	EndOffset     json.RawMessage   `json:"endOffset"`
	LatestOffset  json.RawMessage   `json:"latestOffset"`
	NumInputRows  int64             `json:"numInputRows"`
	InputRate     Rate              `json:"inputRowsPerSecond,omitzero"`
	ProcessedRate Rate              `json:"processedRowsPerSecond,omitzero"`
	Metrics       map[string]string `json:"metrics,omitempty"`
}

// SinkProgress is the report of the sink.
type SinkProgress struct {
	Description   string            `json:"description"`
	NumOutputRows int64             `json:"numOutputRows"`
	Metrics       map[string]string `json:"metrics,omitempty"`
}

// JSON returns the report as Spark prints it.
func (p *Progress) JSON() string {
	b, err := json.Marshal(p)
	if err != nil {
		return "{}"
	}
	return string(b)
}

func isoMillis(ms int64) string {
	return time.UnixMilli(ms).UTC().Format("2006-01-02T15:04:05.000Z")
}

func offsetJSON(o base.Offset) json.RawMessage {
	if o == "" || !json.Valid([]byte(o)) {
		return json.RawMessage("null")
	}
	return json.RawMessage(o)
}

// Status is what a query is doing now, in Spark's words.
type Status struct {
	Message         string `json:"message"`
	IsDataAvailable bool   `json:"isDataAvailable"`
	IsTriggerActive bool   `json:"isTriggerActive"`
}

// A Listener hears of the queries of an engine. QueryStarted is called before
// start returns; the others from the query's own goroutine, so they must not
// wait for the query.
type Listener interface {
	QueryStarted(QueryStarted)
	QueryProgress(Progress)
	QueryIdle(QueryIdle)
	QueryTerminated(QueryTerminated)
}

// QueryStarted is the event of a start.
type QueryStarted struct{ ID, RunID, Name, Timestamp string }

// QueryIdle is the event of a trigger without data.
type QueryIdle struct{ ID, RunID, Timestamp string }

// QueryTerminated is the event of an end; Err is nil after a stop.
type QueryTerminated struct {
	ID, RunID string
	Err       error
}
