package flightd

import (
	"context"
	"path/filepath"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/flightd/flightd/internal/base"
	"github.com/flightd/flightd/sinks"
	"github.com/flightd/flightd/sinks/feed"
	sinkmemory "github.com/flightd/flightd/sinks/memory"
)

// feedDir is where the live output of a query into feed is kept.
func (e *Engine) feedDir(query string) string { return filepath.Join(e.dir, "feeds", fileName(query)) }

// feedProvider is the sink "feed": each epoch's rows are logged under the data
// folder for the option retention (an hour if not given), and reach subscribers
// once the epoch is done.
func (e *Engine) feedProvider() sinks.Provider {
	return sinks.Provider{Name: "feed", Options: []string{"retention"}, Open: func(_ context.Context, cfg sinks.Config) (sinks.Sink, error) {
		keep, err := cfg.Options.Duration("retention", 0)
		if err != nil {
			return nil, err
		}
		return feed.Open(feed.Options{Dir: e.feedDir(cfg.Query), Name: cfg.Query, Schema: cfg.Schema, Retention: keep, Clock: cfg.Clock, Held: true, NewResult: newResult})
	}}
}

// newResult is what a feed folds the epochs into that it does not keep.
func newResult(schema *arrow.Schema) feed.Result { return sinkmemory.New(schema) }

// scratchFeed is the feed of a query that belongs to one subscription.
func (r *run) scratchFeed() sinks.Provider {
	return sinks.Provider{Name: "feed", Volatile: true, Open: func(_ context.Context, cfg sinks.Config) (sinks.Sink, error) {
		return feed.Open(feed.Options{Dir: filepath.Join(r.q.spec.checkpoint, "feed"), Name: "subscription", Schema: cfg.Schema, Clock: cfg.Clock, Held: true, NewResult: newResult})
	}}
}

// Subscribe follows the output of a query into feed from an epoch on, which must
// still be within the retention. The caller releases the epochs that it reads.
func (q *StreamingQuery) Subscribe(from int64) (*feed.Subscription, error) {
	q.mu.Lock()
	f := q.feed
	q.mu.Unlock()
	if f == nil {
		return nil, base.Errorf(base.CodeInvalid, "the query %s has no feed", orUnnamed(q.name)).WithHint("CREATE STREAMING QUERY … INTO feed makes one")
	}
	return f.Subscribe(base.Epoch(from))
}

// FeedRange is the first and the last epoch of a query into feed that a subscriber
// can have; ok is false if there is none.
func (q *StreamingQuery) FeedRange() (first, last int64, ok bool) {
	q.mu.Lock()
	f := q.feed
	q.mu.Unlock()
	if f == nil {
		return 0, 0, false
	}
	a, z := f.Range()
	return int64(a), int64(z), z != base.NoEpoch
}

// restoreFeed shows the feed's readers what was done before this start. A feed
// that lacks a done epoch lost it.
func (r *run) restoreFeed() error {
	f, ok := r.sink.(*feed.Feed)
	if !ok {
		return nil
	}
	done := r.recovered.LastDone
	if done == nil {
		return nil
	}
	f.Publish(done.Epoch)
	if _, last := f.Range(); last != base.NoEpoch && last < done.Epoch {
		return base.Errorf(base.CodeCorrupt, "the feed ends at epoch %d, epoch %d was done", last, done.Epoch)
	}
	return nil
}
