package feed

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/flightd/flightd/internal/base"
	"github.com/flightd/flightd/internal/seglog"
	"github.com/flightd/flightd/sinks"
	"github.com/flightd/flightd/sinks/sinktest"
	"github.com/flightd/flightd/sources/sourcetest"
)

func openFeed(t testing.TB, o Options) *Feed {
	t.Helper()
	o.Name, o.Schema = "q", sinktest.Schema()
	f, err := Open(o)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func put(t testing.TB, f *Feed, e base.Epoch, n int) {
	t.Helper()
	if err := f.Write(t.Context(), e, sinks.Mode{}, sinktest.Record(100*int(e), n)); err != nil {
		t.Fatal(err)
	}
	if err := f.Commit(t.Context(), e, sinks.Mode{}, base.Digest{byte(e)}); err != nil {
		t.Fatal(err)
	}
}

// follow returns the rows of the next n epochs from from, by epoch.
func follow(t testing.TB, f *Feed, from base.Epoch, n int) map[base.Epoch][]string {
	t.Helper()
	s, err := f.Subscribe(from)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	out := map[base.Epoch][]string{}
	for range n {
		e, err := s.Next(ctx)
		if err != nil {
			t.Fatal(err)
		}
		if _, ok := out[e.Number]; ok {
			t.Fatalf("epoch %d comes twice", e.Number)
		}
		out[e.Number] = []string{}
		for _, r := range e.Rows {
			out[e.Number] = append(out[e.Number], sourcetest.Texts(r)...)
		}
		e.Release()
	}
	return out
}

func TestContract(t *testing.T) {
	var dir string
	sinktest.Run(t, sinktest.Harness{
		Fresh: func(t *testing.T) { dir = t.TempDir() },
		Open:  func(t *testing.T) sinks.Sink { return openFeed(t, Options{Dir: dir}) },
		Visible: func(t *testing.T) []string {
			entries, err := load(dir)
			if err != nil {
				t.Fatal(err)
			}
			c, err := newCodec()
			if err != nil {
				t.Fatal(err)
			}
			var out []string
			for _, e := range entries {
				body, err := e.read()
				if err != nil {
					t.Fatal(err)
				}
				_, packed, size, err := parse(body)
				if err != nil {
					t.Fatal(err)
				}
				rows, err := c.rows(packed, size, sinktest.Schema())
				if err != nil {
					t.Fatal(err)
				}
				for _, r := range rows {
					out = append(out, sourcetest.Texts(r)...)
				}
			}
			return out
		},
	})
}

func TestSubscriptions(t *testing.T) { // L1, L3
	f := openFeed(t, Options{Dir: t.TempDir()})
	put(t, f, 0, 2)
	put(t, f, 1, 0)
	const epochs = 40
	var wg sync.WaitGroup
	for r := range 4 {
		wg.Go(func() {
			got := follow(t, f, base.Epoch(r), epochs-r)
			for e := base.Epoch(r); e < epochs; e++ {
				if fmt.Sprint(got[e]) != fmt.Sprint(sinktest.Rows(100*int(e), int(e+2)%3)) {
					t.Errorf("reader %d: epoch %d is %v", r, e, got[e])
				}
			}
		})
	}
	for e := base.Epoch(2); e < epochs; e++ {
		put(t, f, e, int(e+2)%3)
	}
	wg.Wait()
	if first, last := f.Range(); first != 0 || last != epochs-1 {
		t.Errorf("range %d to %d", first, last)
	}
	s, err := f.Subscribe(epochs - 1)
	if err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	if e, err := s.Next(t.Context()); err != nil || e.Number != epochs-1 {
		t.Errorf("after Close: %v %v", e, err)
	}
	if _, err := s.Next(t.Context()); !errors.Is(err, io.EOF) {
		t.Errorf("after the last epoch: %v", err)
	}
}

func TestWaitingEnds(t *testing.T) {
	f := openFeed(t, Options{Dir: t.TempDir()})
	s, err := f.Subscribe(0)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Millisecond)
	defer cancel()
	if _, err := s.Next(ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v", err)
	}
	done := make(chan error)
	go func() {
		_, err := s.Next(t.Context())
		done <- err
	}()
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	if err := <-done; !errors.Is(err, io.EOF) {
		t.Errorf("got %v", err)
	}
}

func TestHeldUntilPublished(t *testing.T) { // L2
	dir := t.TempDir()
	f := openFeed(t, Options{Dir: dir, Held: true})
	put(t, f, 0, 1)
	put(t, f, 1, 1)
	if first, _ := f.Range(); first != base.NoEpoch {
		t.Errorf("epoch %d is visible", first)
	}
	f.Publish(0)
	if _, last := f.Range(); last != 0 {
		t.Errorf("visible to %d", last)
	}
	follow(t, f, 0, 1)
	f.Close()
	f = openFeed(t, Options{Dir: dir, Held: true})
	if _, last := f.Range(); last != 0 {
		t.Errorf("after a restart visible to %d", last)
	}
	put(t, f, 1, 1) // replayed
	f.Publish(9)
	if _, last := f.Range(); last != 1 {
		t.Errorf("visible to %d", last)
	}
}

func TestRetention(t *testing.T) {
	clock := base.NewVirtualClock(time.Unix(1e9, 0))
	dir := t.TempDir()
	f := openFeed(t, Options{Dir: dir, Retention: time.Minute, Clock: clock})
	f.segmentBytes = 1 // every epoch begins a segment
	behind, err := f.Subscribe(0)
	if err != nil {
		t.Fatal(err)
	}
	for e := range base.Epoch(10) {
		put(t, f, e, 1)
		clock.Advance(20 * time.Second)
	}
	first, last := f.Range()
	if first != 6 || last != 9 {
		t.Errorf("range %d to %d", first, last)
	}
	for _, err := range []error{func() error { _, err := f.Subscribe(3); return err }(), func() error { _, err := behind.Next(t.Context()); return err }()} {
		if base.CodeOf(err) != base.CodeOutOfRange || !bytes.Contains([]byte(err.Error()), []byte("earliest is 6")) {
			t.Errorf("got %v", err)
		}
	}
	f.Close()
	f = openFeed(t, Options{Dir: dir, Clock: clock})
	if got := follow(t, f, 6, 4); len(got) != 4 {
		t.Errorf("after a restart: %v", got)
	}
	f.Close()
	if err := Remove(dir); err != nil {
		t.Error(err)
	}
}

func TestTornAndDamaged(t *testing.T) {
	dir := t.TempDir()
	f := openFeed(t, Options{Dir: dir})
	for e := range base.Epoch(3) {
		put(t, f, e, 3)
	}
	second, end := f.entries[1].at, f.out.Size()
	f.Close()
	path := segmentPath(dir, 0)
	good, err := os.ReadFile(path)
	if err != nil || int64(len(good)) != end {
		t.Fatal(err)
	}
	last := f.entries[2].at
	for n := last; n < end; n += 7 { // torn anywhere within the last frame
		if err := os.WriteFile(path, good[:n], 0o644); err != nil {
			t.Fatal(err)
		}
		f := openFeed(t, Options{Dir: dir})
		if _, at := f.Range(); at != 1 {
			t.Fatalf("torn at %d: visible to %d", n, at)
		}
		put(t, f, 2, 3)
		follow(t, f, 0, 3)
		f.Close()
		names, _ := filepath.Glob(filepath.Join(dir, "*2.feed"))
		for _, n := range names {
			os.Remove(n)
		}
	}
	for _, at := range []int64{second, second + 3, second + 4, second + 9, second + 20, second + 60} {
		bad := bytes.Clone(good)
		bad[at] ^= 0x40
		if err := os.WriteFile(path, bad, 0o644); err != nil {
			t.Fatal(err)
		}
		if _, err := Open(Options{Dir: dir, Schema: sinktest.Schema()}); base.CodeOf(err) != base.CodeCorrupt {
			t.Errorf("byte %d: got %v", at, err)
		}
	}
}

// A crash between the making of a segment and its first frame leaves an empty file.
func TestEmptySegment(t *testing.T) {
	dir := t.TempDir()
	f := openFeed(t, Options{Dir: dir})
	put(t, f, 0, 3)
	f.Close()
	if err := os.WriteFile(segmentPath(dir, 1), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	f = openFeed(t, Options{Dir: dir})
	put(t, f, 1, 3)
	follow(t, f, 0, 2)
	f.Close()
}

func FuzzFrame(f *testing.F) {
	c, err := newCodec()
	if err != nil {
		f.Fatal(err)
	}
	frame, err := c.encode(&head{epoch: 3, mode: sinks.Mode{Kind: base.Update, Keys: []int{0}}}, sinktest.Schema(), nil)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(frame[headLen:])
	dir := f.TempDir()
	f.Fuzz(func(t *testing.T, body []byte) {
		path := filepath.Join(dir, "0.feed")
		b := append(make([]byte, headLen), body...)
		seglog.Seal(b)
		if err := os.WriteFile(path, b, 0o644); err != nil {
			t.Fatal(err)
		}
		entries, _, err := loadSegment(path)
		if err != nil {
			return
		}
		for _, e := range entries {
			if body, err := e.read(); err == nil {
				if _, packed, size, err := parse(body); err == nil {
					rows, _ := c.rows(packed, size, sinktest.Schema())
					release(rows)
				}
			}
		}
	})
}
