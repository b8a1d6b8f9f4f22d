package transport

import (
	"bytes"
	"net"
	"sync"
	"sync/atomic"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"
)

// vectored is a connection that writes many buffers in one call: those of net, which
// net.Buffers knows, and those that know one.
type vectored interface {
	net.Conn
	// WriteBuffers writes all of b, as net.Buffers' WriteTo does.
	WriteBuffers(b *net.Buffers) (int64, error)
}

// An output is what is on its way to a client. mu is held from the first byte of a frame
// to the last, and while headers are encoded, whose order matters.
type output struct {
	raw      net.Conn
	vectored vectored // nil where buffers are copied into one
	encoder  *encoder
	// tableSize is the size of the table of headers that the client wants.
	tableSize    atomic.Uint32
	tableChanged atomic.Bool

	mu sync.Mutex
	// parts is what write writes, size its bytes; small holds what is copied, and flat
	// everything where there is no writev.
	parts [][]byte
	size  int
	small []byte
	flat  []byte
}

// Sizes of what is copied on its way out.
const (
	// copied is up to which size a part is copied beside its neighbours.
	copied = 1 << 10
	// flatly is up to which size all parts are written as one.
	flatly = 8 << 10
	// record is how much is copied at a time where everything is.
	record = 128 << 10
	// smalls is the size of a piece of memory for what is copied.
	smalls = 8 << 10
)

// copy adds the bytes of b.
func (o *output) copy(b []byte) {
	if len(b) > cap(o.small)-len(o.small) {
		o.small = make([]byte, 0, max(smalls, len(b)))
	}
	at := len(o.small)
	o.small = append(o.small, b...)
	o.size += len(b)
	// Behind what was copied last, they are one part.
	if n := len(o.parts); n > 0 && at > 0 {
		if last := o.parts[n-1]; len(last) > 0 && &last[len(last)-1] == &o.small[at-1] {
			o.parts[n-1] = o.small[at-len(last) : len(o.small)]
			return
		}
	}
	o.parts = append(o.parts, o.small[at:])
}

// add adds b, which must stay as it is until write has returned.
func (o *output) add(b []byte) {
	if len(b) <= copied {
		if len(b) > 0 {
			o.copy(b)
		}
		return
	}
	o.size += len(b)
	o.parts = append(o.parts, b)
}

// frame adds the head of a frame.
func (o *output) frame(kind http2.FrameType, flags http2.Flags, id uint32, size int) {
	var b [frameHead]byte
	o.copy(appendFrame(b[:0], kind, flags, id, size))
}

// write writes what was added, and forgets it. An error is the end of the connection.
func (o *output) write(c *conn) {
	if o.size == 0 {
		return
	}
	c.mu.Lock()
	ended := c.ended != nil
	c.mu.Unlock()
	var err error
	switch {
	case ended:
	case len(o.parts) == 1:
		_, err = o.raw.Write(o.parts[0])
	case o.vectored == nil || o.size <= flatly:
		err = o.flatten()
	default:
		b := net.Buffers(o.parts)
		_, err = o.vectored.WriteBuffers(&b)
	}
	clear(o.parts)
	o.parts, o.size, o.small = o.parts[:0], 0, o.small[:0]
	if err != nil {
		c.cut(err)
	}
}

// flatten writes the parts as one, or as few if they are large.
func (o *output) flatten() error {
	flat := o.flat[:0]
	for _, p := range o.parts {
		for len(p) > 0 {
			k := min(len(p), record-len(flat))
			flat, p = append(flat, p[:k]...), p[k:]
			if len(flat) == record {
				if _, err := o.raw.Write(flat); err != nil {
					return err
				}
				flat = flat[:0]
			}
		}
	}
	o.flat = flat[:0]
	if len(flat) == 0 {
		return nil
	}
	_, err := o.raw.Write(flat)
	return err
}

// An encoder makes blocks of headers.
type encoder struct {
	*hpack.Encoder
	block bytes.Buffer
}

// headers adds a block of headers, in as many frames as it takes. It holds mu.
func (o *output) headers(id uint32, fields []hpack.HeaderField, end bool, most int) {
	if o.tableChanged.Swap(false) {
		o.encoder.SetMaxDynamicTableSizeLimit(o.tableSize.Load())
		o.encoder.SetMaxDynamicTableSize(o.tableSize.Load())
	}
	o.encoder.block.Reset()
	for _, f := range fields {
		_ = o.encoder.WriteField(f) // into memory
	}
	b := o.encoder.block.Bytes()
	kind, flags := http2.FrameHeaders, http2.Flags(0)
	if end {
		flags = http2.FlagHeadersEndStream
	}
	for {
		n := min(len(b), most)
		if n == len(b) {
			flags |= http2.FlagHeadersEndHeaders
		}
		o.frame(kind, flags, id, n)
		o.copy(b[:n])
		if b = b[n:]; len(b) == 0 {
			return
		}
		kind, flags = http2.FrameContinuation, 0
	}
}
