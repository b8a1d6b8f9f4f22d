package sinks

import (
	"context"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/flightd/flightd/internal/base"
	"github.com/flightd/flightd/internal/roots"
)

// Mode says what the record batches of an epoch are: additions (Append), new
// versions of the rows with the same keys (Update), or the whole result that
// replaces the last one (Complete).
type Mode struct {
	Kind base.OutputMode
	// Keys are the indices of the key columns, in Update; may be empty.
	Keys []int
}

// A Sink receives the rows of one epoch at a time. After a crash the engine
// writes and commits an epoch again: committing a committed epoch with the same
// digest discards the new rows and returns nil; with another digest it is a
// corruption error that names the epoch. After an epoch failed the sink is closed
// and opened again: what Write took of it is forgotten only so.
type Sink interface {
	// Write takes rows of epoch. The sink retains rec if it keeps it.
	Write(ctx context.Context, epoch base.Epoch, mode Mode, rec arrow.RecordBatch) error
	// Commit makes the rows of epoch durable and visible, once. It is called for
	// every epoch, also for one without rows.
	Commit(ctx context.Context, epoch base.Epoch, mode Mode, digest base.Digest) error
	// Describe returns the text of the progress report, in Spark's form where
	// Spark has the sink: FileSink[/data/out].
	Describe() string
	// Close forgets what was not committed.
	Close() error
}

// Config is what a sink is opened with.
type Config struct {
	// Query is the query's name, or its id if it has none.
	Query   string
	QueryID string
	Options base.Options
	// Disk bounds the files that options may name; nil is the process's rights.
	Disk   *roots.Set
	Schema *arrow.Schema
	// OutputMode is the query's; a sink that cannot take it refuses it at open.
	OutputMode base.OutputMode
	// PartitionBy are the columns of the directory layout; file sinks only.
	PartitionBy []string
	// Batch says that the rows are those of one batch statement, written as epoch 0
	// and never replayed: a file sink then keeps no manifest.
	Batch bool
	Clock base.Clock
}

// A Provider makes sinks of one format or system.
type Provider struct {
	// Name is what INTO names it by.
	Name string
	// Options are the names of the options it takes; "kafka.*" admits a prefix.
	Options []string
	Open    func(ctx context.Context, cfg Config) (Sink, error)
	// AnySchema sinks take whatever columns an INSERT brings and judge them
	// themselves; others get those of the table, in its order and types.
	AnySchema bool
	// Volatile sinks lose their rows with the process (memory, console): a
	// query into one may run with a temporary checkpoint.
	Volatile bool
}

// A Registry finds providers by name.
type Registry struct{ providers []Provider }

// NewRegistry returns a registry of providers.
func NewRegistry(providers ...Provider) *Registry { return &Registry{providers: providers} }

// Lookup finds a provider by name, ignoring case.
func (r *Registry) Lookup(name string) (Provider, error) {
	return base.FindNamed("sink", name, r.providers, func(p Provider) string { return p.Name })
}

// All returns every provider.
func (r *Registry) All() []Provider { return r.providers }
