package encoding

import (
	"bytes"
	"fmt"
	"io"

	"github.com/andybalholm/brotli"
	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/s2"
	"github.com/klauspost/compress/zstd"
	"github.com/pierrec/lz4/v4"
)

// A Codec is a compression of page bodies, by its number in the Parquet format.
type Codec int32

// The codecs that can be decoded.
const (
	Uncompressed Codec = 0
	Snappy       Codec = 1
	Gzip         Codec = 2
	Brotli       Codec = 4
	Zstd         Codec = 6
	LZ4Raw       Codec = 7
)

// MaxPage is the most bytes of a page body.
const MaxPage = 1 << 30

// ratio is about how many bytes one compressed byte can become; 0 for a codec
// that cannot be decoded.
func (c Codec) ratio() int64 {
	switch c {
	case Uncompressed:
		return 1
	case Snappy:
		return 32
	case LZ4Raw:
		return 256
	case Gzip:
		return 1040
	case Zstd:
		return 1 << 15
	case Brotli:
		return 1 << 21
	}
	return 0
}

// Known reports whether c can be decoded.
func (c Codec) Known() bool { return c.ratio() > 0 }

// Check returns an error if packed bytes cannot become size bytes.
func (c Codec) Check(packed, size int) error {
	if size > MaxPage {
		return fmt.Errorf("a page of %d bytes", size)
	}
	if c == Uncompressed && packed != size || int64(size) > int64(packed)*c.ratio()+64*int64(min(packed, 1)) {
		return fmt.Errorf("a page of %d bytes in %d", size, packed)
	}
	return nil
}

// A Decompressor decompresses page bodies. Its zero value is ready; one is for
// one goroutine.
type Decompressor struct {
	zstd   *zstd.Decoder
	gzip   *gzip.Reader
	brotli *brotli.Reader
	src    bytes.Reader
}

// Decode decompresses src, which becomes exactly dst.
func (d *Decompressor) Decode(c Codec, dst, src []byte) error {
	if len(dst) == 0 && len(src) == 0 {
		return nil
	}
	n, err := d.decode(c, dst, src)
	if err == nil && n != len(dst) {
		err = fmt.Errorf("%d bytes", n)
	}
	if err != nil {
		return fmt.Errorf("decompressing %d bytes into %d: %w", len(src), len(dst), err)
	}
	return nil
}

func (d *Decompressor) decode(c Codec, dst, src []byte) (int, error) {
	switch c {
	case Uncompressed:
		if len(src) != len(dst) {
			return len(src), nil
		}
		return copy(dst, src), nil
	case Snappy:
		n, err := s2.DecodedLen(src)
		if err != nil || n != len(dst) {
			return n, err
		}
		_, err = s2.Decode(dst, src)
		return n, err
	case LZ4Raw:
		return lz4.UncompressBlock(src, dst)
	case Zstd:
		if d.zstd == nil {
			z, err := zstd.NewReader(nil, zstd.WithDecoderConcurrency(1), zstd.WithDecodeAllCapLimit(true), zstd.WithDecoderMaxMemory(MaxPage))
			if err != nil {
				return 0, err
			}
			d.zstd = z
		}
		out, err := d.zstd.DecodeAll(src, dst[:0:len(dst)])
		return len(out), err
	}
	r, err := d.stream(c, src)
	if err != nil {
		return 0, err
	}
	if n, err := io.ReadFull(r, dst); err != nil {
		return n, err
	}
	var more [1]byte
	if n, err := io.ReadFull(r, more[:]); n > 0 || err != io.EOF {
		return len(dst) + n, err
	}
	return len(dst), nil
}

func (d *Decompressor) stream(c Codec, src []byte) (io.Reader, error) {
	d.src.Reset(src)
	switch c {
	case Gzip:
		if d.gzip == nil {
			d.gzip = new(gzip.Reader)
		}
		return d.gzip, d.gzip.Reset(&d.src)
	case Brotli:
		if d.brotli == nil {
			d.brotli = new(brotli.Reader)
		}
		return d.brotli, d.brotli.Reset(&d.src)
	}
	return nil, fmt.Errorf("codec %d", c)
}
