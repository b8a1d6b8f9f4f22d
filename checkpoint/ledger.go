package checkpoint

import (
	"errors"
	"io"
	iofs "io/fs"
	"sync"
	"syscall"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/flightd/flightd/internal/base"
)

// Options of a ledger. Zero values mean the defaults.
type Options struct {
	// MinEpochs is how many epochs' plan and done records are kept at least,
	// minBatchesToRetain. Default 100.
	MinEpochs int
	// Snapshots is how many snapshots are kept, with the changes since the oldest
	// of them. Default 2: a damaged snapshot is survived.
	Snapshots int
	// SegmentBytes is the size beyond which a new segment begins. Default 4 MiB.
	SegmentBytes int64
	// InlineBytes is the size beyond which state changes and folds get a file of
	// their own. Default 1 MiB.
	InlineBytes int
}

func (o *Options) setDefaults() {
	if o.MinEpochs <= 0 {
		o.MinEpochs = 100
	}
	if o.Snapshots <= 0 {
		o.Snapshots = 2
	}
	if o.SegmentBytes <= 0 {
		o.SegmentBytes = 4 << 20
	}
	if o.InlineBytes <= 0 {
		o.InlineBytes = 1 << 20
	}
}

// A Ledger is the durable account of one query's epochs. Plans and done records
// are written by one goroutine; WriteSnapshot and Compact may run in another.
//
// After an error of the file system the ledger is broken: what was asked for may
// or may not be on disk, every later write returns the same error, and only a new
// Open tells.
type Ledger struct {
	fs   vfs.FS
	dir  string
	opts Options
	lock io.Closer

	mu sync.Mutex
	// now is what a recovery would find.
	now *Recovered
	// onDisk is now.LastDone and now.Folds as an opening holds them.
	lastDone  *doneJSON
	foldsDisk *foldsJSON
	segments  []segment
	file      vfs.File // of the last segment; nil before WriteMeta
	size      int64
	seq       uint64 // of the next frame
	buf       []byte
	broken    error
}

// Open opens the ledger in dir, which it makes, and says what to go on with. A
// torn tail is cut; any other damage is a Corrupt error. If another process holds
// the ledger the error has the code Conflict.
func Open(fs vfs.FS, dir string, opts Options) (*Ledger, *Recovered, error) {
	opts.setDefaults()
	l := &Ledger{fs: fs, dir: dir, opts: opts}
	r, err := l.open()
	if err != nil {
		_ = l.Close()
		return nil, nil, base.Wrap(err, "opening ledger %s", dir)
	}
	return l, r, nil
}

// Read returns what the ledger in dir says without changing anything, for when nobody
// has it open. Its snapshots and changes can be read by the Ledger that it returns, which
// takes no records.
func Read(fs vfs.FS, dir string) (*Ledger, *Recovered, error) {
	found, err := readDir(fs, dir)
	if err != nil {
		return nil, nil, base.Wrap(err, "reading ledger %s", dir)
	}
	l := &Ledger{fs: fs, dir: dir, broken: base.Errorf(base.CodeInternal, "the ledger was opened to be read")}
	return l, found.recovered, nil
}

func (l *Ledger) open() (*Recovered, error) {
	if err := l.fs.MkdirAll(l.dir, 0o755); err != nil {
		return nil, diskError(err)
	}
	if err := l.syncDir(l.fs.PathDir(l.dir)); err != nil {
		return nil, err
	}
	var err error
	if l.lock, err = l.fs.Lock(l.path(lockName)); err != nil {
		return nil, lockError(err)
	}
	found, err := readDir(l.fs, l.dir)
	if err != nil {
		return nil, err
	}
	l.now, l.segments, l.seq = found.recovered, found.segments, found.seq
	l.lastDone, l.foldsDisk = found.lastDone, found.folds
	if len(l.segments) > 0 {
		if err := l.renew(found.tail); err != nil {
			return nil, err
		}
	}
	l.dropUnfinished()
	l.purge()
	out := *l.now
	l.now.Changes, l.now.Plans = nil, nil // the caller's now
	return &out, nil
}

// Close lets go of the ledger. It writes nothing.
func (l *Ledger) Close() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	var errs []error
	if l.file != nil {
		errs = append(errs, l.file.Close())
		l.file = nil
	}
	if l.lock != nil {
		errs = append(errs, l.lock.Close())
		l.lock = nil
	}
	if l.broken == nil {
		l.broken = base.Errorf(base.CodeCanceled, "the ledger is closed")
	}
	return errors.Join(errs...)
}

// lockError tells a ledger in use from a file system that does not work.
func lockError(err error) error {
	var path *iofs.PathError
	var errno syscall.Errno
	held := errors.As(err, &errno) && (errno == syscall.EAGAIN || errno == syscall.EACCES) && !errors.As(err, &path)
	if !held && err.Error() != "lock held by current process" {
		return diskError(err)
	}
	e := base.UserError("CONCURRENT_STREAM_LOG_UPDATE", "40000",
		"Concurrent update to the log. Multiple streaming jobs detected for this checkpoint.").
		WithHint("stop the other query, or the other server, that uses this checkpoint")
	e.Code = base.CodeConflict
	return e.Because(err)
}

// diskError gives an error of the file system a code; ours keep theirs.
func diskError(err error) error {
	var e *base.Error
	if err == nil || errors.As(err, &e) {
		return err
	}
	code := base.CodeUnavailable
	if base.DiskFull(err) {
		code = base.CodeExhausted
	}
	return base.Errorf(code, "using the file system").Because(err)
}

// write does one step under the lock, unless the ledger is broken, and breaks it
// if the file system fails.
func (l *Ledger) write(step func() error) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.broken != nil {
		return base.Wrap(l.broken, "ledger %s is broken by an earlier error", l.dir)
	}
	return step()
}

// breakOn makes err, if there is one, the end of this ledger.
func (l *Ledger) breakOn(err error) error {
	if err != nil {
		err = diskError(err)
		l.broken = err
	}
	return err
}

// WriteMeta begins a new ledger, or replaces the metadata of this one. The query
// id and the hash seed cannot change.
func (l *Ledger) WriteMeta(m Meta) error {
	return l.write(func() error {
		if old := l.now.Meta; old != nil {
			if old.QueryID != m.QueryID || old.HashSeed != m.HashSeed {
				return base.Errorf(base.CodeConflict, "ledger %s belongs to query %s, not %s", l.dir, old.QueryID, m.QueryID)
			}
			rec, err := newRecord(recordMeta, m, nil)
			if err != nil {
				return err
			}
			if err := l.append(rec); err != nil {
				return err
			}
			l.now.Meta = &m
			return nil
		}
		l.now.Meta = &m
		err := l.roll()
		if err != nil {
			l.now.Meta = nil
		}
		return err
	})
}

// WritePlan makes the intent of an epoch durable.
func (l *Ledger) WritePlan(p Plan) error {
	return l.write(func() error { return base.Wrap(l.writeBoth(nil, &p), "writing plan of epoch %d", p.Epoch) })
}

// WriteDone makes the end of an epoch durable: state changes and all, in one
// atomic append. Large changes are on disk, in a file of their own, before that.
func (l *Ledger) WriteDone(d Done) error {
	return l.write(func() error { return base.Wrap(l.writeBoth(&d, nil), "writing done record of epoch %d", d.Epoch) })
}

// WriteDoneAndPlan makes the end of an epoch and the intent of the next durable
// together: both or none, in one append.
func (l *Ledger) WriteDoneAndPlan(d Done, p Plan) error {
	return l.write(func() error {
		return base.Wrap(l.writeBoth(&d, &p), "writing done record of epoch %d and plan of %d", d.Epoch, p.Epoch)
	})
}

func (l *Ledger) writeBoth(d *Done, p *Plan) error {
	if l.now.Meta == nil {
		return base.Errorf(base.CodeInternal, "the ledger has no metadata yet")
	}
	var recs []record
	planned := l.now.lastDone() + 1
	var onDisk doneJSON
	if d != nil {
		if err := l.now.mayFinish(d.Epoch); err != nil {
			return outOfOrder(err)
		}
		planned = d.Epoch + 1
		var blob []byte
		if len(d.Changes) > l.opts.InlineBytes {
			ref, err := l.writeBlob(changesName(d.Epoch), func(w io.Writer) error { _, err := w.Write(d.Changes); return err })
			if err != nil {
				return l.breakOn(err)
			}
			d.ref = &ref
		} else {
			blob = d.Changes
		}
		onDisk = d.onDisk()
		rec, err := newRecord(recordDone, onDisk, blob)
		if err != nil {
			return err
		}
		recs = append(recs, rec)
	}
	if p != nil {
		if p.Epoch != planned || p.Epoch != l.now.lastPlan()+1 {
			return outOfOrder(base.Errorf(base.CodeInternal, "plan of epoch %d", p.Epoch))
		}
		rec, err := newRecord(recordPlan, p, nil)
		if err != nil {
			return err
		}
		recs = append(recs, rec)
	}
	if err := l.append(recs...); err != nil {
		return err
	}
	seg := &l.segments[len(l.segments)-1]
	if d != nil {
		kept := *d
		kept.Changes = nil
		l.now.LastDone, l.lastDone = &kept, &onDisk
		seg.epoch = d.Epoch
		if onDisk.HasChanges {
			seg.stateEpoch = d.Epoch
		}
	}
	if p != nil {
		l.now.LastPlan = p
		seg.planEpoch = p.Epoch
	}
	if l.size > l.opts.SegmentBytes {
		// The record is durable: a failure here must not fail the epoch. It breaks
		// the ledger, so the next write reports it.
		_ = l.roll()
	}
	return nil
}

// outOfOrder is a bug of the caller, not damage.
func outOfOrder(err error) error {
	e := base.AsError(err)
	return base.Errorf(base.CodeInternal, "%s is out of order", e.Msg)
}

// append writes one frame and syncs it.
func (l *Ledger) append(recs ...record) (err error) {
	if l.buf, err = appendFrame(l.buf[:0], l.seq, recs...); err != nil {
		return err
	}
	if _, err := l.file.Write(l.buf); err != nil {
		return l.breakOn(err)
	}
	if err := l.file.Sync(); err != nil {
		return l.breakOn(err)
	}
	l.size += int64(len(l.buf))
	l.seq++
	if cap(l.buf) > 1<<22 {
		l.buf = nil
	}
	return nil
}

// WriteSnapshot writes the state after epoch, as encode puts it out, to a file of
// its own, and then a record of it. What it makes unnecessary is removed. It may
// run beside WritePlan and WriteDone.
func (l *Ledger) WriteSnapshot(epoch base.Epoch, encode func(io.Writer) error) error {
	err := l.write(func() error { return outOfOrderIf(l.now.maySnapshot(epoch)) })
	if err != nil {
		return base.Wrap(err, "writing snapshot of epoch %d", epoch)
	}
	ref, err := l.writeBlob(snapshotName(epoch), encode)
	if err != nil {
		return base.Wrap(diskError(err), "writing snapshot of epoch %d", epoch)
	}
	s := Snapshot{Epoch: epoch, File: ref, Keep: l.opts.Snapshots}
	rec, err := newRecord(recordSnapshot, s, nil)
	if err != nil {
		return err
	}
	return l.write(func() error {
		if err := outOfOrderIf(l.now.maySnapshot(epoch)); err != nil {
			return err
		}
		if err := l.append(rec); err != nil {
			return base.Wrap(err, "writing snapshot of epoch %d", epoch)
		}
		l.now.addSnapshot(s)
		l.purge()
		return nil
	})
}

func outOfOrderIf(err error) error {
	if err == nil {
		return nil
	}
	return outOfOrder(err)
}

// Compact records the folds of all plans up to epoch, one per source (nil for a
// source that needs none): those plans are not needed any more but for the
// retention. It may run beside WritePlan and WriteDone.
func (l *Ledger) Compact(epoch base.Epoch, sources [][]byte) error {
	return l.write(func() error {
		if err := outOfOrderIf(l.now.mayFold(epoch)); err != nil {
			return base.Wrap(err, "compacting")
		}
		f := Folds{Epoch: epoch, Sources: sources}
		j, blob := f.onDisk()
		if len(blob) > l.opts.InlineBytes {
			ref, err := l.writeBlob(foldsName(epoch), func(w io.Writer) error { _, err := w.Write(blob); return err })
			if err != nil {
				return l.breakOn(err)
			}
			j.File, blob = &ref, nil
		}
		rec, err := newRecord(recordFolds, j, blob)
		if err != nil {
			return err
		}
		if err := l.append(rec); err != nil {
			return base.Wrap(err, "compacting up to epoch %d", epoch)
		}
		l.now.Folds, l.foldsDisk = &f, &j
		l.purge()
		return nil
	})
}
