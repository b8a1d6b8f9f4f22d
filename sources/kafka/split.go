package kafka

import (
	"context"
	"fmt"
	"math"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/flightd/flightd/internal/base"
	"github.com/flightd/flightd/sources"
)

// offsetRange is [from, to) of one partition.
type offsetRange struct {
	p        partition
	from, to int64
}

func (r offsetRange) size() int64 { return r.to - r.from }

// divide cuts ranges so that none is longer than maxRecords and there are about
// minSplits of them, long ones cut more often; 0 means no rule. The result
// depends on the ranges alone and keeps their order.
func divide(ranges []offsetRange, minSplits, maxRecords int64) []offsetRange {
	if maxRecords > 0 {
		var out []offsetRange
		for _, r := range ranges {
			out = cut(out, r, (r.size()+maxRecords-1)/maxRecords)
		}
		ranges = out
	}
	if minSplits <= int64(len(ranges)) {
		return ranges
	}
	total := totalSize(ranges)
	// Ranges too short to be cut take one split each and no part in the sharing.
	var short, shortSize int64
	for _, r := range ranges {
		if share(r.size(), total, minSplits) == 1 {
			short++
			shortSize += r.size()
		}
	}
	left := max(minSplits-short, 1)
	var out []offsetRange
	for _, r := range ranges {
		n := int64(1)
		if share(r.size(), total, minSplits) > 1 {
			n = share(r.size(), total-shortSize, left)
		}
		out = cut(out, r, n)
	}
	return out
}

func totalSize(ranges []offsetRange) int64 {
	var total int64
	for _, r := range ranges {
		total += r.size()
	}
	return total
}

func share(size, total, splits int64) int64 {
	return max(int64(math.Round(float64(size)/float64(total)*float64(splits))), 1)
}

// maxSplits bounds what options can ask for.
const maxSplits = 100_000

// cut appends r in n parts of about the same length.
func cut(out []offsetRange, r offsetRange, n int64) []offsetRange {
	n = min(n, r.size(), maxSplits)
	at := r.from
	for i := range n {
		end := at + (r.to-at)/(n-i)
		if end > at {
			out = append(out, offsetRange{r.p, at, end})
		}
		at = end
	}
	return out
}

// split is one range to read.
type split struct {
	offsetRange
	cfg    *config
	conn   *conn
	losses *losses
	seen   *traffic
	schema *arrow.Schema
	scan   sources.Scan
}

var _ sources.Split = (*split)(nil)

// String returns topic-3[17,42).
func (s *split) String() string { return s.name() }

func (s *split) name() string { return fmt.Sprintf("%s[%d,%d)", s.p, s.from, s.to) }

// Open returns a reader; it asks for nothing before Next.
func (s *split) Open(ctx context.Context) (sources.Reader, error) {
	if err := ctx.Err(); err != nil {
		return nil, base.Errorf(base.CodeCanceled, "opening %s", s.name()).Because(err)
	}
	return newReader(s), nil
}

// splits makes the splits of ranges for scan.
func splits(ranges []offsetRange, scan sources.Scan, like split) ([]sources.Split, error) {
	if scan.BatchRows <= 0 {
		scan.BatchRows = 8192
	}
	if scan.Columns == nil {
		scan.Columns = make([]int, like.schema.NumFields())
		for i := range scan.Columns {
			scan.Columns[i] = i
		}
	}
	for _, c := range scan.Columns {
		if c < 0 || c >= like.schema.NumFields() {
			return nil, base.Errorf(base.CodeInvalid, "source kafka: there is no column %d", c)
		}
	}
	var out []sources.Split
	for _, r := range divide(ranges, like.cfg.minSplits, like.cfg.maxRecords) {
		s := like
		s.offsetRange, s.scan = r, scan
		out = append(out, &s)
	}
	return out, nil
}
