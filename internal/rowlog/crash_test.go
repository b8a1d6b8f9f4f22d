package rowlog

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/flightd/flightd/internal/base"
	"github.com/flightd/flightd/internal/seglog"
)

func allZero(b []byte) bool { return strings.Trim(string(b), "\x00") == "" }

func copyDir(t testing.TB, dir, to string) {
	t.Helper()
	if err := os.CopyFS(to, os.DirFS(dir)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		t.Fatal(err)
	}
}

// A crash before any durable step loses nothing that was acknowledged, and repeats
// nothing when the producer sends again what was not. The copy of a crash keeps a
// random part of what was not synced.
func TestCrashes(t *testing.T) { // R1, R2, R3
	t.Parallel()
	root := t.TempDir()
	crash, last := 0, int64(-1) // last acknowledged
	var o Options
	var mu sync.Mutex
	synced := map[string]int64{}
	check := func(step string) {
		crash++
		dir := filepath.Join(root, fmt.Sprint("crash", crash))
		copyDir(t, o.Dir, dir)
		names, _ := filepath.Glob(filepath.Join(dir, "*.rows"))
		for _, path := range names {
			b, err := os.ReadFile(path)
			if err != nil {
				t.Error(err)
				return
			}
			if len(b) > 40 && allZero(b[seglog.HeadLen+16:][:8]) {
				continue // a staged segment was synced before it got its name
			}
			if sure := synced[filepath.Base(path)]; int64(len(b)) > sure {
				if err := os.Truncate(path, sure+rand.Int64N(int64(len(b))-sure+1)); err != nil {
					t.Error(err)
					return
				}
			}
		}
		l, err := Open(Options{Dir: dir, Name: "copy", SegmentBytes: o.SegmentBytes, Retention: time.Hour, Clock: o.Clock})
		if err != nil {
			t.Errorf("before %s: %v", step, err)
			return
		}
		defer os.RemoveAll(dir)
		defer l.Close()
		seq := l.Producer("p").Seq
		if seq < last {
			t.Errorf("before %s: batch %d was acknowledged, the last one there is %d", step, last, seq)
			return
		}
		for s := max(seq-1, 0); s < last+6; s++ {
			r, err := l.Append(t.Context(), Origin{Producer: "p", Seq: s}, part(t, 3*int(s), 3))
			if err != nil {
				t.Errorf("before %s: %v", step, err)
				return
			}
			if _, err := r.Await(context.Background()); err != nil {
				t.Errorf("before %s: %v", step, err)
				return
			}
		}
		rng := l.Range()
		got, err := tryRead(l, rng.First, rng.End)
		if err != nil {
			t.Errorf("before %s: %v", step, err)
			return
		}
		if rng.End != 3*(last+6) {
			t.Errorf("before %s: %d rows, want %d", step, rng.End, 3*(last+6))
			return
		}
		for i, v := range got {
			if v != rng.First+int64(i) {
				t.Errorf("before %s: row %d is %d", step, rng.First+int64(i), v)
			}
		}
	}
	clock := base.NewVirtualClock(time.Unix(1e9, 0))
	l, opt := create(t, Options{SegmentBytes: 3000, Retention: time.Hour, Clock: clock, BeforeStep: func(step string) error {
		mu.Lock()
		defer mu.Unlock()
		if o.Dir != "" && !t.Failed() {
			check(step)
		}
		return nil
	}})
	mu.Lock()
	o = opt
	mu.Unlock()
	for s := int64(0); s < 40; s++ {
		if s%7 == 3 {
			st := l.Begin()
			if err := st.Add(part(t, 3*int(s), 3)); err != nil {
				t.Fatal(err)
			}
			if s%2 == 1 { // as if it were large
				if err := st.spill(); err != nil {
					t.Fatal(err)
				}
			}
			if _, _, err := st.Commit(t.Context(), Origin{Producer: "p", Seq: s}); err != nil {
				t.Fatal(err)
			}
		} else {
			await(t, send(t, l, "p", s, part(t, 3*int(s), 2), part(t, 3*int(s)+2, 1)))
		}
		mu.Lock()
		last = s
		clear(synced)
		l.mu.Lock()
		for _, seg := range l.all() {
			synced[filepath.Base(seg.path)] = seg.bytes
		}
		l.mu.Unlock()
		mu.Unlock()
		clock.Advance(5 * time.Minute)
	}
	if crash < 70 || l.Range().First == 0 {
		t.Errorf("%d crashes, the first row is %d", crash, l.Range().First)
	}
	t.Logf("%d crashes, rows from %d to %d", crash, l.Range().First, l.Range().End)
}

// A step that fails fails what waits for it and nothing else; what is sent again is
// there once.
func TestFailures(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	failing := ""
	l, o := create(t, Options{SegmentBytes: 2000, BeforeStep: func(step string) error {
		mu.Lock()
		defer mu.Unlock()
		if failing == step {
			failing = ""
			return errors.New("planned")
		}
		return nil
	}})
	steps := []string{StepState, StepSegment, StepWrite, StepSync, StepStage}
	failed := 0
	for s := int64(0); s < 80; s++ {
		mu.Lock()
		failing = steps[s%5]
		mu.Unlock()
		for {
			st := l.Begin()
			if err := st.Add(part(t, int(s), 1)); err != nil {
				t.Fatal(err)
			}
			if s%9 == 4 {
				if err := st.spill(); err != nil {
					t.Fatal(err)
				}
			}
			_, _, err := st.Commit(t.Context(), Origin{Producer: "p", Seq: s})
			if err == nil {
				break
			}
			failed++
			if !strings.Contains(err.Error(), "planned") || l.Range().End != s {
				t.Fatalf("%v, %+v", err, l.Range())
			}
		}
	}
	if failed < 35 {
		t.Errorf("%d failures", failed)
	}
	for range 2 {
		counts(t, read(t, l, 0, 80), 0, 80)
		l.Close()
		l = open(t, o)
	}
}
