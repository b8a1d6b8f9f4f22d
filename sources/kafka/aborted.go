package kafka

import (
	"cmp"
	"slices"

	"github.com/twmb/franz-go/pkg/kmsg"
)

// aborted knows which transactional batches of one fetch were aborted.
type aborted struct {
	// pending are transactions that begin behind the batches seen so far, by first
	// offset; brokers do not all send them in that order.
	pending []kmsg.FetchResponseTopicPartitionAbortedTransaction
	open    map[int64]bool
}

func newAborted(ts []kmsg.FetchResponseTopicPartitionAbortedTransaction) *aborted {
	a := &aborted{pending: slices.Clone(ts), open: map[int64]bool{}}
	slices.SortFunc(a.pending, func(x, y kmsg.FetchResponseTopicPartitionAbortedTransaction) int {
		return cmp.Compare(x.FirstOffset, y.FirstOffset)
	})
	return a
}

// skips reports whether h's records were aborted. It is called for the data
// batches of a fetch in their order.
func (a *aborted) skips(h *batchHeader) bool {
	if a == nil {
		return false
	}
	for len(a.pending) > 0 && a.pending[0].FirstOffset <= h.last {
		a.open[a.pending[0].ProducerID] = true
		a.pending = a.pending[1:]
	}
	return h.transactional() && a.open[h.producer]
}

// ended takes note of an abort marker of producer.
func (a *aborted) ended(producer int64) {
	if a != nil {
		delete(a.open, producer)
	}
}
