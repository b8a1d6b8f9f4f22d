package feed

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/ipc"
	"github.com/klauspost/compress/zstd"

	"github.com/flightd/flightd/internal/base"
	"github.com/flightd/flightd/internal/seglog"
	"github.com/flightd/flightd/sinks"
)

const (
	// frameVersion 2 has the watermark, which version 1 lacks.
	frameVersion = 2
	headLen      = seglog.HeadLen
	// fixedLen is the body up to the number of keys, in version 1.
	fixedLen = 1 + 1 + 8 + 8 + 16
	// maxBody is the most bytes of a frame's body, maxRows of its rows unpacked.
	maxBody = 1 << 30
	maxRows = math.MaxInt32
	maxKeys = 1 << 12
)

// head is a frame without its rows.
type head struct {
	epoch  base.Epoch
	mode   sinks.Mode
	digest base.Digest
	time   int64 // ms since 1970
	// watermark is that of the epoch, in ms since 1970; 0 if there is none.
	watermark int64
	// unpacked is the size of the unpacked rows.
	unpacked int64
}

// codec packs and unpacks rows. Its methods may be called from several
// goroutines.
type codec struct {
	enc *zstd.Encoder
	dec *zstd.Decoder
}

func newCodec() (*codec, error) {
	enc, err := zstd.NewWriter(nil, zstd.WithEncoderLevel(zstd.SpeedFastest), zstd.WithEncoderConcurrency(1))
	if err != nil {
		return nil, err
	}
	dec, err := zstd.NewReader(nil, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxMemory(maxRows))
	return &codec{enc, dec}, err
}

// encode returns the frame of an epoch.
func (c *codec) encode(h *head, schema *arrow.Schema, rows []arrow.RecordBatch) ([]byte, error) {
	var plain bytes.Buffer
	w := ipc.NewWriter(&plain, ipc.WithSchema(schema))
	for _, r := range rows {
		if err := w.Write(r); err != nil {
			return nil, err
		}
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	if plain.Len() > maxRows {
		return nil, base.Errorf(base.CodeExhausted, "epoch %d has %d bytes, more than a feed can hold", h.epoch, plain.Len())
	}
	h.unpacked = int64(plain.Len())
	out := make([]byte, headLen, headLen+fixedLen+64+plain.Len()/2)
	out = append(out, frameVersion, byte(h.mode.Kind))
	out = binary.LittleEndian.AppendUint64(out, uint64(h.epoch))
	out = binary.LittleEndian.AppendUint64(out, uint64(h.time))
	out = append(out, h.digest[:]...)
	out = binary.LittleEndian.AppendUint64(out, uint64(h.watermark))
	out = binary.LittleEndian.AppendUint32(out, uint32(len(h.mode.Keys)))
	for _, k := range h.mode.Keys {
		out = binary.LittleEndian.AppendUint32(out, uint32(k))
	}
	out = binary.LittleEndian.AppendUint32(out, uint32(plain.Len()))
	out = c.enc.EncodeAll(plain.Bytes(), out)
	if len(out)-headLen > maxBody {
		return nil, base.Errorf(base.CodeExhausted, "epoch %d has %d bytes packed, more than a feed can hold", h.epoch, len(out))
	}
	seglog.Seal(out)
	return out, nil
}

// bodies says what the length of a frame's body may be.
func bodies() seglog.Limits { return seglog.Limits{Min: fixedLen + 8, Max: maxBody} }

// parse splits the body of a frame, which is at least as long as bodies says, into
// its parts.
func parse(body []byte) (h head, packed []byte, size int, err error) {
	if body[0] < 1 || body[0] > frameVersion {
		return h, nil, 0, fmt.Errorf("version %d", body[0])
	}
	h.mode.Kind = base.OutputMode(body[1])
	h.epoch = base.Epoch(binary.LittleEndian.Uint64(body[2:]))
	h.time = int64(binary.LittleEndian.Uint64(body[10:]))
	copy(h.digest[:], body[18:34])
	rest := body[fixedLen:]
	if body[0] >= 2 {
		if len(rest) < 16 {
			return h, nil, 0, errors.New("not a frame")
		}
		h.watermark = int64(binary.LittleEndian.Uint64(rest))
		rest = rest[8:]
	}
	keys := int(binary.LittleEndian.Uint32(rest))
	rest = rest[4:]
	if h.mode.Kind > base.Complete || h.epoch < 0 || keys > maxKeys || len(rest) < 4*keys+4 {
		return h, nil, 0, errors.New("not a frame")
	}
	for i := range keys {
		h.mode.Keys = append(h.mode.Keys, int(binary.LittleEndian.Uint32(rest[4*i:])))
	}
	rest = rest[4*keys:]
	h.unpacked = int64(binary.LittleEndian.Uint32(rest))
	return h, rest[4:], int(h.unpacked), nil
}

// rows unpacks the rows of a frame.
func (c *codec) rows(packed []byte, size int, schema *arrow.Schema) (out []arrow.RecordBatch, err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("decoding panicked: %v", r)
		}
		if err != nil {
			release(out)
			out = nil
		}
	}()
	// The frame says itself how large it becomes; memory is taken for what both
	// agree on.
	var zh zstd.Header
	if err := zh.Decode(packed); err != nil || size > maxRows || zh.HasFCS && zh.FrameContentSize != uint64(size) {
		return nil, fmt.Errorf("%d bytes of rows are not what is packed", size)
	}
	plain, err := c.dec.DecodeAll(packed, nil)
	if err != nil || len(plain) != size {
		return nil, fmt.Errorf("unpacking %d bytes of rows: %w", size, err)
	}
	r, err := ipc.NewReader(bytes.NewReader(plain))
	if err != nil {
		return nil, err
	}
	defer r.Release()
	if !r.Schema().Equal(schema) {
		return nil, fmt.Errorf("columns %v, not %v", r.Schema(), schema)
	}
	for {
		rec, err := r.Read()
		if errors.Is(err, io.EOF) {
			return out, nil
		}
		if err != nil {
			return out, err
		}
		rec.Retain()
		out = append(out, rec)
	}
}

func release(rows []arrow.RecordBatch) {
	for _, r := range rows {
		r.Release()
	}
}
