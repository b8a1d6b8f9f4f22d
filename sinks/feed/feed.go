package feed

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/flightd/flightd/internal/atomicfile"
	"github.com/flightd/flightd/internal/base"
	"github.com/flightd/flightd/internal/seglog"
	"github.com/flightd/flightd/internal/turnstile"
	"github.com/flightd/flightd/sinks"
)

// Options are what a feed is opened with.
type Options struct {
	// Dir is the feed's own directory; it is made.
	Dir    string
	Name   string // for messages
	Schema *arrow.Schema
	// Retention is how long an epoch is kept at least; an hour if 0. The last
	// epoch is always kept.
	Retention time.Duration
	Clock     base.Clock
	// Held keeps a committed epoch from readers until Publish.
	Held bool
	// NewResult makes the result that epochs which are not kept any more are folded
	// into, of a query in output mode update whose rows have keys; nil drops them.
	NewResult func(*arrow.Schema) Result
}

// Feed is the live output of a query. As a sink it is for one goroutine; its
// readers may be many.
type Feed struct {
	opt    Options
	codec  *codec
	recent recent
	// segmentBytes is where a new segment begins.
	segmentBytes int64

	// The epoch that is being written.
	epoch base.Epoch
	mode  sinks.Mode
	rows  []arrow.RecordBatch
	// watermark is what the next frame says; see SetWatermark.
	watermark int64
	out       *seglog.Writer // the last segment; nil before the first frame of a start

	mu      sync.Mutex
	entries []entry
	base    *baseFile // nil: nothing was folded
	// visible is the last epoch that readers see.
	visible base.Epoch
	closed  bool
	holds   []*Hold
	// changed is closed, and made anew, when readers may find something new. Those who
	// wait for their turn are put into their queue instead.
	changed chan struct{}
	waiting []*turnstile.Ticket
}

var _ sinks.Sink = (*Feed)(nil)

// Open opens the feed in o.Dir. What it holds is visible at once; if Held, the
// last epoch is not before it is published, for it may be about to be replayed.
func Open(o Options) (*Feed, error) {
	if o.Clock == nil {
		o.Clock = base.RealClock{}
	}
	if o.Retention <= 0 {
		o.Retention = time.Hour
	}
	if err := atomicfile.MkdirAll(o.Dir); err != nil {
		return nil, base.Wrap(err, "opening feed %s", o.Name)
	}
	if err := (atomicfile.In{}).Sweep(o.Dir); err != nil {
		return nil, base.Wrap(err, "opening feed %s", o.Name)
	}
	f := &Feed{opt: o, epoch: base.NoEpoch, visible: base.NoEpoch, segmentBytes: segmentBytes, changed: make(chan struct{}), recent: recent{limit: recentBytes}}
	var err error
	if f.entries, err = load(o.Dir); err != nil {
		return nil, base.Wrap(err, "opening feed %s", o.Name)
	}
	if f.base, err = loadBase(o.Dir); err != nil {
		return nil, base.Wrap(err, "opening feed %s", o.Name)
	}
	if n := len(f.entries); n > 0 && !o.Held {
		f.visible = f.entries[n-1].epoch
	} else if n > 1 {
		f.visible = f.entries[n-2].epoch
	}
	f.codec, err = newCodec()
	return f, base.Wrap(err, "opening feed %s", o.Name)
}

// Describe returns Feed[name].
func (f *Feed) Describe() string { return "Feed[" + f.opt.Name + "]" }

// Schema returns the columns of the rows.
func (f *Feed) Schema() *arrow.Schema { return f.opt.Schema }

// Write keeps rows of epoch until Commit.
func (f *Feed) Write(_ context.Context, epoch base.Epoch, mode sinks.Mode, rec arrow.RecordBatch) error {
	if f.epoch != epoch {
		f.drop()
		f.epoch = epoch
	}
	f.mode = mode
	rec.Retain()
	f.rows = append(f.rows, rec)
	return nil
}

// SetWatermark says with which watermark, in milliseconds since 1970, the epochs
// committed from now on ran; 0 is none.
func (f *Feed) SetWatermark(ms int64) { f.watermark = ms }

func (f *Feed) drop() {
	release(f.rows)
	f.rows, f.epoch = nil, base.NoEpoch
}

// Commit appends the epoch's frame, synced.
func (f *Feed) Commit(_ context.Context, epoch base.Epoch, mode sinks.Mode, digest base.Digest) error {
	if f.epoch != epoch {
		f.drop()
	}
	defer f.drop()
	if known, err := f.known(epoch, digest); known || err != nil {
		return err
	}
	h := head{epoch: epoch, mode: mode, digest: digest, time: f.opt.Clock.Now().UnixMilli(), watermark: f.watermark}
	frame, err := f.codec.encode(&h, f.opt.Schema, f.rows)
	if err != nil {
		return base.Wrap(err, "writing epoch %d to %s", epoch, f.Describe())
	}
	e, err := f.append(h, frame)
	if err != nil {
		return base.Wrap(err, "writing epoch %d to %s", epoch, f.Describe())
	}
	f.mu.Lock()
	f.entries = append(f.entries, e)
	if !f.opt.Held {
		f.show(epoch)
	}
	f.mu.Unlock()
	f.expire(h.time)
	return nil
}

// known reports whether epoch is committed; with another digest it is an error.
func (f *Feed) known(epoch base.Epoch, digest base.Digest) (bool, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	n := len(f.entries)
	if n == 0 || epoch > f.entries[n-1].epoch {
		return false, nil
	}
	i, ok := f.find(epoch)
	if !ok {
		return false, base.Errorf(base.CodeCorrupt, "epoch %d was committed to %s, whose last epoch is %d, but is not there any more", epoch, f.Describe(), f.entries[n-1].epoch)
	}
	if d := f.entries[i].digest; d != digest {
		return false, base.Errorf(base.CodeCorrupt, "the replay of epoch %d gives other rows (digest %s) than %s has committed (%s)", epoch, digest, f.Describe(), d)
	}
	return true, nil
}

// find returns the index of the first entry at or after epoch.
func (f *Feed) find(epoch base.Epoch) (int, bool) {
	return slices.BinarySearchFunc(f.entries, epoch, func(e entry, want base.Epoch) int { return int(e.epoch - want) })
}

// append writes a frame to the last segment, or to a new one.
func (f *Feed) append(h head, frame []byte) (entry, error) {
	if f.out != nil && f.out.Size() >= f.segmentBytes {
		if err := f.out.Close(); err != nil {
			return entry{}, err
		}
		f.out = nil
	}
	if f.out == nil {
		out, err := seglog.Create(segmentPath(f.opt.Dir, h.epoch))
		if err != nil {
			return entry{}, err
		}
		f.out = out
	}
	e := entry{head: h, segment: f.out.Path(), at: f.out.Size(), size: int64(len(frame))}
	_, err := f.out.Append(frame)
	if err == nil {
		err = f.out.Sync()
	}
	if err != nil { // after a sync that did not succeed nobody knows what is on disk
		_ = f.out.Abandon(e.at)
		f.out = nil
	}
	return e, err
}

// expire removes whole segments whose epochs are all older than the retention. One
// that cannot be folded or removed stays, and is tried again with the next epoch.
func (f *Feed) expire(now int64) {
	oldest := now - f.opt.Retention.Milliseconds()
	for {
		n := 0
		for n < len(f.entries) && f.entries[n].segment == f.entries[0].segment {
			n++
		}
		if n == 0 || n == len(f.entries) || f.entries[n-1].time >= oldest || f.held(f.entries[:n]) || f.fold(f.entries[:n]) != nil || !f.removeFirst(n) {
			return
		}
	}
}

// removeFirst removes the oldest segment, which has n epochs, unless somebody has come
// to hold them.
func (f *Feed) removeFirst(n int) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.holding(f.entries[:n]) || os.Remove(f.entries[0].segment) != nil {
		return false
	}
	f.entries = append([]entry(nil), f.entries[n:]...)
	return true
}

// show makes the epochs up to epoch visible.
func (f *Feed) show(epoch base.Epoch) {
	if epoch > f.visible {
		f.visible = epoch
		close(f.changed)
		f.changed = make(chan struct{})
		f.wake()
	}
}

// wake puts those who wait into the queue for their turn. f is locked.
func (f *Feed) wake() {
	for _, k := range f.waiting {
		k.Queue()
	}
	clear(f.waiting)
	f.waiting = f.waiting[:0]
}

// Publish makes the committed epochs up to epoch visible to readers, if the feed
// is Held.
func (f *Feed) Publish(epoch base.Epoch) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if n := len(f.entries); n > 0 {
		f.show(min(epoch, f.entries[n-1].epoch))
	}
}

// Range returns the first and the last epoch that readers can have;
// base.NoEpoch if there is none.
func (f *Feed) Range() (first, last base.Epoch) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if len(f.entries) == 0 || f.entries[0].epoch > f.visible {
		return base.NoEpoch, base.NoEpoch
	}
	return f.entries[0].epoch, f.visible
}

// Close forgets what was not committed and ends the subscriptions after what they
// can still read.
func (f *Feed) Close() error {
	f.drop()
	f.mu.Lock()
	if !f.closed {
		f.closed = true
		close(f.changed)
		f.wake()
	}
	f.mu.Unlock()
	f.recent.clear()
	if f.out == nil {
		return nil
	}
	err := f.out.Close()
	f.out = nil
	return err
}

// Remove deletes the feed in dir, which must not be open.
func Remove(dir string) error {
	names, err := filepath.Glob(filepath.Join(dir, "*.feed"))
	if err != nil {
		return err
	}
	bases, err := filepath.Glob(filepath.Join(dir, "*.base"))
	if err != nil {
		return err
	}
	names = append(names, bases...)
	if err := (atomicfile.In{}).Sweep(dir); err != nil {
		return err
	}
	for _, n := range names {
		if err := os.Remove(n); err != nil {
			return base.Wrap(err, "removing feed")
		}
	}
	return base.Wrap(os.Remove(dir), "removing feed")
}
