package socket

import (
	"fmt"
	"io"
	"net"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"go.uber.org/goleak"

	"github.com/flightd/flightd/internal/base"
	"github.com/flightd/flightd/sources"
	"github.com/flightd/flightd/sources/sourcetest"
)

// server is what nc -lk is: it writes to whoever connected last.
type server struct {
	ln   net.Listener
	conn net.Conn
}

func listen(t *testing.T) *server {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &server{ln: ln}
	t.Cleanup(func() {
		ln.Close()
		s.hangUp()
	})
	return s
}

func (s *server) hangUp() {
	if s.conn != nil {
		s.conn.Close()
	}
}

func (s *server) options(more ...string) base.Options {
	host, port, _ := net.SplitHostPort(s.ln.Addr().String())
	o := base.Options{"host": host, "PORT": port}
	for i := 0; i < len(more); i += 2 {
		o[more[i]] = more[i+1]
	}
	return o
}

// connect opens a source whose first line is behind at.
func (s *server) connect(t *testing.T, at base.Offset, more ...string) *Source {
	t.Helper()
	src, err := Providers()[0].Stream(t.Context(), sources.Config{Options: s.options(more...)})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := src.Latest(t.Context(), at, sources.Limit{}); err != nil {
		t.Fatal(err)
	}
	s.hangUp()
	if s.conn, err = s.ln.Accept(); err != nil {
		t.Fatal(err)
	}
	return src.(*Source)
}

// send writes text and waits until src has n lines more.
func (s *server) send(t *testing.T, src *Source, text string, n int64) {
	t.Helper()
	had, _ := src.lines.end()
	if _, err := io.WriteString(s.conn, text); err != nil {
		t.Fatal(err)
	}
	await(t, fmt.Sprintf("%d lines", n), func() bool {
		has, _ := src.lines.end()
		return has == had+n
	})
}

func await(t *testing.T, what string, done func() bool) {
	t.Helper()
	for range 5000 {
		if done() {
			return
		}
		time.Sleep(time.Millisecond)
	}
	t.Fatalf("%s did not come", what)
}

func TestContract(t *testing.T) {
	for _, times := range []string{"false", "true"} {
		srv, next := listen(t), 0
		var src *Source
		sourcetest.Run(t, sourcetest.Harness{
			Volatile: true,
			Open: func(t *testing.T) sources.Source {
				src = srv.connect(t, "0", "includeTimestamp", times)
				t.Cleanup(srv.hangUp)
				return src
			},
			Add: func(t *testing.T) {
				var text strings.Builder
				for range 4 {
					fmt.Fprintf(&text, "line %d\n", next)
					next++
				}
				srv.send(t, src, text.String(), 4)
			},
		})
		srv.ln.Close()
	}
}

func TestLineEndsAndEncoding(t *testing.T) {
	srv := listen(t)
	src := srv.connect(t, "")
	defer src.Close()
	srv.send(t, src, "unix\nwindows\r\n\nbad \xff\xfe byte\n", 4)
	srv.conn.Write([]byte("last"))
	srv.hangUp()
	await(t, "the last line", func() bool { n, _ := src.lines.end(); return n == 5 })
	want := []string{"unix", "windows", "", "bad \uFFFD byte", "last"}
	if got := sourcetest.ReadRange(t, src, "0", "5", sources.Scan{}); !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	if to, err := src.Latest(t.Context(), "5", sources.Limit{}); to != "5" || err != nil {
		t.Errorf("after the server's end: %s, %v", to, err)
	}
}

func TestTimestampsAreOfTheClock(t *testing.T) {
	srv := listen(t)
	clock := base.NewVirtualClock(time.Date(2024, 1, 1, 12, 0, 0, 5e6, time.UTC))
	src, err := Providers()[0].Stream(t.Context(), sources.Config{Options: srv.options("includeTimestamp", "true"), Clock: clock})
	if err != nil {
		t.Fatal(err)
	}
	defer src.Close()
	if _, err := src.Initial(t.Context()); err != nil {
		t.Fatal(err)
	}
	srv.conn, _ = srv.ln.Accept()
	srv.send(t, src.(*Source), "a\n", 1)
	clock.Advance(time.Hour)
	srv.send(t, src.(*Source), "b\n", 1)
	want := []string{"2024-01-01T12:00:00.005Z", "2024-01-01T13:00:00.005Z"}
	if got := sourcetest.ReadRange(t, src, "0", "2", sources.Scan{Columns: []int{1}}); !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

// After a restart the range that was planned is empty, and the lines of the new
// connection go on behind it, none of them lost.
func TestRestart(t *testing.T) {
	srv := listen(t)
	src, err := Providers()[0].Stream(t.Context(), sources.Config{Options: srv.options()})
	if err != nil {
		t.Fatal(err)
	}
	if got := sourcetest.ReadRange(t, src, "3", "5", sources.Scan{}); len(got) != 0 {
		t.Errorf("lost lines: got %v", got)
	}
	if to, err := src.Latest(t.Context(), "5", sources.Limit{}); to != "5" || err != nil {
		t.Errorf("got %s, %v", to, err)
	}
	srv.conn, _ = srv.ln.Accept()
	srv.send(t, src.(*Source), "six\nseven\n", 2)
	if got := sourcetest.ReadRange(t, src, "5", "7", sources.Scan{}); !slices.Equal(got, []string{"six", "seven"}) {
		t.Errorf("got %v", got)
	}
	if err := src.Commit(t.Context(), "6"); err != nil {
		t.Error(err)
	}
	if got := sourcetest.ReadRange(t, src, "6", "7", sources.Scan{}); !slices.Equal(got, []string{"seven"}) {
		t.Errorf("after a commit: got %v", got)
	}
	if _, err := src.Latest(t.Context(), "9", sources.Limit{}); base.CodeOf(err) != base.CodeCorrupt {
		t.Errorf("an offset beyond all lines: got %v", err)
	}
	src.Close()
}

// A server that is faster than the query is held back, and goes on when lines are
// committed; Close ends a source that waits for room.
func TestBufferIsBounded(t *testing.T) {
	before := goleak.IgnoreCurrent()
	srv := listen(t)
	src := srv.connect(t, "")
	stop := make(chan struct{})
	go func() {
		defer close(stop)
		line := []byte(strings.Repeat("x", 1<<20-1) + "\n")
		for {
			if _, err := srv.conn.Write(line); err != nil {
				return
			}
		}
	}()
	full := func() bool {
		src.lines.mu.Lock()
		defer src.lines.mu.Unlock()
		return src.lines.bytes >= maxBuffered
	}
	await(t, "a full buffer", full)
	n, _ := src.lines.end()
	if err := src.Commit(t.Context(), base.Offset(fmt.Sprint(n))); err != nil {
		t.Error(err)
	}
	await(t, "a full buffer once more", full)
	if again, _ := src.lines.end(); again > 2*n+1 || src.lines.bytes > maxBuffered+2<<20 {
		t.Errorf("%d lines, then %d; %d bytes", n, again, src.lines.bytes)
	}
	src.Close()
	srv.hangUp()
	<-stop
	if err := goleak.Find(before); err != nil {
		t.Error(err)
	}
}

func TestTooLongLine(t *testing.T) {
	srv := listen(t)
	src := srv.connect(t, "")
	defer src.Close()
	go srv.conn.Write([]byte("short\n" + strings.Repeat("x", maxLine+1)))
	await(t, "the error", func() bool { _, err := src.lines.end(); return err != nil })
	if to, err := src.Latest(t.Context(), "0", sources.Limit{}); to != "1" || err != nil {
		t.Errorf("before the long line: %s, %v", to, err)
	}
	if _, err := src.Latest(t.Context(), "1", sources.Limit{}); base.CodeOf(err) != base.CodeExhausted || !strings.Contains(err.Error(), "line 1") {
		t.Errorf("got %v", err)
	}
}

func TestNobodyListens(t *testing.T) {
	srv := listen(t)
	srv.ln.Close()
	src, err := Providers()[0].Stream(t.Context(), sources.Config{Options: srv.options()})
	if err != nil {
		t.Fatal(err)
	}
	defer src.Close()
	if _, err := src.Initial(t.Context()); base.CodeOf(err) != base.CodeUnavailable || !strings.Contains(err.Error(), srv.ln.Addr().String()) {
		t.Errorf("got %v", err)
	}
}

func TestOptions(t *testing.T) {
	other := arrow.NewSchema([]arrow.Field{{Name: "line", Type: arrow.BinaryTypes.String}}, nil)
	for _, cfg := range []sources.Config{
		{}, {Options: base.Options{"host": "h"}}, {Options: base.Options{"port": "1"}}, {Options: base.Options{"host": "h", "port": "x"}},
		{Options: base.Options{"host": "h", "port": "70000"}}, {Options: base.Options{"host": "h", "port": "1", "includeTimestamp": "perhaps"}},
		{Options: base.Options{"host": "h", "port": "1"}, Schema: other},
	} {
		if _, err := Providers()[0].Stream(t.Context(), cfg); base.CodeOf(err) != base.CodeInvalid {
			t.Errorf("%v: got %v", cfg.Options, err)
		}
	}
}
