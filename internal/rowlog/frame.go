package rowlog

import (
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/flightd/flightd/internal/base"
	"github.com/flightd/flightd/internal/seglog"
)

const (
	frameVersion = 1
	fixedLen     = 48
	// maxBody is the most bytes of a frame's body.
	maxBody = 1 << 30
	// maxProducer is the longest name of a producer.
	maxProducer = 256

	flagMore   = 1
	flagDigest = 2
)

func bodies() seglog.Limits { return seglog.Limits{Min: fixedLen, Max: maxBody} }

// A Part is one record batch as an Arrow IPC message: its metadata, a FlatBuffers
// Message of metadata version 5, and its body. Nobody writes to them again.
type Part struct {
	Rows           int64
	Metadata, Body []byte
}

func (p *Part) size() int64 { return int64(len(p.Metadata) + len(p.Body) + fixedLen + 64) }

// head is a frame without its message.
type head struct {
	more     bool
	producer string
	seq      int64
	digest   *base.Digest
	rows     int64
	row      int64 // from the segment's first
	commit   int64 // 0 in a segment that is one commit
	time     int64 // ms since 1970
}

// pad is the number of bytes from at to the next multiple of to.
func pad(at, to int) int { return (to - at%to) % to }

// frame returns the sealed frame of a part without the message's body, which is
// written behind it.
func (h *head) frame(p *Part) []byte {
	out := make([]byte, seglog.HeadLen, seglog.HeadLen+fixedLen+len(h.producer)+16+8+len(p.Metadata)+64)
	flags := byte(0)
	if h.more {
		flags |= flagMore
	}
	if h.digest != nil {
		flags |= flagDigest
	}
	out = append(out, frameVersion, flags)
	out = binary.LittleEndian.AppendUint16(out, uint16(len(h.producer)))
	out = binary.LittleEndian.AppendUint32(out, uint32(h.rows))
	out = binary.LittleEndian.AppendUint64(out, uint64(h.row))
	out = binary.LittleEndian.AppendUint64(out, uint64(h.commit))
	out = binary.LittleEndian.AppendUint64(out, uint64(h.time))
	out = binary.LittleEndian.AppendUint64(out, uint64(h.seq))
	out = binary.LittleEndian.AppendUint32(out, uint32(len(p.Metadata)))
	out = binary.LittleEndian.AppendUint32(out, 0)
	out = append(out, h.producer...)
	if h.digest != nil {
		out = append(out, h.digest[:]...)
	}
	if len(p.Metadata) > 0 {
		out = append(out, make([]byte, pad(len(out), 8))...)
		out = append(out, p.Metadata...)
		out = append(out, make([]byte, pad(len(out), 64))...)
	}
	seglog.SealParts(out, p.Body)
	return out
}

var errFrame = errors.New("not a frame of a stream table")

// parseFixed reads the part of a body that every frame has, without producer and
// digest.
func parseFixed(b []byte) (h head, producer, metadata int, err error) {
	if len(b) < fixedLen {
		return h, 0, 0, errFrame
	}
	if b[0] != frameVersion {
		return h, 0, 0, fmt.Errorf("version %d", b[0])
	}
	h = head{more: b[1]&flagMore != 0, rows: int64(binary.LittleEndian.Uint32(b[4:])), row: int64(binary.LittleEndian.Uint64(b[8:])),
		commit: int64(binary.LittleEndian.Uint64(b[16:])), time: int64(binary.LittleEndian.Uint64(b[24:])), seq: int64(binary.LittleEndian.Uint64(b[32:]))}
	producer, metadata = int(binary.LittleEndian.Uint16(b[2:])), int(binary.LittleEndian.Uint32(b[40:]))
	if b[1] > flagMore|flagDigest || producer > maxProducer || h.row < 0 || h.commit < 0 || h.seq < -1 || (h.rows > 0) != (metadata > 0) {
		return h, 0, 0, errFrame
	}
	return h, producer, metadata, nil
}

// parse splits the body of a frame.
func parse(b []byte) (h head, p Part, err error) {
	h, producer, metadata, err := parseFixed(b)
	if err != nil {
		return h, p, err
	}
	at := fixedLen + producer
	if len(b) < at {
		return h, p, errFrame
	}
	h.producer = string(b[fixedLen:at])
	if b[1]&flagDigest != 0 {
		if len(b) < at+16 {
			return h, p, errFrame
		}
		h.digest = new(base.Digest)
		copy(h.digest[:], b[at:])
		at += 16
	}
	if metadata == 0 {
		if len(b) != at {
			return h, p, errFrame
		}
		return h, p, nil
	}
	at += pad(seglog.HeadLen+at, 8)
	end := at + metadata
	body := end + pad(seglog.HeadLen+end, 64)
	if body > len(b) {
		return h, p, errFrame
	}
	return h, Part{Rows: h.rows, Metadata: b[at:end], Body: b[body:]}, nil
}
