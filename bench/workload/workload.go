package workload

import (
	"fmt"
	"slices"
	"strings"

	"github.com/flightd/flightd/bench/gen"
)

// A Form is where a workload's rows come from.
type Form string

// The forms.
const (
	// Memory reads record batches (DuckDB: an in-memory table, Polars: a DataFrame).
	Memory Form = "a"
	// Files reads files in one go.
	Files Form = "b"
	// Stream reads the files as a stream in micro-batches, with a checkpoint.
	Stream Form = "c"
	// Pushed is a stream of record batches from memory, the checkpoint in memory
	// too: the engine alone.
	Pushed Form = "m"
	// Latency paces rows into a stream and takes the time until their epoch is
	// durable.
	Latency Form = "l"
)

// A Workload is one question.
type Workload struct {
	Name, Title string
	// Tables are generated; the first is the one that rows are counted of.
	Tables []gen.Table
	// SQL is the question to us and, as a stream, to Spark. {t} stands for table t:
	// t in a batch, STREAM t WATERMARK … in our streams.
	SQL string
	// StreamSQL is the question as our stream where {t} is not enough, SparkSQL that
	// to Spark; empty: SQL.
	StreamSQL, SparkSQL string
	// Ended is our question to bounded tables whose answer a stream over them has put
	// out when it ends, where that is not all; empty: SQL.
	Ended string
	// DuckDB is the question to DuckDB in the fastest known ways; the fastest here
	// counts. Empty: SQL.
	DuckDB []string
	// FlinkSQL is the question to Flink; empty: SQL. The idiom of Polars is the
	// function of the workload's name in peers/polars_runner.py.
	FlinkSQL string
	// Rows is how many rows it takes, if not as many as the bench is told; Rate how
	// many come a second in form (l).
	Rows, Rate int
	// Forms are the forms it runs in.
	Forms []Form
	// Mode is the output mode of the stream, Keys the number of leading columns
	// that are the key of an update; EventTime and Delay are its watermark, "" for
	// none.
	Mode             string
	Keys             int
	EventTime, Delay string
	// Targets say, per form, what the time of the best peer divided by ours must be.
	Targets map[Form]float64
	// Goals are targets that are not a ratio.
	Goals map[Form]string
	// Dedup are the columns by which Spark drops duplicates within the watermark.
	Dedup []string
	// TPCH is the scale of the TPC-H tables that the question is about, instead of
	// Tables.
	TPCH float64
	// NotYet says, per form, why the engine does not run it: delete the line when it
	// does.
	NotYet map[Form]string
}

// Runs reports whether the workload runs in a form.
func (w *Workload) Runs(f Form) bool { return w.NotYet[f] == "" && slices.Contains(w.Forms, f) }

// Size is how many rows it takes in a run of rows.
func (w *Workload) Size(rows int) int {
	if w.Rows > 0 {
		return w.Rows
	}
	return rows
}

// Batch is our SQL over bounded tables.
func (w *Workload) Batch() string { return w.render(w.SQL, func(t string) string { return t }) }

// AtEnd is our SQL over bounded tables whose answer is that of the stream.
func (w *Workload) AtEnd() string {
	if w.Ended == "" {
		return w.Batch()
	}
	return w.render(w.Ended, func(t string) string { return t })
}

// Spark is the SQL of Spark's streams.
func (w *Workload) Spark() string {
	if w.SparkSQL != "" {
		return w.SparkSQL
	}
	return w.Batch()
}

// Flink is the SQL of Flink's streams.
func (w *Workload) Flink() string {
	if w.FlinkSQL != "" {
		return w.FlinkSQL
	}
	return w.Batch()
}

// Streaming is our SQL over streams.
func (w *Workload) Streaming() string {
	text := w.SQL
	if w.StreamSQL != "" {
		text = w.StreamSQL
	}
	return w.render(text, func(t string) string {
		if static := slices.ContainsFunc(w.Tables, func(g gen.Table) bool { return g.Name == t && g.Rows > 0 }); static {
			return t
		}
		if w.EventTime == "" {
			return "STREAM " + t
		}
		return "STREAM " + t + " WATERMARK " + w.EventTime + " DELAY OF INTERVAL " + w.Delay
	})
}

// Ours are the questions to our engine in a form.
func (w *Workload) Ours(f Form) []string {
	if f == Stream || f == Pushed || f == Latency {
		return []string{w.Streaming()}
	}
	return []string{w.Batch()}
}

func (w *Workload) render(text string, name func(string) string) string {
	for _, t := range w.Tables {
		text = strings.ReplaceAll(text, "{"+t.Name+"}", name(t.Name))
	}
	return text
}

// ForDuckDB are the questions to DuckDB.
func (w *Workload) ForDuckDB() []string {
	if len(w.DuckDB) > 0 {
		return w.DuckDB
	}
	return []string{w.Batch()}
}

// Select returns the workloads that a list of names picks: "w2" is w2 and all
// w2_…; an empty list is all.
func Select(names []string) []Workload {
	all := All()
	if len(names) == 0 {
		return all
	}
	return slices.DeleteFunc(all, func(w Workload) bool {
		return !slices.ContainsFunc(names, func(n string) bool { return w.Name == n || strings.HasPrefix(w.Name, n+"_") })
	})
}

// TableOf is a table of a workload.
func TableOf(workload, table string) (*gen.Table, error) {
	for _, w := range All() {
		for _, t := range w.Tables {
			if w.Name == workload && t.Name == table {
				return &t, nil
			}
		}
	}
	return nil, fmt.Errorf("no table %q in a workload %q", table, workload)
}
