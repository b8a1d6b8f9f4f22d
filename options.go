package flightd

import (
	"io"
	"log/slog"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/flightd/flightd/internal/base"
	"github.com/flightd/flightd/sinks"
	"github.com/flightd/flightd/sources"
)

// Options say how an engine is opened. The zero value is an engine without a
// data folder: tables and checkpoints live in a temporary directory that Close
// removes.
type Options struct {
	// DataDir holds the catalog, tables and checkpoints; see FORMAT.md. Empty: a
	// temporary directory.
	DataDir string
	// Clock is the processing time; nil is the computer's.
	Clock base.Clock
	// Logger gets what happens; nil discards it.
	Logger *slog.Logger
	// Console is where console sinks write; nil is standard output.
	Console io.Writer
	// Roots are the directories below which SQL may name files, as tables, sinks,
	// checkpoints or certificates; nil is the process's own rights. What the engine
	// keeps in its data folder is out of reach of SQL even if a root contains it, and
	// so are the paths of Private.
	Roots, Private []string
	// Sources and Sinks are connectors besides the built-in ones.
	Sources []sources.Provider
	Sinks   []sinks.Provider
	// Functions are registered before the queries of the folder start again.
	Functions []Function
	// CheckpointFS is the file system of the ledgers; nil is the computer's. Tests
	// put in one that crashes.
	CheckpointFS vfs.FS
	// BeforeStep, if set, is called before every durable step of every epoch with
	// its name; an error fails the epoch there. Tests crash with it.
	BeforeStep func(query, step string, epoch base.Epoch) error
	// NoResume leaves queries that ran at the last Close stopped.
	NoResume bool
}
