package rowlog

import (
	"context"
	"os"
	"slices"
	"sync"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"golang.org/x/sync/semaphore"

	"github.com/flightd/flightd/internal/base"
	"github.com/flightd/flightd/internal/seglog"
)

// Options are what a log is opened with.
type Options struct {
	// Dir is the log's own directory, which Create has made.
	Dir  string
	Name string // for messages
	// Retention is how long rows are kept at least; 0 is for ever.
	Retention time.Duration
	// RetentionBytes is about how many bytes of rows are kept: while the segments have
	// more, the oldest goes, but not the one that is written. 0 is no limit.
	RetentionBytes int64
	// SegmentBytes is where a new segment begins: 64 MiB if 0.
	SegmentBytes int64
	// QueueBytes is how much may wait to be written: 64 MiB if 0.
	QueueBytes int64
	// MaxProducers is how many producers are remembered: 10,000 if 0. Beyond, those
	// go first that have sent nothing for ProducerIdle: 7 days if 0. A name that begins
	// with ~ is that of one connection and goes after an hour.
	MaxProducers int
	ProducerIdle time.Duration
	Clock        base.Clock
	// BeforeStep, if set, is called before every step that makes something durable; an
	// error of it fails the step. It is for tests.
	BeforeStep func(step string) error
}

// The durable steps, in the order in which a log comes to them.
const (
	StepState   = "state"   // the producers before a new segment
	StepSegment = "segment" // the new segment
	StepWrite   = "write"   // rows, which are not durable by that
	StepSync    = "sync"    // rows
	StepStage   = "stage"   // the rows of a large statement become a segment
	StepRemove  = "remove"  // of a segment that is not kept any more
)

// Log is a stream table's log. Its methods may be called from any goroutine.
type Log struct {
	opt    Options
	id     string
	schema *arrow.Schema
	room   *semaphore.Weighted

	// What the one goroutine has to itself that commits; it runs while there is work.
	out      *seglog.Writer // the last segment; nil before the first append of a start
	flushed  int64          // how much of out is durable
	fresh    []ref          // frames of out that are not durable
	freshRow int64          // the row after them

	mu        sync.Mutex
	working   bool
	idle      chan struct{} // closed when the committer has ended
	queue     []*item
	segments  []*segment // oldest first; those that are not kept any more, but held, too
	active    *segment   // that of out; nil without
	first     int64      // the first row that is kept
	end       int64      // the row after the last durable one
	commits   int64
	time      int64 // of the last commit, in ms since 1970
	producers map[string]*producer
	holds     map[*hold]struct{}
	purging   sync.Mutex
	cache     indexCache
	closed    error // why the log is not used any more
	broken    error // why there are no more appends, while readers go on
	looked    time.Time
	// told are those who want to know of new rows.
	told map[*func()]struct{}
	// changed is closed, and made anew, when there are new rows or the log ends.
	changed chan struct{}
}

// segment is a file of frames.
type segment struct {
	name
	path  string
	end   int64 // the row after the last one
	bytes int64
	time  int64 // of its last commit, in ms since 1970; 0 until somebody asks
	refs  []ref // of the segment that is written; of others see index
}

// ref is where a frame with rows is.
type ref struct {
	row, at    int64 // row of the log, byte of the segment
	size, rows uint32
}

func (o Options) withDefaults() Options {
	if o.SegmentBytes <= 0 {
		o.SegmentBytes = 64 << 20
	}
	if o.QueueBytes <= 0 {
		o.QueueBytes = 64 << 20
	}
	if o.MaxProducers <= 0 {
		o.MaxProducers = 10_000
	}
	if o.ProducerIdle <= 0 {
		o.ProducerIdle = 7 * 24 * time.Hour
	}
	if o.Clock == nil {
		o.Clock = base.RealClock{}
	}
	return o
}

// ID is the table's own, by which offsets of another table of its name are known.
func (l *Log) ID() string { return l.id }

// Schema returns the columns of the rows.
func (l *Log) Schema() *arrow.Schema { return l.schema }

// Name is what messages call the table.
func (l *Log) Name() string { return l.opt.Name }

func (l *Log) step(name string) error {
	if l.opt.BeforeStep == nil {
		return nil
	}
	return l.opt.BeforeStep(name)
}

// A Range is what a log holds.
type Range struct {
	// First is the number of the first row that is kept, End that after the last
	// durable one.
	First, End int64
	// Commits is the number of commits so far.
	Commits int64
	// Bytes is the size of the segments.
	Bytes int64
}

// Range returns what readers can have now.
func (l *Log) Range() Range {
	l.expireSometimes()
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.now()
}

// now is the range of this moment. The caller holds mu.
func (l *Log) now() Range {
	r := Range{First: l.first, End: l.end, Commits: l.commits}
	for _, s := range l.segments {
		r.Bytes += s.bytes
	}
	if l.active != nil {
		r.Bytes += l.active.bytes
	}
	return r
}

// Changed returns a channel that is closed when there are rows behind those that
// Range returned last, or the log is closed. Ask for it before Range.
func (l *Log) Changed() <-chan struct{} {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.changed
}

// Announce calls wake, which returns at once, whenever there are new rows or the log
// is closed. It is not called any more when stop has returned.
func (l *Log) Announce(wake func()) (stop func()) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.told[&wake] = struct{}{}
	return func() {
		l.mu.Lock()
		delete(l.told, &wake)
		l.mu.Unlock()
	}
}

// announce tells everybody who waits. The caller holds mu.
func (l *Log) announce() {
	close(l.changed)
	l.changed = make(chan struct{})
	for wake := range l.told {
		(*wake)()
	}
}

// all lists the segments with the one that is written. The caller holds mu.
func (l *Log) all() []*segment {
	if l.active == nil {
		return l.segments
	}
	return append(slices.Clip(l.segments), l.active)
}

// Close waits for what is being written and ends the log: appends fail, and readers
// that wait are woken.
func (l *Log) Close() error {
	return l.shut(base.Errorf(base.CodeUnavailable, "the table %s is closed", l.opt.Name))
}

// Drop is Close for a table that is gone: what waits to be written is refused, and
// the directory is removed.
func (l *Log) Drop() error {
	gone := base.UserError("TABLE_OR_VIEW_NOT_FOUND", "42P01", "The table %s was dropped.", l.opt.Name)
	gone.Code = base.CodeNotFound
	err := l.shut(gone)
	if e := os.RemoveAll(l.opt.Dir); err == nil {
		err = e
	}
	return err
}

// shut refuses everything from now on with why, and waits for the committer.
func (l *Log) shut(why error) error {
	l.mu.Lock()
	if l.closed == nil {
		l.closed = why
		l.announce()
	}
	idle := l.idle
	working := l.working
	l.mu.Unlock()
	if working {
		<-idle
	}
	l.mu.Lock()
	out := l.out
	l.out = nil
	l.mu.Unlock()
	if out == nil {
		return nil
	}
	return out.Close()
}

// Err returns why the log is not used any more, or nil.
func (l *Log) Err() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.closed
}

// Wait returns when there are rows from row on, the log is closed, or ctx ends.
func (l *Log) Wait(ctx context.Context, row int64) error {
	for {
		l.mu.Lock()
		end, changed, closed := l.end, l.changed, l.closed
		l.mu.Unlock()
		if end > row {
			return nil
		}
		if closed != nil {
			return closed
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}
