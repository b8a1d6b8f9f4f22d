package base

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"
)

func TestErrorDisplay(t *testing.T) {
	e := UserError("UNRESOLVED_COLUMN", "42703", "There is no column %s.", "nme").
		At(Pos{Start: 10, End: 13, Line: 2, Col: 3}).WithHint("did you mean %s?", "name")
	e.Query = "SELECT\n\t\tnme\nFROM t"
	e.Pos.Start, e.Pos.End = 9, 12
	want := "[UNRESOLVED_COLUMN] There is no column nme. SQLSTATE: 42703\nline 2:3: \t\tnme\n          \t\t^^^\nhint: did you mean name?"
	if got := e.Display(); got != want {
		t.Errorf("got\n%q\nwant\n%q", got, want)
	}
	wrapped := Wrap(fmt.Errorf("reading: %w", e), "running epoch %d", 7)
	if AsError(wrapped) != e || CodeOf(wrapped) != CodeInvalid {
		t.Error("the condition is lost by wrapping")
	}
	if got := AsError(errors.New("plain")); got.Code != CodeInternal || got.Msg != "plain" {
		t.Errorf("a foreign error became %+v", got)
	}
	if Wrap(nil, "x") != nil {
		t.Error("nil does not stay nil")
	}
	if e.At(Pos{Start: 1, Line: 9}).Pos.Line != 2 {
		t.Error("a place was overwritten")
	}
}

func TestParseDuration(t *testing.T) {
	for text, want := range map[string]time.Duration{
		"10 seconds": 10 * time.Second, "5m": 5 * time.Minute, "1 hour 30 minutes": 90 * time.Minute, "interval 5 seconds": 5 * time.Second,
		"250": 250 * time.Millisecond, "7d": 7 * 24 * time.Hour, "1 week": 7 * 24 * time.Hour, "-3 s": -3 * time.Second, "1000ms": time.Second,
	} {
		if got, err := ParseDuration(text); err != nil || got != want {
			t.Errorf("%q: %v, %v; want %v", text, got, err, want)
		}
	}
	for _, text := range []string{"", "banana", "5 parsecs", "interval", "1.5 s", "s"} {
		if d, err := ParseDuration(text); err == nil {
			t.Errorf("%q is %v", text, d)
		}
	}
}

func TestOptions(t *testing.T) {
	o := Options{"maxFilesPerTrigger": "3", "Header": "TRUE", "wait": "2s", "bad": "x"}
	if n, err := o.Int("MAXFILESPERTRIGGER", 1); n != 3 || err != nil {
		t.Errorf("%d, %v", n, err)
	}
	if b, err := o.Bool("header", false); !b || err != nil {
		t.Errorf("%v, %v", b, err)
	}
	if d, err := o.Duration("wait", 0); d != 2*time.Second || err != nil {
		t.Errorf("%v, %v", d, err)
	}
	if s := o.String("none", "def"); s != "def" {
		t.Error(s)
	}
	for _, err := range []error{second(o.Int("bad", 0)), second(o.Bool("bad", false)), second(o.Duration("bad", 0))} {
		if CodeOf(err) != CodeInvalid || err == nil {
			t.Errorf("no error for a bad value: %v", err)
		}
	}
	known := []string{"path", "header", "kafka.*"}
	if err := (Options{"Path": "p", "KAFKA.acks": "all"}).CheckKeys("source x", known); err != nil {
		t.Error(err)
	}
	var e *Error
	if err := (Options{"heder": "true"}).CheckKeys("source x", known); !errors.As(err, &e) || e.Hint != `did you mean "header"?` {
		t.Errorf("%v, hint %q", err, e.Hint)
	}
}

func second[T any](_ T, err error) error { return err }

func TestNearest(t *testing.T) {
	for word, want := range map[string]string{"parqet": "parquet", "KAFKA": "kafka", "zzzzzz": ""} {
		if got := Nearest(word, []string{"json", "parquet", "kafka"}); got != want {
			t.Errorf("%s: %q, want %q", word, got, want)
		}
	}
	if d := EditDistance("kitten", "sitting"); d != 3 {
		t.Errorf("distance %d", d)
	}
}

func TestDigestText(t *testing.T) {
	d := Digest{1, 2, 255}
	if got, err := ParseDigest(d.String()); err != nil || got != d {
		t.Errorf("%v, %v", got, err)
	}
	for _, s := range []string{"", "0102", "zz"} {
		if _, err := ParseDigest(s); CodeOf(err) != CodeCorrupt || err == nil {
			t.Errorf("%q: %v", s, err)
		}
	}
}

func TestVirtualClock(t *testing.T) {
	c := NewVirtualClock(time.Unix(100, 0))
	slept := make(chan error, 1)
	go func() { slept <- c.Sleep(context.Background(), 10*time.Second) }()
	for waiting := 0; waiting == 0; time.Sleep(time.Millisecond) {
		c.mu.Lock()
		waiting = len(c.waiters)
		c.mu.Unlock()
	}
	c.Advance(9 * time.Second)
	select {
	case <-slept:
		t.Fatal("woke a second early")
	case <-time.After(5 * time.Millisecond):
	}
	c.Advance(time.Second)
	if err := <-slept; err != nil || !c.Now().Equal(time.Unix(110, 0)) {
		t.Errorf("%v at %v", err, c.Now())
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if err := c.Sleep(ctx, time.Hour); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}

func TestOutputMode(t *testing.T) {
	for _, m := range []OutputMode{Append, Update, Complete} {
		if got, err := ParseOutputMode(m.String()); err != nil || got != m {
			t.Errorf("%v, %v", got, err)
		}
	}
	if _, err := ParseOutputMode("upsert"); AsError(err).Condition != "STREAMING_OUTPUT_MODE.INVALID" {
		t.Error(err)
	}
}
