package flightd_test

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"sync"
	"testing"

	"github.com/flightd/flightd"
)

// lockedBuffer is where the console sink of a test writes.
type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// TestWordCount is the first program of Spark's guide: words of a socket,
// counted in complete mode, on the console, table for table.
func TestWordCount(t *testing.T) {
	ctx := context.Background()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	lines := make(chan string)
	go func() {
		c, err := ln.Accept()
		if err != nil {
			return
		}
		defer c.Close()
		for l := range lines {
			fmt.Fprintln(c, l)
		}
	}()
	var out lockedBuffer
	eng, err := flightd.Open(ctx, flightd.Options{Console: &out})
	if err != nil {
		t.Fatal(err)
	}
	defer eng.Close()
	s := eng.NewSession()
	host, port, _ := net.SplitHostPort(ln.Addr().String())
	words := s.ReadStream().Format("socket").Option("host", host).Option("port", port).Load().
		SelectExpr("explode(split(value, ' ')) AS value")
	q, err := words.GroupBy(flightd.Col("value")).Count().WriteStream().OutputMode("complete").Format("console").Start(ctx)
	if err != nil {
		t.Fatal(err)
	}
	send := func(line string, rows int64) {
		t.Helper()
		lines <- line
		var seen int64
		for seen < rows {
			if err := q.ProcessAllAvailable(ctx); err != nil {
				t.Fatal(err)
			}
			seen = 0
			for _, p := range q.RecentProgress() {
				seen += p.NumInputRows
			}
		}
	}
	send("apache spark", 1)
	send("apache hadoop", 2)
	close(lines)
	if err := q.Stop(ctx); err != nil {
		t.Fatal(err)
	}
	want := `-------------------------------------------
Batch: 0
-------------------------------------------
+------+-----+
| value|count|
+------+-----+
|apache|    1|
| spark|    1|
+------+-----+

-------------------------------------------
Batch: 1
-------------------------------------------
+------+-----+
| value|count|
+------+-----+
|apache|    2|
| spark|    1|
|hadoop|    1|
+------+-----+

`
	if got := out.String(); got != want {
		t.Errorf("console:\n%s\nwant:\n%s", got, want)
	}
}
