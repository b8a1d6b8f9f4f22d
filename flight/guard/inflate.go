package guard

import (
	"bytes"
	"encoding/binary"
	"io"

	"github.com/klauspost/compress/zstd"
	"github.com/pierrec/lz4/v4"

	"github.com/flightd/flightd/internal/base"
)

// The codecs of Arrow's BodyCompression.
const (
	codecLZ4  = 0
	codecZstd = 1
)

// stored is the size that a buffer declares when it is not compressed although
// its message is.
const stored = -1

// declare replaces the sizes of w's buffers by the sizes that they declare to
// have when inflated, and returns the compressed spans.
func (w *batchWalk) declare(body []byte) ([]span, error) {
	in := make([]span, len(w.buffers))
	copy(in, w.buffers)
	limit, sum := w.limits.inflated(len(body)), int64(0)
	for i, s := range in {
		if s.n == 0 {
			continue
		}
		if s.n < 8 {
			return nil, malformed("compressed buffer %d has %d bytes", i, s.n)
		}
		n := int64(binary.LittleEndian.Uint64(body[s.off:]))
		if n == stored {
			n = s.n - 8
		}
		if n < 0 || n > limit-sum {
			return nil, base.Errorf(base.CodeExhausted, "the compressed buffers of an Arrow message of %d bytes declare more than %d bytes", len(body), limit).
				WithHint("send smaller record batches, or without compression")
		}
		sum += n
		w.buffers[i].n = n
	}
	return in, nil
}

// inflate returns a body in which every buffer of in is stored uncompressed,
// with Arrow's own mark for that, and writes the buffers' new places into the
// header.
func (w *batchWalk) inflate(in []span, body []byte) ([]byte, error) {
	var size int64
	for _, s := range w.buffers {
		size += padded(s.n)
	}
	d := decoder{codec: w.codec}
	defer d.close()
	out := make([]byte, size)
	var at int64
	for i, s := range in {
		n := w.buffers[i].n
		put := w.h.b[w.spans.pos+16*i:]
		binary.LittleEndian.PutUint64(put, uint64(at))
		if s.n == 0 {
			binary.LittleEndian.PutUint64(put[8:], 0)
			continue
		}
		binary.LittleEndian.PutUint64(put[8:], uint64(8+n))
		dst, src := out[at:at+8+n], body[s.off+8:s.off+s.n]
		binary.LittleEndian.PutUint64(dst, ^uint64(0))
		if int64(binary.LittleEndian.Uint64(body[s.off:])) == stored {
			copy(dst[8:], src)
		} else if err := d.into(dst[8:], src); err != nil {
			return nil, malformed("compressed buffer %d: %v", i, err)
		}
		at += padded(n)
	}
	return out, nil
}

// padded is the room of a buffer of n bytes with its mark, at a multiple of 8.
func padded(n int64) int64 {
	if n == 0 {
		return 8
	}
	return (8 + n + 7) &^ 7
}

// A decoder inflates into buffers whose size it is given, and holds no more.
type decoder struct {
	codec int64
	zstd  *zstd.Decoder
	lz4   *lz4.Reader
}

// into fills dst from src, exactly.
func (d *decoder) into(dst, src []byte) error {
	if d.codec == codecLZ4 {
		if d.lz4 == nil {
			d.lz4 = lz4.NewReader(nil)
		}
		d.lz4.Reset(bytes.NewReader(src))
		if _, err := io.ReadFull(d.lz4, dst); err != nil {
			return err
		}
		var more [1]byte
		if n, _ := d.lz4.Read(more[:]); n > 0 {
			return malformed("it is longer than the %d bytes that it declares", len(dst))
		}
		return nil
	}
	if d.zstd == nil {
		var err error
		d.zstd, err = zstd.NewReader(nil, zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true), zstd.WithDecodeAllCapLimit(true))
		if err != nil {
			return err
		}
	}
	got, err := d.zstd.DecodeAll(src, dst[:0:len(dst)])
	if err != nil {
		return err
	}
	if len(got) != len(dst) {
		return malformed("it has %d of the %d bytes that it declares", len(got), len(dst))
	}
	return nil
}

func (d *decoder) close() {
	if d.zstd != nil {
		d.zstd.Close()
	}
}
