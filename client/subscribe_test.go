package client_test

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"testing"
	"time"

	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/flightd/flightd/client"
)

// column returns the numbers of a batch.
func column(b *client.Batch, name string) []int64 {
	at := b.Schema().FieldIndices(name)[0]
	return slices.Clone(b.Column(at).(*array.Int64).Int64Values())
}

func subscribe(t *testing.T, c *client.Conn, what string, o client.SubscribeOptions) *client.Subscription {
	t.Helper()
	s, err := c.Subscribe(bg, what, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return s
}

// take reads numbers until there are count.
func take(t *testing.T, s *client.Subscription, got []int64, count int) []int64 {
	t.Helper()
	for len(got) < count {
		b, err := s.Next()
		if err != nil {
			t.Fatalf("after %d numbers: %v", len(got), err)
		}
		got = append(got, column(b, "n")...)
		b.Release()
	}
	return got
}

func upTo(n int) []int64 {
	out := make([]int64, n)
	for i := range out {
		out[i] = int64(i)
	}
	return out
}

func TestSubscribe(t *testing.T) {
	x, c := start(t)
	stream(t, x, c)
	s := subscribe(t, c, "live", client.SubscribeOptions{FromEpoch: client.Epoch(0)})
	if err := x.add(3); err != nil {
		t.Fatal(err)
	}
	b, err := s.Next()
	if err != nil || b.Epoch != 0 || b.NumRows() != 3 || b.Resume == "" || b.Resume != s.Resume() || b.Snapshot || b.SkippedFrom != -1 {
		t.Fatalf("%+v, %v", b, err)
	}
	token := b.Resume
	b.Release()
	if err := x.add(2); err != nil {
		t.Fatal(err)
	}
	take(t, s, nil, 2)
	s.Close()
	if _, err := s.Next(); err == nil || err == io.EOF {
		t.Errorf("after Close: %v", err)
	}
	ended := subscribe(t, c, "live", client.SubscribeOptions{Resume: token, UpToEpoch: client.Epoch(1)})
	var got []int64
	for b, err := range ended.All() {
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, column(b, "n")...)
	}
	if !slices.Equal(got, []int64{3, 4}) || ended.End() != "epoch" {
		t.Errorf("got %v, %s", got, ended.End())
	}
}

func TestSubscribeEnds(t *testing.T) {
	x, c := start(t)
	stream(t, x, c)
	if err := x.add(10); err != nil {
		t.Fatal(err)
	}
	for want, o := range map[string]client.SubscribeOptions{
		"limit":    {FromEpoch: client.Epoch(0), Limit: 4, Progress: true},
		"interval": {For: 200 * time.Millisecond},
		"epoch":    {FromEpoch: client.Epoch(0), UpToEpoch: client.Epoch(0), Envelope: client.Upsert, Key: []string{"n"}},
	} {
		s := subscribe(t, c, "live", o)
		for _, err := range s.All() {
			if err != nil {
				t.Errorf("%s: %v", want, err)
			}
		}
		if s.End() != want {
			t.Errorf("it ended with %q, not %q", s.End(), want)
		}
	}
	for _, o := range []client.SubscribeOptions{{FromEpoch: client.Epoch(0), Resume: "x"}, {Envelope: "x"}, {Key: []string{"n"}}, {Limit: -1}, {Resume: "a'b"}} {
		if _, err := c.Subscribe(bg, "live", o); err == nil {
			t.Errorf("%+v: no error", o)
		}
	}
	var e *client.Error
	if _, err := c.Subscribe(bg, "live", client.SubscribeOptions{Resume: "AAAA"}); !errors.As(err, &e) || e.Condition != "SUBSCRIBE_INVALID_TOKEN" {
		t.Errorf("got %v", err)
	}
}

// A server that stops or breaks off, and comes back, costs no row and repeats none.
func TestSubscribeResumes(t *testing.T) {
	x, c := start(t)
	stream(t, x, c)
	s := subscribe(t, c, "live", client.SubscribeOptions{FromEpoch: client.Epoch(0), RetryFor: time.Minute})
	var got []int64
	for i, gently := range []bool{false, true, false, false} {
		if err := x.add(100 + i); err != nil {
			t.Fatal(err)
		}
		if i%2 == 0 {
			got = take(t, s, got, x.n)
		}
		if err := x.stop(gently); err != nil {
			t.Fatal(err)
		}
		if err := x.add(50); err != nil {
			t.Fatal(err)
		}
		back := make(chan error, 1)
		go func() { time.Sleep(200 * time.Millisecond); back <- x.start() }()
		got = take(t, s, got, x.n)
		if err := <-back; err != nil {
			t.Fatal(err)
		}
	}
	if !slices.Equal(got, upTo(x.n)) || s.Reconnects() < 4 {
		t.Errorf("%d numbers of %d, %d times", len(got), x.n, s.Reconnects())
	}
}

// A SELECT is gone on with, too, though its query ends with the server.
func TestSubscribeResumesSelect(t *testing.T) {
	x, c := start(t)
	run(t, c, "CREATE TABLE events (n BIGINT) USING flight OPTIONS ('maxRowsPerTrigger' = '7')")
	s := subscribe(t, c, "SELECT n DIV 2 AS n FROM STREAM events WHERE n % 2 = 0", client.SubscribeOptions{RetryFor: time.Minute})
	var got []int64
	n := 0
	for i, gently := range []bool{false, true, false} {
		run(t, c, fmt.Sprintf("INSERT INTO events SELECT id FROM range(%d, %d)", n, n+100))
		n += 100
		got = take(t, s, got, n/2-10*i)
		if err := x.stop(gently); err != nil {
			t.Fatal(err)
		}
		if err := x.start(); err != nil {
			t.Fatal(err)
		}
	}
	if got = take(t, s, got, n/2); !slices.Equal(got, upTo(n/2)) || s.Reconnects() < 2 {
		t.Errorf("%v, %d times", got, s.Reconnects())
	}
}

func TestSubscribeGivesUp(t *testing.T) {
	x, c := start(t)
	stream(t, x, c)
	if err := x.add(1); err != nil {
		t.Fatal(err)
	}
	feed := subscribe(t, c, "live", client.SubscribeOptions{FromEpoch: client.Epoch(0), RetryFor: 300 * time.Millisecond})
	never := subscribe(t, c, "live", client.SubscribeOptions{FromEpoch: client.Epoch(0), RetryFor: -1})
	query := subscribe(t, c, "SELECT n FROM STREAM numbers;", client.SubscribeOptions{})
	for _, s := range []*client.Subscription{feed, never, query} {
		take(t, s, nil, 1)
	}
	if err := x.stop(false); err != nil {
		t.Fatal(err)
	}
	for _, s := range []*client.Subscription{feed, never} {
		if _, err := s.Next(); err == nil {
			t.Error("no error")
		}
	}
	if _, err := query.Next(); !errors.Is(err, client.ErrNotResumable) {
		t.Errorf("got %v", err)
	}
	if err := x.start(); err != nil {
		t.Fatal(err)
	}
}
