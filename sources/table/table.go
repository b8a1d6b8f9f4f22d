package table

import (
	"context"
	"path/filepath"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/flightd/flightd/internal/base"
	"github.com/flightd/flightd/internal/tablelog"
	"github.com/flightd/flightd/sources"
	"github.com/flightd/flightd/sources/parquetfile"
)

// Provider returns the provider of the table in dir.
func Provider(dir string) sources.Provider {
	cache := parquetfile.NewCache()
	return sources.Provider{
		Name:    "table",
		Options: OptionNames(),
		Lasting: true,
		Stream: func(_ context.Context, cfg sources.Config) (sources.Source, error) {
			return openStream(dir, cfg.Options, cache)
		},
		Batch: func(context.Context, sources.Config) (sources.Table, error) { return open(dir, cache) },
	}
}

// Table is a managed table, read as a batch.
type Table struct {
	log   *tablelog.Log
	cache *parquetfile.Cache
}

var _ sources.Table = (*Table)(nil)

// Open opens the table in dir.
func Open(dir string) (*Table, error) { return open(dir, parquetfile.NewCache()) }

func open(dir string, cache *parquetfile.Cache) (*Table, error) {
	log, err := tablelog.Open(dir)
	if err != nil {
		return nil, err
	}
	return &Table{log, cache}, nil
}

// Schema returns the columns that the table was created with.
func (t *Table) Schema() *arrow.Schema { return t.log.Schema() }

// Pin returns the newest version.
func (t *Table) Pin(context.Context) (string, error) {
	v, err := t.log.Latest()
	return encode(v), err
}

// Scan returns a split per row group of the table at pin.
func (t *Table) Scan(_ context.Context, pin string, scan sources.Scan) ([]sources.Split, error) {
	v, err := decode(pin)
	if err != nil {
		return nil, err
	}
	files, err := t.log.Files(v)
	if err != nil {
		return nil, err
	}
	return scanFiles(t.log, t.cache, files, scan, func(path string) error {
		e := base.Errorf(base.CodeCorrupt, "version %d of table %s needs %s, which is gone", v, t.log.Dir(), path)
		e.Condition = "STATIC_INPUT_CHANGED"
		return e.WithHint("a later commit replaced the rows and the retention has passed")
	})
}

// Describe returns Table[/data/tables/t].
func (t *Table) Describe() string { return "Table[" + t.log.Dir() + "]" }

// Close does nothing: a table holds no file open.
func (t *Table) Close() error { return nil }

// Estimate asks the footers of the first files at pin.
func (t *Table) Estimate(_ context.Context, pin string) (sources.Estimate, error) {
	v, err := decode(pin)
	if err != nil {
		return sources.Estimate{}, err
	}
	files, err := t.log.Files(v)
	if err != nil {
		return sources.Estimate{}, err
	}
	sizes := make([]int64, len(files))
	for i, f := range files {
		sizes[i] = f.Size
	}
	return sources.EstimateFiles(sizes, func(i int) (sources.Estimate, error) {
		f, err := t.cache.Open(nil, filepath.Join(t.log.Dir(), files[i].Path))
		if err != nil {
			return sources.Estimate{}, err
		}
		defer f.Close()
		return f.Estimate()
	})
}
