package tablelog

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/flightd/flightd/internal/atomicfile"
	"github.com/flightd/flightd/internal/base"
)

// snapshotEvery is how often the table is written as a whole, so that opening it
// reads few records.
const snapshotEvery = 20

// Log is the log of a table, as one process sees it. Its methods may be called
// from several goroutines.
type Log struct {
	dir    string
	schema *arrow.Schema

	mu    sync.Mutex
	state state // after the newest version read
}

// state is a table after a version.
type state struct {
	Version int64  `json:"version"`
	Files   []File `json:"files"`
	// Removed are files taken out of the table and not yet removed from the disk.
	Removed []removed `json:"removed"`
	// Writers are the last epochs of each writer, oldest first.
	Writers map[string][]done `json:"writers"`
}

type removed struct {
	Path string `json:"path"`
	Time int64  `json:"time"` // of the commit, in milliseconds
}

type done struct {
	Epoch   base.Epoch `json:"epoch"`
	Digest  string     `json:"digest"`
	Version int64      `json:"version"`
}

// keepEpochs and keepWriters bound what a snapshot remembers. A replay is of a
// writer's last epoch; batch statements are writers of one epoch.
const (
	keepEpochs  = 4
	keepWriters = 1000
)

// Create makes the table in dir, which must have no log.
func Create(dir string, schema *arrow.Schema) error {
	s, err := encodeSchema(schema)
	if err != nil {
		return base.Wrap(err, "creating table in %s", dir)
	}
	if err := atomicfile.MkdirAll(filepath.Join(dir, "log")); err != nil {
		return base.Wrap(err, "creating table in %s", dir)
	}
	b, err := encode(Record{Mode: ModeCreate, Files: []File{}, Schema: s})
	if err == nil {
		err = atomicfile.Create(recordPath(dir, 0), b)
	}
	if errors.Is(err, fs.ErrExist) {
		return base.Errorf(base.CodeConflict, "there is a table in %s", dir)
	}
	return base.Wrap(err, "creating table in %s", dir)
}

// Open reads the log of the table in dir.
func Open(dir string) (*Log, error) {
	l := &Log{dir: dir, state: state{Version: -1}}
	first, err := l.record(0)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, base.Errorf(base.CodeNotFound, "there is no table in %s", dir)
	}
	if err != nil {
		return nil, err
	}
	if l.schema, err = decodeSchema(first.Schema); err != nil {
		return nil, base.Wrap(err, "opening table %s: version 0", dir)
	}
	if l.state, err = l.nearest(1<<62 - 1); err != nil {
		return nil, err
	}
	return l, l.refresh()
}

// Dir returns the table's directory.
func (l *Log) Dir() string { return l.dir }

// Schema returns the columns that Create was given.
func (l *Log) Schema() *arrow.Schema { return l.schema }

func recordPath(dir string, v int64) string {
	return filepath.Join(dir, "log", fmt.Sprintf("%020d.json", v))
}

func snapshotPath(dir string, v int64) string {
	return filepath.Join(dir, "log", fmt.Sprintf("%020d.snapshot", v))
}

// record reads the commit v; the error is fs.ErrNotExist if there is none.
func (l *Log) record(v int64) (*Record, error) {
	b, err := os.ReadFile(recordPath(l.dir, v))
	if err != nil {
		return nil, err
	}
	r := &Record{}
	if err = decode(b, r); err == nil {
		err = r.check(v)
	}
	return r, base.Wrap(err, "table %s: version %d", l.dir, v)
}

// nearest returns the newest snapshot at or before v, or the state before
// version 0. A damaged snapshot is passed over: the records say the same.
func (l *Log) nearest(v int64) (state, error) {
	names, err := os.ReadDir(filepath.Join(l.dir, "log"))
	if err != nil {
		return state{}, base.Wrap(err, "opening table %s", l.dir)
	}
	for i := len(names) - 1; i >= 0; i-- {
		text, ok := strings.CutSuffix(names[i].Name(), ".snapshot")
		n, err := strconv.ParseInt(text, 10, 64)
		if !ok || err != nil || n > v {
			continue
		}
		b, err := os.ReadFile(snapshotPath(l.dir, n))
		if err != nil {
			continue
		}
		var s state
		if decode(b, &s) == nil && s.Version == n && checkFiles(s.Files) == nil {
			if s.Writers == nil {
				s.Writers = map[string][]done{}
			}
			return s, nil
		}
	}
	return state{Version: -1, Writers: map[string][]done{}}, nil
}

// refresh reads the commits since the last look.
func (l *Log) refresh() error {
	for {
		r, err := l.record(l.state.Version + 1)
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		if err != nil {
			return err
		}
		l.state.apply(r)
	}
}

func (s *state) apply(r *Record) {
	s.Version = r.Version
	if r.Mode == ModeReplace {
		for _, f := range s.Files {
			s.Removed = append(s.Removed, removed{f.Path, r.Time})
		}
		s.Files = nil
	}
	s.Files = append(s.Files[:len(s.Files):len(s.Files)], r.Files...)
	if r.Mode == ModeCreate {
		return
	}
	list := append(s.Writers[r.Writer], done{r.Epoch, r.Digest, r.Version})
	s.Writers[r.Writer] = list[max(0, len(list)-keepEpochs):]
	if len(s.Writers) > keepWriters {
		oldest, at := "", int64(1<<62)
		for w, d := range s.Writers {
			if v := d[len(d)-1].Version; v < at {
				oldest, at = w, v
			}
		}
		delete(s.Writers, oldest)
	}
}

// Latest returns the newest version.
func (l *Log) Latest() (int64, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	err := l.refresh()
	return l.state.Version, err
}

// Files returns the files of the table after version.
func (l *Log) Files(version int64) ([]File, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if err := l.refresh(); err != nil {
		return nil, err
	}
	if version == l.state.Version {
		return l.state.Files[:len(l.state.Files):len(l.state.Files)], nil
	}
	if version < 0 || version > l.state.Version {
		return nil, base.Errorf(base.CodeCorrupt, "table %s has no version %d, the newest is %d", l.dir, version, l.state.Version)
	}
	s, err := l.nearest(version)
	if err != nil {
		return nil, err
	}
	for s.Version < version {
		r, err := l.record(s.Version + 1)
		if err != nil {
			return nil, err
		}
		s.apply(r)
	}
	return s.Files, nil
}

// Records returns the commits after version from up to to.
func (l *Log) Records(from, to int64) ([]*Record, error) {
	var out []*Record
	for v := from + 1; v <= to; v++ {
		r, err := l.record(v)
		if errors.Is(err, fs.ErrNotExist) {
			return nil, base.Errorf(base.CodeCorrupt, "table %s has no version %d", l.dir, v)
		}
		if err != nil {
			return nil, err
		}
		out = append(out, r)
	}
	return out, nil
}

// Last returns the last epoch that writer committed, base.NoEpoch if none.
func (l *Log) Last(writer string) (base.Epoch, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if err := l.refresh(); err != nil {
		return base.NoEpoch, err
	}
	d := l.state.Writers[writer]
	if len(d) == 0 {
		return base.NoEpoch, nil
	}
	return d[len(d)-1].Epoch, nil
}

// Commit adds r, whose Version and Time it sets, unless the writer has committed
// the epoch: then it compares digests (T2). added tells whether r is new.
func (l *Log) Commit(r Record, now time.Time) (added bool, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for {
		if err := l.refresh(); err != nil {
			return false, err
		}
		if known, err := l.state.known(r); known || err != nil {
			return false, base.Wrap(err, "table %s", l.dir)
		}
		r.Version, r.Time = l.state.Version+1, now.UnixMilli()
		if r.Files == nil {
			r.Files = []File{}
		}
		b, err := encode(r)
		if err != nil {
			return false, base.Wrap(err, "table %s", l.dir)
		}
		err = atomicfile.Create(recordPath(l.dir, r.Version), b)
		if errors.Is(err, fs.ErrExist) {
			continue // another writer was faster
		}
		if err != nil {
			return false, base.Wrap(err, "table %s: committing version %d", l.dir, r.Version)
		}
		l.state.apply(&r)
		if r.Version%snapshotEvery == snapshotEvery-1 {
			l.snapshot()
		}
		return true, nil
	}
}

// known reports whether r's epoch is committed, with the same digest.
func (s *state) known(r Record) (bool, error) {
	list := s.Writers[r.Writer]
	if len(list) == 0 || r.Epoch > list[len(list)-1].Epoch {
		return false, nil
	}
	for _, d := range list {
		if d.Epoch != r.Epoch {
			continue
		}
		if d.Digest != r.Digest {
			return false, base.Errorf(base.CodeCorrupt, "the replay of epoch %d gives other rows (digest %s) than were committed (%s)", r.Epoch, r.Digest, d.Digest)
		}
		return true, nil
	}
	return false, base.Errorf(base.CodeCorrupt, "epoch %d was committed before epoch %d, but its digest is not known any more", r.Epoch, list[len(list)-1].Epoch)
}

// snapshot writes the state. Without it opening is slower, nothing else.
func (l *Log) snapshot() {
	if b, err := encode(l.state); err == nil {
		_ = atomicfile.Write(snapshotPath(l.dir, l.state.Version), b)
	}
}

// Vacuum removes the files that commits before oldest took out of the table
// (T4). What it cannot remove it tries again.
func (l *Log) Vacuum(oldest time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	var keep []removed
	for _, r := range l.state.Removed {
		if r.Time >= oldest.UnixMilli() {
			keep = append(keep, r)
			continue
		}
		if err := os.Remove(filepath.Join(l.dir, r.Path)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			keep = append(keep, r)
		}
	}
	l.state.Removed = keep
}
