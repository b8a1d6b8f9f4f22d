package kafka

import (
	"context"

	"github.com/flightd/flightd/internal/base"
)

// commits knows which epochs are in Kafka. A transactional one keeps the digest
// in Kafka and makes it durable with the records, in one step.
type commits interface {
	// find returns the digest of epoch if it is committed.
	find(ctx context.Context, epoch base.Epoch) (base.Digest, bool, error)
	// finish returns nil once all records sent before are acknowledged and epoch
	// counts as committed with digest.
	finish(ctx context.Context, epoch base.Epoch, digest base.Digest) error
}

// flushed is commits without transactions: it remembers the last epoch as long as
// the sink is open.
type flushed struct {
	// flush waits for all acknowledgements.
	flush  func(context.Context) error
	last   base.Epoch
	digest base.Digest
}

var _ commits = (*flushed)(nil)

func (f *flushed) find(_ context.Context, epoch base.Epoch) (base.Digest, bool, error) {
	if epoch < f.last {
		return base.Digest{}, false, base.Errorf(base.CodeInternal, "sink kafka: epoch %d after epoch %d was committed", epoch, f.last)
	}
	return f.digest, epoch == f.last, nil
}

func (f *flushed) finish(ctx context.Context, epoch base.Epoch, digest base.Digest) error {
	if err := f.flush(ctx); err != nil {
		return err
	}
	f.last, f.digest = epoch, digest
	return nil
}
