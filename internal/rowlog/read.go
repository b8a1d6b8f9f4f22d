package rowlog

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/ipc"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/flightd/flightd/internal/seglog"
)

// dropped is ErrDropped for a segment that is not there any more.
func dropped(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return ErrDropped
	}
	return err
}

// Reader reads a piece. It is for one goroutine.
type Reader struct {
	path string
	file *os.File
	refs []ref
	next int
	Piece
	decoder *ipc.Reader
	schema  ipc.MessageReader // nil once the schema was read
}

// Read returns a reader of the piece; the caller closes it. The error is ErrDropped
// if its segment is gone.
func (l *Log) Read(p Piece) (*Reader, error) {
	refs, err := l.within(p.segment, p.From, p.To)
	if err != nil {
		return nil, err
	}
	f, err := os.Open(p.segment.path)
	if err != nil {
		return nil, dropped(err)
	}
	r := &Reader{path: p.segment.path, file: f, refs: refs, Piece: p}
	stream, err := schemaStream(l.schema)
	if err == nil {
		r.schema = ipc.NewMessageReader(bytes.NewReader(stream))
		r.decoder, err = ipc.NewReaderFromMessageReader(r)
	}
	if err != nil {
		f.Close()
		return nil, err
	}
	return r, nil
}

// Next returns the rows of the next frame, which the caller releases, or io.EOF.
func (r *Reader) Next() (rec arrow.RecordBatch, err error) {
	if r.next == len(r.refs) {
		return nil, io.EOF
	}
	at := r.refs[r.next]
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("decoding panicked: %v", p)
		}
		if err != nil && rec != nil {
			rec.Release()
			rec = nil
		}
		if err != nil {
			err = seglog.Damaged(r.path, at.at, err.Error())
		}
	}()
	got, err := r.decoder.Read()
	if err != nil {
		return nil, err
	}
	if got.NumRows() != int64(at.rows) {
		return nil, fmt.Errorf("%d rows, not %d", got.NumRows(), at.rows)
	}
	from, to := max(r.From, at.row), min(r.To, at.row+int64(at.rows))
	return got.NewSlice(from-at.row, to-at.row), nil
}

// Message hands the decoder the schema and then the next frame.
func (r *Reader) Message() (*ipc.Message, error) {
	if r.schema != nil {
		m, err := r.schema.Message()
		r.schema = nil
		return m, err
	}
	at := r.refs[r.next]
	r.next++
	body, err := seglog.ReadFrame(r.file, at.at, int64(at.size), bodies())
	if err != nil {
		return nil, err
	}
	h, p, err := parse(body)
	if err != nil {
		return nil, err
	}
	if h.rows != int64(at.rows) {
		return nil, errFrame
	}
	return ipc.NewMessage(memory.NewBufferBytes(p.Metadata), memory.NewBufferBytes(p.Body)), nil
}

// Retain does nothing: a reader has one owner.
func (r *Reader) Retain() {}

// Release does nothing; Close ends the reader.
func (r *Reader) Release() {}

// Close closes the file. Record batches stay as they are.
func (r *Reader) Close() error {
	if r.decoder != nil {
		r.decoder.Release()
		r.decoder = nil
	}
	return r.file.Close()
}
