package file

import (
	"context"
	"io/fs"
	"path/filepath"
	"strings"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/flightd/flightd/internal/atomicfile"
	"github.com/flightd/flightd/internal/base"
	"github.com/flightd/flightd/internal/roots"
	"github.com/flightd/flightd/sinks"
)

// batchSink adds the files of one batch statement to a plain directory, or
// replaces what is there (mode Complete). It keeps no manifest, so readers that
// list meanwhile may see some of the files.
type batchSink struct {
	*Sink
	mode base.OutputMode
}

func openBatch(s *Sink) (sinks.Sink, error) {
	if s.log.Exists() {
		return nil, base.Errorf(base.CodeConflict, "the directory %s is written by a streaming query; rows cannot be inserted", s.set.root)
	}
	if err := (atomicfile.In{Roots: s.set.disk}).MkdirAll(filepath.Join(s.set.root, metaDir)); err != nil {
		return nil, base.Wrap(err, "opening %s", s.Describe())
	}
	return &batchSink{Sink: s}, nil
}

func (b *batchSink) Write(ctx context.Context, epoch base.Epoch, mode sinks.Mode, rec arrow.RecordBatch) error {
	b.mode = mode.Kind
	if rec.NumRows() == 0 {
		return nil
	}
	if err := b.begin(epoch, namePart(b.cfg.QueryID)); err != nil {
		return err
	}
	return base.Wrap(b.stage.write(ctx, rec), "writing to %s", b.Describe())
}

func (b *batchSink) Commit(_ context.Context, epoch base.Epoch, mode sinks.Mode, _ base.Digest) error {
	if err := b.begin(epoch, namePart(b.cfg.QueryID)); err != nil {
		return err
	}
	names, err := b.prepare(epoch)
	if err != nil {
		return err
	}
	var old []string
	if mode.Kind == base.Complete {
		if old, err = dataFiles(b.set.disk, b.set.root); err != nil {
			return base.Wrap(err, "listing %s", b.set.root)
		}
	}
	if _, err := b.place(names); err != nil {
		return base.Wrap(err, "placing files in %s", b.set.root)
	}
	for _, f := range old {
		if err := b.set.disk.Remove(f); err != nil {
			return base.Wrap(err, "replacing the rows of %s", b.set.root)
		}
	}
	if err := b.drop(); err != nil {
		return err
	}
	return b.set.disk.RemoveAll(filepath.Join(b.set.root, metaDir))
}

// dataFiles returns the files that readers of root would read.
func dataFiles(disk *roots.Set, root string) ([]string, error) {
	var out []string
	err := disk.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name := d.Name()
		hidden := strings.HasPrefix(name, ".") || strings.HasPrefix(name, "_") && !strings.Contains(name, "=")
		switch {
		case path == root:
		case hidden && d.IsDir(), d.IsDir() && !strings.Contains(name, "="):
			return fs.SkipDir
		case !hidden && d.Type().IsRegular():
			out = append(out, path)
		}
		return nil
	})
	return out, err
}
