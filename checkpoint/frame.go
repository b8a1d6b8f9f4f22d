package checkpoint

import (
	"bytes"
	"encoding/binary"
	"hash/crc32"

	"github.com/flightd/flightd/internal/base"
)

// A frame is what one synced append writes: one or more records. FORMAT.md draws
// the bytes.
const (
	frameMagic    = "FDL1"
	frameHeader   = 24
	frameVersion  = 1
	recordHeader  = 12
	recordVersion = 1
	// maxFrame bounds what decoding a frame looks at.
	maxFrame = 64 << 20
)

func castagnoli() *crc32.Table { return crc32.MakeTable(crc32.Castagnoli) }

// appendFrame appends the frame with sequence number seq to buf.
func appendFrame(buf []byte, seq uint64, recs ...record) ([]byte, error) {
	start := len(buf)
	buf = append(buf, make([]byte, frameHeader)...)
	for _, r := range recs {
		var h [recordHeader]byte
		h[0], h[1] = byte(r.typ), recordVersion
		binary.LittleEndian.PutUint32(h[4:], uint32(len(r.json)))
		binary.LittleEndian.PutUint32(h[8:], uint32(len(r.blob)))
		buf = append(append(append(buf, h[:]...), r.json...), r.blob...)
	}
	h := buf[start:]
	if len(h)-frameHeader > maxFrame {
		return nil, base.Errorf(base.CodeExhausted, "encoding ledger frame %d: %d bytes, more than %d", seq, len(h), maxFrame)
	}
	copy(h, frameMagic)
	binary.LittleEndian.PutUint32(h[8:], uint32(len(h)-frameHeader))
	h[12], h[13] = frameVersion, byte(len(recs))
	binary.LittleEndian.PutUint64(h[16:], seq)
	binary.LittleEndian.PutUint32(h[4:], crc32.Checksum(h[8:], castagnoli()))
	return buf, nil
}

// decodeFrame reads the frame at the beginning of b, which must have sequence
// number seq. It returns its records, which share b's memory, and its length.
func decodeFrame(b []byte, seq uint64) ([]record, int, error) {
	if len(b) < frameHeader {
		return nil, 0, base.Errorf(base.CodeCorrupt, "%d bytes are no frame", len(b))
	}
	if string(b[:4]) != frameMagic {
		return nil, 0, base.Errorf(base.CodeCorrupt, "frame begins with %q, want %q", b[:4], frameMagic)
	}
	n := int(binary.LittleEndian.Uint32(b[8:]))
	if n > maxFrame || n > len(b)-frameHeader {
		return nil, 0, base.Errorf(base.CodeCorrupt, "frame of %d bytes in %d", n, len(b)-frameHeader)
	}
	end := frameHeader + n
	if crc, want := crc32.Checksum(b[8:end], castagnoli()), binary.LittleEndian.Uint32(b[4:]); crc != want {
		return nil, 0, base.Errorf(base.CodeCorrupt, "bad checksum %08x, want %08x", crc, want)
	}
	if b[12] != frameVersion {
		return nil, 0, newerVersion(int(b[12]), frameVersion)
	}
	if got := binary.LittleEndian.Uint64(b[16:]); got != seq {
		return nil, 0, base.Errorf(base.CodeCorrupt, "frame number is %d, want %d", got, seq)
	}
	recs, err := decodeRecords(b[frameHeader:end], int(b[13]))
	return recs, end, err
}

// newerVersion is the error of intact bytes of another format.
func newerVersion(got, want int) error {
	return base.Errorf(base.CodeCorrupt, "format version is %d, this build reads %d", got, want).
		WithHint("a newer flightd wrote this checkpoint; use that version")
}

func decodeRecords(b []byte, count int) ([]record, error) {
	var recs []record
	for range count {
		if len(b) < recordHeader {
			return nil, base.Errorf(base.CodeCorrupt, "%d bytes are no record", len(b))
		}
		typ, version := recordType(b[0]), b[1]
		nj, nb := int(binary.LittleEndian.Uint32(b[4:])), int(binary.LittleEndian.Uint32(b[8:]))
		b = b[recordHeader:]
		if version != recordVersion {
			return nil, newerVersion(int(version), recordVersion)
		}
		if nj > len(b) || nb > len(b)-nj {
			return nil, base.Errorf(base.CodeCorrupt, "%s record of %d+%d bytes in %d", typ, nj, nb, len(b))
		}
		recs = append(recs, record{typ: typ, json: b[:nj:nj], blob: b[nj : nj+nb : nj+nb]})
		b = b[nj+nb:]
	}
	if len(b) != 0 {
		return nil, base.Errorf(base.CodeCorrupt, "%d bytes follow the last record of a frame", len(b))
	}
	return recs, nil
}

// intactFrameAfter reports whether a whole frame with a number above seq begins
// somewhere in b. A frame is written only after the one before it is on disk, so
// damage in front of it is no torn tail.
func intactFrameAfter(b []byte, seq uint64) bool {
	for at := 0; ; at++ {
		i := bytes.Index(b[at:], []byte(frameMagic))
		if i < 0 {
			return false
		}
		at += i
		if len(b)-at < frameHeader {
			return false
		}
		got := binary.LittleEndian.Uint64(b[at+16:])
		if got <= seq {
			continue
		}
		if _, _, err := decodeFrame(b[at:], got); err == nil {
			return true
		}
	}
}

// firstFrame returns the sequence number that the frame at the beginning of b
// claims.
func firstFrame(b []byte) uint64 {
	if len(b) < frameHeader {
		return 0
	}
	return binary.LittleEndian.Uint64(b[16:])
}

// isIntact reports whether the frame at the beginning of b is whole, whatever is
// wrong with its contents: it was written so, and is no torn tail.
func isIntact(b []byte) bool {
	if len(b) < frameHeader || string(b[:4]) != frameMagic {
		return false
	}
	n := int(binary.LittleEndian.Uint32(b[8:]))
	return n <= maxFrame && n <= len(b)-frameHeader &&
		crc32.Checksum(b[8:frameHeader+n], castagnoli()) == binary.LittleEndian.Uint32(b[4:])
}
