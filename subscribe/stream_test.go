package subscribe

import (
	"context"
	"errors"
	"fmt"
	"io"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/flightd/flightd/internal/base"
	"github.com/flightd/flightd/internal/turnstile"
	"github.com/flightd/flightd/sinks"
)

var (
	appends   = sinks.Mode{Kind: base.Append}
	updates   = sinks.Mode{Kind: base.Update, Keys: []int{0}}
	completes = sinks.Mode{Kind: base.Complete}
)

// numbered are n rows from a number on.
func numbered(from, n int64) (out []pair) {
	for i := range n {
		out = append(out, pair{from + i, fmt.Sprint("v", from+i)})
	}
	return out
}

func wants(t *testing.T, what string, got []event, want ...string) {
	t.Helper()
	if g := says(got); !slices.Equal(g, want) {
		t.Errorf("%s: got\n%v\nwant\n%v", what, g, want)
	}
}

func refused(t *testing.T, what string, err error, code base.Code, text string) {
	t.Helper()
	if e := base.AsError(err); err == nil || e.Code != code || !strings.Contains(err.Error(), text) {
		t.Errorf("%s: got %v, want %v with %q", what, err, code, text)
	}
}

// Where a subscription begins and where it ends.
func TestBounds(t *testing.T) {
	q := newQuery(t, appends)
	for e := range int64(4) {
		q.epoch(numbered(10*e, 2)...)
	}
	from := ask()
	from.From = 2
	upTo := from
	upTo.UpTo = 2
	snap := ask()
	snap.Snapshot, snap.UpTo = true, 1
	limit := ask()
	limit.From, limit.Limit = 0, 3
	none := ask()
	none.From, none.Limit = 0, 0
	late := ask()
	late.From, late.UpTo = 6, 6
	behind := ask()
	behind.UpTo = 3
	now := q.subscribe(ask())
	started := q.subscribe(late)
	wants(t, "UP TO", rest(t, q.subscribe(upTo)), "2 +20=v20", "2 +21=v21", "end epoch")
	wants(t, "SNAPSHOT UP TO", rest(t, q.subscribe(snap)), "0s +0=v0", "0s +1=v1", "1s +10=v10", "1s +11=v11", "end epoch")
	wants(t, "LIMIT", rest(t, q.subscribe(limit)), "0 +0=v0", "0 +1=v1", "1 +10=v10", "end limit")
	wants(t, "LIMIT 0", rest(t, q.subscribe(none)), "end limit")
	wants(t, "UP TO what was", rest(t, q.subscribe(behind)), "end epoch")
	for e := int64(4); e < 8; e++ {
		q.epoch(numbered(10*e, 1)...)
	}
	wants(t, "FROM an epoch to come", rest(t, started), "6 +60=v60", "end epoch")
	q.feed.Close()
	wants(t, "FROM", rest(t, q.subscribe(from)), "2 +20=v20", "2 +21=v21", "3 +30=v30", "3 +31=v31", "4 +40=v40", "5 +50=v50", "6 +60=v60", "7 +70=v70", "end query stopped")
	wants(t, "from now on", rest(t, now), "4 +40=v40", "5 +50=v50", "6 +60=v60", "7 +70=v70", "end query stopped")
}

// A LIMIT in the middle of a record batch: the token goes on behind the last row given.
func TestLimitResumes(t *testing.T) {
	q := newQuery(t, updates)
	q.epoch(numbered(0, 5)...)
	q.epoch(numbered(0, 3)...)
	q.feed.Close()
	r := ask()
	r.Snapshot, r.Progress, r.UpTo, r.Limit = true, true, 0, 2
	got := rest(t, q.subscribe(r))
	wants(t, "the first two", got, "0s >0=v0", "0s >1=v1", "end limit")
	r.Limit = -1
	for _, e := range got[1:] {
		wants(t, "behind", rest(t, q.subscribe(resume(t, r, e.token))), "0s >2=v2", "0s >3=v3", "0s >4=v4", "0 done", "end epoch")
	}
}

// FOR INTERVAL ends after its time, also while nothing comes.
func TestInterval(t *testing.T) {
	q := newQuery(t, appends)
	r := ask()
	r.From, r.For = 0, time.Minute
	s := q.subscribe(r)
	q.epoch(numbered(0, 1)...)
	wants(t, "before", next(t, s), "0 +0=v0")
	ended := make(chan []event, 1)
	go func() { ended <- rest(t, s) }()
	for { // the timer is set by a goroutine
		q.clock.Advance(time.Minute)
		select {
		case got := <-ended:
			wants(t, "after", got, "end interval")
			return
		case <-time.After(10 * time.Millisecond):
		}
	}
}

// A quiet subscription says that it lives: at once, then each time nothing came.
func TestQuiet(t *testing.T) {
	q := newQuery(t, appends)
	q.epoch(numbered(0, 1)...)
	s := q.subscribe(ask(), func(o *Options) { o.Quiet = 20 * time.Millisecond })
	for range 4 {
		b, err := s.Next(t.Context())
		if err != nil || b.Rec.NumRows() != 0 || b.End != "" {
			t.Fatalf("%+v, %v", b, err)
		}
		if p, err := ParseToken(b.Resume(0)); err != nil || p.Epoch != 1 || p.Row != 0 {
			t.Errorf("it stands for %+v, %v", p, err)
		}
		if text := string(b.Annotation(0, 0)); !strings.Contains(text, `"rows":0`) || !strings.Contains(text, `"run_id":"run"`) {
			t.Errorf("it says %s", text)
		}
		b.Rec.Release()
	}
	q.epoch(numbered(5, 1)...)
	wants(t, "then", next(t, s), "1 +5=v5")
}

// Drain and the end of the caller's context, while Next waits.
func TestDrainAndCancel(t *testing.T) {
	q := newQuery(t, updates)
	q.epoch(numbered(0, 3)...)
	r := ask()
	r.Snapshot = true
	s := q.subscribe(r)
	got := next(t, s)
	wants(t, "snapshot", got, "0s >0=v0", "0s >1=v1", "0s >2=v2")
	time.AfterFunc(20*time.Millisecond, s.Drain)
	end := rest(t, s)
	wants(t, "drained", end, "end drain")
	q.epoch(numbered(7, 1)...)
	go1 := q.subscribe(resume(t, r, end[0].token))
	wants(t, "behind the end", next(t, go1), "1 >7=v7")
	ctx, cancel := context.WithCancel(t.Context())
	time.AfterFunc(20*time.Millisecond, cancel)
	if _, err := go1.Next(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	q.epoch(numbered(8, 1)...)
	wants(t, "the subscription goes on after that", next(t, go1), "2 >8=v8")
	go1.Close()
	if _, err := go1.Next(t.Context()); err != io.EOF {
		t.Errorf("closed: %v", err)
	}
}

// The policies, by epochs and by bytes. Who begins in the past is not behind for that.
func TestPolicies(t *testing.T) {
	for _, c := range []struct {
		name string
		set  func(*Request)
	}{
		{"epochs", func(r *Request) { r.MaxBatches = 3 }},
		{"bytes", func(r *Request) { r.MaxBytes = 1500 }}, // of three epochs
	} {
		t.Run(c.name, func(t *testing.T) {
			q := newQuery(t, updates)
			for e := range int64(10) {
				q.epoch(numbered(e, 1)...)
			}
			open := func(p Policy) *Stream {
				r := ask()
				r.From, r.Policy = 0, p
				c.set(&r)
				return q.subscribe(r)
			}
			all := map[Policy]*Stream{Block: open(Block), Skip: open(Skip), Disconnect: open(Disconnect)}
			var tokens = map[Policy]string{}
			for p, s := range all {
				for e := range 10 {
					if err := s.Check(); err != nil {
						t.Fatalf("%d: one who reads the past: %v", p, err)
					}
					got := next(t, s)
					wants(t, "the past", got, fmt.Sprintf("%d >%d=v%d", e, e, e))
					tokens[p] = got[0].token
				}
			}
			for e := int64(10); e < 20; e++ {
				q.epoch(numbered(e, 1)...)
			}
			refused(t, "watched", all[Disconnect].Check(), base.CodeExhausted, "behind the query q")
			if all[Block].Check() != nil || all[Skip].Check() != nil {
				t.Error("others are let go")
			}
			_, err := all[Disconnect].Next(t.Context())
			refused(t, "asked", err, base.CodeExhausted, "behind the query q")
			got := next(t, all[Skip])
			wants(t, "skip", got, "18 gap")
			wants(t, "behind the gap", next(t, all[Skip]), "19 >19=v19")
			again := ask()
			again.Policy = Skip
			c.set(&again)
			wants(t, "resumed behind the gap", next(t, q.subscribe(resume(t, again, got[0].token))), "19 >19=v19")
			q.feed.Close()
			if got := rest(t, all[Block]); len(got) != 11 || got[0].say() != "10 >10=v10" {
				t.Errorf("block: %v", says(got))
			}
			on := ask()
			on.Policy = Disconnect
			if got := rest(t, q.subscribe(resume(t, on, tokens[Disconnect]))); len(got) != 11 || got[0].say() != "10 >10=v10" {
				t.Errorf("after disconnect: %v", says(got))
			}
		})
	}
}

// What is refused, with what it says.
func TestRefused(t *testing.T) {
	set := func(f func(*Request)) Request { r := ask(); f(&r); return r }
	token := func(q *query, f func(*Position)) Request {
		r := ask()
		shaped := r
		if err := shaped.fit("q", q.mode); err != nil {
			t.Fatal(err)
		}
		p := Position{Query: q.id, Shape: shaped.shape()}
		f(&p)
		return resume(t, r, p.Token())
	}
	app, upd, com, open := newQuery(t, appends), newQuery(t, updates), newQuery(t, completes), newQuery(t, sinks.Mode{Kind: base.Update})
	for _, q := range []*query{app, upd, com, open} {
		q.epoch(numbered(0, 1)...)
	}
	for _, c := range []struct {
		q    *query
		r    Request
		code base.Code
		text string
	}{
		{com, set(func(r *Request) { r.Envelope = Append }), base.CodeInvalid, "output mode complete"},
		{upd, set(func(r *Request) { r.Envelope = Append }), base.CodeInvalid, "output mode update"},
		{open, set(func(r *Request) { r.Envelope = Changelog }), base.CodeInvalid, "have no key"},
		{app, set(func(r *Request) { r.Envelope = Upsert }), base.CodeInvalid, "have no key"},
		{upd, set(func(r *Request) { r.Envelope, r.Keys = Upsert, []int{1} }), base.CodeInvalid, "not that of the query"},
		{com, set(func(r *Request) { r.Policy = Skip }), base.CodeInvalid, "cannot leave out epochs"},
		{upd, set(func(r *Request) { r.Envelope, r.From = Changelog, 5 }), base.CodeOutOfRange, "not there yet"},
		{app, token(app, func(p *Position) { p.Query = upd.id }), base.CodeInvalid, "of another query"},
		{app, token(app, func(p *Position) { p.Shape++ }), base.CodeInvalid, "another ENVELOPE"},
		{app, token(app, func(p *Position) { p.Epoch = 3 }), base.CodeOutOfRange, "the last one of q is 0"},
	} {
		s, err := c.q.try(c.r)
		if s != nil {
			s.Close()
		}
		refused(t, fmt.Sprintf("%+v", c.r), err, c.code, c.text)
	}
	// Rows by key that take too much.
	r := ask()
	r.Snapshot = true
	_, err := upd.try(r, func(o *Options) { o.MaxHeld = 1 })
	refused(t, "MaxHeld", err, base.CodeExhausted, "flightd.memoryLimit")
}

// A token is itself or refused, whatever byte of it is changed.
func TestTokens(t *testing.T) {
	q := newQuery(t, appends)
	p := Position{Query: q.id, Epoch: 1 << 40, Row: 1<<50 + 3, Snapshot: true, Shape: 0xdeadbeef}
	text := p.Token()
	if got, err := ParseToken(text); err != nil || got != p {
		t.Fatalf("%+v, %v", got, err)
	}
	for i := range text {
		for _, c := range "Aa0_-=!" {
			bad := text[:i] + string(c) + text[i+1:]
			if got, err := ParseToken(bad); err == nil && got != p {
				t.Errorf("%q is taken for %+v", bad, got)
			}
		}
		if _, err := ParseToken(text[:i]); err == nil {
			t.Errorf("%q is taken", text[:i])
		}
	}
	if (Position{}).Token() != "" {
		t.Error("a token of no query")
	}
}

// An epoch of many bytes is told piece by piece, never held as a whole, and goes on at any
// row.
func TestLargeEpoch(t *testing.T) {
	q := newQuery(t, appends)
	q.epoch(pair{-1, "before"})
	// 24 MiB a record batch, which differ.
	const pieces, each = 5, 24
	long := strings.Repeat("x", 1<<20)
	for p := range int64(pieces) {
		var rows []pair
		for i := range int64(each) {
			rows = append(rows, pair{p*each + i, fmt.Sprint(p*each+i) + long})
		}
		rec := records(rows...)
		if err := q.feed.Write(t.Context(), q.next, q.mode, rec); err != nil {
			t.Fatal(err)
		}
		rec.Release()
	}
	q.epoch() // an empty record batch, too
	q.epoch(pair{-2, "behind"})
	q.feed.Close()
	r := ask()
	r.From, r.Progress = 0, true
	numbers := func(s *Stream, watch bool) (out []int64, tokens []string) {
		var base, now runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&base)
		for {
			b, err := s.Next(t.Context())
			if err == io.EOF {
				return out, tokens
			}
			if err != nil {
				t.Fatal(err)
			}
			if watch && b.Rec.NumRows() > 1 {
				runtime.GC()
				runtime.ReadMemStats(&now)
				if held := int64(now.HeapAlloc) - int64(base.HeapAlloc); held > 64<<20 {
					t.Errorf("%d MiB are held", held>>20)
				}
			}
			for _, e := range events(t, s, b) {
				if e.op == OpInsert && e.end == "" {
					if e.row.k >= 0 && e.row.v[:len(e.row.v)-len(long)] != fmt.Sprint(e.row.k) {
						t.Errorf("row %d is another's", e.row.k)
					}
					out, tokens = append(out, e.row.k), append(tokens, e.token)
				}
			}
		}
	}
	want := []int64{-1}
	for i := range int64(pieces * each) {
		want = append(want, i)
	}
	want = append(want, -2)
	got, tokens := numbers(q.subscribe(r, func(o *Options) { o.Turns = turnstile.New(1) }), true)
	if !slices.Equal(got, want) {
		t.Fatalf("got %v", got)
	}
	for _, i := range []int{0, 1, each, each + 1, each + 7, pieces * each} {
		if got, _ := numbers(q.subscribe(resume(t, r, tokens[i])), false); !slices.Equal(got, want[i+1:]) {
			t.Errorf("behind row %d: got %v", i, got)
		}
	}
	left := q.subscribe(r)
	for range 4 { // in the middle
		b, err := left.Next(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		b.Rec.Release()
	}
	left.Drain()
	if got := rest(t, left); len(got) != 1 || got[0].end != "drain" {
		t.Errorf("drained in the middle: %d events", len(got))
	}
}

// Many take turns: one who keeps his turn keeps the others out until he gives way, and
// whoever waits for the next epoch has none.
func TestTurns(t *testing.T) {
	q := newQuery(t, updates)
	q.epoch(numbered(0, 1)...)
	turns := turnstile.New(1)
	with := func(o *Options) { o.Turns = turns }
	r := ask()
	r.Snapshot = true
	keeper, other := q.subscribe(r, with), q.subscribe(r, with)
	keeper.KeepTurn()
	wants(t, "the first", next(t, keeper), "0s >0=v0")
	for range 2 { // the batch without rows comes without a turn
		short, cancel := context.WithTimeout(t.Context(), 30*time.Millisecond)
		b, err := other.Next(short)
		cancel()
		if err == nil && b.Rec.NumRows() > 0 {
			t.Fatal("the other does not wait for his turn")
		}
	}
	keeper.GiveWay()
	wants(t, "the other", next(t, other), "0s >0=v0")
	got := make(chan []event)
	go func() { got <- next(t, keeper) }() // waits, without a turn
	time.Sleep(10 * time.Millisecond)
	q.epoch(numbered(1, 1)...)
	wants(t, "the first, on", <-got, "1 >1=v1")
	keeper.Close() // with his turn
	wants(t, "the other, on", next(t, other), "1 >1=v1")
}
