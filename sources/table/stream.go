package table

import (
	"context"
	"sync"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/flightd/flightd/internal/base"
	"github.com/flightd/flightd/internal/tablelog"
	"github.com/flightd/flightd/sources"
	"github.com/flightd/flightd/sources/parquetfile"
)

// OptionNames are the options of a table. A table has one set of options for its
// readers and its writers: retention and compression say nothing here.
func OptionNames() []string {
	return []string{"skipChangeCommits", "maxFilesPerTrigger", "maxBytesPerTrigger", "retention", "compression"}
}

// Source is the stream of what commits add to a table.
type Source struct {
	log          *tablelog.Log
	cache        *parquetfile.Cache
	skip         bool
	files, bytes int64

	mu     sync.Mutex
	frozen int64 // the last version that Latest may return; −1: any
}

var (
	_ sources.Source  = (*Source)(nil)
	_ sources.Freezer = (*Source)(nil)
)

// OpenStream opens the table in dir as a stream.
func OpenStream(dir string, o base.Options) (*Source, error) {
	return openStream(dir, o, parquetfile.NewCache())
}

func openStream(dir string, o base.Options, cache *parquetfile.Cache) (*Source, error) {
	if err := o.CheckKeys("a table", OptionNames()); err != nil {
		return nil, err
	}
	s := &Source{cache: cache, frozen: -1}
	var err error
	if s.skip, err = o.Bool("skipChangeCommits", false); err != nil {
		return nil, err
	}
	if s.files, err = o.Int("maxFilesPerTrigger", 0); err != nil {
		return nil, err
	}
	if s.bytes, err = o.Int("maxBytesPerTrigger", 0); err != nil {
		return nil, err
	}
	if s.files > 0 && s.bytes > 0 {
		return nil, base.Errorf(base.CodeInvalid, "options maxFilesPerTrigger and maxBytesPerTrigger exclude each other")
	}
	s.log, err = tablelog.Open(dir)
	return s, err
}

// Schema returns the columns that the table was created with.
func (s *Source) Schema() *arrow.Schema { return s.log.Schema() }

// Initial returns the empty offset: the first range is the whole table.
func (s *Source) Initial(context.Context) (base.Offset, error) { return "", nil }

// start decodes an offset; −1 is the empty one.
func start(o base.Offset) (int64, error) {
	if o == "" {
		return -1, nil
	}
	return decode(string(o))
}

// Latest returns the newest version, or the last one that the limits admit: they
// are soft, for a commit is never split.
func (s *Source) Latest(_ context.Context, from base.Offset, lim sources.Limit) (base.Offset, error) {
	v, err := start(from)
	if err != nil {
		return "", err
	}
	to, err := s.log.Latest()
	if err != nil {
		return "", err
	}
	s.mu.Lock()
	if s.frozen >= 0 {
		to = min(to, s.frozen)
	}
	s.mu.Unlock()
	if v > to && from != "" {
		latest, err := s.log.Latest()
		if err == nil && v > latest {
			err = base.Errorf(base.CodeCorrupt, "the offset is version %d, table %s ends at %d", v, s.log.Dir(), latest)
		}
		return from, err
	}
	if v == -1 {
		files, err := s.log.Files(to)
		if err != nil || len(files) == 0 {
			return from, err
		}
		return base.Offset(encode(to)), nil
	}
	recs, err := s.log.Records(v, to)
	if err != nil {
		return "", err
	}
	last, files, size, rows := v, int64(0), int64(0), false
	for _, r := range recs {
		for _, f := range r.Files {
			files, size = files+1, size+f.Size
		}
		if lim.Options && rows && (s.files > 0 && files > s.files || s.bytes > 0 && size > s.bytes) {
			break
		}
		rows = rows || len(r.Files) > 0 || r.Mode == tablelog.ModeReplace
		last = r.Version
	}
	if !rows { // only empty commits: nothing is new
		return from, nil
	}
	return base.Offset(encode(last)), nil
}

// Freeze fixes the last version.
func (s *Source) Freeze(context.Context, base.Offset) error {
	v, err := s.log.Latest()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.frozen = v
	return err
}

// Read returns the rows added after from; all rows of to if from is empty.
func (s *Source) Read(_ context.Context, from, to base.Offset, scan sources.Scan) ([]sources.Split, error) {
	a, err := start(from)
	if err != nil {
		return nil, err
	}
	b, err := start(to)
	if err != nil || a == b {
		return nil, err
	}
	if b < a {
		return nil, base.Errorf(base.CodeCorrupt, "reading table %s from version %d back to %d", s.log.Dir(), a, b)
	}
	var files []tablelog.File
	if a == -1 {
		if files, err = s.log.Files(b); err != nil {
			return nil, err
		}
	} else {
		recs, err := s.log.Records(a, b)
		if err != nil {
			return nil, err
		}
		for _, r := range recs {
			if r.Mode == tablelog.ModeReplace {
				if s.skip {
					continue
				}
				return nil, base.UserError("STREAMING_TABLE_REPLACED", "42KDE", "Version %d of table %s replaces its rows; a stream can only follow additions.", r.Version, s.log.Dir()).
					WithHint("set the option skipChangeCommits to true to leave such commits out, or start with a new checkpoint")
			}
			files = append(files, r.Files...)
		}
	}
	return scanFiles(s.log, s.cache, files, scan, func(path string) error {
		return base.Errorf(base.CodeCorrupt, "versions (%d, %d] of table %s need %s, which is gone", a, b, s.log.Dir(), path)
	})
}

// Commit does nothing: a table keeps its rows.
func (s *Source) Commit(context.Context, base.Offset) error { return nil }

// Describe returns Table[/data/tables/t].
func (s *Source) Describe() string { return "Table[" + s.log.Dir() + "]" }

// Close does nothing: a source holds no file open.
func (s *Source) Close() error { return nil }
