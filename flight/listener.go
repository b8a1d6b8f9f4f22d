package flight

import (
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
}

// Accept returns the next connection.
func (l *connListener) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	addr := connAddr{Addr: c.RemoteAddr(), id: strconv.FormatUint(l.next.Add(1), 10)}
	return &conn{Conn: c, addr: addr, closed: l.closed}, nil
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
}

// RemoteAddr returns the address with the identity.
func (c *conn) RemoteAddr() net.Addr { return c.addr }

// Close closes the connection and tells so, once.
func (c *conn) Close() error {
	err := c.Conn.Close()
	c.once.Do(func() { c.closed(connKey(c.addr)) })
	return err
}
