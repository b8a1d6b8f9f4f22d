package rowlog

import (
	"errors"
	"io/fs"
	"os"
	"time"

	"github.com/flightd/flightd/internal/atomicfile"
)

// lookEvery is how often a log looks for segments that are not to be kept any more.
const lookEvery = time.Second

// expireSometimes is expire, at most every second.
func (l *Log) expireSometimes() {
	if l.opt.Retention <= 0 && l.opt.RetentionBytes <= 0 {
		return
	}
	l.mu.Lock()
	now := l.opt.Clock.Now()
	due := now.Sub(l.looked) >= lookEvery && l.closed == nil
	stale := due && l.stale(now)
	if due && !(stale && l.working) { // else look again
		l.looked = now
	}
	if stale = stale && !l.working; stale { // the last segment is the committer's: be it
		l.working, l.idle = true, make(chan struct{})
	} else if due {
		l.advance()
	}
	l.mu.Unlock()
	if stale {
		l.sealStale()
		l.expire()
		go l.work()
		return
	}
	if due {
		l.purge()
	}
}

// stale reports whether all rows are older than the retention and the state that has
// to stay behind them is not on disk. The caller holds mu.
func (l *Log) stale(now time.Time) bool {
	return l.opt.Retention > 0 && l.first < l.end && l.time < now.Add(-l.opt.Retention).UnixMilli() && (l.active != nil || !l.stateAtEnd())
}

// sealStale ends the last segment, so that it can go. The state behind it is written
// first, for what its producers sent stays known (R2).
func (l *Log) sealStale() {
	if err := l.seal(); err == nil {
		_ = l.writeState()
	}
}

// expire moves the first row behind the segments that are not to be kept, and removes
// those that nobody holds. What cannot be removed is tried again.
func (l *Log) expire() {
	l.mu.Lock()
	l.advance()
	l.mu.Unlock()
	l.purge()
}

// advance moves the first row. The caller holds mu.
func (l *Log) advance() {
	var bytes int64
	for _, s := range l.all() {
		if s.end > l.first {
			bytes += s.bytes
		}
	}
	oldest := l.opt.Clock.Now().Add(-l.opt.Retention).UnixMilli()
	for i, s := range l.segments {
		if s.end <= l.first && s.end > s.row {
			continue // it is held
		}
		old := l.opt.Retention > 0 && l.timeOf(i) < oldest
		large := l.opt.RetentionBytes > 0 && bytes > l.opt.RetentionBytes
		if !old && !large || i == len(l.segments)-1 && l.active == nil && !l.stateAtEnd() {
			break
		}
		l.first = s.end
		bytes -= s.bytes
	}
}

// timeOf is when the last commit of a finished segment was: the state behind it says
// so. The caller holds mu.
func (l *Log) timeOf(i int) int64 {
	s := l.segments[i]
	if s.time != 0 {
		return s.time
	}
	s.time = l.time // rather too late than too early
	next := l.active
	if i+1 < len(l.segments) {
		next = l.segments[i+1]
	}
	if next != nil {
		if st, err := readState(l.opt.Dir, next.name); err == nil {
			s.time = st.Time
		}
	}
	return s.time
}

// stateAtEnd reports whether the state behind the last row is on disk. The caller
// holds mu.
func (l *Log) stateAtEnd() bool {
	_, err := readState(l.opt.Dir, name{l.end, l.commits + 1})
	return err == nil
}

// purge removes the segments that are not kept and not held, oldest first (R4).
func (l *Log) purge() {
	l.purging.Lock()
	defer l.purging.Unlock()
	for {
		l.mu.Lock()
		bound := l.first
		for h := range l.holds {
			bound = min(bound, h.row)
		}
		if len(l.segments) == 0 || l.segments[0].end > bound || len(l.segments) == 1 && l.active == nil && !l.stateAtEnd() {
			l.mu.Unlock()
			return
		}
		s := l.segments[0]
		l.mu.Unlock()
		if err := l.remove(s); err != nil {
			return
		}
		l.mu.Lock()
		l.segments = l.segments[1:]
		l.cache.drop(s.name)
		l.mu.Unlock()
	}
}

// remove deletes a segment with its state, durably, so that no later one is gone while
// an older one comes back.
func (l *Log) remove(s *segment) error {
	if err := l.step(StepRemove); err != nil {
		return err
	}
	for _, path := range []string{s.path, s.file(l.opt.Dir, stateExt)} {
		if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return atomicfile.SyncDir(l.opt.Dir)
}

// hold keeps rows for a reader.
type hold struct{ row int64 }

// Hold returns what readers can have now, and keeps it for them until release is
// called, whatever the retention says.
func (l *Log) Hold() (r Range, release func()) {
	l.expireSometimes()
	l.mu.Lock()
	r = l.now()
	h := &hold{r.First}
	l.holds[h] = struct{}{}
	l.mu.Unlock()
	return r, func() {
		l.mu.Lock()
		_, held := l.holds[h]
		delete(l.holds, h)
		closed := l.closed != nil
		l.mu.Unlock()
		if held && !closed {
			l.purge()
		}
	}
}
