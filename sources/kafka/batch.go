package kafka

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
)

// headerBytes is the fixed part of a record batch of format 2.
const headerBytes = 61

// batchHeader is the fixed part of a record batch, checked.
type batchHeader struct {
	first, last int64
	attrs       int16
	firstTime   int64
	maxTime     int64
	producer    int64
	records     int32
	// body are the records, compressed as attrs says.
	body []byte
}

func (h *batchHeader) codec() int16        { return h.attrs & 7 }
func (h *batchHeader) appendTime() bool    { return h.attrs&8 != 0 }
func (h *batchHeader) transactional() bool { return h.attrs&16 != 0 }
func (h *batchHeader) control() bool       { return h.attrs&32 != 0 }

// errCut says that bytes end inside a record batch: a broker cuts its answer at
// the limit of the fetch.
var errCut = errors.New("the record batch is cut off")

// readBatch reads the record batch that in begins with and returns what is behind
// it. The checksum is compared before anything else is believed.
func readBatch(in []byte, checkCRC bool) (h batchHeader, rest []byte, err error) {
	if len(in) < 17 {
		return h, nil, errCut
	}
	size := int64(int32(binary.BigEndian.Uint32(in[8:])))
	if size < 0 || size > int64(len(in))-12 {
		if size >= 0 {
			return h, nil, errCut
		}
		return h, nil, fmt.Errorf("a record batch of %d bytes", size)
	}
	if magic := in[16]; magic != 2 {
		return h, nil, fmt.Errorf("record batch of message format %d; only format 2, of Kafka 0.11 and later, is read", magic)
	}
	b := in[:12+size]
	if len(b) < headerBytes {
		return h, nil, fmt.Errorf("a record batch of %d bytes, shorter than its header", len(b))
	}
	if want := binary.BigEndian.Uint32(b[17:]); checkCRC {
		if got := crc32.Checksum(b[21:], crc32.MakeTable(crc32.Castagnoli)); got != want {
			return h, nil, fmt.Errorf("the checksum of a record batch is %08x, not %08x as it says", got, want)
		}
	}
	delta := int32(binary.BigEndian.Uint32(b[23:]))
	h = batchHeader{
		first: int64(binary.BigEndian.Uint64(b)), attrs: int16(binary.BigEndian.Uint16(b[21:])),
		firstTime: int64(binary.BigEndian.Uint64(b[27:])), maxTime: int64(binary.BigEndian.Uint64(b[35:])),
		producer: int64(binary.BigEndian.Uint64(b[43:])), records: int32(binary.BigEndian.Uint32(b[57:])), body: b[headerBytes:],
	}
	h.last = h.first + int64(delta)
	if h.first < 0 || delta < 0 || h.last < h.first || h.records < 0 {
		return h, nil, fmt.Errorf("a record batch of %d records from offset %d, with its last %d behind that", h.records, h.first, delta)
	}
	return h, in[12+size:], nil
}

// abortMarker reports whether the body of a control batch ends a transaction by
// throwing it away.
func abortMarker(body []byte) bool {
	var rec record
	if _, err := rec.read(body, 0); err != nil || len(rec.key) < 4 {
		return false
	}
	return binary.BigEndian.Uint16(rec.key[2:]) == 0
}

// record is one record; its slices are part of the batch's body.
type record struct {
	timeDelta, offsetDelta int64
	key, value             []byte
	// hasKey and hasValue tell an empty one from none.
	hasKey, hasValue bool
	// headers are undecoded, count of them.
	headers []byte
	count   int
}

var errRecord = errors.New("a record does not fit its batch")

// read reads the record at b[at:] and returns where the next one begins. Every
// length is held to the record's own before it is used.
func (r *record) read(b []byte, at int) (int, error) {
	size, n := varint(b[at:])
	if n <= 0 || size < 1 || size > int64(len(b)-at-n) {
		return 0, errRecord
	}
	at += n
	next := at + int(size)
	b = b[:next]
	at++ // attributes, unused
	if r.timeDelta, n = varint(b[at:]); n <= 0 {
		return 0, errRecord
	}
	at += n
	if r.offsetDelta, n = varint(b[at:]); n <= 0 {
		return 0, errRecord
	}
	at += n
	var ok bool
	if r.key, r.hasKey, at, ok = field(b, at); !ok {
		return 0, errRecord
	}
	if r.value, r.hasValue, at, ok = field(b, at); !ok {
		return 0, errRecord
	}
	count, n := varint(b[at:])
	if n <= 0 || count < 0 || count > int64(next-at-n)/2 {
		return 0, errRecord
	}
	r.count, r.headers = int(count), b[at+n:]
	return next, nil
}

// header reads the header at r.headers[at:].
func (r *record) header(at int) (key, value []byte, hasValue bool, next int, err error) {
	key, ok, at, fit := field(r.headers, at)
	if !fit || !ok {
		return nil, nil, false, 0, errRecord
	}
	value, hasValue, at, fit = field(r.headers, at)
	if !fit {
		return nil, nil, false, 0, errRecord
	}
	return key, value, hasValue, at, nil
}

// field reads a length and as many bytes; the length −1 means there is none.
func field(b []byte, at int) (v []byte, has bool, next int, ok bool) {
	size, n := varint(b[at:])
	switch {
	case n <= 0 || size < -1 || size > int64(len(b)-at-n):
		return nil, false, 0, false
	case size == -1:
		return nil, false, at + n, true
	}
	at += n
	return b[at : at+int(size)], true, at + int(size), true
}

// varint is binary.Varint with the short forms first.
func varint(b []byte) (int64, int) {
	if len(b) > 0 && b[0] < 0x80 {
		return int64(b[0]>>1) ^ -int64(b[0]&1), 1
	}
	return binary.Varint(b)
}
