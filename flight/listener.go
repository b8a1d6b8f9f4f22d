package flight

import (
	"log/slog"
	"net"
	"strconv"
	"sync"
	"sync/atomic"
)

// A connListener gives every connection an identity and tells when it closes.
// That costs nothing per call, unlike gRPC's stats handler.
type connListener struct {
	net.Listener
	next   atomic.Uint64
	closed func(key string)
	limit  int // connections at a time
	open   atomic.Int64
	log    *slog.Logger
	plain  bool // without TLS
	hello  sync.Once
}

// Accept returns the next connection. One beyond the limit is closed at once.
func (l *connListener) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	for err == nil && l.open.Load() >= int64(l.limit) {
		l.log.Warn("connection refused", "from", c.RemoteAddr().String(), "open", l.open.Load())
		c.Close()
		c, err = l.Listener.Accept()
	}
	if err != nil {
		return nil, err
	}
	if t, ok := c.(*net.TCPConn); ok && isLoopback(c.RemoteAddr()) {
		_ = t.SetWriteBuffer(localBuffer) // it works without, too
	}
	l.open.Add(1)
	addr := connAddr{Addr: c.RemoteAddr(), id: strconv.FormatUint(l.next.Add(1), 10)}
	out := &conn{Conn: c, addr: addr, closed: func(key string) {
		l.open.Add(-1)
		l.closed(key)
	}}
	if l.plain {
		out.first = l.greeted
	}
	return out, nil
}

// localBuffer is how many bytes may wait in the kernel for a client on this machine (Linux
// takes twice that): what a client takes out of the cache costs it a quarter less time
// than what had to go to memory meanwhile. Others need what their network holds, which
// the kernel finds out.
const localBuffer = 416 << 10

func isLoopback(a net.Addr) bool {
	t, ok := a.(*net.TCPAddr)
	return ok && t.IP.IsLoopback()
}

// tlsHandshake is how the first record of a TLS client begins.
const tlsHandshake = 0x16

// greeted looks at the first byte of a connection: a client that speaks TLS to a
// server without waits in vain and blames the network, so the server's log has it,
// once.
func (l *connListener) greeted(b byte, from net.Addr) {
	if b == tlsHandshake {
		l.hello.Do(func() {
			l.log.Warn("TLS handshake on a plaintext port", "from", from.String(),
				"hint", "let the client connect without TLS (JDBC and ODBC: useEncryption=false; flightsql://…?transport=tcp), or serve with --tls-cert and --tls-key")
		})
	}
}

// A connAddr is the address of a peer with the identity of its connection: port
// numbers are used again.
type connAddr struct {
	net.Addr
	id string
}

type conn struct {
	net.Conn
	addr   connAddr
	once   sync.Once
	closed func(key string)
	// first is told the first byte; nil once it was, or if nobody asks.
	first func(b byte, from net.Addr)
}

// Read reads from the connection. One goroutine reads at a time.
func (c *conn) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	if n > 0 && c.first != nil {
		c.first(p[0], c.addr)
		c.first = nil
	}
	return n, err
}

// RemoteAddr returns the address with the identity.
func (c *conn) RemoteAddr() net.Addr { return c.addr }

// Close closes the connection and tells so, once.
func (c *conn) Close() error {
	err := c.Conn.Close()
	c.once.Do(func() { c.closed(connKey(c.addr)) })
	return err
}

// WriteBuffers writes many buffers in one call of the system.
func (c *conn) WriteBuffers(b *net.Buffers) (int64, error) { return b.WriteTo(c.Conn) }

// CloseWrite tells the peer that nothing more comes.
func (c *conn) CloseWrite() error {
	if w, ok := c.Conn.(interface{ CloseWrite() error }); ok {
		return w.CloseWrite()
	}
	return c.Close()
}
