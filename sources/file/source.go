package file

import (
	"context"
	"slices"
	"sync"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/flightd/flightd/internal/base"
	"github.com/flightd/flightd/sources"
)

// Source is the stream of a directory's files. It is a Freezer and a Folder: an
// offset names only the files that it adds, so a range that is read is always
// that of one offset.
type Source struct {
	set    *settings
	layout *layout

	mu   sync.Mutex
	seen *seen
	// taken is the offset last taken, and its number: an idle stream asks with the
	// same one at every trigger.
	taken       base.Offset
	takenNumber int64
	// frozen are the files there were at Freeze; nil before.
	frozen []fileInfo
	// toClean are the files of offsets not yet committed, by log offset.
	toClean map[int64][]planned
}

var (
	_ sources.Source  = (*Source)(nil)
	_ sources.Freezer = (*Source)(nil)
	_ sources.Folder  = (*Source)(nil)
)

// openStream opens the source of cfg's directory.
func openStream(ctx context.Context, f format, cfg sources.Config) (sources.Source, error) {
	set, err := readSettings(f, cfg)
	if err != nil {
		return nil, err
	}
	if err := set.mustExist(); err != nil {
		return nil, err
	}
	if cfg.Schema == nil && !cfg.InferSchema && f.fixed == nil {
		return nil, base.UserError("STREAMING_SCHEMA_REQUIRED", "42601", "source %s: a stream of files needs a schema.", f.name).
			WithHint("declare the columns in CREATE TABLE, or SET spark.sql.streaming.schemaInference = true")
	}
	files, err := set.list(ctx, nil)
	if err != nil {
		return nil, err
	}
	l, err := newLayout(ctx, set, cfg, files)
	if err != nil {
		return nil, err
	}
	return &Source{set: set, layout: l, seen: newSeen(set.oldest, set.byName), takenNumber: none().LogOffset, toClean: map[int64][]planned{}}, nil
}

// Schema returns the declared or inferred columns, then those that directories
// add.
func (s *Source) Schema() *arrow.Schema { return s.layout.schema }

// Initial returns the empty offset: a new query takes every file.
func (s *Source) Initial(context.Context) (base.Offset, error) { return "", nil }

// Describe returns FileStreamSource[file:/abs/path].
func (s *Source) Describe() string { return "FileStreamSource[file:" + s.set.path + "]" }

// Latest returns an offset with the files after from that lim admits.
func (s *Source) Latest(ctx context.Context, from base.Offset, lim sources.Limit) (base.Offset, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.take(from); err != nil {
		return "", err
	}
	fresh, err := s.fresh(ctx)
	if err != nil || len(fresh) == 0 {
		return from, err
	}
	next := delta{LogOffset: s.takenNumber + 1}
	var size int64
	for i, f := range fresh {
		if lim.Options && (s.set.files > 0 && int64(i) >= s.set.files || s.set.bytes > 0 && i > 0 && size+f.size > s.set.bytes) {
			break
		}
		size += f.size
		next.Files = append(next.Files, planned{f.path, f.size, f.mtime})
	}
	return next.encode(), nil
}

// take adds the files of a planned offset to the set of those seen.
func (s *Source) take(o base.Offset) error {
	if o == s.taken {
		return nil
	}
	d, err := decodeOffset(o)
	if err != nil {
		return err
	}
	for _, f := range d.Files {
		s.seen.add(f.Path, f.MTime)
	}
	s.seen.purge()
	s.taken, s.takenNumber = o, d.LogOffset
	return nil
}

// fresh returns the files that no offset has yet, in the order to take them.
func (s *Source) fresh(ctx context.Context) ([]fileInfo, error) {
	all := s.frozen
	if all == nil {
		var err error
		if all, err = s.set.list(ctx, s.seen.has); err != nil {
			return nil, err
		}
	}
	var out []fileInfo
	names := map[string]bool{}
	for _, f := range all {
		if k := s.seen.key(f.path); s.seen.isNew(f.path, f.mtime) && !names[k] {
			names[k] = true
			out = append(out, f)
		}
	}
	if s.set.newest {
		slices.Reverse(out)
	}
	return out, nil
}

// Freeze fixes the files that Latest may return from now on.
func (s *Source) Freeze(ctx context.Context, from base.Offset) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.take(from); err != nil {
		return err
	}
	s.frozen = nil
	fresh, err := s.fresh(ctx)
	if err != nil {
		return err
	}
	if s.set.newest { // fresh reverses again
		slices.Reverse(fresh)
	}
	s.frozen = append([]fileInfo{}, fresh...)
	return nil
}

// Read returns the splits of to's files. from must be the offset right before it.
func (s *Source) Read(ctx context.Context, from, to base.Offset, scan sources.Scan) ([]sources.Split, error) {
	f, err := decodeOffset(from)
	if err != nil {
		return nil, err
	}
	t, err := decodeOffset(to)
	if err != nil || from == to {
		return nil, err
	}
	if t.LogOffset != f.LogOffset+1 {
		return nil, base.Errorf(base.CodeCorrupt, "reading %s: offset %d does not follow offset %d", s.Describe(), t.LogOffset, f.LogOffset)
	}
	if s.set.clean != cleanOff {
		s.mu.Lock()
		s.toClean[t.LogOffset] = t.Files
		s.mu.Unlock()
	}
	return s.layout.splits(ctx, t.Files, scan, changedInput)
}

// changedInput is the error for a planned file that is not as it was.
func changedInput(path, why string) error {
	return base.Errorf(base.CodeCorrupt, "file %s %s since it was planned", path, why).
		WithHint("put the file back as it was, or start the query with a new checkpoint")
}

// Commit removes or archives the files up to to, if the option cleanSource says
// so. A file that cannot be is left, and the error says which.
func (s *Source) Commit(_ context.Context, to base.Offset) error {
	d, err := decodeOffset(to)
	if err != nil || s.set.clean == cleanOff {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.toClean[d.LogOffset] = d.Files
	var first error
	for _, n := range sortedKeys(s.toClean) {
		if n > d.LogOffset {
			continue
		}
		for _, f := range s.toClean[n] {
			if err := s.set.cleanFile(f.Path); err != nil && first == nil {
				first = base.Wrap(err, "cleaning %s", s.Describe())
			}
		}
		delete(s.toClean, n)
	}
	return first
}

func sortedKeys(m map[int64][]planned) []int64 {
	var out []int64
	for k := range m {
		out = append(out, k)
	}
	slices.Sort(out)
	return out
}

// Close does nothing: a source holds no file open.
func (s *Source) Close() error { return nil }
