package transport

import (
	"encoding/binary"
	"fmt"

	"golang.org/x/net/http2"
)

// preface is what a client begins with, RFC 9113 §3.4.
const preface = http2.ClientPreface

// Sizes of frames and windows.
const (
	frameHead = 9
	// leastFrame is the largest frame that every client takes, RFC 9113 §4.2.
	leastFrame = 16 << 10
	// maxFrame is the largest frame that this server takes.
	maxFrame = 1 << 20
	// firstWindow is the window that both sides begin with, maxWindow the largest that
	// there can be, RFC 9113 §6.9.
	firstWindow = 64<<10 - 1
	maxWindow   = 1<<31 - 1
	// connWindow is what a connection may have sent and this server not yet read: it reads
	// all the time, so this is never what a client waits for.
	connWindow = 64 << 20
	// callWindow is the same for a call.
	callWindow = 4 << 20
	// readAhead is from how many bytes of messages on, that their call has not taken, a
	// client gets no more credit.
	readAhead = 2 << 20
	// burst is the most bytes of one call that are written while others wait.
	burst = 1 << 20
	// maxControl is the most bytes of control frames that wait for a client to read.
	maxControl = 64 << 10
	// maxSettings is the most bytes of settings in a frame.
	maxSettings = 4 << 10
	// tableSize is the size of the table of headers in both directions, RFC 9113 §6.5.2.
	tableSize = 4096
)

// A frame is the head of a frame.
type frame struct {
	kind  http2.FrameType
	flags http2.Flags
	id    uint32 // of the stream
	size  int    // of what follows
}

func parseFrame(b []byte) frame {
	return frame{size: int(b[0])<<16 | int(b[1])<<8 | int(b[2]), kind: http2.FrameType(b[3]), flags: http2.Flags(b[4]), id: binary.BigEndian.Uint32(b[5:]) & maxWindow}
}

func appendFrame(b []byte, kind http2.FrameType, flags http2.Flags, id uint32, size int) []byte {
	b = append(b, byte(size>>16), byte(size>>8), byte(size), byte(kind), byte(flags))
	return binary.BigEndian.AppendUint32(b, id)
}

func appendWindowUpdate(b []byte, id uint32, n int) []byte {
	return binary.BigEndian.AppendUint32(appendFrame(b, http2.FrameWindowUpdate, 0, id, 4), uint32(n))
}

func appendReset(b []byte, id uint32, code http2.ErrCode) []byte {
	return binary.BigEndian.AppendUint32(appendFrame(b, http2.FrameRSTStream, 0, id, 4), uint32(code))
}

func appendSetting(b []byte, id http2.SettingID, v uint32) []byte {
	return binary.BigEndian.AppendUint32(binary.BigEndian.AppendUint16(b, uint16(id)), v)
}

func appendGoAway(b []byte, last uint32, code http2.ErrCode, why string) []byte {
	b = appendFrame(b, http2.FrameGoAway, 0, 0, 8+len(why))
	b = binary.BigEndian.AppendUint32(b, last)
	b = binary.BigEndian.AppendUint32(b, uint32(code))
	return append(b, why...)
}

// A broken is what a client did against the rules: the end of its connection.
type broken struct {
	code http2.ErrCode
	why  string
}

func (b *broken) Error() string { return fmt.Sprintf("%v: %s", b.code, b.why) }

func breach(code http2.ErrCode, format string, args ...any) error {
	return &broken{code, fmt.Sprintf(format, args...)}
}

// A reset is what a client did against the rules with one stream: the end of that.
type reset struct {
	id   uint32
	code http2.ErrCode
	why  string
}

func (r *reset) Error() string { return fmt.Sprintf("stream %d: %v: %s", r.id, r.code, r.why) }

// unpad returns what of a payload is not padding, RFC 9113 §6.1.
func unpad(f frame, p []byte) ([]byte, error) {
	if f.flags&http2.FlagDataPadded == 0 {
		return p, nil
	}
	if len(p) == 0 || int(p[0]) > len(p)-1 {
		return nil, breach(http2.ErrCodeProtocol, "more padding than a frame of %d bytes can have", len(p))
	}
	return p[1 : len(p)-int(p[0])], nil
}
