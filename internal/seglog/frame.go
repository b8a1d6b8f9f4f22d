package seglog

import (
	"encoding/binary"
	"errors"
	"hash/crc32"
	"slices"

	"github.com/flightd/flightd/internal/base"
)

// HeadLen is the number of bytes before a frame's body.
const HeadLen = 12

// Limits are what the length of a body may be. A length beyond them is damage.
type Limits struct{ Min, Max int }

func checksum(sum uint32, b []byte) uint32 {
	return crc32.Update(sum, crc32.MakeTable(crc32.Castagnoli), b)
}

// Seal fills in the head of a frame whose body stands behind HeadLen free bytes.
func Seal(frame []byte) { SealParts(frame, nil...) }

// SealParts is Seal for a body that goes on in more, which is written behind frame.
func SealParts(frame []byte, more ...[]byte) {
	n, sum := len(frame)-HeadLen, checksum(0, frame[HeadLen:])
	for _, b := range more {
		n, sum = n+len(b), checksum(sum, b)
	}
	binary.LittleEndian.PutUint32(frame, uint32(n))
	binary.LittleEndian.PutUint32(frame[4:], sum)
	binary.LittleEndian.PutUint32(frame[8:], checksum(0, frame[:8]))
}

// bodyLen returns the length that a frame's head gives; false if the head is
// damaged.
func bodyLen(head []byte, lim Limits) (int, bool) {
	n := int64(binary.LittleEndian.Uint32(head))
	return int(n), n >= int64(lim.Min) && n <= int64(lim.Max) && binary.LittleEndian.Uint32(head[8:]) == checksum(0, head[:8])
}

// Body returns the body of a frame, which must be the whole of b.
func Body(b []byte, lim Limits) ([]byte, error) {
	if len(b) < HeadLen {
		return nil, errHead
	}
	if n, ok := bodyLen(b, lim); !ok || n != len(b)-HeadLen {
		return nil, errHead
	}
	if checksum(0, b[HeadLen:]) != binary.LittleEndian.Uint32(b[4:]) {
		return nil, errChecksum
	}
	return b[HeadLen:], nil
}

var (
	errHead     = errors.New("the head of a frame is damaged")
	errChecksum = errors.New("bad checksum")
)

func allZero(b []byte) bool { return !slices.ContainsFunc(b, func(c byte) bool { return c != 0 }) }

// Damaged is the error of a place in a segment that is not as it was written.
func Damaged(path string, at int64, why string) error {
	return base.Errorf(base.CodeCorrupt, "segment %s, byte %d: %s", path, at, why)
}
