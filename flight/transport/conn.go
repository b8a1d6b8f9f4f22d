package transport

import (
	"context"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"sync"
	"time"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/peer"

	"github.com/flightd/flightd/internal/base"
)

// leaveTime is how long a client has to close a connection that this server has ended.
const leaveTime = time.Second

var (
	errStopped = errors.New("the server has stopped")
	errDrained = errors.New("the last call of a connection that ends is over")
)

// A conn is one connection. Its goroutine reads; what others touch too is below mu.
type conn struct {
	server *Server
	raw    net.Conn
	ctx    context.Context // of all its calls
	cancel context.CancelFunc
	in     input
	fields fields
	out    output

	mu     sync.Mutex
	calls  map[uint32]*call
	lastID uint32 // the newest stream of the client
	// window is what may be sent, callWindow what a new call may send, and frame the
	// size of a frame that the client takes.
	window, callWindow int
	frame              int
	// starved are the calls that wait for window.
	starved []*call
	// control are the frames that are to be written; flushing says that a goroutine does.
	control  []byte
	flushing bool
	// received is what was read since the client was last given credit.
	received int
	// ready says that hands are shaken.
	ready, draining bool
	ended           error // why there is nothing more to write
	// most is the size of headers that the client takes, 0 without a limit.
	most int
}

func newConn(s *Server, raw net.Conn) *conn {
	return &conn{server: s, raw: raw, calls: map[uint32]*call{}, window: firstWindow, callWindow: firstWindow, frame: leastFrame}
}

// run serves the connection until its end.
func (c *conn) run() {
	err := c.greet()
	for err == nil {
		err = c.next()
		var r *reset
		if errors.As(err, &r) {
			c.reset(r)
			err = nil
		}
	}
	c.end(err)
}

// greet shakes hands and exchanges settings.
func (c *conn) greet() error {
	o := &c.server.opts
	deadline := time.Now().Add(o.ConnectTime)
	if err := c.raw.SetDeadline(deadline); err != nil {
		return err
	}
	var auth credentials.AuthInfo
	if o.Credentials != nil {
		secure, info, err := o.Credentials.ServerHandshake(c.raw)
		if err != nil {
			return base.Wrap(err, "shaking hands")
		}
		c.mu.Lock()
		c.raw = secure
		c.mu.Unlock()
		auth = info
	}
	p := &peer.Peer{Addr: c.raw.RemoteAddr(), LocalAddr: c.raw.LocalAddr(), AuthInfo: auth}
	c.ctx, c.cancel = context.WithCancel(peer.NewContext(context.Background(), p))
	c.out = output{raw: c.raw, encoder: newEncoder()}
	if v, ok := c.raw.(vectored); ok && o.Credentials == nil {
		c.out.vectored = v
	}
	c.fields.init(o.MaxHeaders)
	c.in = input{raw: c.raw, buf: make([]byte, firstBuffer), quiet: o.Quiet, patience: o.Patience, until: deadline, lives: c.ping}
	b, err := c.in.need(4)
	if err == nil && string(b) != preface[:4] {
		return c.misdialed(string(b))
	}
	if err == nil {
		b, err = c.in.need(len(preface))
	}
	if err != nil {
		return base.Wrap(err, "reading how the connection begins")
	}
	if string(b) != preface {
		return c.misdialed("")
	}
	c.in.from += len(preface)
	if err := c.raw.SetWriteDeadline(time.Time{}); err != nil {
		return err
	}
	settings := appendFrame(nil, http2.FrameSettings, 0, 0, 4*6)
	settings = appendSetting(settings, http2.SettingMaxConcurrentStreams, uint32(o.MaxCalls))
	settings = appendSetting(settings, http2.SettingInitialWindowSize, callWindow)
	settings = appendSetting(settings, http2.SettingMaxFrameSize, maxFrame)
	settings = appendSetting(settings, http2.SettingMaxHeaderListSize, uint32(o.MaxHeaders))
	c.mu.Lock()
	c.ready = true
	err = c.queueLocked(func(b []byte) []byte { return appendWindowUpdate(append(b, settings...), 0, connWindow-firstWindow) })
	c.mu.Unlock()
	if err != nil {
		return err
	}
	head, err := c.in.need(frameHead)
	if err != nil {
		return base.Wrap(err, "reading the client's settings")
	}
	if f := parseFrame(head); f.kind != http2.FrameSettings || f.flags&http2.FlagSettingsAck != 0 {
		return breach(http2.ErrCodeProtocol, "a connection begins with settings, not with %v", f.kind)
	}
	err = c.next()
	c.in.until = time.Time{}
	return err
}

// misdialed answers what is not HTTP/2 of a kind that a person reads; it begins with
// hello.
func (c *conn) misdialed(hello string) error {
	for _, m := range []string{"GET ", "POST", "HEAD", "PUT ", "OPTI"} {
		if hello == m {
			const text = "This port speaks Arrow Flight SQL (gRPC over HTTP/2), not HTTP/1.1. Connect with a Flight SQL driver.\n"
			_, _ = io.WriteString(c.raw, "HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain\r\nConnection: close\r\n\r\n"+text)
			return errors.New("the client speaks HTTP/1.1")
		}
	}
	return errors.New("the client does not speak HTTP/2")
}

// next reads a frame and does what it says.
func (c *conn) next() error {
	head, err := c.in.take(frameHead)
	if err != nil {
		return err
	}
	f := parseFrame(head)
	if f.size > maxFrame {
		return breach(http2.ErrCodeFrameSize, "a frame of %d bytes", f.size)
	}
	switch f.kind {
	case http2.FrameData:
		return c.data(f)
	case http2.FrameHeaders:
		return c.headers(f)
	case http2.FrameSettings:
		return c.settings(f)
	case http2.FramePing:
		return c.pinged(f)
	case http2.FrameWindowUpdate:
		return c.credited(f)
	case http2.FrameRSTStream:
		return c.cancelled(f)
	case http2.FramePriority:
		if f.id == 0 {
			return breach(http2.ErrCodeProtocol, "the priority of no stream")
		}
		if f.size != 5 {
			return errors.Join(c.in.skip(f.size), &reset{f.id, http2.ErrCodeFrameSize, "a priority"})
		}
	case http2.FrameGoAway:
		if f.id != 0 {
			return breach(http2.ErrCodeProtocol, "a stream goes away")
		}
	case http2.FrameContinuation, http2.FramePushPromise:
		return breach(http2.ErrCodeProtocol, "%v out of place", f.kind)
	}
	return c.in.skip(f.size)
}

// exactly takes the payload of a frame that has always the same size.
func (c *conn) exactly(f frame, size int) ([]byte, error) {
	if f.size != size {
		return nil, breach(http2.ErrCodeFrameSize, "%v of %d bytes", f.kind, f.size)
	}
	return c.in.take(size)
}

func (c *conn) settings(f frame) error {
	if f.id != 0 {
		return breach(http2.ErrCodeProtocol, "settings of a stream")
	}
	if f.flags&http2.FlagSettingsAck != 0 {
		_, err := c.exactly(f, 0)
		return err
	}
	if f.size%6 != 0 || f.size > maxSettings {
		return breach(http2.ErrCodeFrameSize, "settings of %d bytes", f.size)
	}
	b, err := c.in.take(f.size)
	if err != nil {
		return err
	}
	for ; len(b) > 0; b = b[6:] {
		if err := c.setting(http2.Setting{ID: http2.SettingID(binary.BigEndian.Uint16(b)), Val: binary.BigEndian.Uint32(b[2:])}); err != nil {
			return err
		}
	}
	return c.queue(func(b []byte) []byte { return appendFrame(b, http2.FrameSettings, http2.FlagSettingsAck, 0, 0) })
}

func (c *conn) setting(s http2.Setting) error {
	if err := s.Valid(); err != nil {
		code := http2.ErrCodeProtocol
		if e, ok := err.(http2.ConnectionError); ok {
			code = http2.ErrCode(e)
		}
		return breach(code, "the setting %v", s)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	switch s.ID {
	case http2.SettingInitialWindowSize:
		more := int(s.Val) - c.callWindow
		c.callWindow = int(s.Val)
		for _, k := range c.calls {
			if k.window += more; k.window > maxWindow {
				return breach(http2.ErrCodeFlowControl, "a window of %d bytes", k.window)
			}
			k.wake()
		}
	case http2.SettingMaxFrameSize:
		c.frame = int(s.Val)
	case http2.SettingMaxHeaderListSize:
		c.most = int(min(s.Val, maxWindow))
	case http2.SettingHeaderTableSize:
		c.out.tableSize.Store(min(s.Val, tableSize))
		c.out.tableChanged.Store(true)
	}
	return nil
}

func (c *conn) pinged(f frame) error {
	if f.id != 0 {
		return breach(http2.ErrCodeProtocol, "a ping of a stream")
	}
	b, err := c.exactly(f, 8)
	if err != nil || f.flags&http2.FlagPingAck != 0 {
		return err
	}
	return c.queue(func(to []byte) []byte {
		return append(appendFrame(to, http2.FramePing, http2.FlagPingAck, 0, 8), b...)
	})
}

// ping asks the client whether it lives.
func (c *conn) ping() {
	_ = c.queue(func(b []byte) []byte {
		return append(appendFrame(b, http2.FramePing, 0, 0, 8), "flightd?"...)
	})
}

func (c *conn) credited(f frame) error {
	b, err := c.exactly(f, 4)
	if err != nil {
		return err
	}
	n := int(binary.BigEndian.Uint32(b) & maxWindow)
	c.mu.Lock()
	defer c.mu.Unlock()
	if f.id == 0 {
		if n == 0 {
			return breach(http2.ErrCodeProtocol, "a credit of nothing")
		}
		if c.window += n; c.window > maxWindow {
			return breach(http2.ErrCodeFlowControl, "a window of %d bytes", c.window)
		}
		for _, k := range c.starved {
			k.wake()
		}
		c.starved = c.starved[:0]
		return nil
	}
	if c.idle(f.id) {
		return breach(http2.ErrCodeProtocol, "credit for stream %d, which nobody opened", f.id)
	}
	k := c.calls[f.id]
	if k == nil {
		return nil
	}
	if n == 0 {
		return &reset{f.id, http2.ErrCodeProtocol, "a credit of nothing"}
	}
	if k.window += n; k.window > maxWindow {
		return &reset{f.id, http2.ErrCodeFlowControl, "a window that is too large"}
	}
	k.wake()
	return nil
}

// idle reports whether nobody has opened a stream yet. It holds mu.
func (c *conn) idle(id uint32) bool { return id%2 == 0 || id > c.lastID }

func (c *conn) cancelled(f frame) error {
	if _, err := c.exactly(f, 4); err != nil {
		return err
	}
	c.mu.Lock()
	idle, k := c.idle(f.id), c.calls[f.id]
	c.mu.Unlock()
	if idle {
		return breach(http2.ErrCodeProtocol, "stream %d, which nobody opened, is cancelled", f.id)
	}
	if k != nil {
		k.abandon()
	}
	return nil
}

// reset ends a stream, and its call if there is one.
func (c *conn) reset(r *reset) {
	c.mu.Lock()
	k := c.calls[r.id]
	c.mu.Unlock()
	if k != nil {
		k.abandon()
	}
	c.server.opts.Log.Debug("stream reset", "from", c.raw.RemoteAddr(), "why", r)
	_ = c.queue(func(b []byte) []byte { return appendReset(b, r.id, r.code) })
}

// queue makes control frames due, which add appends.
func (c *conn) queue(add func([]byte) []byte) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.queueLocked(add)
}

func (c *conn) queueLocked(add func([]byte) []byte) error {
	if c.ended != nil {
		return nil
	}
	c.control = add(c.control)
	if len(c.control) > maxControl {
		return breach(http2.ErrCodeEnhanceYourCalm, "the client wants answers and reads none")
	}
	if !c.flushing {
		c.flushing = true
		c.server.running.Add(1)
		go c.flush()
	}
	return nil
}

// flush writes control frames as long as there are some.
func (c *conn) flush() {
	defer c.server.running.Done()
	for {
		c.writeControl()
		c.mu.Lock()
		if len(c.control) == 0 {
			c.flushing = false
			c.mu.Unlock()
			return
		}
		c.mu.Unlock()
	}
}

// writeControl writes the control frames that there are.
func (c *conn) writeControl() {
	c.out.mu.Lock()
	defer c.out.mu.Unlock()
	c.takeControl()
	c.out.write(c)
}

// takeControl adds the control frames to what is to be written. It holds out.mu.
func (c *conn) takeControl() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.control) > 0 {
		c.out.copy(c.control)
		c.control = c.control[:0]
	}
}

// drain takes no more calls; the connection ends with the last.
func (c *conn) drain() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.draining || c.ended != nil {
		return
	}
	c.draining = true
	if !c.ready {
		c.ended = errDrained
		c.raw.Close()
		return
	}
	last := c.lastID
	_ = c.queueLocked(func(b []byte) []byte { return appendGoAway(b, last, http2.ErrCodeNo, "the server ends") })
	if len(c.calls) == 0 {
		c.leaves()
	}
}

// leaves ends a connection without calls. It holds mu.
func (c *conn) leaves() {
	c.server.running.Add(1)
	go func() {
		defer c.server.running.Done()
		c.writeControl()
		c.cut(errDrained)
	}()
}

// cut ends what is written, and with it reading and all calls.
func (c *conn) cut(why error) {
	c.mu.Lock()
	first := c.ended == nil
	if first {
		c.ended = why
	}
	raw := c.raw
	c.mu.Unlock()
	if !first {
		return
	}
	if w, ok := raw.(interface{ CloseWrite() error }); ok && why == errDrained && w.CloseWrite() == nil {
		// The client sees the end and closes; a Close here would take from it what it has
		// not read yet.
		time.AfterFunc(leaveTime, func() { raw.Close() })
		return
	}
	raw.Close()
}

// end is what happens when there is nothing more to read.
func (c *conn) end(err error) {
	var b *broken
	c.mu.Lock()
	ready := c.ready
	c.mu.Unlock()
	if errors.As(err, &b) && ready {
		c.mu.Lock()
		last := c.lastID
		_ = c.queueLocked(func(p []byte) []byte { return appendGoAway(p, last, b.code, b.why) })
		c.mu.Unlock()
		_ = c.raw.SetWriteDeadline(time.Now().Add(leaveTime))
		c.writeControl()
	}
	if err != io.EOF {
		c.server.opts.Log.Debug("connection ended", "from", c.raw.RemoteAddr(), "why", err)
	}
	c.cut(err)
	c.raw.Close()
	if c.cancel != nil {
		c.cancel()
	}
	c.mu.Lock()
	calls := make([]*call, 0, len(c.calls))
	for _, k := range c.calls {
		calls = append(calls, k)
	}
	c.mu.Unlock()
	for _, k := range calls {
		k.abandon()
	}
}

func newEncoder() *encoder {
	e := &encoder{}
	e.Encoder = hpack.NewEncoder(&e.block)
	return e
}
