package file

import (
	"context"
	"errors"
	"io/fs"
	"path/filepath"
	"strings"
	"time"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/flightd/flightd/internal/atomicfile"
	"github.com/flightd/flightd/internal/base"
	"github.com/flightd/flightd/internal/manifest"
	"github.com/flightd/flightd/sinks"
)

// Sink writes the files of a directory.
type Sink struct {
	cfg     sinks.Config
	set     *settings
	log     manifest.Log
	commits *commits
	last    base.Epoch // the last committed one
	stage   *stage
	// before is told each durable step of Commit; tests die there. It may be nil.
	before func(step string) error
}

var _ sinks.Sink = (*Sink)(nil)

// Providers returns the providers parquet, json, csv and text.
func Providers() []sinks.Provider {
	var out []sinks.Provider
	for _, format := range []string{"parquet", "json", "csv", "text"} {
		out = append(out, sinks.Provider{Name: format, Options: optionNames(format), Open: func(_ context.Context, cfg sinks.Config) (sinks.Sink, error) {
			return open(format, cfg)
		}})
	}
	return out
}

func open(format string, cfg sinks.Config) (sinks.Sink, error) {
	set, err := readSettings(format, cfg)
	if err != nil {
		return nil, err
	}
	if cfg.Clock == nil {
		cfg.Clock = base.RealClock{}
	}
	s := &Sink{cfg: cfg, set: set, log: manifest.Open(set.disk, set.root), last: base.NoEpoch}
	if cfg.Batch {
		return openBatch(s)
	}
	if err := (atomicfile.In{Roots: set.disk}).MkdirAll(filepath.Join(set.root, metaDir)); err != nil {
		return nil, base.Wrap(err, "opening %s", s.Describe())
	}
	if s.commits, err = loadCommits(set.disk, set.root); err != nil {
		return nil, err
	}
	if s.last, err = s.log.Latest(); err != nil {
		return nil, base.Wrap(err, "opening %s", s.Describe())
	}
	if s.last >= 0 && s.commits.QueryID != cfg.QueryID {
		return nil, base.Errorf(base.CodeConflict, "the directory %s belongs to another query (id %s): its manifest ends at epoch %d", set.root, s.commits.QueryID, s.last).
			WithHint("write into another directory, or continue that query from its checkpoint")
	}
	return s, base.Wrap(s.undo(), "opening %s", s.Describe())
}

// undo removes what an epoch that was not committed left.
func (s *Sink) undo() error {
	if err := s.set.disk.RemoveAll(filepath.Join(s.set.root, metaDir, "stage")); err != nil {
		return err
	}
	for _, dir := range []string{metaDir, manifest.DirName} {
		if err := (atomicfile.In{Roots: s.set.disk}).Sweep(filepath.Join(s.set.root, dir)); err != nil {
			return err
		}
	}
	s.commits.QueryID = s.cfg.QueryID
	for _, e := range s.commits.Entries {
		if e.Epoch <= s.last {
			continue
		}
		for _, f := range e.Files {
			if err := s.set.disk.Remove(filepath.Join(s.set.root, f)); err != nil && !errors.Is(err, fs.ErrNotExist) {
				return err
			}
			s.removeEmpty(filepath.Dir(f))
		}
	}
	return nil
}

// removeEmpty removes directories that an undone epoch left without files.
func (s *Sink) removeEmpty(dir string) {
	for ; dir != "." && dir != "/"; dir = filepath.Dir(dir) {
		if s.set.disk.Remove(filepath.Join(s.set.root, dir)) != nil {
			return
		}
	}
}

// Describe returns FileSink[/abs/path].
func (s *Sink) Describe() string { return "FileSink[" + s.set.root + "]" }

// namePart is what the names of files take from the query: its name, else its id.
func namePart(query string) string {
	keep := func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '-' || r == '_' {
			return r
		}
		return '_'
	}
	out := strings.Map(keep, query)
	return out[:min(len(out), 100)]
}

// Write stages rows. Those of a committed epoch are not kept: their digest is
// compared when the epoch is committed again.
func (s *Sink) Write(ctx context.Context, epoch base.Epoch, mode sinks.Mode, rec arrow.RecordBatch) error {
	if mode.Kind != base.Append {
		return base.Errorf(base.CodeInvalid, "%s takes the output mode append, not %s", s.Describe(), mode.Kind)
	}
	if epoch <= s.last || rec.NumRows() == 0 {
		return nil
	}
	if err := s.begin(epoch, namePart(s.cfg.Query)); err != nil {
		return err
	}
	return base.Wrap(s.stage.write(ctx, rec), "writing epoch %d to %s", epoch, s.Describe())
}

// begin opens the stage of an epoch.
func (s *Sink) begin(epoch base.Epoch, name string) error {
	if s.stage != nil && s.stage.epoch == epoch {
		return nil
	}
	if s.stage != nil {
		if err := s.stage.drop(); err != nil {
			return base.Wrap(err, "dropping epoch %d", s.stage.epoch)
		}
	}
	if name == "" {
		name = namePart(s.cfg.QueryID)
	}
	var err error
	s.stage, err = newStage(s.set, epoch, name)
	return base.Wrap(err, "staging epoch %d", epoch)
}

// Commit makes the staged files those of the epoch.
func (s *Sink) Commit(_ context.Context, epoch base.Epoch, _ sinks.Mode, digest base.Digest) error {
	if epoch <= s.last {
		if err := s.drop(); err != nil {
			return err
		}
		return s.compare(epoch, digest)
	}
	if err := s.begin(epoch, namePart(s.cfg.Query)); err != nil {
		return err
	}
	names, err := s.prepare(epoch)
	if err != nil {
		return err
	}
	if err := s.step("record"); err != nil {
		return err
	}
	if err := s.commits.put(s.set.disk, s.set.root, commit{epoch, digest.String(), names}); err != nil {
		return base.Wrap(err, "recording epoch %d of %s", epoch, s.Describe())
	}
	if err := s.step("place"); err != nil {
		return err
	}
	entries, err := s.place(names)
	if err != nil {
		return base.Wrap(err, "placing the files of epoch %d", epoch)
	}
	if err := s.step("manifest"); err != nil {
		return err
	}
	now, oldest := s.cfg.Clock.Now(), time.Time{}
	if s.set.retention > 0 {
		oldest = now.Add(-s.set.retention)
	}
	if err := s.log.Append(epoch, entries, oldest, now); err != nil {
		if errors.Is(err, fs.ErrExist) {
			return base.Errorf(base.CodeConflict, "epoch %d of %s was committed by another process", epoch, s.Describe())
		}
		return err
	}
	s.last = epoch
	return s.drop()
}

func (s *Sink) step(name string) error {
	if s.before == nil {
		return nil
	}
	return s.before(name)
}

// compare holds the digest of a replay to the one committed.
func (s *Sink) compare(epoch base.Epoch, digest base.Digest) error {
	e := s.commits.find(epoch)
	if e == nil {
		return base.Errorf(base.CodeCorrupt, "epoch %d of %s was committed, but its digest is not known any more (the last epoch is %d)", epoch, s.Describe(), s.last)
	}
	if e.Digest != digest.String() {
		return base.Errorf(base.CodeCorrupt, "the replay of epoch %d gives other rows (digest %s) than %s has committed (%s)", epoch, digest, s.Describe(), e.Digest)
	}
	return nil
}

// prepare completes the staged files and returns the names they will have.
func (s *Sink) prepare(epoch base.Epoch) ([]string, error) {
	if err := s.stage.complete(); err != nil {
		return nil, base.Wrap(err, "completing epoch %d of %s", epoch, s.Describe())
	}
	names := []string{}
	for _, f := range s.stage.done {
		names = append(names, s.stage.fileName(f))
	}
	return names, nil
}

// place gives the staged files their names.
func (s *Sink) place(names []string) ([]manifest.Entry, error) {
	var entries []manifest.Entry
	dirs := map[string]bool{}
	for i, f := range s.stage.done {
		to := filepath.Join(s.set.root, names[i])
		if err := (atomicfile.In{Roots: s.set.disk}).MkdirAll(filepath.Dir(to)); err != nil {
			return nil, err
		}
		if err := s.set.disk.Rename(f.path, to); err != nil {
			return nil, err
		}
		st, err := s.set.disk.Stat(to)
		if err != nil {
			return nil, err
		}
		dirs[filepath.Dir(to)] = true
		entries = append(entries, manifest.NewEntry(to, st.Size(), st.ModTime()))
	}
	for d := range dirs {
		if err := (atomicfile.In{Roots: s.set.disk}).SyncDir(d); err != nil {
			return nil, err
		}
	}
	return entries, nil
}

func (s *Sink) drop() error {
	if s.stage == nil {
		return nil
	}
	st := s.stage
	s.stage = nil
	return base.Wrap(st.drop(), "removing the stage of %s", s.Describe())
}

// Close removes what was staged.
func (s *Sink) Close() error { return s.drop() }
