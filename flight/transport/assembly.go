package transport

import (
	"encoding/binary"
	"unsafe"

	"golang.org/x/net/http2"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// prefixSize is the size of what is before a message: whether it is compressed, and its
// length.
const prefixSize = 5

// outright is up to which size memory for a message is taken before its bytes are here;
// for larger ones it grows along with what comes.
const outright = 8 << 20

// headBytes is how much of a message Align sees, if that much is in its first frame.
const headBytes = 8 << 10

// An assembly makes messages of frames.
type assembly struct {
	prefix   [prefixSize]byte
	prefixed int // bytes of prefix that are here
	// message is what has come of a message of size bytes.
	message []byte
	size    int
	total   int // bytes of all data
	length  int // what total must become, -1 if that is not told
	// closed says that the client has ended its side, deaf that what comes is passed over,
	// started that a handler runs.
	closed, deaf, started bool
}

// data reads a frame of data.
func (c *conn) data(f frame) error {
	if f.id == 0 {
		return breach(http2.ErrCodeProtocol, "data of no stream")
	}
	n, padding := f.size, 0
	if f.flags&http2.FlagDataPadded != 0 {
		b, err := c.in.take(min(1, n))
		if err != nil {
			return err
		}
		if len(b) == 0 || int(b[0]) > n-1 {
			return breach(http2.ErrCodeProtocol, "more padding than a frame of %d bytes can have", n)
		}
		padding = int(b[0])
		n -= 1 + padding
	}
	k, err := c.account(f)
	if err != nil {
		return err
	}
	if k == nil || k.in.closed {
		if err := c.in.skip(n + padding); err != nil || k == nil {
			return err
		}
		return &reset{f.id, http2.ErrCodeStreamClosed, "data after the end of a stream"}
	}
	k.in.total += n
	if err := k.read(n); err != nil {
		return err
	}
	if err := c.in.skip(padding); err != nil {
		return err
	}
	if f.flags&http2.FlagDataEndStream != 0 {
		return k.end()
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	return k.credit()
}

// account counts a frame of data against the windows, and returns its call, nil if that
// is over.
func (c *conn) account(f frame) (*call, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.idle(f.id) {
		return nil, breach(http2.ErrCodeProtocol, "data of stream %d, which nobody opened", f.id)
	}
	if c.received += f.size; c.received >= connWindow/4 {
		n := c.received
		c.received = 0
		if err := c.queueLocked(func(b []byte) []byte { return appendWindowUpdate(b, 0, n) }); err != nil {
			return nil, err
		}
	}
	k := c.calls[f.id]
	if k == nil || k.gone {
		return nil, nil
	}
	if k.granted -= f.size; k.granted < 0 {
		return nil, breach(http2.ErrCodeFlowControl, "stream %d has sent more than its window", f.id)
	}
	k.received += f.size
	return k, nil
}

// read takes n bytes of data.
func (k *call) read(n int) error {
	in, a := &k.c.in, &k.in
	if a.deaf {
		return in.skip(n)
	}
	for n > 0 {
		if a.prefixed < prefixSize {
			b, err := in.take(min(n, prefixSize-a.prefixed))
			if err != nil {
				return err
			}
			a.prefixed += copy(a.prefix[a.prefixed:], b)
			if n -= len(b); a.prefixed < prefixSize {
				return nil
			}
			if st := k.begin(); st != nil {
				a.deaf = true
				k.deliver(nil, st.Err())
				return in.skip(n)
			}
		}
		m := min(n, a.size-len(a.message))
		if a.message == nil && m > 0 {
			if err := k.lay(n); err != nil {
				return err
			}
		}
		for m > 0 {
			part := min(m, a.room())
			at := len(a.message)
			a.message = a.message[:at+part]
			if err := in.full(a.message[at:]); err != nil {
				return err
			}
			m, n = m-part, n-part
		}
		if len(a.message) == a.size {
			b := a.message
			a.message, a.prefixed = nil, 0
			k.deliver(b, nil)
		}
	}
	return nil
}

// begin looks at the prefix of a message.
func (k *call) begin() *status.Status {
	a := &k.in
	n := int(binary.BigEndian.Uint32(a.prefix[1:]))
	switch {
	case a.prefix[0] == 1:
		return status.New(codes.Internal, "a message is compressed, which its call did not say")
	case a.prefix[0] != 0:
		return status.Newf(codes.Internal, "a message has the flags %#x", a.prefix[0])
	case n > k.c.server.opts.MaxReceive:
		return status.Newf(codes.ResourceExhausted, "a message of %d bytes; this server takes %d", n, k.c.server.opts.MaxReceive)
	}
	a.size = n
	return nil
}

// lay takes memory for a message, n bytes of which come in this frame.
func (k *call) lay(n int) error {
	a, at := &k.in, 0
	if align := k.c.server.opts.Align; align != nil && a.size >= 64 {
		head, err := k.c.in.need(min(n, a.size, headBytes))
		if err != nil {
			return err
		}
		at = align(k.method.name, head, a.size)
	}
	a.message = laid(min(a.size, outright), at)
	return nil
}

// laid returns no bytes, with room for n, of which byte at stands at a multiple of 64.
func laid(n, at int) []byte {
	if at <= 0 {
		return make([]byte, 0, n)
	}
	b := make([]byte, n+63)
	skip := int(-(uintptr(unsafe.Pointer(unsafe.SliceData(b))) + uintptr(at)) & 63)
	return b[skip : skip : skip+n]
}

// room returns how many bytes fit; if none do, it takes memory for more.
func (a *assembly) room() int {
	if len(a.message) == cap(a.message) {
		grown := make([]byte, len(a.message), min(a.size, 2*len(a.message)))
		copy(grown, a.message)
		a.message = grown
	}
	return cap(a.message) - len(a.message)
}

// deliver hands a message to the call, or the reason why there are no more.
func (k *call) deliver(b []byte, failed error) {
	c := k.c
	c.mu.Lock()
	if failed != nil {
		k.failed = failed
	} else if !k.gone {
		if b == nil {
			b = []byte{}
		}
		k.queue = append(k.queue, b)
		k.queued += len(b)
	}
	gone := k.gone
	c.mu.Unlock()
	k.tell(gone)
}

// tell has the handler see that something has changed; it runs from then on at the
// latest, unless the call is gone.
func (k *call) tell(gone bool) {
	select {
	case k.arrived <- struct{}{}:
	default:
	}
	if !k.in.started && !gone {
		k.run()
	}
}

// end is the end of the client's side.
func (k *call) end() error {
	a := &k.in
	a.closed = true
	if a.length >= 0 && a.length != a.total {
		return &reset{k.id, http2.ErrCodeProtocol, "the data has another length than the headers said"}
	}
	c := k.c
	c.mu.Lock()
	k.open, k.finished = false, true
	if a.prefixed > 0 && k.failed == nil && !a.deaf {
		k.failed = status.Error(codes.Internal, "the stream ends within a message")
	}
	gone := k.gone
	c.mu.Unlock()
	k.tell(gone)
	return nil
}
