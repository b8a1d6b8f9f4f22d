package main

import (
	"bytes"
	"context"
	"io"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"
)

// command runs a command line with input and returns what it printed.
func command(t *testing.T, in string, args ...string) (code int, out, errs string) {
	t.Helper()
	var o, e bytes.Buffer
	code = run(context.Background(), args, terminal{in: strings.NewReader(in), out: &o, err: &e})
	return code, o.String(), e.String()
}

func TestVersionAndHelp(t *testing.T) {
	if code, out, _ := command(t, "", "version"); code != 0 || !strings.HasPrefix(out, "flightd ") {
		t.Errorf("got %d, %q", code, out)
	}
	if code, out, _ := command(t, "", "--help"); code != 0 || !strings.Contains(out, "serve") || !strings.Contains(out, "FLIGHTD_LOG_LEVEL") {
		t.Errorf("got %d, %q", code, out)
	}
	if code, _, errs := command(t, "", "srve"); code == 0 || !strings.Contains(errs, "srve") {
		t.Errorf("got %d, %q", code, errs)
	}
}

func TestShellCommand(t *testing.T) {
	code, out, errs := command(t, "", "sql", "-c", "SELECT 1 AS one, 'a' AS letter; SELECT CAST(NULL AS INT) AS nothing")
	want := `┌─────┬────────┐
│ one │ letter │
│ int │ string │
├─────┼────────┤
│   1 │ a      │
└─────┴────────┘
1 row
┌─────────┐
│ nothing │
│     int │
├─────────┤
│    NULL │
└─────────┘
1 row
`
	if code != 0 || out != want {
		t.Fatalf("got %d\n%s%s", code, out, errs)
	}
}

// Timestamps are printed in the session's time zone, here and from a server;
// plans as they are.
func TestShellShowsTimeAndPlans(t *testing.T) {
	uri, stop := serve(t, "--listen", "127.0.0.1:0", "--data", t.TempDir())
	defer stop()
	for _, args := range [][]string{nil, {"--connect", uri}} {
		code, out, errs := command(t, "", append([]string{"sql", "-c", "SET spark.sql.session.timeZone = Europe/Berlin", "-c", "SELECT TIMESTAMP '2026-07-02 03:04:05' AS t",
			"-c", "SET spark.sql.session.timeZone = UTC", "-c", "SELECT TIMESTAMP '2026-07-02 03:04:06 Europe/Berlin' AS t", "-c", "EXPLAIN SELECT 1 AS n"}, args...)...)
		if code != 0 || !strings.Contains(out, "│ 2026-07-02 03:04:05 │") || !strings.Contains(out, "│ 2026-07-02 01:04:06 │") || !strings.Contains(out, "\n== Physical Plan ==\n") {
			t.Errorf("%v: got %d\n%s%s", args, code, out, errs)
		}
	}
}

// From a pipe, the first error ends it with its place and a code that is not 0.
func TestShellPipe(t *testing.T) {
	code, out, errs := command(t, "SELECT 1 AS n;\nSELECT nam\nFROM (SELECT 1 AS name);\nSELECT 2 AS n;", "sql")
	if code != 1 || !strings.Contains(out, "1 row") || strings.Contains(out, "2 │") {
		t.Fatalf("got %d, %s", code, out)
	}
	for _, want := range []string{"[UNRESOLVED_COLUMN.WITH_SUGGESTION]", "line 1:8: SELECT nam", "^^^", "name"} {
		if !strings.Contains(errs, want) {
			t.Errorf("%q is not in:\n%s", want, errs)
		}
	}
}

func TestScript(t *testing.T) {
	dir := t.TempDir()
	in := filepath.Join(dir, "in")
	if err := os.Mkdir(in, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(in, "a.json"), []byte("{\"word\":\"a\"}\n{\"word\":\"b\"}\n{\"word\":\"a\"}\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	script := filepath.Join(dir, "count.sql")
	text := "CREATE TABLE words (word STRING) USING json OPTIONS ('path' = '" + in + "');\n" +
		"CREATE STREAMING QUERY counts OUTPUT MODE complete TRIGGER AVAILABLE NOW INTO memory AS\n" +
		"  SELECT word, count(*) AS n FROM STREAM words GROUP BY word;\n" +
		"SELECT * FROM counts ORDER BY word;\n"
	if err := os.WriteFile(script, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	code, out, errs := command(t, "", "run", script)
	if code != 0 || !strings.Contains(out, "│ a      │      2 │") || !strings.Contains(out, "2 rows") {
		t.Fatalf("got %d\n%s%s", code, out, errs)
	}
	if !strings.Contains(errs, "counts  epoch 0") || !strings.Contains(errs, "3 rows in") {
		t.Errorf("no epoch is shown:\n%s", errs)
	}
	if err := os.WriteFile(script, []byte("SELECT 1 AS n;\nSELEC 2;"), 0o644); err != nil {
		t.Fatal(err)
	}
	if code, _, errs := command(t, "", "run", script); code != 1 || !strings.Contains(errs, "line 2:1") {
		t.Errorf("got %d, %s", code, errs)
	}
	if code, _, errs := command(t, "", "run", filepath.Join(dir, "none.sql")); code != 1 || !strings.Contains(errs, "none.sql") {
		t.Errorf("got %d, %s", code, errs)
	}
}

// A lockedBuffer is written by the server and read by the test.
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

var uriPattern = regexp.MustCompile(`uri=(grpc://[0-9.:]+)`)

// serve runs a server until the test ends and returns its URI and a function
// that stops it and returns its exit code.
func serve(t *testing.T, args ...string) (uri string, stop func() int) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	var logged lockedBuffer
	code := make(chan int, 1)
	go func() {
		code <- run(ctx, append([]string{"serve"}, args...), terminal{in: strings.NewReader(""), out: io.Discard, err: &logged})
	}()
	t.Cleanup(cancel)
	for range 500 {
		if m := uriPattern.FindStringSubmatch(logged.String()); m != nil {
			return m[1], func() int {
				cancel()
				return <-code
			}
		}
		select {
		case c := <-code:
			t.Fatalf("the server ended with %d:\n%s", c, logged.String())
		case <-time.After(10 * time.Millisecond):
		}
	}
	t.Fatalf("the server did not start:\n%s", logged.String())
	return "", nil
}

func TestServeAndConnect(t *testing.T) {
	data := t.TempDir()
	uri, stop := serve(t, "--listen", "127.0.0.1:0", "--data", data)
	code, out, errs := command(t, "", "sql", "--connect", uri, "-c", "CREATE TABLE t AS SELECT 7 AS n", "-c", "SELECT n FROM t")
	if code != 0 || !strings.Contains(out, "│ 7 │") && !strings.Contains(out, "7 │") {
		t.Fatalf("got %d\n%s%s", code, out, errs)
	}
	if code, _, errs := command(t, "", "sql", "--connect", uri, "-c", "SELECT m FROM t"); code != 1 || !strings.Contains(errs, "[UNRESOLVED_COLUMN") || !strings.Contains(errs, "^") {
		t.Errorf("got %d\n%s", code, errs)
	}
	// The folder is held, and so is the port.
	if code, _, errs := command(t, "", "serve", "--listen", "127.0.0.1:0", "--data", data); code != 1 || !strings.Contains(errs, data) {
		t.Errorf("a second server on the folder: %d\n%s", code, errs)
	}
	if code, _, errs := command(t, "", "serve", "--listen", strings.TrimPrefix(uri, "grpc://"), "--data", t.TempDir()); code != 1 || !strings.Contains(errs, "the port is taken") {
		t.Errorf("a second server on the port: %d\n%s", code, errs)
	}
	if code := stop(); code != 0 {
		t.Errorf("stopped with %d", code)
	}
	// What was made is there after a restart.
	uri, stop = serve(t, "--listen", "127.0.0.1:0", "--data", data)
	if code, out, errs := command(t, "SELECT n FROM t;", "sql", "--connect", uri); code != 0 || !strings.Contains(out, "7 │") {
		t.Errorf("after a restart: %d\n%s%s", code, out, errs)
	}
	if code := stop(); code != 0 {
		t.Errorf("stopped with %d", code)
	}
}

func TestListenIsCareful(t *testing.T) {
	for _, addr := range []string{"0.0.0.0:0", ":0"} {
		if code, _, errs := command(t, "", "serve", "--listen", addr, "--data", t.TempDir()); code != 1 || !strings.Contains(errs, "--insecure") {
			t.Errorf("%s: got %d, %s", addr, code, errs)
		}
	}
	if code, _, errs := command(t, "", "serve", "--listen", "nonsense", "--data", t.TempDir()); code != 1 || !strings.Contains(errs, "127.0.0.1:8815") {
		t.Errorf("got %d, %s", code, errs)
	}
	l, err := (&serveCmd{Listen: "0.0.0.0:0", Insecure: true}).listen()
	if err != nil {
		t.Fatal(err)
	}
	if _, ok := l.(*net.TCPListener); !ok {
		t.Errorf("got %T", l)
	}
	l.Close()
}

// Rows of SUBSCRIBE are printed as they come, of an engine here, of a server and
// in a script.
func TestSubscribeIsPrinted(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "a.json"), []byte("{\"word\":\"a\"}\n{\"word\":\"longer\"}\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	uri, stop := serve(t, "--listen", "127.0.0.1:0", "--data", t.TempDir(), "--root", dir)
	defer stop()
	table := "CREATE TABLE words (word STRING) USING json OPTIONS ('path' = '" + dir + "')"
	follow := "SUBSCRIBE TO SELECT word, length(word) AS n FROM STREAM words PROGRESS LIMIT 2"
	script := filepath.Join(t.TempDir(), "follow.sql")
	if err := os.WriteFile(script, []byte(table+";\n"+follow+";\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	for _, args := range [][]string{{"sql", "-c", table, "-c", follow}, {"sql", "--connect", uri, "-c", table, "-c", follow}, {"run", script}} {
		code, out, errs := command(t, "", args...)
		for _, want := range []string{"│ _epoch │", "│      0 │    1 │ NULL       │ longer │ ", "2 rows\n"} {
			if code != 0 || !strings.Contains(out, want) {
				t.Errorf("%v: got %d, no %q in\n%s%s", args, code, want, out, errs)
			}
		}
	}
}
