package table

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/flightd/flightd/internal/base"
	"github.com/flightd/flightd/internal/tablelog"
	"github.com/flightd/flightd/sources"
	"github.com/flightd/flightd/sources/parquetfile"
)

// position is a pin or an offset: a version of the table.
type position struct {
	Version *int64 `json:"version"`
}

func encode(version int64) string { return fmt.Sprintf(`{"version":%d}`, version) }

func decode(text string) (int64, error) {
	var p position
	dec := json.NewDecoder(strings.NewReader(text))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&p); err != nil || p.Version == nil || *p.Version < 0 || dec.More() {
		return 0, base.Errorf(base.CodeCorrupt, "%.80q is not a version of a table", text)
	}
	return *p.Version, nil
}

// scanFiles returns a split per row group of files. gone makes the error for a
// file that is not there as it was committed.
func scanFiles(log *tablelog.Log, cache *parquetfile.Cache, files []tablelog.File, scan sources.Scan, gone func(path string) error) ([]sources.Split, error) {
	rows := scan.BatchRows
	if rows <= 0 {
		rows = 8192
	}
	schema := log.Schema()
	if scan.Columns != nil {
		var f []arrow.Field
		for _, c := range scan.Columns {
			f = append(f, log.Schema().Field(c))
		}
		schema = arrow.NewSchema(f, nil)
	}
	var out []sources.Split
	for _, file := range files {
		path := filepath.Join(log.Dir(), file.Path)
		if err := present(path, file, gone); err != nil {
			return nil, err
		}
		f, err := cache.Open(nil, path)
		if err != nil {
			return nil, err
		}
		footer, groups := f.Footer(), f.RowGroups()
		f.Close()
		for g := range groups {
			want := parquetfile.Want{Schema: schema, Rows: rows, Dictionaries: scan.Dictionaries, Borrowed: scan.Borrowed}
			out = append(out, &split{path: path, file: file, group: g, cache: cache, footer: footer, want: want, gone: gone})
		}
	}
	return out, nil
}

func present(path string, file tablelog.File, gone func(string) error) error {
	st, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) || err == nil && st.Size() != file.Size {
		return gone(path)
	}
	return base.Wrap(err, "opening %s", path)
}

// split is a row group.
type split struct {
	path   string
	file   tablelog.File
	group  int
	cache  *parquetfile.Cache
	footer parquetfile.Footer
	want   parquetfile.Want
	gone   func(string) error
}

func (s *split) String() string { return fmt.Sprintf("%s, row group %d", s.path, s.group) }

func (s *split) Open(ctx context.Context) (sources.Reader, error) {
	if err := present(s.path, s.file, s.gone); err != nil {
		return nil, err
	}
	f, err := s.cache.OpenWith(nil, s.path, s.footer)
	if err != nil {
		return nil, err
	}
	r, err := f.Read(ctx, s.group, s.want)
	if err != nil {
		f.Close()
		return nil, err
	}
	return &reader{r, f}, nil
}

// reader closes the file with the reader of its row group.
type reader struct {
	*parquetfile.Reader
	file *parquetfile.File
}

func (r *reader) Close() error {
	err := r.Reader.Close()
	if e := r.file.Close(); err == nil {
		err = e
	}
	return err
}
