package rate

import (
	"slices"
	"testing"
	"time"

	"github.com/flightd/flightd/internal/base"
	"github.com/flightd/flightd/sources"
	"github.com/flightd/flightd/sources/sourcetest"
)

func open1(t *testing.T, clock base.Clock, o base.Options) sources.Source {
	t.Helper()
	s, err := Providers()[0].Stream(t.Context(), sources.Config{Options: o, Clock: clock})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestContract(t *testing.T) {
	for _, o := range []base.Options{{"rowsPerSecond": "7"}, {"rowsPerSecond": "9", "rampUpTime": "2s", "numPartitions": "3"}} {
		clock := base.NewVirtualClock(time.Date(2024, 1, 1, 12, 0, 0, 0, time.UTC))
		sourcetest.Run(t, sourcetest.Harness{
			Open: func(t *testing.T) sources.Source { return open1(t, clock, o) },
			Add:  func(*testing.T) { clock.Advance(1500 * time.Millisecond) },
		})
	}
}

// What Spark's documentation of the ramp shows, and other rates.
func TestRamp(t *testing.T) {
	for _, c := range []struct {
		rate, ramp int64
		want       []int64
	}{
		{10, 4, []int64{0, 2, 6, 12, 20, 30, 40}}, {10, 0, []int64{0, 10, 20}}, {10, 2, []int64{0, 3, 9, 19}}, {1, 5, []int64{0, 0, 0, 0, 0, 0, 1, 2}},
	} {
		q := sequence{rowsPerSecond: c.rate, ramp: c.ramp}
		for s, want := range c.want {
			if got := q.rowsAfter(int64(s)); got != want {
				t.Errorf("rate %d, ramp %d: after %d seconds got %d, want %d", c.rate, c.ramp, s, got, want)
			}
		}
	}
	if n := (sequence{rowsPerSecond: maxRowsPerSecond, ramp: maxSeconds - 1}).rowsAfter(maxSeconds); n < 0 {
		t.Errorf("the largest number of rows is %d", n)
	}
}

func TestTimes(t *testing.T) {
	clock := base.NewVirtualClock(time.Date(2024, 1, 1, 12, 0, 0, 250e6, time.UTC))
	s := open1(t, clock, base.Options{"rowsPerSecond": "3"})
	from, _ := s.Initial(t.Context())
	clock.Advance(1999 * time.Millisecond)
	to, err := s.Latest(t.Context(), from, sources.Limit{})
	if err != nil || to != `{"start":1704110400250,"seconds":1}` {
		t.Fatalf("got %s, %v", to, err)
	}
	want := []string{"2024-01-01T12:00:00.25Z|0", "2024-01-01T12:00:00.583Z|1", "2024-01-01T12:00:00.917Z|2"}
	if got := sourcetest.ReadRange(t, s, from, to, sources.Scan{}); !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	clock.Advance(time.Minute)
	again := open1(t, clock, base.Options{"rowsPerSecond": "3"}) // a restart a minute later
	if got, _ := again.Latest(t.Context(), to, sources.Limit{}); got != `{"start":1704110400250,"seconds":61}` {
		t.Errorf("after a restart: %s", got)
	}
}

// A clock that was set back makes no range that runs backwards.
func TestClockGoesBack(t *testing.T) {
	s := open1(t, base.NewVirtualClock(time.UnixMilli(5000)), nil)
	at := offset{Start: 3000, Seconds: 100}.encode()
	if to, err := s.Latest(t.Context(), at, sources.Limit{}); to != at || err != nil {
		t.Errorf("got %s, %v", to, err)
	}
}

func TestOptions(t *testing.T) {
	for _, o := range []base.Options{{"rowsPerSecond": "0"}, {"rowsPerSecond": "x"}, {"rowsPerSecond": "1000000000"}, {"rampUpTime": "-1"}, {"rampUpTime": "soon"}, {"numPartitions": "0"}} {
		if _, err := Providers()[0].Stream(t.Context(), sources.Config{Options: o}); base.CodeOf(err) != base.CodeInvalid {
			t.Errorf("%v: got %v", o, err)
		}
	}
	for text, want := range map[string]string{"5": "5", "5s": "5", "2 minutes": "120"} {
		s := open1(t, nil, base.Options{"rampUpTime": text, "numPartitions": "2"})
		if got := s.Describe(); got != "RateStreamV2[rowsPerSecond=1, rampUpTimeSeconds="+want+", numPartitions=2]" {
			t.Errorf("%s: got %s", text, got)
		}
	}
}

func FuzzOffset(f *testing.F) {
	f.Add(`{"start":1704110400250,"seconds":61}`)
	f.Add(`{"start":0,"seconds":-1}`)
	f.Fuzz(func(t *testing.T, text string) {
		o, err := decode(base.Offset(text))
		if err == nil && (o.encode() != base.Offset(text) || (sequence{rowsPerSecond: maxRowsPerSecond}).rowsAfter(o.Seconds) < 0) {
			t.Errorf("%s is %v", text, o)
		}
	})
}
