package checkpoint

import (
	"io"
	"sort"
	"strconv"
	"strings"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/flightd/flightd/internal/base"
)

// segment is what the ledger knows of one of its segment files: the newest epoch
// of each kind of record in it, to know when it may go.
type segment struct {
	number                       int
	epoch, planEpoch, stateEpoch base.Epoch
}

func newSegment(n int) segment {
	return segment{number: n, epoch: base.NoEpoch, planEpoch: base.NoEpoch, stateEpoch: base.NoEpoch}
}

// found is what the files of a directory say.
type found struct {
	recovered *Recovered
	segments  []segment
	seq       uint64
	// tail is the intact part of the last segment.
	tail     []byte
	lastDone *doneJSON
	folds    *foldsJSON
	records  []located
}

// located is a record and where it is, for Dump.
type located struct {
	record
	segment int
	frame   uint64
}

// readDir reads all segments of dir and recovers from them. It changes nothing.
func readDir(fs vfs.FS, dir string) (*found, error) {
	names, err := fs.List(dir)
	if err != nil {
		return nil, diskError(err)
	}
	sort.Strings(names)
	out := &found{recovered: &Recovered{}}
	blobs := 0
	for _, name := range names {
		if isBlob(name) {
			blobs++
		}
		n, err := strconv.Atoi(strings.TrimPrefix(name, segmentPrefix))
		if err != nil || name != segmentName(n) {
			continue
		}
		if k := len(out.segments); k > 0 && n != out.segments[k-1].number+1 {
			return nil, base.Errorf(base.CodeCorrupt, "segment %s is missing", segmentName(out.segments[k-1].number+1))
		}
		out.segments = append(out.segments, newSegment(n))
	}
	if len(out.segments) == 0 {
		if blobs > 0 {
			e := base.UserError("STREAMING_CHECKPOINT_MISSING_METADATA_FILE", "42K03",
				"Checkpoint location %s is in an invalid state: it has state but no ledger.", dir)
			e.Code = base.CodeCorrupt
			return nil, e
		}
		return out, nil
	}
	for i := range out.segments {
		if err := out.readSegment(fs, dir, i); err != nil {
			return nil, base.Wrap(err, "segment %s", segmentName(out.segments[i].number))
		}
	}
	recs := make([]record, len(out.records))
	for i, r := range out.records {
		recs[i] = r.record
	}
	r, pending, err := recoverFrom(recs)
	if err != nil {
		return nil, err
	}
	r.CutBytes = out.recovered.CutBytes
	out.recovered = r
	if pending != nil {
		blob, err := readAll(fs, dir, *pending.File)
		if err != nil {
			return nil, err
		}
		if r.Folds, err = pending.split(blob); err != nil {
			return nil, err
		}
	}
	return out, out.index()
}

// readSegment reads the i-th segment. Only the last one may have a torn tail, and
// its first frame never: a segment gets its name when that is on disk.
func (o *found) readSegment(fs vfs.FS, dir string, i int) error {
	b, err := readFile(fs, fs.PathJoin(dir, segmentName(o.segments[i].number)))
	if err != nil {
		return err
	}
	first, frames := o.seq, 0
	if i == 0 {
		// The oldest segment that is left does not begin with frame 0.
		first = firstFrame(b)
		o.seq = first
	}
	at := 0
	for at < len(b) {
		recs, n, err := decodeFrame(b[at:], o.seq)
		if err != nil {
			last := i == len(o.segments)-1
			if !last || frames == 0 || intactFrameAfter(b[at+1:], o.seq) || isIntact(b[at:]) {
				return base.Wrap(err, "frame %d at byte %d, %s", o.seq, at, o.lastKnown())
			}
			o.recovered.CutBytes = int64(len(b) - at)
			break
		}
		if frames == 0 && (len(recs) == 0 || recs[0].typ != recordOpening) {
			return base.Errorf(base.CodeCorrupt, "frame %d does not open a segment", o.seq)
		}
		for _, r := range recs {
			o.records = append(o.records, located{record: r, segment: i, frame: o.seq})
		}
		at += n
		o.seq++
		frames++
	}
	if frames == 0 {
		return base.Errorf(base.CodeCorrupt, "it is empty, %s", o.lastKnown())
	}
	o.tail = b[:at]
	return nil
}

// lastKnown says, for errors, which epochs were read before.
func (o *found) lastKnown() string {
	for i := len(o.records) - 1; i >= 0; i-- {
		var e struct {
			Epoch *base.Epoch `json:"epoch"`
		}
		if r := o.records[i]; decode(r.record, &e) == nil && e.Epoch != nil {
			return "after the " + r.typ.String() + " record of epoch " + strconv.FormatInt(int64(*e.Epoch), 10)
		}
	}
	return "before any epoch"
}

// index notes what is in which segment and keeps the newest records as they are
// on disk.
func (o *found) index() error {
	for n, r := range o.records {
		seg := &o.segments[r.segment]
		switch r.typ {
		case recordOpening:
			var op opening
			if err := decode(r.record, &op); err != nil {
				return err
			}
			if op.Segment != seg.number {
				return base.Errorf(base.CodeCorrupt, "segment %s says that it is %s", segmentName(seg.number), segmentName(op.Segment))
			}
			if n == 0 {
				o.lastDone, o.folds = op.LastDone, op.Folds
			}
		case recordPlan:
			var p Plan
			if err := decode(r.record, &p); err != nil {
				return err
			}
			seg.planEpoch = p.Epoch
		case recordDone:
			d := &doneJSON{}
			if err := decode(r.record, d); err != nil {
				return err
			}
			seg.epoch, o.lastDone = d.Epoch, d
			if d.HasChanges {
				seg.stateEpoch = d.Epoch
			}
		case recordFolds:
			o.folds = &foldsJSON{}
			if err := decode(r.record, o.folds); err != nil {
				return err
			}
		}
	}
	return nil
}

func readFile(fs vfs.FS, path string) ([]byte, error) {
	f, err := fs.Open(path)
	if err != nil {
		return nil, diskError(err)
	}
	defer f.Close()
	b, err := io.ReadAll(f)
	return b, diskError(err)
}

// renew rewrites the last segment with its intact part: afterwards its tail is
// cut, and all of it is on disk, also what an earlier sync had only pretended.
func (l *Ledger) renew(intact []byte) error {
	name := segmentName(l.segments[len(l.segments)-1].number)
	f, err := l.create(name, intact)
	if err != nil {
		return base.Wrap(err, "renewing %s", name)
	}
	l.file, l.size = f, int64(len(intact))
	return nil
}

// roll begins a new segment with an opening.
func (l *Ledger) roll() error {
	n := 1
	if k := len(l.segments); k > 0 {
		n = l.segments[k-1].number + 1
	}
	o := opening{Segment: n, Meta: l.now.Meta, LastPlan: l.now.LastPlan, LastDone: l.lastDone, Snapshots: l.now.Snapshots, Folds: l.foldsDisk}
	var blob []byte
	if l.foldsDisk != nil && l.foldsDisk.File == nil {
		_, blob = l.now.Folds.onDisk()
	}
	rec, err := newRecord(recordOpening, o, blob)
	if err != nil {
		return err
	}
	b, err := appendFrame(nil, l.seq, rec)
	if err != nil {
		return err
	}
	f, err := l.create(segmentName(n), b)
	if err != nil {
		return l.breakOn(base.Wrap(err, "beginning segment %s", segmentName(n)))
	}
	if l.file != nil {
		if err := l.file.Close(); err != nil {
			_ = f.Close()
			return l.breakOn(err)
		}
	}
	l.file, l.size = f, int64(len(b))
	l.seq++
	l.segments = append(l.segments, newSegment(n))
	l.purge()
	return nil
}

// create makes a file with contents b, on disk before it has its name, and
// leaves it open at its end.
func (l *Ledger) create(name string, b []byte) (vfs.File, error) {
	tmp := l.path(name + tmpSuffix)
	f, err := l.fs.Create(tmp, writeCategory)
	if err != nil {
		return nil, diskError(err)
	}
	if _, err = f.Write(append([]byte(nil), b...)); err == nil {
		err = f.Sync()
	}
	if err == nil {
		err = l.fs.Rename(tmp, l.path(name))
	}
	if err == nil {
		err = l.syncDir(l.dir)
	}
	if err != nil {
		_ = f.Close()
		return nil, diskError(err)
	}
	return f, nil
}

// purge removes segments and files that nothing needs: it is called when all
// that makes them unnecessary is on disk. What cannot be removed now is left for
// the next time.
func (l *Ledger) purge() {
	l.now.prune()
	keepFrom := l.now.lastDone() + 1 - base.Epoch(l.opts.MinEpochs)
	state := l.now.stateFrom()
	for len(l.segments) > 1 {
		s := l.segments[0]
		if max(s.epoch, s.planEpoch) >= keepFrom || s.stateEpoch >= state || s.planEpoch > l.now.foldEpoch() {
			break
		}
		if l.fs.Remove(l.path(segmentName(s.number))) != nil {
			break
		}
		l.segments = l.segments[1:]
	}
	names, err := l.fs.List(l.dir)
	if err != nil {
		return
	}
	for _, name := range names {
		if l.isGarbage(name) {
			_ = l.fs.Remove(l.path(name))
		}
	}
}

// dropUnfinished removes the files that a crash left without a name.
func (l *Ledger) dropUnfinished() {
	names, _ := l.fs.List(l.dir)
	for _, name := range names {
		if strings.HasSuffix(name, tmpSuffix) {
			_ = l.fs.Remove(l.path(name))
		}
	}
}

func (l *Ledger) isGarbage(name string) bool {
	if !isBlob(name) || strings.HasSuffix(name, tmpSuffix) {
		return false
	}
	prefix, number, _ := strings.Cut(name, "-")
	n, err := strconv.ParseInt(number, 10, 64)
	if err != nil {
		return false
	}
	epoch := base.Epoch(n)
	switch prefix + "-" {
	case changesPrefix:
		return epoch < l.now.stateFrom()
	case foldsPrefix:
		return epoch < l.now.foldEpoch()
	}
	for _, s := range l.now.Snapshots {
		if s.Epoch == epoch {
			return false
		}
	}
	// A newer one than the newest is not recorded yet.
	return len(l.now.Snapshots) > 0 && epoch < l.now.Snapshots[0].Epoch
}
