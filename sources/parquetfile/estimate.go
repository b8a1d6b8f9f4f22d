package parquetfile

import (
	"github.com/apache/arrow-go/v18/parquet/metadata"

	"github.com/flightd/flightd/sources"
)

// Estimate says what the footer knows of the file's rows: how many there are, and of
// top-level columns stored as INT32 or INT64 the least and the greatest value, if
// every row group has them. It is what the writer claims.
func (p *File) Estimate() (sources.Estimate, error) {
	out := sources.Estimate{Ranges: map[string]sources.Interval{}}
	err := p.guard(func() error {
		missing := map[string]bool{}
		for g := range p.RowGroups() {
			group := p.meta.RowGroup(g)
			out.Rows += group.NumRows()
			for c := range group.NumColumns() {
				path := p.meta.Schema.Column(c).ColumnPath()
				if len(path) != 1 || missing[path[0]] {
					continue
				}
				chunk, err := group.ColumnChunk(c)
				if err != nil {
					return err
				}
				r, ok := rangeOf(chunk)
				if !ok {
					missing[path[0]] = true
					delete(out.Ranges, path[0])
					continue
				}
				if old, seen := out.Ranges[path[0]]; seen {
					r = sources.Interval{Min: min(old.Min, r.Min), Max: max(old.Max, r.Max)}
				}
				out.Ranges[path[0]] = r
			}
		}
		return nil
	})
	return out, err
}

func rangeOf(chunk *metadata.ColumnChunkMetaData) (sources.Interval, bool) {
	var none sources.Interval
	if set, err := chunk.StatsSet(); err != nil || !set {
		return none, false
	}
	stats, err := chunk.Statistics()
	if err != nil || !stats.HasMinMax() {
		return none, false
	}
	switch s := stats.(type) {
	case *metadata.Int32Statistics:
		return sources.Interval{Min: int64(s.Min()), Max: int64(s.Max())}, true
	case *metadata.Int64Statistics:
		return sources.Interval{Min: s.Min(), Max: s.Max()}, true
	}
	return none, false
}
