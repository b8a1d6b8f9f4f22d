package sources

import (
	"context"
	"maps"
	"time"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/flightd/flightd/internal/base"
	"github.com/flightd/flightd/internal/roots"
)

// A Source is a replayable stream of rows: reading the same range twice yields
// the same rows in the same order. It never decides what to read next and never
// stores an offset for its own recovery; the ledger does.
type Source interface {
	// Schema is the schema of all its columns.
	Schema() *arrow.Schema
	// Initial resolves where a new query starts, once; the ledger keeps it
	// before the first trigger (Kafka "latest" must not move on a restart).
	Initial(ctx context.Context) (base.Offset, error)
	// Latest returns the position after the newest row, or after the last row
	// that lim admits beyond from. It returns from itself when nothing is new.
	Latest(ctx context.Context, from base.Offset, lim Limit) (base.Offset, error)
	// Read returns the rows after from, up to and including to, in splits whose
	// number, order and batch cuts depend on nothing but the range. It leaves
	// nothing open, though it may look at footers.
	Read(ctx context.Context, from, to base.Offset, scan Scan) ([]Split, error)
	// Commit reports that no row up to to will be read again. It is advice.
	Commit(ctx context.Context, to base.Offset) error
	// Describe returns the text that the progress report shows for the source,
	// in Spark's form where Spark has the source: FileStreamSource[/data/in].
	Describe() string
	Close() error
}

// A Limit bounds one call of Latest.
type Limit struct {
	// Options asks for the source's own rate limits (maxFilesPerTrigger …);
	// without it everything that is available is admitted (trigger once).
	Options bool
}

// A Freezer is a source that can fix its end: after Freeze, Latest never goes
// beyond what was available then. AvailableNow uses it.
type Freezer interface {
	Freeze(ctx context.Context, from base.Offset) error
}

// A Folder is a source whose offsets are deltas (files added). The engine folds
// the offsets of all planned epochs, in order, and hands the fold back at start.
// It reads ranges of one delta only, and every planned offset is from of the next
// call of Latest.
type Folder interface {
	// Fold returns fold with the delta of to added. It changes nothing in the
	// source, and may append to fold's memory. The fold before the first offset is
	// nil.
	Fold(fold []byte, to base.Offset) ([]byte, error)
	// Restore tells the source what was planned before this start. It is called
	// before the first Latest.
	Restore(ctx context.Context, fold []byte) error
}

// A Measurer reports metrics of its own for the progress report (Kafka's lag).
type Measurer interface {
	Metrics(latest base.Offset) map[string]string
}

// An Announcer is a source that says when it has new rows: a query that waits for
// data then looks at once, and not when spark.sql.streaming.pollingDelay is over.
type Announcer interface {
	// Announce calls wake, which returns at once and may be called from anywhere, after
	// rows came that Latest did not show before; several may share a call. stop ends
	// that; wake is not called after it returned.
	Announce(wake func()) (stop func())
}

// A Partitioned source has partitions that move by themselves: EXPLAIN EMISSION
// names those that stand still.
type Partitioned interface {
	// Positions returns how far an offset is in each partition, by name.
	Positions(o base.Offset) (map[string]int64, error)
}

// A Scan says what of a range or table is wanted.
type Scan struct {
	// Columns are the indices of the wanted columns in Schema, ascending; nil
	// means all. Record batches have exactly these columns.
	Columns []int
	// BatchRows is the most rows of a record batch; 0 means 8,192.
	BatchRows int
	// SplitBytes is about how long the parts of a large file of lines are; 0 means
	// 16 MiB. Sums of doubles and the cuts of batches depend on it, so a range that
	// is read again must be read with the same.
	SplitBytes int64
	// Dictionaries allows texts and bytes to come as arrays of type dictionary<int32,
	// utf8 or binary>, from sources that have them so. Each record batch says by its
	// own schema which columns are; batches of a split share their dictionaries,
	// which have no nulls and may have values that no row has. Which columns and
	// batches they are depends on nothing but the range.
	Dictionaries bool
	// Borrowed allows a reader to use the memory of a record batch again at the
	// following call of Next or Close: the caller looks at it before, or copies.
	Borrowed bool
	// Where are predicates of rows that are wanted. They are advice: a reader may leave
	// out rows for which one of them does not hold, and the number of splits is the same.
	Where []Predicate
}

// A Split is one part of a range: a file, a row group, a Kafka partition range.
// Splits may be read at the same time; the order of their rows is the order of
// splits.
type Split interface {
	// Open starts reading. The caller closes the reader.
	Open(ctx context.Context) (Reader, error)
	// String names the split in errors: a path, or topic-3[17,42).
	String() string
}

// A Reader yields the rows of a split.
type Reader interface {
	// Next returns the next record batch, never an empty one, or io.EOF. The
	// record batch belongs to the caller and is never written again, unless the scan
	// is Borrowed.
	Next(ctx context.Context) (arrow.RecordBatch, error)
	Close() error
}

// A Chooser is a Reader that can ask which rows of a record batch are wanted when it
// has decoded some of their columns only, and decode the others for those rows.
type Chooser interface {
	Reader
	// Choose makes Next ask choose, and reports whether it will. columns are places in
	// the scan's columns, ascending. It is called before Next, at most once.
	Choose(columns []int, choose Choose) bool
}

// Choose says which rows of a record batch are wanted. cols has an entry for each
// column of the scan, of which those are set that were named to Choose; they are
// valid until it returns, unless taken is nil, and nobody else's. wanted are rows,
// ascending, each below rows. If there are none, the reader goes on with the next
// record batch; its Next never returns an empty one. If taken is nil, Next returns
// all rows, and who asks for it knows the wanted ones. Else taken are the columns
// that were named, in their order, at the wanted rows, and Next returns these rows
// only; the reader takes over the references.
//
// An error becomes that of Next, as it is.
type Choose = func(cols []arrow.Array, rows int) (wanted []int32, taken []arrow.Array, err error)

// A Table is a bounded set of rows: what a batch query or the static side of a
// join reads.
type Table interface {
	Schema() *arrow.Schema
	// Pin names what a scan would read now (files with size and mtime, a table's
	// version, end offsets), as JSON text. The ledger keeps it with the epoch.
	Pin(ctx context.Context) (string, error)
	// Scan reads exactly what pin names. If that is no longer there the error
	// has the code Corrupt and the condition STATIC_INPUT_CHANGED.
	Scan(ctx context.Context, pin string, scan Scan) ([]Split, error)
	Describe() string
	Close() error
}

// Config is what a connector is opened with.
type Config struct {
	// Name is the table's name in the catalog; for messages.
	Name    string
	Options base.Options
	// Disk bounds the files that options may name; nil is the process's rights.
	Disk *roots.Set
	// Schema is the schema that the user declared; nil asks the connector for
	// its own or to infer one.
	Schema *arrow.Schema
	Clock  base.Clock
	// InferSchema allows a stream without a declared schema to infer one
	// (spark.sql.streaming.schemaInference).
	InferSchema bool
	// Zone is the session time zone: texts without an offset are read in it.
	Zone *time.Location
}

// A Provider makes sources and tables of one format or system. Connectors are
// values in a Registry, not registered by init.
type Provider struct {
	// Name is what USING names it by: "parquet", "kafka".
	Name string
	// Options are the names of the options it takes, in Spark's spelling; a
	// name that ends in ".*" admits every key with that prefix.
	Options []string
	// Stream opens a source; nil if it cannot be a stream.
	Stream func(ctx context.Context, cfg Config) (Source, error)
	// Batch opens a table; nil if it cannot be read as a batch.
	Batch func(ctx context.Context, cfg Config) (Table, error)
	// Lasting says that the offsets of its streams mean the same to any stream that is
	// opened later with the same options, as long as the rows are kept: a query that
	// ended can be gone on with from its offsets alone. Deltas (Folder) do not, nor
	// numbers of rows that end with the process.
	Lasting bool
}

// A Registry finds providers by name.
type Registry struct{ providers []Provider }

// NewRegistry returns a registry of providers.
func NewRegistry(providers ...Provider) *Registry { return &Registry{providers: providers} }

// Lookup finds a provider by name, ignoring case.
func (r *Registry) Lookup(name string) (Provider, error) {
	return base.FindNamed("source", name, r.providers, func(p Provider) string { return p.Name })
}

// All returns every provider.
func (r *Registry) All() []Provider { return r.providers }

// An Estimator is a Table that knows about its rows before it reads them. What it
// says decides how a query is run, never what it answers.
type Estimator interface {
	// Estimate says what a scan of pin would read, roughly.
	Estimate(ctx context.Context, pin string) (Estimate, error)
}

// Estimate is what is known of rows that have not been read.
type Estimate struct {
	Rows int64
	// Ranges are the least and the greatest value of columns, by name: of integers, and
	// of dates, timestamps and decimals as they are stored. Others have none.
	Ranges map[string]Interval
}

// EstimateFiles estimates the rows of files of these sizes from those of the first,
// which of returns: the others count by their size.
func EstimateFiles(sizes []int64, of func(i int) (Estimate, error)) (Estimate, error) {
	const asked = 16
	out := Estimate{Ranges: map[string]Interval{}}
	var all, some int64
	for i, size := range sizes {
		if all += size; i >= asked {
			continue
		}
		one, err := of(i)
		if err != nil {
			return out, err
		}
		some += size
		out.Rows += one.Rows
		if i == 0 {
			maps.Copy(out.Ranges, one.Ranges)
		}
		for name, old := range out.Ranges {
			r, has := one.Ranges[name]
			if !has {
				delete(out.Ranges, name)
				continue
			}
			out.Ranges[name] = Interval{Min: min(old.Min, r.Min), Max: max(old.Max, r.Max)}
		}
	}
	if some > 0 && len(sizes) > asked {
		out.Rows = int64(float64(out.Rows) * float64(all) / float64(some))
		clear(out.Ranges) // those of the others may be anywhere
	}
	return out, nil
}

// An Interval is from Min to Max, both included.
type Interval struct{ Min, Max int64 }
