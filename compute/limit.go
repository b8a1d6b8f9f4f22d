package compute

import (
	"context"
	"io"

	"github.com/flightd/flightd/plan/physical"
)

// limit passes on count rows after the first offset. It asks for no batch that
// it does not need, so an input that is cut short is not read to its end.
type limit struct {
	unary
	offset, left int64 // left < 0: no limit
	sel          []int32
}

var _ Operator = (*limit)(nil)

func newLimit(n *physical.Limit, input Operator) *limit {
	return &limit{unary: unary{input}, offset: max(n.Offset, 0), left: n.Count}
}

func (l *limit) Next(ctx context.Context) (Batch, error) {
	for l.left != 0 {
		b, err := l.input.Next(ctx)
		if err != nil {
			return Batch{}, err
		}
		n := int64(b.Live())
		skip := min(l.offset, n)
		l.offset -= skip
		take := n - skip
		if l.left >= 0 {
			take = min(take, l.left)
			l.left -= take
		}
		if take == 0 {
			continue
		}
		if take < n {
			l.sel = b.part(l.sel, skip, skip+take)
			b.Sel = l.sel
		}
		return b, nil
	}
	return Batch{}, io.EOF
}
