package kafka

import (
	"bytes"
	"compress/gzip"
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	"github.com/klauspost/compress/snappy"
	"github.com/klauspost/compress/zstd"
	"github.com/pierrec/lz4/v4"
)

// inflater decompresses record batches up to a limit, whatever they claim. The
// result is valid until the next call.
type inflater struct {
	limit int
	buf   []byte
	zstd  *zstd.Decoder
}

var errTooLarge = errors.New("too large")

func (f *inflater) inflate(codec int16, in []byte) ([]byte, error) {
	var err error
	switch codec {
	case 0:
		return in, nil
	case 1:
		var r *gzip.Reader
		if r, err = gzip.NewReader(bytes.NewReader(in)); err == nil {
			err = f.drain(r)
		}
	case 2:
		err = f.snappy(in)
	case 3:
		err = f.drain(lz4.NewReader(bytes.NewReader(in)))
	case 4:
		err = f.unzstd(in)
	default:
		return nil, fmt.Errorf("unknown compression %d of a record batch", codec)
	}
	switch {
	case errors.Is(err, errTooLarge), errors.Is(err, zstd.ErrDecoderSizeExceeded), errors.Is(err, zstd.ErrWindowSizeExceeded):
		return nil, fmt.Errorf("a record batch of %d bytes has more than %d bytes decompressed; kafka.fetch.max.bytes sets the limit, 64 MiB at least", len(in), f.limit)
	case err != nil:
		return nil, fmt.Errorf("decompressing a record batch: %w", err)
	}
	return f.buf, nil
}

// drain reads r into the buffer, growing it as bytes come.
func (f *inflater) drain(r io.Reader) error {
	f.buf = f.buf[:0]
	for {
		if len(f.buf) == cap(f.buf) {
			f.buf = append(f.buf, 0)[:len(f.buf)]
		}
		n, err := r.Read(f.buf[len(f.buf):cap(f.buf)])
		f.buf = f.buf[:len(f.buf)+n]
		if len(f.buf) > f.limit {
			return errTooLarge
		}
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
	}
}

func (f *inflater) unzstd(in []byte) error {
	if f.zstd == nil {
		d, err := zstd.NewReader(nil, zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true), zstd.WithDecoderMaxMemory(uint64(f.limit)), zstd.WithDecoderMaxWindow(uint64(max(f.limit, 1<<10))))
		if err != nil {
			return err
		}
		f.zstd = d
	}
	var err error
	f.buf, err = f.zstd.DecodeAll(in, f.buf[:0])
	return err
}

// xerial begins the blocks that Java's snappy stream writes; other clients write
// one bare block.
const xerial = "\x82SNAPPY\x00"

func (f *inflater) snappy(in []byte) error {
	f.buf = f.buf[:0]
	if !bytes.HasPrefix(in, []byte(xerial)) {
		return f.block(in)
	}
	if len(in) < 16 {
		return io.ErrUnexpectedEOF
	}
	for in = in[16:]; len(in) > 0; {
		if len(in) < 4 {
			return io.ErrUnexpectedEOF
		}
		size := binary.BigEndian.Uint32(in)
		if in = in[4:]; uint64(size) > uint64(len(in)) {
			return io.ErrUnexpectedEOF
		}
		if err := f.block(in[:size]); err != nil {
			return err
		}
		in = in[size:]
	}
	return nil
}

// block appends one snappy block. No block can grow more than 64-fold or so, so
// one that claims more is not believed.
func (f *inflater) block(in []byte) error {
	n, err := snappy.DecodedLen(in)
	if err != nil {
		return err
	}
	if n > f.limit-len(f.buf) {
		return errTooLarge
	}
	if n > 64*len(in)+64 {
		return snappy.ErrCorrupt
	}
	at := len(f.buf)
	f.buf = append(f.buf, make([]byte, n)...)
	_, err = snappy.Decode(f.buf[at:], in)
	return err
}

func (f *inflater) close() {
	if f.zstd != nil {
		f.zstd.Close()
	}
}
