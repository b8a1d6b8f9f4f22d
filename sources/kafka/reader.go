package kafka

import (
	"context"
	"io"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/flightd/flightd/internal/base"
	"github.com/flightd/flightd/sources"
)

// reader reads one range. Its place is pos, the next offset to read: not the
// offset behind the last record, since compacted records, markers and aborted
// transactions leave gaps.
type reader struct {
	*split
	pos int64

	// in are the record batches fetched and not yet opened; fetchedAt is where
	// that fetch began and whole counts its complete ones.
	in         []byte
	aborts     *aborted
	fetchedAt  int64
	whole      int
	fetchBytes int32

	// batch is the open one, body[at:] its records to come.
	batch batchHeader
	body  []byte
	at    int
	left  int32
	// delta is that of the last record read of the batch.
	delta   int64
	rec     record
	inflate inflater
	before  sizes
	err     error
}

var _ sources.Reader = (*reader)(nil)

func newReader(s *split) *reader {
	set := s.cfg.client
	return &reader{split: s, pos: s.from, fetchBytes: min(set.PartitionMaxBytes, set.FetchMaxBytes), inflate: inflater{limit: int(max(set.FetchMaxBytes, 64<<20))}}
}

// Next returns the next BatchRows rows of the range, fewer where records are long
// or the range ends.
func (r *reader) Next(ctx context.Context) (arrow.RecordBatch, error) {
	if r.err != nil {
		return nil, r.err
	}
	cols := newColumns(r.schema, r.scan.Columns, int(min(int64(r.scan.BatchRows), max(r.to-r.pos, 0))), r.before)
	for cols.rows < r.scan.BatchRows && cols.bytes < maxColumnBytes && r.pos < r.to {
		var err error
		switch {
		case r.left > 0:
			err = r.fill(cols)
		case len(r.in) > 0:
			err = r.open()
		default:
			err = r.more(ctx)
		}
		if err != nil {
			r.err = err
			return nil, err
		}
	}
	r.seen.add(cols.rows, cols.bytes)
	if cols.rows == 0 {
		r.err = io.EOF
		return nil, io.EOF
	}
	r.before = cols.sizes()
	return cols.record(r.p), nil
}

// Close lets go of what was fetched.
func (r *reader) Close() error {
	r.inflate.close()
	r.in, r.body, r.err = nil, nil, base.Errorf(base.CodeInvalid, "reading %s: the reader is closed", r.name())
	return nil
}

// open begins the next record batch of what was fetched, or drops what is left of
// it if that is cut off.
func (r *reader) open() error {
	h, rest, err := readBatch(r.in, r.cfg.client.CheckCRC)
	if err == errCut {
		if r.in = nil; r.whole > 0 {
			return r.advanced()
		}
		if r.fetchBytes >= r.cfg.client.FetchMaxBytes {
			return r.corrupt(err)
		}
		r.fetchBytes = min(max(r.fetchBytes, 1<<19)*2, r.cfg.client.FetchMaxBytes)
		return nil
	}
	if err != nil {
		return r.corrupt(err)
	}
	r.in, r.whole = rest, r.whole+1
	skip := r.aborts.skips(&h) || h.control() || h.last < r.pos || h.records == 0
	if h.control() && abortMarker(h.body) {
		r.aborts.ended(h.producer)
	}
	if skip {
		r.pos = max(r.pos, h.last+1)
		return r.advanced()
	}
	if r.body, err = r.inflate.inflate(h.codec(), h.body); err != nil {
		return r.corrupt(err)
	}
	if int64(h.records) > int64(len(r.body))/7 { // the shortest record has 7 bytes
		return r.corrupt(errRecord)
	}
	r.batch, r.at, r.left, r.delta = h, 0, h.records, -1
	return nil
}

// advanced holds a broker that answers with nothing but old batches to account:
// asking again would never end.
func (r *reader) advanced() error {
	if len(r.in) == 0 && r.pos <= r.fetchedAt {
		return base.Errorf(base.CodeCorrupt, "reading %s: the broker's answer to a fetch at offset %d ends before it", r.name(), r.fetchedAt)
	}
	return nil
}

// fill moves records of the open batch into cols, until one of them is full or at
// its end.
func (r *reader) fill(cols *columns) error {
	h := &r.batch
	timeType, micros := int32(0), int64(0)
	if h.appendTime() {
		timeType, micros = 1, h.maxTime*1000
	}
	for r.left > 0 && cols.rows < r.scan.BatchRows && cols.bytes < maxColumnBytes {
		next, err := r.rec.read(r.body, r.at)
		if err != nil {
			return r.corrupt(err)
		}
		size := next - r.at
		r.at = next
		r.left--
		if r.rec.offsetDelta <= r.delta || r.rec.offsetDelta > h.last-h.first {
			return r.corrupt(errRecord)
		}
		r.delta = r.rec.offsetDelta
		offset := h.first + r.rec.offsetDelta
		if offset < r.pos {
			continue // before the range
		}
		if offset >= r.to {
			r.pos, r.left, r.in = r.to, 0, nil
			return nil
		}
		if timeType == 0 {
			micros = (h.firstTime + r.rec.timeDelta) * 1000
		}
		if err := cols.add(&r.rec, offset, micros, timeType, size); err != nil {
			return r.corrupt(err)
		}
		r.pos = offset + 1
	}
	if r.left == 0 {
		if r.at != len(r.body) {
			return r.corrupt(errRecord)
		}
		r.pos = max(r.pos, h.last+1)
		return r.advanced()
	}
	return nil
}

// lost reports that offsets from pos up to to are gone, and goes on behind them
// if the query accepts that.
func (r *reader) lost(to int64, err *base.Error) error {
	if err := r.losses.report(to-r.pos, err); err != nil {
		return err
	}
	r.pos = to
	return nil
}

// corrupt keeps the text of err only: a decoder's io.EOF must not look like the
// end of the range.
func (r *reader) corrupt(err error) error {
	return base.Errorf(base.CodeCorrupt, "reading %s: record batch at offset %d: %v", r.name(), r.pos, err)
}
