package columnar

import (
	"bytes"
	"errors"
	"io"

	"github.com/flightd/flightd/internal/base"
)

// MaxLine is the most bytes of one line, so that a file without line ends cannot
// take all memory.
const MaxLine = 64 << 20

// MaxBatchBytes is how much text at most becomes one record batch, so that no
// column passes the 2 GiB that an Arrow array can hold.
const MaxBatchBytes = 128 << 20

// Lines cuts a stream of bytes at line ends: \n, \r\n, or \r.
type Lines struct {
	r          io.Reader
	sep        []byte // nil: the three line ends
	buf        []byte
	start, end int
	eof        bool
	number     int64
	err        error
}

// NewLines returns the lines of r. sep is the line end, or "" for the usual
// three. A byte order mark at the start is skipped.
func NewLines(r io.Reader, sep string) *Lines {
	l := &Lines{r: r, buf: make([]byte, 256<<10)}
	if sep != "" && sep != "\n" {
		l.sep = []byte(sep)
	}
	for l.end < 3 && !l.eof && l.err == nil {
		l.fill()
	}
	if bytes.HasPrefix(l.buf[:l.end], []byte("\xef\xbb\xbf")) {
		l.start = 3
	}
	return l
}

// Number returns the 1-based number of the line that Next returned last.
func (l *Lines) Number() int64 { return l.number }

// Next returns the next line without its end, or io.EOF. The bytes are valid
// until the following call.
func (l *Lines) Next() ([]byte, error) {
	searched := l.start
	for {
		if i, skip := l.find(searched); i >= 0 {
			line := l.buf[l.start:i]
			l.start = i + skip
			l.number++
			return line, nil
		}
		if l.err != nil {
			return nil, l.err
		}
		if l.eof {
			if l.start == l.end {
				return nil, io.EOF
			}
			line := l.buf[l.start:l.end]
			if l.sep == nil && line[len(line)-1] == '\r' {
				line = line[:len(line)-1]
			}
			l.start = l.end
			l.number++
			return line, nil
		}
		if l.end-l.start > MaxLine {
			return nil, base.Errorf(base.CodeExhausted, "line %d is longer than %d bytes", l.number+1, MaxLine)
		}
		// A separator may straddle the end of what was there.
		back := max(1, len(l.sep)-1)
		kept := max(0, l.end-l.start-back)
		l.fill()
		searched = l.start + kept
	}
}

// find returns the first line end at or after from, and its length.
func (l *Lines) find(from int) (at, size int) {
	b := l.buf[from:l.end]
	if l.sep != nil {
		i := bytes.Index(b, l.sep)
		if i < 0 {
			return -1, 0
		}
		return from + i, len(l.sep)
	}
	n := bytes.IndexByte(b, '\n')
	window := b
	if n >= 0 {
		window = b[:n]
	}
	if r := bytes.IndexByte(window, '\r'); r >= 0 {
		switch {
		case r+1 == n:
			return from + r, 2
		case r+1 < len(b):
			return from + r, 1
		default: // the byte after \r is not there yet
			return -1, 0
		}
	}
	if n < 0 {
		return -1, 0
	}
	return from + n, 1
}

func (l *Lines) fill() {
	if l.start > 0 {
		copy(l.buf, l.buf[l.start:l.end])
		l.end -= l.start
		l.start = 0
	}
	if l.end == len(l.buf) {
		l.buf = append(l.buf, make([]byte, len(l.buf))...)
	}
	for tries := 0; ; tries++ {
		n, err := l.r.Read(l.buf[l.end:])
		l.end += n
		switch {
		case errors.Is(err, io.EOF):
			l.eof = true
		case err != nil:
			l.err = err
		case n == 0 && tries > 100:
			l.err = io.ErrNoProgress
		case n == 0:
			continue
		}
		return
	}
}
