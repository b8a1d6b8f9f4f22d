package rowlog

import (
	"cmp"
	"errors"
	"os"

	"github.com/flightd/flightd/internal/atomicfile"
	"github.com/flightd/flightd/internal/base"
	"github.com/flightd/flightd/internal/seglog"
)

// work commits what waits until nothing does. There is one at a time.
func (l *Log) work() {
	for {
		l.mu.Lock()
		items := l.queue
		l.queue = nil
		if err := cmp.Or(l.closed, l.broken); err != nil {
			l.refuse(items, err)
			items = nil
		}
		if len(items) == 0 {
			l.working = false
			close(l.idle)
			l.mu.Unlock()
			return
		}
		l.mu.Unlock()
		l.commit(items)
		l.expireSometimes()
	}
}

// commit writes what waits and syncs it, once if it can. Of groups that fail none is
// there afterwards, nor what waited behind them: sequence numbers follow each other.
func (l *Log) commit(items []*item) {
	written := items[:0:0]
	for i, it := range items {
		err := l.write(it, &written)
		if err != nil {
			l.fail(append(written, items[i:]...), err)
			return
		}
	}
	if err := l.flush(written); err != nil {
		l.fail(written, err)
	}
}

// write appends a group to the last segment, after which it is in written; a staged
// one becomes a segment and is durable.
func (l *Log) write(it *item, written *[]*item) error {
	if it.stage != nil || l.out == nil || l.out.Size() >= l.opt.SegmentBytes {
		if err := l.flush(*written); err != nil {
			return err
		}
		*written = nil
		if it.stage != nil {
			return l.takeStage(it)
		}
		if err := l.roll(); err != nil {
			return err
		}
	}
	if err := l.step(StepWrite); err != nil {
		return err
	}
	l.mu.Lock()
	h := head{producer: it.Producer, seq: it.Seq, commit: l.commits + 1, time: l.opt.Clock.Now().UnixMilli()}
	first := l.active.row
	l.mu.Unlock()
	parts := it.parts
	if len(parts) == 0 {
		parts = []Part{{}}
	}
	for i := range parts {
		p := &parts[i]
		h.rows, h.row, h.more = p.Rows, l.freshRow-first, i < len(parts)-1
		if !h.more {
			h.digest = it.Digest
		}
		start := h.frame(p)
		at, err := l.out.Append(start, p.Body)
		if err != nil {
			return err
		}
		if p.Rows > 0 {
			l.fresh = append(l.fresh, ref{row: l.freshRow, at: at, size: uint32(len(start) + len(p.Body)), rows: uint32(p.Rows)})
			l.freshRow += p.Rows
		}
	}
	*written = append(*written, it)
	return nil
}

// flush makes what was written durable, as one commit, and tells everybody (R1).
func (l *Log) flush(written []*item) error {
	if len(written) == 0 {
		return nil
	}
	if err := l.step(StepSync); err != nil {
		return err
	}
	if err := l.out.Sync(); err != nil {
		return err
	}
	l.flushed = l.out.Size()
	l.mu.Lock()
	defer l.mu.Unlock()
	l.active.refs = append(l.active.refs, l.fresh...)
	l.fresh = l.fresh[:0]
	l.active.bytes, l.active.end = l.flushed, l.freshRow
	l.publish(written)
	l.active.time = l.time
	return nil
}

// publish makes the rows up to the end of the newest segment those that readers see.
// The caller holds mu.
func (l *Log) publish(written []*item) {
	l.commits++
	l.time = l.opt.Clock.Now().UnixMilli()
	segments := l.all()
	l.end = segments[len(segments)-1].end
	for _, it := range written {
		if p := l.producers[it.Producer]; p != nil {
			p.durable, p.digest, p.time = it.Seq, it.Digest, l.time
			p.rows += it.rows
			if p.last == it.receipt {
				p.last = nil
			}
		}
		it.receipt.commit = l.commits
		l.finish(it, nil)
	}
	l.announce()
}

// finish lets go of a group. The caller holds mu.
func (l *Log) finish(it *item, err error) {
	it.receipt.err = err
	it.parts = nil
	it.stage.drop() // unless it has become a segment
	l.room.Release(it.size)
	close(it.receipt.done)
}

// seal ends the segment that is written; everything in it is flushed.
func (l *Log) seal() error {
	if l.out == nil {
		return nil
	}
	err := l.out.Close()
	l.mu.Lock()
	l.out = nil
	l.segments = append(l.segments, l.active)
	l.cache.put(l.active.name, l.active.refs)
	l.active.refs = nil
	l.active = nil
	l.mu.Unlock()
	return err
}

// roll begins a segment.
func (l *Log) roll() error {
	if err := l.seal(); err != nil {
		return err
	}
	if err := l.writeState(); err != nil {
		return err
	}
	if err := l.step(StepSegment); err != nil {
		return err
	}
	l.mu.Lock()
	n := name{l.end, l.commits + 1}
	l.mu.Unlock()
	out, err := seglog.Create(n.file(l.opt.Dir, rowsExt))
	if err != nil {
		return err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.out, l.flushed, l.fresh, l.freshRow = out, 0, nil, n.row
	l.active = &segment{name: n, path: out.Path(), end: n.row}
	return nil
}

// takeStage makes the staged rows of a statement the next segment.
func (l *Log) takeStage(it *item) error {
	if err := l.seal(); err != nil {
		return err
	}
	if err := l.writeState(); err != nil {
		return err
	}
	if err := l.step(StepStage); err != nil {
		return err
	}
	l.mu.Lock()
	n := name{l.end, l.commits + 1}
	l.mu.Unlock()
	path := n.file(l.opt.Dir, rowsExt)
	if err := atomicfile.Rename(it.stage.path, path); err != nil {
		// Nobody knows whether the name is durable: it must not be.
		return errors.Join(err, removed(path))
	}
	l.mu.Lock()
	s := &segment{name: n, path: path, end: n.row + it.rows, bytes: it.stage.bytes}
	for i := range it.stage.refs {
		it.stage.refs[i].row += n.row
	}
	l.cache.put(n, it.stage.refs)
	it.stage.path = "" // it is the log's now
	l.segments = append(l.segments, s)
	l.publish([]*item{it})
	s.time = l.time
	l.mu.Unlock()
	// With it an open need not read the segment. Without it that only takes longer.
	_ = l.writeState()
	return nil
}

func removed(path string) error {
	if err := os.Remove(path); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	return nil
}

// fail takes back what was written and not synced, and refuses the groups with what
// waits behind them. If it cannot be taken back, the log takes nothing any more
// until it is opened again.
func (l *Log) fail(items []*item, err error) {
	if base.DiskFull(err) {
		e := base.UserError("DISK_FULL", "53100", "There is no room on the disk for rows of table %s.", l.opt.Name)
		e.Code = base.CodeExhausted
		err = e.WithHint("make room and send again what was not acknowledged").Because(err)
	} else {
		err = base.Wrap(err, "writing to table %s", l.opt.Name)
	}
	var cut error
	if l.out != nil {
		cut = l.out.Abandon(l.flushed)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.out != nil {
		l.out, l.fresh = nil, nil
		if l.flushed > 0 {
			l.segments = append(l.segments, l.active)
			l.cache.put(l.active.name, l.active.refs)
		}
		l.active = nil
	}
	if cut != nil {
		l.broken = base.Errorf(base.CodeUnavailable, "the table %s takes no rows until the server has started again", l.opt.Name).Because(cut)
	}
	queue := l.queue
	l.queue = nil
	l.refuse(append(items[:len(items):len(items)], queue...), err)
}

// refuse tells the groups that they are not in the log. The caller holds mu.
func (l *Log) refuse(items []*item, err error) {
	for _, it := range items {
		if p := l.producers[it.Producer]; p != nil {
			p.accepted, p.last = p.durable, nil
			if p.durable < 0 {
				delete(l.producers, it.Producer)
			}
		}
		l.finish(it, err)
	}
}
