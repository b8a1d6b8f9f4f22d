package transport

import (
	"errors"
	"io"
	"net"
	"os"
	"time"
)

// Sizes of the buffer of a connection: it grows where the client keeps it full.
const (
	firstBuffer = 16 << 10
	mostBuffer  = 256 << 10
	// direct is from how many bytes on those of a message are read to their place.
	direct = 64 << 10
)

// An input reads a connection.
type input struct {
	raw      net.Conn
	buf      []byte
	from, to int // what is read and not yet taken
	// quiet is after which time without a byte lives is called, patience how long there is
	// to be a byte after it.
	quiet, patience time.Duration
	lives           func()
	asked           bool
	// until is the time after which there is no waiting at all, unless zero.
	until time.Time
}

// have is how many bytes can be taken without waiting.
func (in *input) have() int { return in.to - in.from }

// need returns the next n bytes, which stay; they are good until the next call.
func (in *input) need(n int) ([]byte, error) {
	for in.have() < n {
		if err := in.fill(n); err != nil {
			return nil, err
		}
	}
	return in.buf[in.from : in.from+n], nil
}

// take returns the next n bytes; they are good until the next call.
func (in *input) take(n int) ([]byte, error) {
	b, err := in.need(n)
	if err == nil {
		in.from += n
	}
	return b, err
}

// skip takes n bytes.
func (in *input) skip(n int) error {
	for n > 0 {
		if in.have() == 0 {
			if err := in.fill(1); err != nil {
				return err
			}
		}
		k := min(n, in.have())
		in.from += k
		n -= k
	}
	return nil
}

// full takes len(p) bytes.
func (in *input) full(p []byte) error {
	for {
		k := copy(p, in.buf[in.from:in.to])
		in.from += k
		p = p[k:]
		if len(p) == 0 {
			return nil
		}
		if len(p) < direct {
			if err := in.fill(1); err != nil {
				return err
			}
			continue
		}
		n, err := in.read(p)
		p = p[n:]
		if err != nil && len(p) > 0 {
			return err
		}
	}
}

// fill reads what there is, into a buffer that has room for n bytes in all.
func (in *input) fill(n int) error {
	switch {
	case in.from == in.to:
		in.from, in.to = 0, 0
	case in.from+n > len(in.buf) || in.to == len(in.buf):
		in.to = copy(in.buf, in.buf[in.from:in.to])
		in.from = 0
	}
	if n > len(in.buf) {
		in.grow(n)
	}
	k, err := in.read(in.buf[in.to:])
	in.to += k
	if in.to == len(in.buf) && k > 0 && len(in.buf) < mostBuffer {
		in.grow(min(2*len(in.buf), mostBuffer)) // there is more than it holds
	}
	return err
}

func (in *input) grow(n int) {
	buf := make([]byte, n)
	copy(buf, in.buf[:in.to])
	in.buf = buf
}

var errSilent = errors.New("the client does not answer")

// read reads at least a byte, or fails.
func (in *input) read(p []byte) (int, error) {
	for {
		wait := in.quiet
		if in.asked {
			wait = in.patience
		}
		at := time.Now().Add(wait)
		if !in.until.IsZero() && in.until.Before(at) {
			at = in.until
		}
		if err := in.raw.SetReadDeadline(at); err != nil {
			return 0, err
		}
		n, err := in.raw.Read(p)
		if n > 0 {
			in.asked = false
			return n, nil
		}
		if err == nil {
			err = io.ErrNoProgress
		}
		if !errors.Is(err, os.ErrDeadlineExceeded) {
			return 0, err
		}
		if in.asked || !in.until.IsZero() {
			return 0, errSilent
		}
		in.asked = true
		in.lives()
	}
}
