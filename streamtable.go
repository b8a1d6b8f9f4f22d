package flightd

import (
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/google/uuid"

	"github.com/flightd/flightd/internal/base"
	"github.com/flightd/flightd/internal/rowlog"
	"github.com/flightd/flightd/plan/logical"
	"github.com/flightd/flightd/sinks"
	sinkstream "github.com/flightd/flightd/sinks/stream"
	"github.com/flightd/flightd/sources"
	sourcestream "github.com/flightd/flightd/sources/stream"
)

// flightFormat is the format of a stream table: CREATE TABLE … USING flight.
const flightFormat = "flight"

// logs are the open logs of stream tables, by directory: one each, which its readers
// and writers share.
type logs struct {
	mu     sync.Mutex
	open   map[string]*rowlog.Log
	closed bool
}

// log returns the log of a stream table, opening it if need be.
func (e *Engine) rowLog(def *tableDef) (*rowlog.Log, error) {
	if def.Dir == "" {
		return nil, base.Errorf(base.CodeInvalid, "flight is the format of tables, not of files or servers").
			WithHint("CREATE TABLE t (…) USING flight, then name the table")
	}
	e.logs.mu.Lock()
	defer e.logs.mu.Unlock()
	if l := e.logs.open[def.Dir]; l != nil {
		return l, nil
	}
	if e.logs.closed {
		return nil, base.Errorf(base.CodeUnavailable, "the engine is closed")
	}
	o := rowlog.Options{Dir: filepath.Join(e.dir, def.Dir), Name: def.Name, Clock: e.clock}
	if e.opts.BeforeStep != nil {
		o.BeforeStep = func(step string) error { return e.opts.BeforeStep(def.Name, "log "+step, base.NoEpoch) }
	}
	if err := sourcestream.ParseLog(def.Options, &o); err != nil {
		return nil, err
	}
	l, err := rowlog.Open(o)
	if err != nil {
		return nil, err
	}
	if e.logs.open == nil {
		e.logs.open = map[string]*rowlog.Log{}
	}
	e.logs.open[def.Dir] = l
	return l, nil
}

// flightProvider reads a stream table.
func (e *Engine) flightProvider(def tableDef) sources.Provider {
	return sourcestream.Provider(func() (*rowlog.Log, error) { return e.rowLog(&def) })
}

// closeLogs ends all logs after what they are writing.
func (e *Engine) closeLogs() error {
	e.logs.mu.Lock()
	defer e.logs.mu.Unlock()
	e.logs.closed = true
	var err error
	for _, l := range e.logs.open {
		if c := l.Close(); err == nil {
			err = c
		}
	}
	e.logs.open = nil
	return err
}

// dropLog removes the rows of a stream table that is not in the catalog any more. Who
// is about to write gets an error.
func (e *Engine) dropLog(dir string) error {
	e.logs.mu.Lock()
	defer e.logs.mu.Unlock()
	l := e.logs.open[dir]
	delete(e.logs.open, dir)
	if l == nil {
		return os.RemoveAll(filepath.Join(e.dir, dir))
	}
	return l.Drop()
}

// createStored makes an empty table under the data folder: a stream table or one of
// Parquet files.
func (e *Engine) createStored(def *tableDef, replace bool) error {
	if def.Format == flightFormat {
		return e.createStreamTable(def, replace)
	}
	return e.createManaged(def, replace)
}

// createStreamTable makes an empty stream table.
func (e *Engine) createStreamTable(def *tableDef, replace bool) error {
	if e.temp {
		return base.UserError("UNSUPPORTED_FEATURE", "0A000", "A table USING flight is durable, and this engine has no data folder to keep it in.").
			WithHint("give the engine a data folder: flightd … --data DIR, Options.DataDir")
	}
	if len(def.Schema) == 0 {
		return base.Errorf(base.CodeInvalid, "a table USING flight needs columns or a query (AS …)")
	}
	old := e.table(def.Name)
	if old != nil && !replace {
		return e.addTable(&table{def: *def}, false)
	}
	if err := def.Options.CheckKeys("a table USING flight", sourcestream.OptionNames()); err != nil {
		return err
	}
	if err := sourcestream.ParseLog(def.Options, &rowlog.Options{}); err != nil {
		return err
	}
	def.Dir = filepath.Join("tables", fileName(def.Name)+"-"+uuid.NewString()[:8])
	if err := rowlog.Create(filepath.Join(e.dir, def.Dir), def.Schema.Arrow()); err != nil {
		return base.Wrap(err, "creating table %s", def.Name)
	}
	t, err := e.connector(*def)
	if err == nil {
		err = e.addTable(t, replace)
	}
	if err != nil {
		_ = os.RemoveAll(filepath.Join(e.dir, def.Dir))
		return err
	}
	if old != nil && old.def.Format == flightFormat {
		return e.dropLog(old.def.Dir)
	}
	return nil
}

// openStreamSink writes into a stream table.
func (e *Engine) openStreamSink(t *table, cfg sinks.Config) (sinks.Sink, error) {
	log, err := e.rowLog(&t.def)
	if err != nil {
		return nil, err
	}
	return sinkstream.Open(log, cfg)
}

// streamTable finds a stream table by name.
func (e *Engine) streamTable(name string) (*table, error) {
	t := e.table(name)
	if t == nil {
		return nil, notFound("table", name, e.tableNames())
	}
	if t.def.Format != flightFormat {
		return nil, base.UserError("NOT_A_STREAM_TABLE", "42809", "The table %s is not a stream table, but one USING %s.", t.def.Name, t.def.Format).
			WithHint("CREATE TABLE %s (…) USING flight makes a table that producers send record batches to", t.def.Name)
	}
	return t, nil
}

// showProducers is SHOW PRODUCERS t: what a producer that comes back goes on behind.
func (s *Session) showProducers(st *logical.Show) (*Result, error) {
	t, err := s.eng.streamTable(last(st.Name))
	if err != nil {
		return nil, base.AsError(err).At(st.NameAt)
	}
	log, err := s.eng.rowLog(&t.def)
	if err != nil {
		return nil, err
	}
	var rows [][]any
	for _, p := range log.Producers() {
		if like(st.Like, p.Name) {
			rows = append(rows, []any{p.Name, p.Seq, p.Rows, p.Time.UTC().Format(time.RFC3339Nano)})
		}
	}
	return textResult([]string{"producer", "seq", "rows", "time"}, rows), nil
}

// Producer returns the last durable sequence number of a producer of a stream table,
// or NoSeq, and the number of the table's last commit.
func (s *Session) Producer(name, producer string) (seq, commit int64, err error) {
	t, err := s.eng.streamTable(name)
	if err != nil {
		return NoSeq, 0, err
	}
	log, err := s.eng.rowLog(&t.def)
	if err != nil {
		return NoSeq, 0, err
	}
	return log.Producer(producer).Seq, log.Range().Commits, nil
}
