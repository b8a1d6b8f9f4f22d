package file

import (
	"context"
	"encoding/json"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/flightd/flightd/internal/base"
	"github.com/flightd/flightd/sources"
)

// Table is the rows of a directory's files at the time of Pin.
type Table struct {
	set    *settings
	layout *layout
}

var _ sources.Table = (*Table)(nil)

func openTable(ctx context.Context, f format, cfg sources.Config) (sources.Table, error) {
	set, err := readSettings(f, cfg)
	if err != nil {
		return nil, err
	}
	if err := set.mustExist(); err != nil {
		return nil, err
	}
	files, err := set.list(ctx, nil)
	if err != nil {
		return nil, err
	}
	if len(files) == 0 && isPattern(set.path) {
		return nil, notFound(set.path)
	}
	l, err := newLayout(ctx, set, cfg, files)
	if err != nil {
		return nil, err
	}
	return &Table{set, l}, nil
}

// Schema returns the declared or inferred columns, then those that directories
// add.
func (t *Table) Schema() *arrow.Schema { return t.layout.schema }

// Pin lists the files, with size and modification time.
func (t *Table) Pin(ctx context.Context) (string, error) {
	files, err := t.set.list(ctx, nil)
	if err != nil {
		return "", err
	}
	out := []planned{}
	for _, f := range files {
		out = append(out, planned{f.path, f.size, f.mtime})
	}
	b, err := json.Marshal(out)
	return string(b), err
}

// Scan reads the files of pin.
func (t *Table) Scan(ctx context.Context, pin string, scan sources.Scan) ([]sources.Split, error) {
	var files []planned
	if err := json.Unmarshal([]byte(pin), &files); err != nil {
		return nil, base.Errorf(base.CodeCorrupt, "%.80q does not name the files of %s", pin, t.Describe())
	}
	return t.layout.splits(ctx, files, scan, func(path, why string) error {
		e := base.Errorf(base.CodeCorrupt, "file %s of %s %s since it was pinned", path, t.Describe(), why)
		e.Condition = "STATIC_INPUT_CHANGED"
		return e
	})
}

// Describe returns "parquet file:/abs/path".
func (t *Table) Describe() string { return t.set.format.name + " file:" + t.set.path }

// Close does nothing: a table holds no file open.
func (t *Table) Close() error { return nil }
