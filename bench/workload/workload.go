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
)

// A Workload is one question.
type Workload struct {
	Name, Title string
	// Tables are generated; the first is the one that rows are counted of.
	Tables []gen.Table
	// SQL is the question to us and, as a stream, to Spark. {t} stands for table t:
	// t in a batch, STREAM t WATERMARK … in our streams.
	SQL string
	// DuckDB is the question to DuckDB in the fastest known ways; the fastest here
	// counts. Empty: SQL.
	DuckDB []string
	// Flink is the question to Flink SQL; empty: SQL. The idiom of Polars is the
	// function of the workload's name in peers/polars_runner.py.
	Flink string
	// Forms are the forms it runs in.
	Forms []Form
	// Mode is the output mode of the stream; EventTime and Delay its watermark, ""
	// for none.
	Mode             string
	EventTime, Delay string
	// Targets say, per form, what the time of the best peer divided by ours must be.
	Targets map[Form]float64
	// NotYet says why the engine does not run it; "" if it does.
	NotYet string
}

// Runs reports whether the workload runs in a form.
func (w *Workload) Runs(f Form) bool { return w.NotYet == "" && slices.Contains(w.Forms, f) }

// Batch is our SQL over bounded tables.
func (w *Workload) Batch() string { return w.render(func(t string) string { return t }) }

// Streaming is our SQL over streams.
func (w *Workload) Streaming() string {
	return w.render(func(t string) string {
		for i, table := range w.Tables {
			if table.Name != t {
				continue
			}
			switch {
			case table.Rows > 0:
				return t
			case w.EventTime == "":
				return "STREAM " + t
			case i == 0:
				return "STREAM " + t + " WATERMARK " + w.EventTime + " DELAY OF INTERVAL " + w.Delay
			}
		}
		return "STREAM " + t
	})
}

// Ours are the questions to our engine in a form.
func (w *Workload) Ours(f Form) []string {
	if f == Stream {
		return []string{w.Streaming()}
	}
	return []string{w.Batch()}
}

func (w *Workload) render(name func(string) string) string {
	text := w.SQL
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
