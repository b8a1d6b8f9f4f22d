package proc

import (
	"github.com/flightd/flightd/bench/checksum"
)

// Op is what a child is asked to do.
type Op string

// The operations, in the order in which they come.
const (
	// Load makes the tables of a Spec ready.
	Load Op = "load"
	// Run answers once, completely, and keeps the result.
	Run Op = "run"
	// Choose lets the child try its ways and stay with the fastest.
	Choose Op = "choose"
	// Check sums up the result of the last Run.
	Check Op = "check"
)

// Request is one line to a child.
type Request struct {
	Op   Op    `json:"op"`
	Spec *Spec `json:"spec,omitempty"`
}

// Spec is a workload as one engine is to run it.
type Spec struct {
	Name string `json:"name"`
	Form string `json:"form"`
	Rows int    `json:"rows"`
	// Streamed is how many rows the streams have together: Rows, if there is one.
	Streamed int     `json:"streamed"`
	Seed     uint64  `json:"seed"`
	Rate     int     `json:"rate,omitempty"` // rows a second, in form (l)
	Tables   []Table `json:"tables"`
	// Queries are ways to ask the same.
	Queries   []string `json:"queries"`
	Mode      string   `json:"mode,omitempty"`
	EventTime string   `json:"eventTime,omitempty"`
	Delay     string   `json:"delay,omitempty"`
	// Keys is how many leading columns of an update-mode result are its key; 0 in
	// append mode.
	Keys int `json:"keys,omitempty"`
	// Dedup are the columns by which duplicates within the watermark are dropped,
	// where the query cannot say so.
	Dedup []string `json:"dedup,omitempty"`
	// Ways are the sizes of micro-batches that a stream may take; it stays with the
	// best.
	Ways []Way `json:"ways,omitempty"`
	// Scratch is a directory for checkpoints, on the disk of the files.
	Scratch string `json:"scratch"`
	Threads int    `json:"threads"`
}

// Way is a size of micro-batches: that many files a trigger, of the ordinary or of
// the small ones.
type Way struct {
	Name  string `json:"name"`
	Files int    `json:"files"`
	Small bool   `json:"small,omitempty"`
}

// Table is a table of a Spec.
type Table struct {
	Name string `json:"name"`
	Path string `json:"path"`
	// SmallPath has the same rows in files a tenth of the size.
	SmallPath string `json:"smallPath,omitempty"`
	// HalvesPath has the same rows in two files.
	HalvesPath string `json:"halvesPath,omitempty"`
	Format     string `json:"format"`
	// Static tables are not streamed.
	Static  bool        `json:"static,omitempty"`
	Columns [][2]string `json:"columns"` // name and Arrow type
}

// Reply is one line from a child.
type Reply struct {
	Error string `json:"error,omitempty"`
	// Wall and CPU are seconds of a Run: CPU that of the child and its children.
	Wall float64 `json:"wall,omitempty"`
	CPU  float64 `json:"cpu,omitempty"`
	// RSS is the most memory resident during the Run, in bytes, the loaded tables
	// included.
	RSS int64 `json:"rss,omitempty"`
	// Note says in which way the engine did it.
	Note string `json:"note,omitempty"`
	// Metrics are other figures: state bytes, changelog bytes, latencies.
	Metrics map[string]float64 `json:"metrics,omitempty"`
	// Sum is the answer to Check.
	Sum *checksum.Sum `json:"sum,omitempty"`
	// Version is the engine's, in the answer to Load.
	Version string `json:"version,omitempty"`
}
