package file

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/flightd/flightd/internal/roots"
	"github.com/flightd/flightd/sources"
	"github.com/flightd/flightd/sources/columnar"
	"github.com/flightd/flightd/sources/parquetfile"
)

func parquetFormat() format {
	cache := parquetfile.NewCache() // of all tables and streams of the provider
	return format{name: "parquet", options: []string{"mergeSchema", "datetimeRebaseMode", "int96RebaseMode"}, open: func(cfg sources.Config) (opener, error) {
		return parquetOpener{cache, cfg.Disk}, columnar.RefuseOptions("parquet", cfg.Options, []columnar.Refusal{
			{Name: "mergeSchema", Unless: "false", Advice: "declare the columns"},
			{Name: "datetimeRebaseMode", Unless: "CORRECTED"}, {Name: "int96RebaseMode", Unless: "CORRECTED"},
		})
	}}
}

// parquetOpener reads a split per row group.
type parquetOpener struct {
	cache *parquetfile.Cache
	disk  *roots.Set
}

// infer returns the schema of the first file by path.
func (o parquetOpener) infer(_ context.Context, files []fileInfo) (*arrow.Schema, error) {
	first := files[0].path
	for _, f := range files {
		first = min(first, f.path)
	}
	f, err := o.cache.Open(o.disk, first)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return f.Schema()
}

func (parquetOpener) check(*arrow.Schema) error { return nil }

// splits reads the footer, for a file is as many splits as it has row groups.
func (o parquetOpener) splits(_ context.Context, p *part) ([]sources.Split, error) {
	if err := p.unchanged(); err != nil {
		return nil, err
	}
	f, err := o.cache.Open(o.disk, p.file.Path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	footer := f.Footer()
	schema := p.wantedSchema()
	filters := parquetfile.FiltersOf(p.where, p.layout.schema, func(name string) bool {
		dir := slices.ContainsFunc(p.pairs, func(kv pair) bool { return strings.EqualFold(kv.key, name) })
		return !dir && indexFold(p.data, name) >= 0
	})
	var out []sources.Split
	for g := range f.RowGroups() {
		if f.Rows(g) == 0 {
			continue
		}
		out = append(out, split{fmt.Sprintf("%s, row group %d", p.file.Path, g), func(ctx context.Context) (sources.Reader, error) {
			if err := p.unchanged(); err != nil {
				return nil, err
			}
			f, err := o.cache.OpenWith(o.disk, p.file.Path, footer)
			if err != nil {
				return nil, err
			}
			r, err := f.Read(ctx, g, parquetfile.Want{Schema: schema, Rows: p.rows, Dictionaries: p.dictionaries, Borrowed: p.borrowed, Where: filters})
			if err != nil {
				f.Close()
				return nil, err
			}
			return p.newReader(&groupReader{r, f})
		}})
	}
	return out, nil
}

// groupReader closes the file with the reader of its row group.
type groupReader struct {
	*parquetfile.Reader
	file *parquetfile.File
}

func (g *groupReader) Close() error {
	err := g.Reader.Close()
	if e := g.file.Close(); err == nil {
		err = e
	}
	return err
}

// estimate reads the footer.
func (o parquetOpener) estimate(path string) (sources.Estimate, error) {
	f, err := o.cache.Open(o.disk, path)
	if err != nil {
		return sources.Estimate{}, err
	}
	defer f.Close()
	return f.Estimate()
}
