package file

import (
	"context"
	"encoding/json"

	"github.com/flightd/flightd/internal/base"
	"github.com/flightd/flightd/sources"
)

var _ sources.Estimator = (*Table)(nil)

// estimator is an opener that knows about a file's rows before it reads them.
type estimator interface {
	estimate(path string) (sources.Estimate, error)
}

// textRow is how many bytes a row of a text file has, for want of anything better.
const textRow = 100

// Estimate asks the first files of pin, and counts the others by their size. Columns
// that come from directories have no range.
func (t *Table) Estimate(_ context.Context, pin string) (sources.Estimate, error) {
	var files []planned
	if err := json.Unmarshal([]byte(pin), &files); err != nil {
		return sources.Estimate{}, base.Errorf(base.CodeCorrupt, "%.80q does not name the files of %s", pin, t.Describe())
	}
	sizes := make([]int64, len(files))
	for i, f := range files {
		sizes[i] = f.Size
	}
	return sources.EstimateFiles(sizes, func(i int) (sources.Estimate, error) {
		if e, ok := t.layout.opener.(estimator); ok {
			return e.estimate(files[i].Path)
		}
		return sources.Estimate{Rows: files[i].Size/textRow + 1}, nil
	})
}
