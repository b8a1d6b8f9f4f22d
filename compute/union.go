package compute

import (
	"context"
	"io"
)

// union puts out its inputs one after another. Their splits are numbered on.
type union struct {
	inputs []Operator
	at     int
	first  int32 // number of the first split of the current input
	seen   int32 // one more than the last split put out
}

var _ Operator = (*union)(nil)

func (u *union) Next(ctx context.Context) (Batch, error) {
	for u.at < len(u.inputs) {
		b, err := u.inputs[u.at].Next(ctx)
		if err == io.EOF {
			u.at++
			u.first = u.seen
			continue
		}
		if err != nil {
			return Batch{}, err
		}
		b.Split += u.first
		u.seen = b.Split + 1
		return b, nil
	}
	return Batch{}, io.EOF
}

// Close closes all inputs.
func (u *union) Close() error { return closeAll(u.inputs...) }
