package feed

import (
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/ipc"
	"github.com/klauspost/compress/zstd"

	"github.com/flightd/flightd/internal/base"
	"github.com/flightd/flightd/internal/seglog"
)

// wholeBytes is up to how many bytes of rows an epoch is read as a whole by who can read
// it in pieces: what is shared by readers is smaller.
const wholeBytes = recentBytes

// Pieces are the rows of an epoch that is read from disk record batch by record batch.
// Closing them lets go of the segment.
type Pieces struct {
	feed  *Feed
	epoch base.Epoch
	file  *os.File
	zip   *zstd.Decoder
	rows  *ipc.Reader
}

// InPieces says that the reader takes Epoch.Pieces instead of Epoch.Rows for an epoch of
// many bytes.
func (s *Subscription) InPieces() { s.pieces = true }

// open begins to read an epoch in pieces.
func (f *Feed) open(e *entry) (out *Epoch, err error) {
	file, err := os.Open(e.segment)
	if err != nil {
		return nil, err
	}
	p := &Pieces{feed: f, epoch: e.epoch, file: file}
	defer func() {
		if err != nil {
			p.Close()
		}
	}()
	body, err := seglog.FrameReader(file, e.at, e.size, bodies())
	if err != nil {
		return nil, base.Wrap(err, "reading epoch %d of %s", e.epoch, f.Describe())
	}
	start := make([]byte, min(body.Size(), fixedLen+8+4+4*maxKeys+4))
	if _, err := io.ReadFull(body, start); err != nil {
		return nil, base.Wrap(err, "reading epoch %d of %s", e.epoch, f.Describe())
	}
	h, packed, _, err := parse(start)
	if err == nil && h.epoch != e.epoch {
		err = errors.New("another epoch")
	}
	if err == nil {
		_, err = body.Seek(int64(len(start)-len(packed)), io.SeekStart)
	}
	if err == nil {
		p.zip, err = zstd.NewReader(body, zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true), zstd.WithDecoderMaxMemory(maxRows))
	}
	if err == nil {
		p.rows, err = ipc.NewReader(p.zip)
	}
	if err == nil && !p.rows.Schema().Equal(f.opt.Schema) {
		err = fmt.Errorf("columns %v, not %v", p.rows.Schema(), f.opt.Schema)
	}
	if err != nil {
		return nil, seglog.Damaged(e.segment, e.at, err.Error())
	}
	return &Epoch{Number: h.epoch, Mode: h.mode, Digest: h.digest, Time: h.time, Watermark: h.watermark, Pieces: p}, nil
}

// Next returns the next record batch, which the caller releases, or io.EOF.
func (p *Pieces) Next() (rec arrow.RecordBatch, err error) {
	defer func() {
		if r := recover(); r != nil {
			rec, err = nil, seglog.Damaged(p.file.Name(), 0, fmt.Sprintf("decoding epoch %d panicked: %v", p.epoch, r))
		}
	}()
	rec, err = p.rows.Read()
	if errors.Is(err, io.EOF) {
		return nil, io.EOF
	}
	if err != nil {
		return nil, base.Wrap(err, "reading epoch %d of %s", p.epoch, p.feed.Describe())
	}
	rec.Retain()
	return rec, nil
}

// Close may be called more than once.
func (p *Pieces) Close() {
	if p == nil || p.file == nil {
		return
	}
	if p.rows != nil {
		p.rows.Release()
	}
	if p.zip != nil {
		p.zip.Close()
	}
	p.file.Close() // nothing was written
	p.file = nil
}
