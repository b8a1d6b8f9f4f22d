package rowlog

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/flightd/flightd/internal/base"
)

var schema = arrow.NewSchema([]arrow.Field{{Name: "n", Type: arrow.PrimitiveTypes.Int64, Nullable: true}, {Name: "s", Type: arrow.BinaryTypes.String, Nullable: true}}, nil)

// part has rows from n on.
func part(t testing.TB, n, rows int) Part {
	t.Helper()
	b := array.NewRecordBuilder(memory.DefaultAllocator, schema)
	defer b.Release()
	for i := range rows {
		b.Field(0).(*array.Int64Builder).Append(int64(n + i))
		b.Field(1).(*array.StringBuilder).Append(strings.Repeat("x", (n+i)%5))
	}
	rec := b.NewRecordBatch()
	defer rec.Release()
	p, err := Encode(rec)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func create(t testing.TB, o Options) (*Log, Options) {
	t.Helper()
	if o.Dir == "" {
		o.Dir = filepath.Join(t.TempDir(), "t")
	}
	o.Name = "t"
	if err := Create(o.Dir, schema); err != nil {
		t.Fatal(err)
	}
	return open(t, o), o
}

func open(t testing.TB, o Options) *Log {
	t.Helper()
	l, err := Open(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	return l
}

func send(t testing.TB, l *Log, producer string, seq int64, parts ...Part) *Receipt {
	t.Helper()
	r, err := l.Append(t.Context(), Origin{Producer: producer, Seq: seq}, parts...)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func await(t testing.TB, r *Receipt) int64 {
	t.Helper()
	n, err := r.Await(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// read returns the numbers in the rows [from, to), cut into pieces of a few rows.
func read(t testing.TB, l *Log, from, to int64) []int64 {
	t.Helper()
	out, err := tryRead(l, from, to)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func tryRead(l *Log, from, to int64) ([]int64, error) {
	pieces, err := l.Pieces(from, to, 10, 1<<20)
	if err != nil {
		return nil, err
	}
	var out []int64
	for _, p := range pieces {
		r, err := l.Read(p)
		if err != nil {
			return nil, err
		}
		for {
			rec, err := r.Next()
			if err == io.EOF {
				break
			}
			if err != nil {
				r.Close()
				return nil, err
			}
			for i, v := range rec.Column(0).(*array.Int64).Int64Values() {
				if s := rec.Column(1).(*array.String).Value(i); len(s) != int(v)%5 {
					return nil, fmt.Errorf("row %d has the text %q", v, s)
				}
				out = append(out, v)
			}
			rec.Release()
		}
		r.Close()
	}
	return out, nil
}

func counts(t testing.TB, got []int64, from, to int64) {
	t.Helper()
	if int64(len(got)) != to-from {
		t.Fatalf("%d rows, want %d: %v", len(got), to-from, got)
	}
	for i, v := range got {
		if v != from+int64(i) {
			t.Fatalf("row %d is %d", from+int64(i), v)
		}
	}
}

func TestAppendAndRead(t *testing.T) {
	t.Parallel()
	l, o := create(t, Options{SegmentBytes: 4000})
	if err := Create(o.Dir, schema); base.CodeOf(err) != base.CodeConflict {
		t.Errorf("created twice: %v", err)
	}
	n := 0
	for i := range 60 {
		rows := i % 4
		await(t, send(t, l, "", NoSeq, part(t, n, rows), part(t, n+rows, 3)))
		n += rows + 3
		if got := l.Range(); got.End != int64(n) || got.Commits != int64(i)+1 {
			t.Fatalf("range %+v after %d rows", got, n)
		}
	}
	if len(l.all()) < 4 {
		t.Errorf("%d segments", len(l.all()))
	}
	for range 2 {
		counts(t, read(t, l, 0, int64(n)), 0, int64(n))
		for range 50 {
			from := rand.Int64N(int64(n))
			to := from + rand.Int64N(int64(n)-from) + 1
			counts(t, read(t, l, from, to), from, to)
		}
		if _, err := tryRead(l, 3, int64(n)+1); base.CodeOf(err) != base.CodeCorrupt {
			t.Errorf("beyond the end: %v", err)
		}
		id := l.ID()
		l.Close()
		l = open(t, o)
		if l.ID() != id || !l.Schema().Equal(schema) {
			t.Errorf("opened %s with %s", l.ID(), l.Schema())
		}
	}
	if to, err := l.Bound(5, int64(n), 7, 0); to != 12 || err != nil {
		t.Errorf("seven rows: %d, %v", to, err)
	}
	if to, err := l.Bound(0, int64(n), 0, 1); to != 3 || err != nil {
		t.Errorf("one byte: %d, %v", to, err)
	}
}

func TestProducers(t *testing.T) { // R2
	t.Parallel()
	l, o := create(t, Options{SegmentBytes: 2000, MaxProducers: 2})
	gap := func(l *Log, producer string, seq int64, text string) {
		t.Helper()
		_, err := l.Append(t.Context(), Origin{Producer: producer, Seq: seq}, part(t, 0, 1))
		if base.AsError(err).Condition != "INGEST_SEQUENCE_GAP" || !strings.Contains(err.Error(), text) {
			t.Errorf("%s %d: %v", producer, seq, err)
		}
	}
	gap(l, "a", 2, "must be 0 or 1")
	for i := range 30 {
		await(t, send(t, l, "a", int64(i), part(t, i, 1)))
		if r := send(t, l, "a", int64(i/2), part(t, 99, 1)); !r.Known() || await(t, r) != int64(i)+1 {
			t.Errorf("again %d: known %v", i/2, r.Known())
		}
	}
	gap(l, "a", 31, "batch 31 after batch 29")
	await(t, send(t, l, "b", 1, part(t, 30, 2)))
	if _, err := l.Append(t.Context(), Origin{Producer: "c"}, part(t, 0, 1)); base.AsError(err).Condition != "TOO_MANY_PRODUCERS" {
		t.Errorf("a third producer: %v", err)
	}
	for _, bad := range []Origin{{Producer: "a", Seq: -2}, {Producer: strings.Repeat("x", 300), Seq: 0}} {
		if _, err := l.Append(t.Context(), bad, part(t, 0, 1)); base.CodeOf(err) != base.CodeInvalid {
			t.Errorf("%v: %v", bad, err)
		}
	}
	for range 2 {
		l.Close()
		l = open(t, o)
		if p := l.Producer("a"); p.Seq != 29 || p.Rows != 30 {
			t.Errorf("a: %+v", p)
		}
		if p := l.Producer("z"); p.Seq != NoSeq || len(l.Producers()) != 2 {
			t.Errorf("z: %+v", p)
		}
		gap(l, "a", 31, "after batch 29")
		if r := send(t, l, "b", 1, part(t, 99, 1)); !r.Known() {
			t.Error("b's batch is taken twice")
		}
	}
	d := base.Digest{7}
	r, err := l.Append(t.Context(), Origin{Producer: "a", Seq: 90, Sparse: true, Digest: &d})
	if err != nil {
		t.Fatal(err)
	}
	await(t, r)
	l.Close()
	l = open(t, o)
	if p := l.Producer("a"); p.Seq != 90 || p.Digest == nil || *p.Digest != d || p.Rows != 30 {
		t.Errorf("a: %+v", p)
	}
	counts(t, read(t, l, 0, 32), 0, 32)
}

// A name of one connection makes room sooner than one that somebody comes back by.
func TestPassingProducers(t *testing.T) { // R2
	t.Parallel()
	clock := base.NewVirtualClock(time.Unix(1e9, 0))
	l, _ := create(t, Options{MaxProducers: 2, Clock: clock})
	await(t, send(t, l, "stays", 0, part(t, 0, 1)))
	await(t, send(t, l, "~goes", 0, part(t, 1, 1)))
	clock.Advance(59 * time.Minute)
	if _, err := l.Append(t.Context(), Origin{Producer: "c"}, part(t, 2, 1)); base.AsError(err).Condition != "TOO_MANY_PRODUCERS" {
		t.Errorf("a third producer: %v", err)
	}
	clock.Advance(2 * time.Minute)
	await(t, send(t, l, "c", 0, part(t, 2, 1)))
	if p := l.Producers(); len(p) != 2 || p[0].Name != "c" || p[1].Name != "stays" {
		t.Errorf("%+v", p)
	}
}

// Many producers at once share syncs, and each one's rows are in its order.
func TestGroupCommit(t *testing.T) { // R1, R2
	t.Parallel()
	l, _ := create(t, Options{SegmentBytes: 1 << 14, QueueBytes: 1 << 14, BeforeStep: func(step string) error {
		if step == StepSync {
			time.Sleep(time.Millisecond) // a disk is slow
		}
		return nil
	}})
	const producers, batches = 8, 40
	var wg sync.WaitGroup
	for p := range producers {
		wg.Go(func() {
			for i := range batches {
				r, err := l.Append(t.Context(), Origin{Producer: fmt.Sprint("p", p), Seq: int64(i)}, part(t, p*1000+i, 1))
				if err != nil {
					t.Error(err)
					return
				}
				if _, err := r.Await(t.Context()); err != nil {
					t.Error(err)
				}
				if end := l.Range().End; end < int64(i) {
					t.Errorf("%d rows after %d were acknowledged", end, i)
				}
			}
		})
	}
	wg.Wait()
	next := map[int64]int64{}
	for _, v := range read(t, l, 0, producers*batches) {
		if p := v / 1000; v%1000 != next[p] {
			t.Fatalf("producer %d: row %d after %d", p, v%1000, next[p])
		}
		next[v/1000]++
	}
	if n := l.Range().Commits; n > producers*batches/2 {
		t.Errorf("%d commits for %d batches", n, producers*batches)
	}
}

func TestStatements(t *testing.T) {
	t.Parallel()
	l, o := create(t, Options{})
	await(t, send(t, l, "", NoSeq, part(t, 0, 5)))
	n := 5
	for _, size := range []int{0, 10, 900_000} {
		s := l.Begin()
		for at := 0; at < size; at += 100_000 {
			rows := min(size-at, 100_000)
			if err := s.Add(part(t, n+at, rows)); err != nil {
				t.Fatal(err)
			}
		}
		if r := l.Range(); r.End != int64(n) {
			t.Errorf("%d rows are seen before their end", r.End-int64(n))
		}
		if _, _, err := s.Commit(t.Context(), Origin{Producer: "w", Seq: int64(size), Sparse: true}); err != nil {
			t.Fatal(err)
		}
		n += size
		await(t, send(t, l, "", NoSeq, part(t, n, 1)))
		n++
		if size > 100 { // one that is given up, and one again
			s := l.Begin()
			for range 10 {
				if err := s.Add(part(t, 0, 100_000)); err != nil {
					t.Fatal(err)
				}
			}
			s.Abort()
			s = l.Begin()
			if err := s.Add(part(t, 0, 900_000)); err != nil {
				t.Fatal(err)
			}
			if _, known, err := s.Commit(t.Context(), Origin{Producer: "w", Seq: int64(size), Sparse: true}); err != nil || !known {
				t.Errorf("again: %v, %v", known, err)
			}
		}
	}
	if left, _ := filepath.Glob(filepath.Join(o.Dir, "*.stage")); len(left) > 0 {
		t.Errorf("left: %v", left)
	}
	for range 2 {
		counts(t, read(t, l, 0, int64(n)), 0, int64(n))
		if p := l.Producer("w"); p.Seq != 900_000 || p.Rows != 900_010 {
			t.Errorf("%+v", p)
		}
		l.Close()
		l = open(t, o)
	}
}

func TestRetention(t *testing.T) { // R4
	t.Parallel()
	clock := base.NewVirtualClock(time.Unix(1e9, 0))
	l, o := create(t, Options{SegmentBytes: 1, Retention: time.Minute, Clock: clock}) // each commit begins a segment
	for s := range int64(10) {
		await(t, send(t, l, "p", s, part(t, int(s), 1)))
		clock.Advance(20 * time.Second)
	}
	held, release := l.Hold()
	if held.First != 7 || held.End != 10 {
		t.Fatalf("held %+v", held)
	}
	if _, err := tryRead(l, 5, 8); !errors.Is(err, ErrDropped) {
		t.Errorf("rows that are gone: %v", err)
	}
	pieces, err := l.Pieces(7, 10, 1, 1)
	if err != nil {
		t.Fatal(err)
	}
	clock.Advance(time.Hour)
	for range 1000 { // the committer may not have ended yet
		if l.Range().First == 10 {
			break
		}
		time.Sleep(time.Millisecond)
	}
	if r := l.Range(); r.First != 10 || r.End != 10 {
		t.Errorf("after an hour: %+v", r)
	}
	counts(t, read(t, l, 7, 10), 7, 10) // held
	release()
	release()
	if _, err := l.Read(pieces[0]); !errors.Is(err, ErrDropped) {
		t.Errorf("rows that are gone: %v", err)
	}
	if names, _ := filepath.Glob(filepath.Join(o.Dir, "*.rows")); len(names) != 0 {
		t.Errorf("left: %v", names)
	}
	for range 2 { // what producers sent stays known
		l.Close()
		l = open(t, o)
		if p := l.Producer("p"); p.Seq != 9 || p.Rows != 10 || l.Range().End != 10 {
			t.Errorf("%+v, %+v", p, l.Range())
		}
	}
	await(t, send(t, l, "p", 10, part(t, 10, 1)))
	counts(t, read(t, l, 10, 11), 10, 11)
	l.Close()
	clock.Advance(time.Hour) // rows that get old while nobody has the table open
	l = open(t, o)
	if r := l.Range(); r.First != 11 || r.End != 11 || l.Producer("p").Seq != 10 {
		t.Errorf("after an hour: %+v", r)
	}
	l.Close()
	l = open(t, o)
	if r := l.Range(); r.First != 11 || r.End != 11 || l.Producer("p").Seq != 10 {
		t.Errorf("after a restart: %+v", r)
	}
	await(t, send(t, l, "p", 11, part(t, 11, 1)))
	l.Close()

	o.Retention, o.RetentionBytes = 0, 4*l.all()[0].bytes
	l = open(t, o)
	for s := range int64(10) {
		await(t, send(t, l, "p", s+12, part(t, int(s)+12, 1)))
		clock.Advance(2 * time.Second)
	}
	if r := l.Range(); r.First < 17 || r.First > 19 || r.Bytes > 5*o.RetentionBytes/4 {
		t.Errorf("%+v", r)
	}
}

func TestDamage(t *testing.T) { // R3
	t.Parallel()
	l, o := create(t, Options{SegmentBytes: 2000})
	for s := range int64(40) {
		await(t, send(t, l, "p", s, part(t, int(s), 1)))
	}
	segments := l.all()
	l.Close()
	flip := func(path string, at int64) func() {
		b, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		bad := append([]byte(nil), b...)
		bad[at] ^= 16
		if err := os.WriteFile(path, bad, 0o644); err != nil {
			t.Fatal(err)
		}
		return func() { _ = os.WriteFile(path, b, 0o644) }
	}
	for _, at := range []int64{0, 9, 13, 30, 100, 300, segments[1].bytes - 1} {
		undo := flip(segments[1].path, at)
		l := open(t, o)
		if _, err := tryRead(l, 0, 40); base.CodeOf(err) != base.CodeCorrupt || !strings.Contains(err.Error(), segments[1].path) {
			t.Errorf("byte %d: %v", at, err)
		}
		l.Close()
		undo()
	}
	last := segments[len(segments)-1]
	undo := flip(last.path, 20) // the first frame of several
	if _, err := Open(o); base.CodeOf(err) != base.CodeCorrupt {
		t.Errorf("the last segment: %v", err)
	}
	undo()
	states, _ := filepath.Glob(filepath.Join(o.Dir, "*.state"))
	undo = flip(states[len(states)-1], 20)
	l = open(t, o) // from the one before
	counts(t, read(t, l, 0, 40), 0, 40)
	if p := l.Producer("p"); p.Seq != 39 {
		t.Errorf("%+v", p)
	}
	l.Close()
	undo()
	undo = flip(filepath.Join(o.Dir, "table"), 30)
	if _, err := Open(o); base.CodeOf(err) != base.CodeCorrupt {
		t.Errorf("table: %v", err)
	}
	undo()
	if err := os.Remove(segments[1].path); err != nil {
		t.Fatal(err)
	}
	l = open(t, o)
	if _, err := tryRead(l, 0, 40); base.CodeOf(err) != base.CodeCorrupt {
		t.Errorf("a segment is missing: %v", err)
	}
}

func TestCloseAndDrop(t *testing.T) {
	t.Parallel()
	l, o := create(t, Options{QueueBytes: 1})
	changed := l.Changed()
	await(t, send(t, l, "", NoSeq, part(t, 0, 1)))
	<-changed
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := l.Wait(ctx, 1); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	waiting := make(chan error)
	go func() { waiting <- l.Wait(context.Background(), 1) }()
	var wg sync.WaitGroup
	for range 20 { // while it is dropped
		wg.Go(func() {
			for {
				r, err := l.Append(context.Background(), Origin{Seq: NoSeq}, part(t, 0, 1))
				if err == nil {
					_, err = r.Await(context.Background())
				}
				if err != nil {
					if base.CodeOf(err) != base.CodeNotFound {
						t.Error(err)
					}
					return
				}
			}
		})
	}
	<-waiting
	if err := l.Drop(); err != nil {
		t.Error(err)
	}
	wg.Wait()
	if _, err := os.Stat(o.Dir); !errors.Is(err, os.ErrNotExist) {
		t.Error(err)
	}
	if _, err := Open(o); base.CodeOf(err) != base.CodeNotFound {
		t.Error(err)
	}
}

func FuzzFrame(f *testing.F) {
	h := head{producer: "p", seq: 3, rows: 1, digest: &base.Digest{1}}
	p := part(f, 0, 1)
	f.Add(append(h.frame(&p)[12:], p.Body...))
	f.Fuzz(func(_ *testing.T, b []byte) {
		if h, p, err := parse(b); err == nil && int64(len(p.Metadata)) > 0 != (h.rows > 0) {
			panic("a frame has a message without rows")
		}
	})
}
