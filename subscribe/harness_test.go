package subscribe

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"
	"github.com/google/uuid"

	"github.com/flightd/flightd/internal/base"
	"github.com/flightd/flightd/sinks"
	"github.com/flightd/flightd/sinks/feed"
	sinkmemory "github.com/flightd/flightd/sinks/memory"
)

// rowSchema is that of the queries here: a key and a value.
func rowSchema() *arrow.Schema {
	return arrow.NewSchema([]arrow.Field{{Name: "k", Type: arrow.PrimitiveTypes.Int64}, {Name: "v", Type: arrow.BinaryTypes.String, Nullable: true}}, nil)
}

type pair struct {
	k int64
	v string // "" is null
}

func records(rows ...pair) arrow.RecordBatch {
	b := array.NewRecordBuilder(memory.DefaultAllocator, rowSchema())
	defer b.Release()
	for _, r := range rows {
		b.Field(0).(*array.Int64Builder).Append(r.k)
		if v := b.Field(1).(*array.StringBuilder); r.v == "" {
			v.AppendNull()
		} else {
			v.Append(r.v)
		}
	}
	return b.NewRecordBatch()
}

// query is one whose output the tests write themselves.
type query struct {
	t     testing.TB
	id    string
	dir   string
	feed  *feed.Feed
	mode  sinks.Mode
	clock *base.VirtualClock
	next  base.Epoch
	// cuts, if set, cuts the rows of an epoch into record batches at random.
	cuts *rand.Rand
}

func newQuery(t testing.TB, mode sinks.Mode) *query {
	q := &query{t: t, id: uuid.NewString(), dir: t.TempDir(), mode: mode, clock: base.NewVirtualClock(time.UnixMilli(1_700_000_000_000))}
	q.open()
	t.Cleanup(func() { q.feed.Close() })
	return q
}

func (q *query) open() {
	q.t.Helper()
	f, err := feed.Open(feed.Options{Dir: q.dir, Name: "q", Schema: rowSchema(), Clock: q.clock, NewResult: func(s *arrow.Schema) feed.Result { return sinkmemory.New(s) }})
	if err != nil {
		q.t.Fatal(err)
	}
	q.feed = f
}

// restart is the end of the process and its start.
func (q *query) restart() {
	q.t.Helper()
	if err := q.feed.Close(); err != nil {
		q.t.Fatal(err)
	}
	q.open()
}

// epoch commits rows as the next epoch, whose watermark is its number + 1 seconds.
func (q *query) epoch(rows ...pair) {
	q.t.Helper()
	q.feed.SetWatermark(int64(q.next+1) * 1000)
	for first := true; len(rows) > 0 || first; first = false {
		n := len(rows)
		if q.cuts != nil {
			n = q.cuts.IntN(len(rows) + 1) // also none
		}
		rec := records(rows[:n]...)
		err := q.feed.Write(q.t.Context(), q.next, q.mode, rec)
		rec.Release()
		if err != nil {
			q.t.Fatal(err)
		}
		rows = rows[n:]
	}
	if err := q.feed.Commit(q.t.Context(), q.next, q.mode, base.Digest{byte(q.next), byte(q.next >> 8)}); err != nil {
		q.t.Fatal(err)
	}
	q.next++
}

// ask is a request for everything from the next epoch on.
func ask() Request { return Request{From: base.NoEpoch, UpTo: base.NoEpoch, Limit: -1} }

// try subscribes.
func (q *query) try(r Request, more ...func(*Options)) (*Stream, error) {
	o := Options{Request: r, Feed: q.feed, Name: "q", Query: q.id, Run: "run", Schema: rowSchema(), Mode: q.mode, Clock: q.clock}
	for _, m := range more {
		m(&o)
	}
	return Open(q.t.Context(), o)
}

func (q *query) subscribe(r Request, more ...func(*Options)) *Stream {
	q.t.Helper()
	s, err := q.try(r, more...)
	if err != nil {
		q.t.Fatal(err)
	}
	q.t.Cleanup(s.Close)
	return s
}

// event is a row of a subscription, or its end.
type event struct {
	epoch    base.Epoch
	op       int8
	row      pair
	snapshot bool
	end      string
	// token goes on behind it.
	token string
}

// say is the event without its token.
func (e event) say() string {
	switch {
	case e.end != "":
		return "end " + e.end
	case e.op == OpProgress:
		return fmt.Sprintf("%d done", e.epoch)
	case e.op == OpGap:
		return fmt.Sprintf("%d gap", e.epoch)
	}
	at := fmt.Sprint(e.epoch)
	if e.snapshot {
		at += "s"
	}
	return fmt.Sprintf("%s %s%d=%s", at, map[int8]string{OpInsert: "+", OpDelete: "-", OpUpdateAfter: ">", OpUpdateBefore: "<"}[e.op], e.row.k, e.row.v)
}

func says(es []event) []string {
	out := []string{}
	for _, e := range es {
		out = append(out, e.say())
	}
	return out
}

// events reads a batch.
func events(t testing.TB, s *Stream, b *Batch) (out []event) {
	t.Helper()
	defer b.Rec.Release()
	if !b.Rec.Schema().Equal(s.Schema()) {
		t.Fatalf("a batch of %v in a subscription of %v", b.Rec.Schema(), s.Schema())
	}
	at := b.Rec.NumCols() - 2
	if in := at == 3; in != s.o.columns() {
		t.Fatalf("columns %v", b.Rec.Schema())
	}
	for i := range int(b.Rec.NumRows()) {
		e := event{epoch: b.Epoch, op: OpInsert, snapshot: b.Snapshot, token: b.Resume(int64(i) + 1)}
		if at == 3 {
			e.op = b.Rec.Column(1).(*array.Int8).Value(i)
			if got := b.Rec.Column(0).(*array.Uint64).Value(i); base.Epoch(got) != b.Epoch {
				t.Errorf("_epoch is %d in a batch of epoch %d", got, b.Epoch)
			}
			if mark := b.Rec.Column(2).(*array.Timestamp); e.op != OpGap && (mark.IsNull(i) || int64(mark.Value(i)) != int64(b.Epoch+1)*1e6) {
				t.Errorf("_watermark of epoch %d is %v", b.Epoch, mark)
			}
		}
		if e.op != OpProgress && e.op != OpGap {
			e.row.k = b.Rec.Column(int(at)).(*array.Int64).Value(i)
			if v := b.Rec.Column(int(at) + 1).(*array.String); v.IsValid(i) {
				e.row.v = v.Value(i)
			}
		}
		out = append(out, e)
	}
	if b.End != "" {
		out = append(out, event{epoch: b.Epoch, end: b.End, token: b.Resume(0)})
	}
	return out
}

// next reads until there is at least one event.
func next(t testing.TB, s *Stream) []event {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	for {
		b, err := s.Next(ctx)
		if err != nil {
			t.Fatal(err)
		}
		if out := events(t, s, b); len(out) > 0 {
			return out
		}
	}
}

// rest reads to the end.
func rest(t testing.TB, s *Stream) (out []event) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	for {
		b, err := s.Next(ctx)
		if errors.Is(err, io.EOF) {
			return out
		}
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, events(t, s, b)...)
	}
}

func resume(t testing.TB, r Request, token string) Request {
	t.Helper()
	p, err := ParseToken(token)
	if err != nil {
		t.Fatal(err)
	}
	r.Resume = &p
	return r
}
