package transport

import (
	"context"
	"io"
	"runtime/debug"
	"strconv"
	"strings"
	"sync"
	"time"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/mem"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
)

// lingerTime is how long the rest of a message waits for a client that does not read,
// after its call has failed: behind it, the client understands the error.
const lingerTime = 10 * time.Second

// A call is one stream of a connection. Handlers see it as a grpc.ServerStream.
type call struct {
	c      *conn
	id     uint32
	method *method
	ctx    context.Context
	cancel context.CancelFunc
	// contentType is that of the answer.
	contentType string

	// in is what comes; the goroutine of the connection alone knows it.
	in assembly

	// The following are below the connection's mu.
	window   int // what may be sent
	queue    [][]byte
	queued   int   // bytes of queue
	finished bool  // all messages have come
	failed   error // why no more messages come
	received int   // bytes since the client was last given credit
	granted  int   // what the client may send
	over     bool  // the handler has returned
	gone     bool  // the stream is closed: nothing may be sent
	open     bool  // the client has not ended its side

	arrived chan struct{} // something has changed for RecvMsg
	room    chan struct{} // something has changed for who sends

	// sending is held by who sends, and guards what follows.
	sending sync.Mutex
	header  metadata.MD
	trailer metadata.MD
	started bool // the headers are sent
	held    outgoing
}

// outgoing are messages on their way, with their prefixes.
type outgoing struct {
	buffers mem.BufferSlice
	at, off int // what of them was sent: buffers, and bytes of the next
	size    int // bytes that are left
	// begun says that there was more, of which the client has the rest already.
	begun bool
}

func (q *outgoing) add(b mem.BufferSlice) {
	q.size += b.Len()
	q.buffers = append(q.buffers, b...)
}

// next adds the next n bytes to what is written.
func (q *outgoing) next(o *output, n int) {
	q.size -= n
	q.begun = q.size > 0
	for n > 0 {
		b := q.buffers[q.at].ReadOnlyData()[q.off:]
		if len(b) > n {
			o.add(b[:n])
			q.off += n
			return
		}
		o.add(b)
		n -= len(b)
		q.at, q.off = q.at+1, 0
	}
}

// sent frees what was written.
func (q *outgoing) sent() {
	for i := range q.at {
		q.buffers[i].Free()
		q.buffers[i] = nil
	}
	rest := copy(q.buffers, q.buffers[q.at:])
	clear(q.buffers[rest:])
	q.buffers, q.at = q.buffers[:rest], 0
}

// drop frees everything.
func (q *outgoing) drop() {
	q.buffers.Free()
	*q = outgoing{}
}

// open begins a call with the headers that were decoded.
func (c *conn) open(id uint32, ends bool) error {
	h := &c.fields
	contentType := "application/grpc"
	if strings.HasPrefix(h.contentType, contentType+"+") {
		contentType = h.contentType
	}
	k := &call{c: c, id: id, contentType: contentType, arrived: make(chan struct{}, 1), room: make(chan struct{}, 1), open: true, granted: callWindow}
	k.in = assembly{length: h.length}
	ctx := metadata.NewIncomingContext(c.ctx, h.md)
	if d, ok := parseTimeout(h.timeout); ok {
		k.ctx, k.cancel = context.WithTimeout(ctx, d)
	} else {
		k.ctx, k.cancel = context.WithCancel(ctx)
	}
	http, st := h.refusal()
	if st == nil {
		if k.method = c.server.methods[h.path]; k.method == nil {
			st = c.server.unknown(h.path)
		}
	}
	if admit := c.server.opts.Admit; st == nil && admit != nil {
		ctx, err := admit(k.ctx, h.path, h.md)
		if err != nil {
			st = statusOf(err)
		} else {
			k.ctx = ctx
		}
	}
	c.mu.Lock()
	if c.ended != nil {
		c.mu.Unlock()
		k.cancel()
		return c.ended
	}
	k.window = c.callWindow
	c.calls[id] = k
	if ends {
		k.open, k.finished, k.in.closed = false, true, true
	}
	c.mu.Unlock()
	if st != nil {
		k.in.deaf = true
		k.start(func() { k.refuse(http, st) })
		return nil
	}
	k.ctx = grpc.NewContextWithServerTransportStream(k.ctx, transportStream{k})
	// Others wait for their message: most often it is here already.
	if ends || k.method.early() {
		k.run()
	}
	return nil
}

// unknown is the status of a call to what is not registered.
func (s *Server) unknown(path string) *status.Status {
	service, name, ok := strings.Cut(strings.TrimPrefix(path, "/"), "/")
	switch {
	case !ok || !strings.HasPrefix(path, "/"):
		return status.Newf(codes.Unimplemented, "malformed method name: %q", path)
	case s.known[service]:
		return status.Newf(codes.Unimplemented, "unknown method %s for service %s", name, service)
	}
	return status.Newf(codes.Unimplemented, "unknown service %s", service)
}

// start runs f, which ends the call, in a goroutine of its own.
func (k *call) start(f func()) {
	s := k.c.server
	k.in.started = true
	s.running.Add(1)
	s.calls.Add(1)
	go func() {
		defer s.running.Done()
		defer s.calls.Add(-1)
		f()
	}()
}

func (k *call) run() { k.start(func() { k.finish(k.handle()) }) }

// handle runs the handler and returns what came of it.
func (k *call) handle() (st *status.Status) {
	defer func() {
		if p := recover(); p != nil {
			k.c.server.opts.Log.Error("panic", "in", k.method.name, "value", p, "stack", string(debug.Stack()))
			st = status.New(codes.Internal, "the server ran into a bug while answering")
		}
	}()
	o := &k.c.server.opts
	if k.method.unary == nil {
		d := k.method.stream
		if o.Stream == nil {
			return statusOf(d.Handler(k.method.impl, k))
		}
		return statusOf(o.Stream(k.method.impl, k, &grpc.StreamServerInfo{FullMethod: k.method.name, IsClientStream: d.ClientStreams, IsServerStream: d.ServerStreams}, d.Handler))
	}
	reply, err := k.method.unary.Handler(k.method.impl, k.ctx, k.RecvMsg, o.Unary)
	if err != nil {
		return statusOf(err)
	}
	return statusOf(k.hold(reply)) // finish sends it, along with the trailers
}

// statusOf returns the status that an error stands for; nil stands for success.
func statusOf(err error) *status.Status {
	st, ok := status.FromError(err)
	if !ok {
		st = status.FromContextError(err)
	}
	return st
}

// Context returns the context of the call, which ends with it.
func (k *call) Context() context.Context { return k.ctx }

// SetHeader adds to the headers, which are sent with the first message.
func (k *call) SetHeader(md metadata.MD) error {
	k.sending.Lock()
	defer k.sending.Unlock()
	if k.started {
		return status.Error(codes.Internal, "the headers are sent already")
	}
	k.header = metadata.Join(k.header, md)
	return nil
}

// SendHeader sends the headers.
func (k *call) SendHeader(md metadata.MD) error {
	if err := k.SetHeader(md); err != nil {
		return err
	}
	k.sending.Lock()
	defer k.sending.Unlock()
	return k.flush()
}

// SetTrailer adds to what is sent at the end.
func (k *call) SetTrailer(md metadata.MD) {
	k.sending.Lock()
	defer k.sending.Unlock()
	k.trailer = metadata.Join(k.trailer, md)
}

// transportStream is a call as grpc.SetHeader and its like know it.
type transportStream struct{ k *call }

func (t transportStream) Method() string                  { return t.k.method.name }
func (t transportStream) SetHeader(md metadata.MD) error  { return t.k.SetHeader(md) }
func (t transportStream) SendHeader(md metadata.MD) error { return t.k.SendHeader(md) }
func (t transportStream) SetTrailer(md metadata.MD) error { t.k.SetTrailer(md); return nil }

var (
	_ grpc.ServerStream          = (*call)(nil)
	_ grpc.ServerTransportStream = transportStream{}
)

// Followed is a message that says that another follows at once, with which it is sent.
type Followed interface{ Followed() bool }

// SendMsg sends a message; it returns when its bytes are on their way or the call has
// ended. The codec's buffers are freed then.
func (k *call) SendMsg(m any) error {
	if err := k.hold(m); err != nil {
		return err
	}
	if f, ok := m.(Followed); ok && f.Followed() {
		return nil
	}
	k.sending.Lock()
	defer k.sending.Unlock()
	return k.flush()
}

// hold encodes a message, and keeps it until the next flush.
func (k *call) hold(m any) error {
	b, err := k.c.server.opts.Codec.Marshal(m)
	if err != nil {
		if _, ok := status.FromError(err); ok {
			return err
		}
		return status.Errorf(codes.Internal, "encoding a message: %v", err)
	}
	n := b.Len()
	if n > maxWindow {
		b.Free()
		return status.Errorf(codes.ResourceExhausted, "a message of %d bytes", n)
	}
	k.sending.Lock()
	defer k.sending.Unlock()
	k.held.add(mem.BufferSlice{mem.SliceBuffer([]byte{0, byte(n >> 24), byte(n >> 16), byte(n >> 8), byte(n)})})
	k.held.add(b)
	return nil
}

// flush sends the headers, if they are not sent, and what is held, as the client's windows
// allow. It holds sending.
func (k *call) flush() error {
	for first := true; first || k.held.size > 0; first = false {
		n, err := k.reserve(k.held.size, false)
		if err != nil {
			return err
		}
		k.write(n, nil)
	}
	return nil
}

// reserve waits until at least a byte of size may be sent, and takes as many from the
// windows as there are, but no more than a burst. At the end of a call, it waits also
// after the handler has returned.
func (k *call) reserve(size int, end bool) (int, error) {
	c := k.c
	for {
		c.mu.Lock()
		switch {
		case c.ended != nil || k.gone:
			c.mu.Unlock()
			return 0, k.closed()
		case k.over && !end:
			c.mu.Unlock()
			return 0, status.Error(codes.Internal, "the call is over")
		}
		n := min(size, k.window, c.window, burst)
		if n > 0 || size == 0 {
			k.window -= n
			c.window -= n
			c.mu.Unlock()
			return n, nil
		}
		if c.window <= 0 {
			c.starved = append(c.starved, k)
		}
		c.mu.Unlock()
		select {
		case <-k.room:
		case <-k.ctx.Done():
			return 0, k.closed()
		}
	}
}

// closed is the error of who uses a call that the client or the time has ended.
func (k *call) closed() error {
	if err := k.ctx.Err(); err != nil {
		return status.FromContextError(err).Err()
	}
	return status.Error(codes.Canceled, "the client is gone")
}

// write writes the headers, if they are not, n bytes of what is held, and the trailers,
// unless they are nil. It holds sending.
func (k *call) write(n int, trailers []hpack.HeaderField) {
	c := k.c
	c.mu.Lock()
	most, open := c.frame, k.open
	c.mu.Unlock()
	c.out.mu.Lock()
	defer c.out.mu.Unlock()
	c.takeControl()
	if !k.started {
		k.started = true
		if n > 0 || trailers == nil || len(k.header) > 0 {
			c.out.headers(k.id, headerFields(k.contentType, k.header), false, most)
		} else {
			// An answer of nothing else has both in one.
			trailers = append(headerFields(k.contentType, nil), trailers...)
		}
	}
	for n > 0 {
		size := min(n, most)
		c.out.frame(http2.FrameData, 0, k.id, size)
		k.held.next(&c.out, size)
		n -= size
	}
	if trailers != nil {
		c.out.headers(k.id, trailers, true, most)
		if open { // the client's side of the stream may outlive ours
			var b [16]byte
			c.out.copy(appendReset(b[:0], k.id, http2.ErrCodeNo))
		}
	}
	c.out.write(c)
	k.held.sent()
}

// finish ends a call whose handler has returned: it sends what is held, and the trailers.
func (k *call) finish(st *status.Status) {
	c := k.c
	c.mu.Lock()
	k.over = true
	c.mu.Unlock()
	k.wake() // who still sends
	k.sending.Lock()
	defer k.sending.Unlock()
	defer k.held.drop()
	defer k.close()
	if st.Code() != codes.OK && !k.fits() {
		if !k.held.begun {
			k.held.drop() // an error does not wait
		} else {
			defer time.AfterFunc(lingerTime, k.cancel).Stop()
		}
	}
	n := 0
	for {
		var err error
		if n, err = k.reserve(k.held.size, true); err != nil {
			if k.ctx.Err() == context.DeadlineExceeded {
				st = statusOf(context.DeadlineExceeded)
			}
			k.expire(st)
			return
		}
		if n == k.held.size {
			break
		}
		k.write(n, nil)
	}
	c.mu.Lock()
	most, gone := c.most, k.gone
	c.mu.Unlock()
	if !gone {
		k.write(n, trailerFields(st, k.trailer, most))
	}
}

// expire tells a client that has not gone that the call is over, in the middle of its
// messages.
func (k *call) expire(st *status.Status) {
	k.c.mu.Lock()
	tell := !k.gone && k.c.ended == nil
	k.gone = true
	k.c.mu.Unlock()
	if tell {
		k.write(0, trailerFields(st, k.trailer, 0))
	}
}

// fits reports whether all that is held may be sent now.
func (k *call) fits() bool {
	k.c.mu.Lock()
	defer k.c.mu.Unlock()
	return k.held.size <= min(k.window, k.c.window)
}

// refuse answers a call that no handler sees.
func (k *call) refuse(http int, st *status.Status) {
	if http == 0 {
		k.finish(st)
		return
	}
	k.sending.Lock()
	defer k.sending.Unlock()
	defer k.close()
	k.started = true
	k.write(0, append([]hpack.HeaderField{{Name: ":status", Value: strconv.Itoa(http)}, {Name: "content-type", Value: k.contentType}}, trailerFields(st, nil, 0)...))
}

// close forgets a call that has ended.
func (k *call) close() {
	k.cancel()
	c := k.c
	c.mu.Lock()
	defer c.mu.Unlock()
	k.gone = true
	k.queue, k.queued = nil, 0
	k.forget()
}

// forget takes the call from the connection, which ends with its last one if it drains.
// It holds the connection's mu.
func (k *call) forget() {
	c := k.c
	if c.calls[k.id] != k {
		return
	}
	delete(c.calls, k.id)
	if c.draining && len(c.calls) == 0 && c.ended == nil {
		c.leaves()
	}
}

// abandon ends a call that the client has left, or that broke a rule: its handler sees
// that its context is cancelled.
func (k *call) abandon() {
	c := k.c
	c.mu.Lock()
	k.gone, k.open = true, false
	if !k.in.started {
		k.forget() // there is no handler to do it
	}
	c.mu.Unlock()
	k.cancel()
}

// wake tells who sends that something has changed.
func (k *call) wake() {
	select {
	case k.room <- struct{}{}:
	default:
	}
}

// RecvMsg reads the next message, or returns io.EOF after the last.
func (k *call) RecvMsg(m any) error {
	b, err := k.recv()
	if err != nil {
		if err == io.EOF && !k.method.early() {
			err = status.Error(codes.Internal, "the call has no message")
		}
		return err
	}
	if err := k.c.server.opts.Codec.Unmarshal(mem.BufferSlice{mem.SliceBuffer(b)}, m); err != nil {
		if _, ok := status.FromError(err); ok {
			return err
		}
		return status.Errorf(codes.Internal, "decoding a message: %v", err)
	}
	return nil
}

// recv waits for a message.
func (k *call) recv() ([]byte, error) {
	c := k.c
	for {
		c.mu.Lock()
		switch {
		case k.gone:
			c.mu.Unlock()
			return nil, k.closed()
		case len(k.queue) > 0:
			b := k.queue[0]
			k.queue[0] = nil
			k.queue = k.queue[1:]
			k.queued -= len(b)
			err := k.credit()
			c.mu.Unlock()
			if err != nil {
				c.cut(err)
			}
			return b, nil
		case k.failed != nil:
			c.mu.Unlock()
			return nil, k.failed
		case k.finished:
			c.mu.Unlock()
			return nil, io.EOF
		}
		c.mu.Unlock()
		select {
		case <-k.arrived:
		case <-k.ctx.Done():
			return nil, k.closed()
		}
	}
}

// credit gives the client credit for what was received, unless its messages wait to be
// taken. It holds the connection's mu.
func (k *call) credit() error {
	if k.queued > readAhead || k.received < callWindow/4 || !k.open {
		return nil
	}
	n := k.received
	k.received = 0
	k.granted += n
	return k.c.queueLocked(func(b []byte) []byte { return appendWindowUpdate(b, k.id, n) })
}
