package flightd_test

import (
	"bytes"
	"context"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/flightd/flightd"
)

// The crash test kills a process with -9 at random moments while it runs
// generator files -> windowed aggregation -> Parquet, starts it again until it
// ends, and compares the folder with that of a run that was left alone: the same
// files with the same bytes. FLIGHTD_KILLS says how many kills; the default
// keeps `make test` short, `make crash N=200` runs the full test.

const crashChild = "FLIGHTD_CRASH_CHILD"

func TestMain(m *testing.M) {
	if home := os.Getenv(crashChild); home != "" {
		if err := crashJob(home); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// crashJob runs the query to its end.
func crashJob(home string) error {
	ctx := context.Background()
	eng, err := flightd.Open(ctx, flightd.Options{DataDir: filepath.Join(home, "data")})
	if err != nil {
		return err
	}
	defer eng.Close()
	s := eng.NewSession()
	in := s.ReadStream().Schema("ts TIMESTAMP, k STRING, v INT, x DOUBLE").Option("maxFilesPerTrigger", 1).JSON(filepath.Join(filepath.Dir(home), "in"))
	q, err := in.WithWatermark("ts", "30 seconds").
		GroupBy(flightd.Window(flightd.Col("ts"), "10 seconds").As("w"), flightd.Col("k")).
		Agg(flightd.Count(flightd.Col("*")).As("n"), flightd.Sum(flightd.Col("v")).As("s"), flightd.Sum(flightd.Col("x")).As("x")).
		SelectExpr("w.start AS start", "k", "n", "s", "x").
		WriteStream().QueryName("counts").Format("parquet").Trigger(flightd.Trigger{Kind: flightd.AvailableNow}).
		Option("checkpointLocation", filepath.Join(home, "checkpoint")).Start(ctx, filepath.Join(home, "out"))
	if err != nil {
		return err
	}
	return q.AwaitTermination(ctx)
}

// generate writes files of events that are mostly in order and sometimes late.
func generate(t *testing.T, dir string, files, rows int) {
	t.Helper()
	r := rand.New(rand.NewPCG(1, 2))
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	base := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	for f := range files {
		var b bytes.Buffer
		for i := range rows {
			at := base.Add(time.Duration(f*rows+i) * 50 * time.Millisecond)
			if r.IntN(10) == 0 {
				at = at.Add(-time.Duration(r.IntN(90_000)) * time.Millisecond)
			}
			fmt.Fprintf(&b, `{"ts":%q,"k":"k%d","v":%d,"x":%g}`+"\n", at.Format("2006-01-02T15:04:05.000Z"), r.IntN(7), r.IntN(100), r.Float64())
		}
		name := filepath.Join(dir, fmt.Sprintf("%04d.json", f))
		if err := os.WriteFile(name, b.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
		at := base.Add(time.Duration(f) * time.Second)
		if err := os.Chtimes(name, at, at); err != nil {
			t.Fatal(err)
		}
	}
}

func child(home string) *exec.Cmd {
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), crashChild+"="+home)
	return cmd
}

func TestKill9(t *testing.T) {
	kills := 6
	if n, err := strconv.Atoi(os.Getenv("FLIGHTD_KILLS")); err == nil {
		kills = n
	} else if testing.Short() {
		t.Skip("starts processes")
	}
	root := t.TempDir()
	generate(t, filepath.Join(root, "in"), 60, 200)
	calm := filepath.Join(root, "calm")
	var stderr bytes.Buffer
	cmd := child(calm)
	cmd.Stderr = &stderr
	begun := time.Now()
	if err := cmd.Run(); err != nil {
		t.Fatalf("the uninterrupted run: %v\n%s", err, stderr.String())
	}
	took := time.Since(begun)
	want := contents(t, filepath.Join(calm, "out"))
	if len(want) == 0 {
		t.Fatal("the uninterrupted run wrote nothing")
	}
	killed, runs := 0, 0
	for killed < kills {
		home := filepath.Join(root, fmt.Sprintf("run%d", runs))
		n := killUntilDone(t, home, took, kills-killed)
		killed += n
		runs++
		got := contents(t, filepath.Join(home, "out"))
		compareFolders(t, want, got)
		if t.Failed() {
			t.Fatalf("after %d kills of run %d", n, runs)
		}
		os.RemoveAll(home)
	}
	t.Logf("%d kills in %d runs; an uninterrupted run takes %v; %d files compared each time", killed, runs, took.Round(time.Millisecond), len(want))
}

// killUntilDone starts the job again and again, killing it at random moments of
// at most its own length, until it ends or enough were killed; then it lets it
// end.
func killUntilDone(t *testing.T, home string, took time.Duration, most int) int {
	t.Helper()
	kills := 0
	for {
		cmd := child(home)
		var stderr bytes.Buffer
		cmd.Stderr = &stderr
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		done := make(chan error, 1)
		go func() { done <- cmd.Wait() }()
		after := 10*time.Millisecond + time.Duration(rand.Int64N(int64(min(took, 800*time.Millisecond))))
		if kills >= most {
			after = time.Minute
		}
		select {
		case err := <-done:
			if err != nil {
				t.Fatalf("after %d kills: %v\n%s", kills, err, stderr.String())
			}
			return kills
		case <-time.After(after):
			_ = cmd.Process.Kill()
			<-done
			kills++
		}
	}
}

var volatileFields = regexp.MustCompile(`"modificationTime":\d+|"queryId": *"[^"]*"|"path":"[^"]*/`)

// contents reads every file below dir. Times, the query's id and the folder's own path are taken
// out of the sink's manifest.
func contents(t *testing.T, dir string) map[string][]byte {
	t.Helper()
	out := map[string][]byte{}
	err := filepath.WalkDir(dir, func(p string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		rel, _ := filepath.Rel(dir, p)
		b, err := os.ReadFile(p)
		if strings.HasPrefix(rel, "_") {
			b = volatileFields.ReplaceAll(b, nil)
		}
		out[rel] = b
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func compareFolders(t *testing.T, want, got map[string][]byte) {
	t.Helper()
	for name, b := range want {
		g, ok := got[name]
		switch {
		case !ok:
			t.Errorf("%s is missing", name)
		case !bytes.Equal(b, g):
			t.Errorf("%s has other bytes (%d, want %d)", name, len(g), len(b))
		}
	}
	for name := range got {
		if _, ok := want[name]; !ok {
			t.Errorf("%s is there and should not be", name)
		}
	}
}
