package rowlog

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/flightd/flightd/internal/base"
)

// Several producers, statements and readers at once, over a log whose steps fail at
// random: every row is there once, a producer's in its order, and a row number that
// somebody has read is that row's for ever, also after a restart.
func TestTogether(t *testing.T) { // R1, R2
	t.Parallel()
	var failing atomic.Bool
	failing.Store(true)
	l, o := create(t, Options{SegmentBytes: 4000, QueueBytes: 1 << 14, BeforeStep: func(step string) error {
		if step == StepSync {
			time.Sleep(200 * time.Microsecond)
		}
		if failing.Load() && rand.IntN(25) == 0 {
			return errors.New("planned")
		}
		return nil
	}})
	const producers, batches = 6, 60
	var wg, readers sync.WaitGroup
	var failures atomic.Int64
	for p := range producers {
		wg.Go(func() {
			origin := Origin{Producer: fmt.Sprint("p", p)}
			for seq := int64(0); seq < batches; {
				origin.Seq = seq
				var err error
				if p == 0 { // in statements, some of them staged
					st := l.Begin()
					if err = st.Add(part(t, p*100_000+int(seq)*5, 5)); err == nil && seq%3 == 0 {
						err = st.spill()
					}
					if err == nil {
						_, _, err = st.Commit(context.Background(), origin)
					}
					st.Abort()
				} else {
					var rs []*Receipt // several on their way
					for i := seq; i < min(seq+4, batches) && err == nil; i++ {
						origin.Seq = i
						var r *Receipt
						if r, err = l.Append(context.Background(), origin, part(t, p*100_000+int(i)*5, 5)); err == nil {
							rs = append(rs, r)
						}
					}
					for _, r := range rs {
						if _, e := r.Await(context.Background()); e != nil {
							err = e
						}
					}
				}
				if err != nil {
					failures.Add(1)
				}
				seq = l.Producer(origin.Producer).Seq + 1 // as one that comes back
			}
		})
	}
	var mu sync.Mutex
	seen := map[int64]int64{} // the row of a number
	look := func(l *Log) {
		r := l.Range()
		if r.End == 0 {
			return
		}
		from := rand.Int64N(r.End)
		got, err := tryRead(l, from, r.End)
		if err != nil || int64(len(got)) != r.End-from {
			t.Errorf("reading [%d, %d): %d rows, %v", from, r.End, len(got), err)
			return
		}
		mu.Lock()
		defer mu.Unlock()
		for i, v := range got {
			n := from + int64(i)
			if old, ok := seen[n]; ok && old != v {
				t.Errorf("row %d was %d and is %d", n, old, v)
			}
			seen[n] = v
		}
	}
	stop := make(chan struct{})
	for range 2 {
		readers.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
					look(l)
					time.Sleep(time.Millisecond)
				}
			}
		})
	}
	wg.Wait()
	close(stop)
	readers.Wait()
	failing.Store(false)
	for range 2 {
		look(l)
		l.Close()
		l = open(t, o)
	}
	got := read(t, l, 0, l.Range().End)
	next := map[int64]int64{}
	for _, v := range got {
		if p := v / 100_000; v%100_000 != next[p] {
			t.Fatalf("producer %d: row %d, want %d", p, v%100_000, next[p])
		}
		next[v/100_000]++
	}
	if len(got) != producers*batches*5 {
		t.Errorf("%d rows, want %d", len(got), producers*batches*5)
	}
	t.Logf("%d rows, %d failures, %d commits", len(got), failures.Load(), l.Range().Commits)
}

// A bit that flips anywhere on the disk is found, or does no harm: the rows are right, or
// it is an error. Only the end of the last segment may be taken for torn.
func TestFlips(t *testing.T) { // R3
	t.Parallel()
	l, o := create(t, Options{SegmentBytes: 2500})
	const batches = 40
	for s := range int64(batches) {
		await(t, send(t, l, fmt.Sprint("p", s%3), s/3, part(t, int(s)*2, 2)))
	}
	lastAt := l.active.refs[len(l.active.refs)-1].at
	lastPath := l.active.path
	want := read(t, l, 0, 2*batches)
	l.Close()
	files, err := filepath.Glob(filepath.Join(o.Dir, "*"))
	if err != nil {
		t.Fatal(err)
	}
	found, harmless := 0, 0
	for range 100 {
		path := files[rand.IntN(len(files))]
		good, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if len(good) == 0 {
			continue
		}
		bad := slices.Clone(good)
		at := rand.IntN(len(bad))
		bad[at] ^= 1 << rand.IntN(8)
		dir := filepath.Join(t.TempDir(), "t")
		copyDir(t, o.Dir, dir)
		if err := os.WriteFile(filepath.Join(dir, filepath.Base(path)), bad, 0o644); err != nil {
			t.Fatal(err)
		}
		torn := path == lastPath && int64(at) >= lastAt
		l, err := Open(Options{Dir: dir, Name: "t", SegmentBytes: o.SegmentBytes})
		var got []int64
		if err == nil {
			got, err = tryRead(l, 0, l.Range().End)
			l.Close()
		}
		switch {
		case err != nil && base.CodeOf(err) != base.CodeCorrupt:
			t.Errorf("%s, byte %d: %v", filepath.Base(path), at, err)
		case err != nil:
			found++
		case slices.Equal(got, want), torn && slices.Equal(got, want[:len(want)-2]):
			harmless++
		default:
			t.Errorf("%s, byte %d of %d: %d rows, want %d", filepath.Base(path), at, len(bad), len(got), len(want))
		}
		os.RemoveAll(dir)
	}
	t.Logf("%d found, %d harmless", found, harmless)
}
