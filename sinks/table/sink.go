package table

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/flightd/flightd/internal/atomicfile"
	"github.com/flightd/flightd/internal/base"
	"github.com/flightd/flightd/internal/layout"
	"github.com/flightd/flightd/internal/tablelog"
	"github.com/flightd/flightd/sinks"
	"github.com/flightd/flightd/sinks/parquetfile"
)

// OptionNames are the options of a table. A table has one set of options for its
// readers and its writers: only retention and compression say something here.
func OptionNames() []string {
	return []string{"retention", "compression", "skipChangeCommits", "maxFilesPerTrigger", "maxBytesPerTrigger"}
}

// Create makes an empty table in dir. It is a Conflict error if there is one.
func Create(dir string, schema *arrow.Schema) error { return tablelog.Create(dir, schema) }

// Sink writes one writer's epochs into a table. The writer is cfg.QueryID: give
// each batch statement an id of its own.
type Sink struct {
	log         *tablelog.Log
	cfg         sinks.Config
	writer      string // as a directory name
	compression string
	retention   time.Duration
	last        base.Epoch

	epoch base.Epoch
	file  *parquetfile.Writer // nil without rows
	path  string              // of the staged file
	rows  int64
}

var _ sinks.Sink = (*Sink)(nil)

// Open opens the table in dir, which Create has made. cfg.Schema must have the
// table's types, by position.
func Open(_ context.Context, dir string, cfg sinks.Config) (*Sink, error) {
	if err := cfg.Options.CheckKeys("a table", OptionNames()); err != nil {
		return nil, err
	}
	if cfg.OutputMode == base.Update {
		return nil, base.UserError("STREAMING_OUTPUT_MODE.UNSUPPORTED_DATASOURCE", "42KDE", "Data source table does not support update output mode.").
			WithHint("use append with a watermark, or complete")
	}
	if cfg.Clock == nil {
		cfg.Clock = base.RealClock{}
	}
	s := &Sink{cfg: cfg, writer: directoryName(cfg.QueryID), epoch: base.NoEpoch, compression: strings.ToLower(cfg.Options.String("compression", "snappy"))}
	if s.writer == "" {
		return nil, base.Errorf(base.CodeInvalid, "opening table %s: the writer has no id", dir)
	}
	switch s.compression {
	case "none", "snappy", "zstd", "gzip":
	default:
		return nil, base.Errorf(base.CodeInvalid, "option compression: %q is none of none, snappy, zstd, gzip", s.compression)
	}
	var err error
	if s.retention, err = cfg.Options.Duration("retention", time.Hour); err != nil {
		return nil, err
	}
	if s.log, err = tablelog.Open(dir); err != nil {
		return nil, err
	}
	if err := sameTypes(s.log.Schema(), cfg.Schema); err != nil {
		return nil, base.Wrap(err, "opening table %s", dir)
	}
	if err := parquetfile.Check(s.log.Schema()); err != nil {
		return nil, base.Errorf(base.CodeInvalid, "opening table %s: a column cannot be stored", dir).Because(err)
	}
	if s.last, err = s.log.Last(cfg.QueryID); err != nil {
		return nil, err
	}
	return s, base.Wrap(s.undo(), "opening table %s", dir)
}

// directoryName makes a directory name of a writer's id.
func directoryName(id string) string {
	return strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '-' {
			return r
		}
		return '_'
	}, id)
}

func sameTypes(table, rows *arrow.Schema) error {
	if table.NumFields() != rows.NumFields() {
		return base.Errorf(base.CodeInvalid, "it has %d columns, the rows have %d", table.NumFields(), rows.NumFields())
	}
	for i, f := range table.Fields() {
		if g := rows.Field(i); !layout.Same(f.Type, g.Type) {
			return base.Errorf(base.CodeInvalid, "column %s is of type %s, the rows have %s", f.Name, f.Type, g.Type)
		}
	}
	return nil
}

func (s *Sink) stageDir() string { return filepath.Join(s.log.Dir(), "stage", s.writer) }

// undo removes what epochs of this writer left that were not committed.
func (s *Sink) undo() error {
	if err := os.RemoveAll(s.stageDir()); err != nil {
		return err
	}
	left, err := filepath.Glob(filepath.Join(s.log.Dir(), "data", s.writer, "*.parquet"))
	if err != nil {
		return err
	}
	for _, path := range left {
		var epoch base.Epoch
		if _, err := fmt.Sscanf(filepath.Base(path), "%d.parquet", &epoch); err == nil && epoch > s.last {
			if err := os.Remove(path); err != nil {
				return err
			}
		}
	}
	return nil
}

// Describe returns TableSink[/data/tables/t].
func (s *Sink) Describe() string { return "TableSink[" + s.log.Dir() + "]" }

// Write stages rows. Those of a committed epoch are not kept.
func (s *Sink) Write(_ context.Context, epoch base.Epoch, mode sinks.Mode, rec arrow.RecordBatch) error {
	if mode.Kind == base.Update {
		return base.Errorf(base.CodeInvalid, "%s does not take the output mode update", s.Describe())
	}
	if epoch <= s.last || rec.NumRows() == 0 {
		return nil
	}
	if err := s.begin(epoch); err != nil {
		return err
	}
	if s.file == nil {
		if err := os.MkdirAll(s.stageDir(), 0o755); err != nil {
			return base.Wrap(err, "staging epoch %d of %s", epoch, s.Describe())
		}
		s.path = filepath.Join(s.stageDir(), fmt.Sprintf("%d.parquet", epoch))
		f, err := os.Create(s.path)
		if err != nil {
			return base.Wrap(err, "staging epoch %d of %s", epoch, s.Describe())
		}
		s.file = parquetfile.New(f, s.log.Schema(), s.compression)
	}
	if err := layout.CheckNulls(s.log.Dir(), s.log.Schema(), rec); err != nil {
		return err
	}
	s.rows += rec.NumRows()
	rec = layout.Record(rec, s.log.Schema())
	defer rec.Release()
	return base.Wrap(s.file.Write(rec), "writing epoch %d to %s", epoch, s.Describe())
}

// begin forgets what was staged of another epoch.
func (s *Sink) begin(epoch base.Epoch) error {
	if s.epoch == epoch {
		return nil
	}
	err := s.drop()
	s.epoch = epoch
	return err
}

func (s *Sink) drop() error {
	if s.file != nil {
		s.file.Abort()
	}
	s.file, s.rows, s.epoch = nil, 0, base.NoEpoch
	return base.Wrap(os.RemoveAll(s.stageDir()), "dropping what %s staged", s.Describe())
}

// Commit adds the epoch to the log.
func (s *Sink) Commit(_ context.Context, epoch base.Epoch, mode sinks.Mode, digest base.Digest) error {
	if err := s.begin(epoch); err != nil {
		return err
	}
	r := tablelog.Record{Writer: s.cfg.QueryID, Epoch: epoch, Digest: digest.String(), Mode: tablelog.ModeAppend}
	if mode.Kind == base.Complete {
		r.Mode = tablelog.ModeReplace
	}
	if s.file != nil && epoch > s.last {
		f, err := s.place(epoch)
		if err != nil {
			return base.Wrap(err, "placing the rows of epoch %d of %s", epoch, s.Describe())
		}
		r.Files = []tablelog.File{f}
	}
	now := s.cfg.Clock.Now()
	if _, err := s.log.Commit(r, now); err != nil {
		return err
	}
	s.last = max(s.last, epoch)
	if r.Mode == tablelog.ModeReplace {
		s.log.Vacuum(now.Add(-s.retention))
	}
	return s.drop()
}

// place completes the staged file and gives it its name.
func (s *Sink) place(epoch base.Epoch) (tablelog.File, error) {
	w := s.file
	s.file = nil
	if err := w.Close(); err != nil {
		return tablelog.File{}, err
	}
	rel := filepath.Join("data", s.writer, fmt.Sprintf("%d.parquet", epoch))
	to := filepath.Join(s.log.Dir(), rel)
	if err := atomicfile.MkdirAll(filepath.Dir(to)); err != nil {
		return tablelog.File{}, err
	}
	if err := atomicfile.Rename(s.path, to); err != nil {
		return tablelog.File{}, err
	}
	st, err := os.Stat(to)
	if err != nil {
		return tablelog.File{}, err
	}
	return tablelog.File{Path: rel, Rows: s.rows, Size: st.Size()}, nil
}

// Close forgets what was not committed.
func (s *Sink) Close() error { return s.drop() }
