package socket

import (
	"bufio"
	"errors"
	"net"
	"slices"
	"strings"
	"sync"

	"github.com/flightd/flightd/internal/base"
)

// Bounds of memory. A server that sends faster than the query commits is not read
// until it does.
const (
	maxLine     = 16 << 20
	maxBuffered = 64 << 20
	// lineBytes is what a line takes beside its text.
	lineBytes = 24
)

// lines are those of one connection that were not committed.
type lines struct {
	clock base.Clock
	conn  net.Conn
	done  sync.WaitGroup // the receiving goroutine

	mu     sync.Mutex
	room   sync.Cond // the buffer shrank, or closed is set
	first  int64     // number of the first line of texts
	texts  []string
	times  []int64 // when they came, in microseconds since 1970
	bytes  int
	err    error // why nothing follows; nil while connected and after the server's end
	closed bool
}

// receive starts to read lines of conn; the first has the number first.
func receive(conn net.Conn, clock base.Clock, first int64) *lines {
	l := &lines{clock: clock, conn: conn, first: first}
	l.room.L = &l.mu
	l.done.Add(1)
	go l.run()
	return l
}

func (l *lines) run() {
	defer l.done.Done()
	in := bufio.NewScanner(l.conn)
	in.Buffer(make([]byte, 0, 64<<10), maxLine)
	for in.Scan() {
		if !l.put(strings.ToValidUTF8(in.Text(), "\uFFFD")) {
			return
		}
	}
	err := in.Err()
	if err == nil {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if errors.Is(err, bufio.ErrTooLong) {
		l.err = base.Errorf(base.CodeExhausted, "line %d has more than %d bytes", l.first+int64(len(l.texts)), maxLine)
	} else {
		l.err = base.Errorf(base.CodeUnavailable, "reading line %d", l.first+int64(len(l.texts))).Because(err)
	}
}

// put waits for room and keeps a line; false means that the source was closed.
func (l *lines) put(text string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	for l.bytes >= maxBuffered && !l.closed {
		l.room.Wait()
	}
	if l.closed {
		return false
	}
	l.texts = append(l.texts, text)
	l.times = append(l.times, l.clock.Now().UnixMilli()*1000)
	l.bytes += len(text) + lineBytes
	return true
}

// end returns the number behind the last line that came, and why no more will.
func (l *lines) end() (int64, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.first + int64(len(l.texts)), l.err
}

// view returns the lines that there are from lo up to and without hi, and the
// number of the first of them.
func (l *lines) view(lo, hi int64) (first int64, texts []string, times []int64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	lo = max(lo, l.first)
	if lo >= hi {
		return hi, nil, nil
	}
	return lo, l.texts[lo-l.first : hi-l.first], l.times[lo-l.first : hi-l.first]
}

// drop forgets the lines before number to.
func (l *lines) drop(to int64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	n := min(to-l.first, int64(len(l.texts)))
	if n <= 0 {
		return
	}
	for _, t := range l.texts[:n] {
		l.bytes -= len(t) + lineBytes
	}
	l.texts, l.times, l.first = slices.Clone(l.texts[n:]), slices.Clone(l.times[n:]), l.first+n
	l.room.Broadcast()
}

// close ends the connection and the goroutine.
func (l *lines) close() {
	l.mu.Lock()
	l.closed = true
	l.room.Broadcast()
	l.mu.Unlock()
	l.conn.Close()
	l.done.Wait()
}
