package state

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"hash/crc32"
	"io"
	"slices"
	"sync"

	"github.com/klauspost/compress/s2"
	"github.com/klauspost/compress/zstd"

	"github.com/flightd/flightd/internal/base"
)

// The bytes of a changelog or snapshot; FORMAT.md draws them.
const (
	blobMagic   = "FST\x04" // the last byte is the format version
	frameHeader = 20
	// MaxFrame bounds the memory that decoding a frame takes: its bytes, both
	// compressed and not.
	MaxFrame = 256 << 20
	// blockBytes is where a block of rows is cut.
	blockBytes = 4 << 20
	blockRows  = 1 << 16
)

// What a blob is.
const (
	kindChanges  = "changes"
	kindSnapshot = "snapshot"
)

// Frame types.
const (
	frameHead = iota + 1
	frameUpserts
	frameRemovals // of versions before 3: with keys
	frameEnd
	frameGone // removals by number
)

// Codecs of a payload. S2 takes a fraction of zstd's time where values repeat or
// ascend, so it is tried first; where it does not halve the bytes, zstd does better.
const (
	codecZstd = iota
	codecS2
	// quickBytes is the size of a payload from which on S2 is tried.
	quickBytes = 1 << 12
)

// header is the first frame, as JSON.
type header struct {
	Kind   string        `json:"kind"`
	Epoch  base.Epoch    `json:"epoch"`
	Tables []tableHeader `json:"tables"`
}

type tableHeader struct {
	ID     ID     `json:"id"`
	Schema Schema `json:"schema"`
	// Next is the ordinal of the next input row.
	Next int64 `json:"next"`
	// Expired, if set, says that the epoch ended with no row whose time is at or before
	// it: those that were there are removed besides those that the frames name.
	Expired *int64 `json:"expired,omitempty"`
}

// end is the last frame, as JSON: it shows that no block is missing.
type end struct {
	Blocks int   `json:"blocks"`
	Rows   int64 `json:"rows"`
}

// newEncoder returns the encoder of a store: making one costs more than a small
// epoch. So many workers may use it at a time.
func newEncoder(workers int) (*zstd.Encoder, error) {
	return zstd.NewWriter(nil, zstd.WithEncoderConcurrency(max(1, workers)), zstd.WithEncoderLevel(zstd.SpeedFastest), zstd.WithEncoderCRC(false))
}

// frameWriter writes frames.
type frameWriter struct {
	w     io.Writer
	enc   *zstd.Encoder
	seq   uint32
	buf   []byte
	total end
	// scratch is memory of those who compress.
	scratch sync.Pool
}

func newFrameWriter(w io.Writer, enc *zstd.Encoder) (*frameWriter, error) {
	if _, err := io.WriteString(w, blobMagic); err != nil {
		return nil, err
	}
	return &frameWriter{w: w, enc: enc}, nil
}

func (f *frameWriter) writeJSON(typ uint8, v any) error {
	b, err := json.Marshal(v)
	if err != nil {
		return err
	}
	return f.write(typ, 0, 0, b)
}

// write appends one frame: for a block, of rows rows of the table'th table.
func (f *frameWriter) write(typ uint8, table int, rows int, payload []byte) error {
	var err error
	if f.buf, err = f.compressTo(f.buf, payload, rows); err != nil {
		return err
	}
	return f.finish(f.buf, typ, table, rows)
}

// compress returns the frame of a payload but for its place in the file. It may
// be called by several goroutines.
func (f *frameWriter) compress(payload []byte, rows int) ([]byte, error) {
	buf, _ := f.scratch.Get().(*[]byte)
	if buf == nil {
		buf = new([]byte)
	}
	defer f.scratch.Put(buf)
	var err error
	*buf, err = f.compressTo(*buf, payload, rows)
	return slices.Clone(*buf), err
}

func (f *frameWriter) compressTo(buf, payload []byte, rows int) ([]byte, error) {
	if len(payload) > MaxFrame {
		return buf, base.Errorf(base.CodeExhausted, "encoding state: a block of %d rows has %d bytes, more than %d", rows, len(payload), MaxFrame)
	}
	buf = append(buf[:0], make([]byte, frameHeader)...)
	quick := len(payload) + 1 // bytes with S2
	if len(payload) >= quickBytes {
		buf = slices.Grow(buf, s2.MaxEncodedLen(len(payload)))
		quick = len(s2.Encode(buf[frameHeader:cap(buf)], payload))
	}
	if 2*quick <= len(payload) {
		buf = buf[:frameHeader+quick]
		buf[17] = codecS2
	} else {
		buf = f.enc.EncodeAll(payload, buf)
	}
	binary.LittleEndian.PutUint32(buf[4:], uint32(len(buf)-frameHeader))
	binary.LittleEndian.PutUint32(buf[8:], uint32(len(payload)))
	return buf, nil
}

// finish completes the header of a frame and writes it.
func (f *frameWriter) finish(frame []byte, typ uint8, table int, rows int) error {
	h := frame[:frameHeader]
	binary.LittleEndian.PutUint32(h[12:], f.seq)
	h[16] = typ
	binary.LittleEndian.PutUint16(h[18:], uint16(table))
	binary.LittleEndian.PutUint32(h, crc32.Checksum(frame[4:], crc32.MakeTable(crc32.Castagnoli)))
	f.seq++
	if typ == frameUpserts || typ == frameGone {
		f.total.Blocks++
		f.total.Rows += int64(rows)
	}
	_, err := f.w.Write(frame)
	return err
}

// close writes the last frame.
func (f *frameWriter) close() error {
	return f.writeJSON(frameEnd, f.total)
}

// frame is one frame, read and checked.
type frame struct {
	typ     uint8
	table   int
	payload []byte
}

// frameReader reads frames. It takes no more memory than what is there to read,
// and MaxFrame for a frame.
type frameReader struct {
	r     io.Reader
	dec   *zstd.Decoder
	seq   uint32
	buf   []byte
	raw   []byte
	total end
}

func newSliceReader(b []byte) *frameReader { return &frameReader{r: bytes.NewReader(b)} }

func (f *frameReader) corrupt(format string, args ...any) error {
	return base.Wrap(base.Errorf(base.CodeCorrupt, format, args...), "frame %d", f.seq)
}

// header reads what precedes the first block.
func (f *frameReader) header(kind string) (h header, err error) {
	var magic [len(blobMagic)]byte
	if _, err := io.ReadFull(f.r, magic[:]); err != nil {
		return h, f.readError(err)
	}
	if string(magic[:3]) != blobMagic[:3] {
		return h, f.corrupt("state begins with %q, want %q", magic[:], blobMagic)
	}
	// Version 1 is what version 2 is where nothing is narrowed; version 2 has one row a
	// key, removals with keys, and no differences; in version 3 nothing expires, and
	// nothing is S2.
	if magic[3] < 1 || magic[3] > blobMagic[3] {
		return h, f.corrupt("state has format version %d, this build reads 1 to %d", magic[3], blobMagic[3])
	}
	fr, err := f.next()
	if err != nil {
		return h, err
	}
	if fr.typ != frameHead {
		return h, f.corrupt("frame type %d, want the header", fr.typ)
	}
	if err := json.Unmarshal(fr.payload, &h); err != nil {
		return h, f.corrupt("header: %v", err)
	}
	if h.Kind != kind {
		return h, f.corrupt("state is %q, want %q", h.Kind, kind)
	}
	for _, t := range h.Tables {
		for _, c := range append(append([]Field(nil), t.Schema.Keys...), t.Schema.Values...) {
			if c.Kind > Bytes {
				return h, f.corrupt("column %s has kind %d", c.Name, c.Kind)
			}
		}
	}
	return h, nil
}

// next reads a frame. Its payload is good until the next call.
func (f *frameReader) next() (frame, error) {
	var h [frameHeader]byte
	if _, err := io.ReadFull(f.r, h[:]); err != nil {
		return frame{}, f.readError(err)
	}
	size, rawSize := binary.LittleEndian.Uint32(h[4:]), binary.LittleEndian.Uint32(h[8:])
	if size > MaxFrame+MaxFrame/128 || rawSize > MaxFrame {
		return frame{}, f.corrupt("%d bytes of %d", size, rawSize)
	}
	var err error
	if f.buf, err = readAtMost(f.r, f.buf, int(size)); err != nil {
		return frame{}, f.readError(err)
	}
	table := crc32.MakeTable(crc32.Castagnoli)
	if crc := crc32.Update(crc32.Checksum(h[4:], table), table, f.buf); crc != binary.LittleEndian.Uint32(h[:]) {
		return frame{}, f.corrupt("checksum is %08x, want %08x", crc, binary.LittleEndian.Uint32(h[:]))
	}
	if seq := binary.LittleEndian.Uint32(h[12:]); seq != f.seq {
		return frame{}, f.corrupt("sequence number is %d", seq)
	}
	if err := f.expand(h[17], int(rawSize)); err != nil {
		return frame{}, err
	}
	f.seq++
	return frame{typ: h[16], table: int(binary.LittleEndian.Uint16(h[18:])), payload: f.raw}, nil
}

// expand decompresses f.buf to f.raw.
func (f *frameReader) expand(codec uint8, rawSize int) (err error) {
	switch codec {
	case codecS2:
		n, err := s2.DecodedLen(f.buf)
		if err == nil && n == rawSize {
			f.raw, err = s2.Decode(slices.Grow(f.raw[:0], n)[:n], f.buf)
		}
		if err != nil || n != rawSize {
			return f.corrupt("decompressing %d bytes, want %d: %v", n, rawSize, err)
		}
		return nil
	case codecZstd:
	default:
		return f.corrupt("codec is %d", codec)
	}
	if f.dec == nil {
		f.dec, err = zstd.NewReader(nil, zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true), zstd.WithDecoderMaxMemory(MaxFrame+1))
		if err != nil {
			return err
		}
	}
	if f.raw, err = f.dec.DecodeAll(f.buf, f.raw[:0]); err != nil {
		return f.corrupt("decompressing: %v", err)
	}
	if len(f.raw) != rawSize {
		return f.corrupt("%d bytes decompressed, want %d", len(f.raw), rawSize)
	}
	return nil
}

// close checks what the last frame, which is fr, says of the others, and that
// nothing follows.
func (f *frameReader) close(fr frame) error {
	var e end
	if err := json.Unmarshal(fr.payload, &e); err != nil {
		return f.corrupt("end: %v", err)
	}
	if e != f.total {
		return f.corrupt("%d rows in %d blocks, want %d in %d", f.total.Rows, f.total.Blocks, e.Rows, e.Blocks)
	}
	if n, err := f.r.Read(make([]byte, 1)); n != 0 || err != io.EOF {
		return f.corrupt("bytes follow the end")
	}
	return nil
}

func (f *frameReader) release() {
	if f.dec != nil {
		f.dec.Close()
	}
}

// readError makes an early end Corrupt, and leaves the errors of a file system
// as they are.
func (f *frameReader) readError(err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return f.corrupt("state ends early")
	}
	return base.Wrap(err, "frame %d", f.seq)
}

// readAtMost reads n bytes into buf, which grows by what was really there.
func readAtMost(r io.Reader, buf []byte, n int) ([]byte, error) {
	buf = buf[:0]
	for len(buf) < n {
		step := min(n-len(buf), max(cap(buf)-len(buf), 1<<16))
		at := len(buf)
		buf = append(buf, make([]byte, step)...)
		if _, err := io.ReadFull(r, buf[at:]); err != nil {
			if err == io.EOF {
				err = io.ErrUnexpectedEOF
			}
			return buf, err
		}
	}
	return buf, nil
}
