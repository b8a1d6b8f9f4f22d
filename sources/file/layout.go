package file

import (
	"context"
	"strings"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/flightd/flightd/internal/base"
	"github.com/flightd/flightd/sources"
	"github.com/flightd/flightd/sources/columnar"
)

// layout is how files become rows: the columns of the table, and for each file
// which of them its directories give and which its bytes.
type layout struct {
	set    *settings
	opener opener
	schema *arrow.Schema
	// data are the columns that come from files, as far as declared or inferred.
	data *arrow.Schema
}

// newLayout finds the columns: declared ones keep their place, others are
// inferred from files; the directories' columns that nobody declared come last.
func newLayout(ctx context.Context, set *settings, cfg sources.Config, files []fileInfo) (*layout, error) {
	o, err := set.format.open(cfg)
	if err != nil {
		return nil, err
	}
	l := &layout{set: set, opener: o, data: cfg.Schema}
	if l.data == nil {
		l.data = set.format.fixed
	}
	if l.data == nil {
		if len(files) == 0 {
			return nil, base.UserError("UNABLE_TO_INFER_SCHEMA", "42KD9", "Unable to infer schema for %s: there is no file at %s.", set.format.name, set.path).
				WithHint("declare the columns")
		}
		if l.data, err = o.infer(ctx, files); err != nil {
			return nil, err
		}
	}
	if err := o.check(l.data); err != nil {
		return nil, err
	}
	z := columnar.NewZone(set.zone)
	fields := l.data.Fields()
	if cfg.Schema == nil { // a column of that name in the files yields to the directory's
		inDirs := partitionFields(files, nil, z)
		fields = nil
		for _, f := range l.data.Fields() {
			if indexFold(arrow.NewSchema(inDirs, nil), f.Name) < 0 {
				fields = append(fields, f)
			}
		}
		l.data = arrow.NewSchema(fields, nil)
	}
	var all []arrow.Field
	seen := map[string]bool{}
	for _, f := range append(fields, partitionFields(files, cfg.Schema, z)...) {
		if k := strings.ToLower(f.Name); seen[k] {
			return nil, base.UserError("COLUMN_ALREADY_EXISTS", "42711", "The column `%s` already exists.", f.Name)
		}
		seen[strings.ToLower(f.Name)] = true
		f.Nullable = true
		all = append(all, f)
	}
	l.schema = arrow.NewSchema(all, nil)
	return l, nil
}

// splits returns the splits of files in order. changed makes the error for a
// file that is not as planned.
func (l *layout) splits(ctx context.Context, files []planned, scan sources.Scan, changed func(path, why string) error) ([]sources.Split, error) {
	rows := scan.BatchRows
	if rows <= 0 {
		rows = 8192
	}
	splitBytes := scan.SplitBytes
	if splitBytes <= 0 {
		splitBytes = 16 << 20
	}
	columns := scan.Columns
	if columns == nil {
		columns = make([]int, l.schema.NumFields())
		for i := range columns {
			columns[i] = i
		}
	}
	root := l.set.base
	if root == "" && !isPattern(l.set.path) {
		root = l.set.path
	}
	var out []sources.Split
	for _, f := range files {
		p := &part{layout: l, file: f, rows: rows, splitBytes: splitBytes, dictionaries: scan.Dictionaries, borrowed: scan.Borrowed, where: scan.Where, changed: changed}
		if !l.set.deep {
			from := root
			if from == "" { // a pattern: partition directories begin at the first of them
				from = fixedPart(l.set.path)
			}
			p.pairs = pairs(from, f.Path)
		}
		if err := p.assign(columns); err != nil {
			return nil, err
		}
		more, err := l.opener.splits(ctx, p)
		if err != nil {
			return nil, err
		}
		out = append(out, more...)
	}
	return out, nil
}
