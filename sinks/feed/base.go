package feed

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sort"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/flightd/flightd/internal/atomicfile"
	"github.com/flightd/flightd/internal/base"
	"github.com/flightd/flightd/internal/seglog"
	"github.com/flightd/flightd/sinks"
)

// A Result takes in epochs and knows the newest row of each key: sinks/memory.
type Result interface {
	sinks.Sink
	// Snapshot returns the rows after the last epoch; the caller releases them.
	Snapshot() (base.Epoch, []arrow.RecordBatch)
	Release()
}

// baseFile is where the result is that epochs which are not kept any more came to.
type baseFile struct {
	head
	path string
}

func basePath(dir string, last base.Epoch) string {
	return filepath.Join(dir, fmt.Sprintf("%020d.base", last))
}

// loadBase finds the newest base of dir and removes others, which a crash left.
func loadBase(dir string) (*baseFile, error) {
	names, err := filepath.Glob(filepath.Join(dir, "*.base"))
	if err != nil || len(names) == 0 {
		return nil, err
	}
	sort.Strings(names)
	newest := names[len(names)-1]
	body, err := seglog.ReadFile(newest, bodies())
	if err != nil {
		return nil, err
	}
	h, _, _, err := parse(body)
	if err != nil {
		return nil, seglog.Damaged(newest, 0, err.Error())
	}
	for _, old := range names[:len(names)-1] {
		if err := os.Remove(old); err != nil {
			return nil, err
		}
	}
	return &baseFile{h, newest}, nil
}

// Base returns the result that the epochs up to one came to which are not kept any
// more, as if it were that epoch: the newest row of each key, of a query in output
// mode update. It is nil if there is none. The caller releases it.
func (f *Feed) Base() (*Epoch, error) {
	for {
		f.mu.Lock()
		b := f.base
		f.mu.Unlock()
		if b == nil {
			return nil, nil
		}
		e, err := f.readBase(b)
		if errors.Is(err, fs.ErrNotExist) {
			f.mu.Lock()
			moved := f.base != b
			f.mu.Unlock()
			if moved {
				continue
			}
		}
		return e, base.Wrap(err, "reading %s", f.Describe())
	}
}

func (f *Feed) readBase(b *baseFile) (*Epoch, error) {
	body, err := seglog.ReadFile(b.path, bodies())
	if err != nil {
		return nil, err
	}
	h, packed, size, err := parse(body)
	var rows []arrow.RecordBatch
	if err == nil {
		rows, err = f.codec.rows(packed, size, f.opt.Schema)
	}
	if err != nil {
		return nil, seglog.Damaged(b.path, 0, err.Error())
	}
	return &Epoch{Number: h.epoch, Mode: h.mode, Digest: h.digest, Time: h.time, Watermark: h.watermark, Rows: rows}, nil
}

// fold makes the epochs of the oldest segment, which is about to be removed, part
// of the base, if a later epoch can replace their rows. The base is on disk before
// they go: a crash between leaves both, and epochs up to the base's are skipped.
func (f *Feed) fold(entries []entry) (err error) {
	if f.opt.NewResult == nil || entries[0].mode.Kind != base.Update || entries[0].mode.Keys == nil {
		return nil
	}
	result := f.opt.NewResult(f.opt.Schema)
	defer result.Release()
	take := func(e *Epoch) error {
		defer e.Release()
		for _, rec := range e.Rows {
			if err := result.Write(context.Background(), e.Number, e.Mode, rec); err != nil {
				return err
			}
		}
		return result.Commit(context.Background(), e.Number, e.Mode, e.Digest)
	}
	f.mu.Lock()
	old := f.base
	f.mu.Unlock()
	if old != nil {
		e, err := f.readBase(old)
		if err != nil {
			return err
		}
		if err := take(e); err != nil {
			return err
		}
	}
	for i := range entries {
		if old != nil && entries[i].epoch <= old.epoch {
			continue
		}
		e, err := f.read(&entries[i])
		if err != nil {
			return err
		}
		if err := take(e); err != nil {
			return err
		}
	}
	last := entries[len(entries)-1].head
	if old != nil && last.epoch <= old.epoch {
		return nil
	}
	_, rows := result.Snapshot()
	defer release(rows)
	frame, err := f.codec.encode(&last, f.opt.Schema, rows)
	if err != nil {
		return err
	}
	path := basePath(f.opt.Dir, last.epoch)
	if err := atomicfile.Write(path, frame); err != nil {
		return err
	}
	f.mu.Lock()
	f.base = &baseFile{last, path}
	f.mu.Unlock()
	if old != nil {
		return os.Remove(old.path)
	}
	return nil
}
