package columnar

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math"

	"github.com/flightd/flightd/internal/base"
)

// MaxLine is the most bytes of one line, so that a file without line ends cannot
// take all memory.
const MaxLine = 64 << 20

// MaxBatchBytes is how much text at most becomes one record batch, so that no
// column passes the 2 GiB that an Arrow array can hold.
const MaxBatchBytes = 128 << 20

// LinePad is how many bytes may be read behind a line that Next returned, so
// that a word can be loaded at any of its bytes. What they hold is not said.
const LinePad = 64

// A Range is a part of a file: the lines that begin behind a line end at or after
// Begin and before End. The first range of a file begins at 0 and has its first
// line as well. Ranges that follow each other hold each line of a file once.
type Range struct{ Begin, End int64 }

// WholeFile is the range of all lines.
func WholeFile() Range { return Range{0, math.MaxInt64} }

// Lines cuts a stream of bytes at line ends: \n, \r\n, or \r.
type Lines struct {
	r          io.Reader
	sep        []byte // nil: the three line ends
	buf        []byte // with LinePad bytes that are never filled
	start, end int
	// No byte before cr and not before start is \r; the same of high and bytes
	// above 127. The byte at cr or high is one, or was not looked at yet.
	cr, high int
	eof      bool
	ascii    bool
	number   int64
	// at is where in the file buf begins; a line that begins after last is none.
	at, last int64
	begin    int64 // of the range
	err      error
}

// NewLines returns the lines of r. sep is the line end, or "" for the usual
// three. A byte order mark at the start is skipped.
func NewLines(r io.Reader, sep string) *Lines { return NewLinesIn(r, sep, WholeFile()) }

// NewLinesIn returns the lines of a range of a file, which r reads from where the
// range begins on and to the end of the file. If sep has more than one byte the
// range must be the whole file.
func NewLinesIn(r io.Reader, sep string, in Range) *Lines {
	l := &Lines{r: r, buf: make([]byte, 256<<10+LinePad), at: in.Begin, begin: in.Begin, last: in.End}
	if sep != "" && sep != "\n" {
		l.sep = []byte(sep)
	}
	if in.Begin > 0 { // the line before has another reader
		if _, err := l.Next(); err != nil && !errors.Is(err, io.EOF) {
			l.err = err
		}
		l.number = 0
		return l
	}
	for l.end < 3 && !l.eof && l.err == nil {
		l.fill()
	}
	if bytes.HasPrefix(l.buf[:l.end], []byte("\xef\xbb\xbf")) {
		l.start, l.cr, l.high = 3, 3, 3
	}
	return l
}

// Position tells for messages where the line is that Next returned last: line 17,
// counted from 1, or line 17 behind byte 16777216 in a range that begins there.
func (l *Lines) Position() string {
	if l.begin > 0 {
		return fmt.Sprintf("line %d behind byte %d", l.number, l.begin)
	}
	return fmt.Sprintf("line %d", l.number)
}

// ASCII reports whether the line that Next returned last has no byte above 127.
func (l *Lines) ASCII() bool { return l.ascii }

// Next returns the next line without its end, or io.EOF. The bytes are valid
// until the following call; LinePad more may be read.
func (l *Lines) Next() ([]byte, error) {
	if l.at+int64(l.start) > l.last {
		return nil, io.EOF
	}
	searched := l.start
	for {
		if i, skip := l.find(searched); i >= 0 {
			return l.line(i, i+skip), nil
		}
		if l.err != nil {
			return nil, l.err
		}
		if l.eof {
			if l.start == l.end {
				return nil, io.EOF
			}
			to := l.end
			if l.sep == nil && l.buf[to-1] == '\r' {
				to--
			}
			return l.line(to, l.end), nil
		}
		if l.end-l.start > MaxLine {
			return nil, base.Errorf(base.CodeExhausted, "the line after %s is longer than %d bytes", l.Position(), MaxLine)
		}
		// A separator may straddle the end of what was there.
		back := max(1, len(l.sep)-1)
		kept := max(0, l.end-l.start-back)
		l.fill()
		searched = l.start + kept
	}
}

// line passes the line that ends at to, the next one begins at next.
func (l *Lines) line(to, next int) []byte {
	if l.high < to {
		l.high = firstHigh(l.buf[:l.end], max(l.high, l.start))
	}
	l.ascii = l.high >= to
	line := l.buf[l.start:to]
	l.start = next
	l.number++
	return line
}

// find returns the first line end at or after from, and its length.
func (l *Lines) find(from int) (at, size int) {
	if l.sep != nil {
		i := bytes.Index(l.buf[from:l.end], l.sep)
		if i < 0 {
			return -1, 0
		}
		return from + i, len(l.sep)
	}
	if l.cr < from || l.cr < l.end && l.buf[l.cr] != '\r' {
		l.cr = max(l.cr, from)
		if i := bytes.IndexByte(l.buf[l.cr:l.end], '\r'); i >= 0 {
			l.cr += i
		} else {
			l.cr = l.end
		}
	}
	if n := bytes.IndexByte(l.buf[from:l.cr], '\n'); n >= 0 {
		return from + n, 1
	}
	switch {
	case l.cr+1 >= l.end: // there is no \r, or the byte after it is not there yet
		return -1, 0
	case l.buf[l.cr+1] == '\n':
		return l.cr, 2
	}
	return l.cr, 1
}

func (l *Lines) fill() {
	if l.start > 0 {
		copy(l.buf, l.buf[l.start:l.end])
		l.end -= l.start
		l.cr, l.high = max(0, l.cr-l.start), max(0, l.high-l.start)
		l.at += int64(l.start)
		l.start = 0
	}
	if l.end == len(l.buf)-LinePad {
		l.buf = append(l.buf, make([]byte, len(l.buf))...)
	}
	for tries := 0; ; tries++ {
		n, err := l.r.Read(l.buf[l.end : len(l.buf)-LinePad])
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
