package flightd

import (
	"context"
	"fmt"
	"time"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/flightd/flightd/internal/base"
)

// TriggerKind says when epochs start.
type TriggerKind uint8

// The triggers.
const (
	// ProcessingTime starts an epoch at every multiple of the interval (since
	// 1970), or at once if the interval is 0.
	ProcessingTime TriggerKind = iota
	// AvailableNow works off what is there at the start, in as many epochs as
	// the rate limits ask for, and ends.
	AvailableNow
	// Once runs one epoch with everything that is there, and ends.
	Once
)

// Trigger says when the epochs of a query start.
type Trigger struct {
	Kind     TriggerKind
	Interval time.Duration
}

// DataStreamWriter describes a streaming query before its start.
type DataStreamWriter struct {
	d       *DataFrame
	mode    string
	trigger Trigger
	spec    querySpec
	err     error
}

// WriteStream begins a streaming query over the DataFrame.
func (d *DataFrame) WriteStream() *DataStreamWriter {
	return &DataStreamWriter{d: d, mode: "append", spec: querySpec{options: base.Options{}}}
}

// OutputMode is append, update or complete.
func (w *DataStreamWriter) OutputMode(mode string) *DataStreamWriter { w.mode = mode; return w }

// QueryName names the query (and a memory sink's table).
func (w *DataStreamWriter) QueryName(name string) *DataStreamWriter { w.spec.name = name; return w }

// Format names the sink.
func (w *DataStreamWriter) Format(name string) *DataStreamWriter { w.spec.format = name; return w }

// Option sets an option of the sink; checkpointLocation is the query's own.
func (w *DataStreamWriter) Option(key string, value any) *DataStreamWriter {
	w.spec.options[key] = fmt.Sprint(value)
	return w
}

// PartitionBy lays files out in directories by these columns.
func (w *DataStreamWriter) PartitionBy(columns ...string) *DataStreamWriter {
	w.spec.partitionBy = columns
	return w
}

// LateRowsInto keeps each row that a watermark makes late in a table under the
// data folder, with the columns of LateSchema; it is made if it is not there.
func (w *DataStreamWriter) LateRowsInto(table string) *DataStreamWriter {
	w.spec.lateRows = table
	return w
}

// Trigger sets when epochs start; the default is at once, for ever.
func (w *DataStreamWriter) Trigger(t Trigger) *DataStreamWriter { w.trigger = t; return w }

// ForeachBatch makes a function the sink: it gets the record batches of each
// epoch, once it is complete, and the epoch's number. It is called again for an
// epoch that was cut short, so it must tolerate that.
func (w *DataStreamWriter) ForeachBatch(f func(ctx context.Context, rows []arrow.RecordBatch, batchID int64) error) *DataStreamWriter {
	w.spec.foreachBatch = f
	return w
}

// Foreach makes a function the sink that gets every row: a record batch and the
// index of the row in it.
func (w *DataStreamWriter) Foreach(f func(ctx context.Context, rec arrow.RecordBatch, row int, batchID int64) error) *DataStreamWriter {
	return w.ForeachBatch(func(ctx context.Context, rows []arrow.RecordBatch, batchID int64) error {
		for _, rec := range rows {
			for i := range int(rec.NumRows()) {
				if err := f(ctx, rec, i, batchID); err != nil {
					return err
				}
			}
		}
		return nil
	})
}

// Start analyses and checks the query and starts it. A path, if given, is the
// sink's option of that name.
func (w *DataStreamWriter) Start(ctx context.Context, path ...string) (*StreamingQuery, error) {
	if w.d.err != nil {
		return nil, w.d.err
	}
	if len(path) > 0 {
		w.spec.options["path"] = path[0]
	}
	if w.spec.foreachBatch != nil {
		w.spec.format = "foreachBatch"
	}
	mode, err := base.ParseOutputMode(w.mode)
	if err != nil {
		return nil, err
	}
	w.spec.mode, w.spec.trigger, w.spec.plan = mode, w.trigger, w.d.plan
	q, err := w.d.s.start(ctx, w.spec)
	return q, inText(err, w.d.text)
}

// ToTable starts the query into a table under the data folder.
func (w *DataStreamWriter) ToTable(ctx context.Context, table string) (*StreamingQuery, error) {
	w.spec.table = table
	return w.Start(ctx)
}
