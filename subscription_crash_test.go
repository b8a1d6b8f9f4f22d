package flightd_test

import (
	"context"
	"fmt"
	"io"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/flightd/flightd/internal/base"
)

// A crash before any durable step of an epoch neither loses nor repeats a row for a
// subscriber who goes on with his last token; and the whole, told again from the
// beginning, is the same.
func TestSubscribeAcrossCrashes(t *testing.T) {
	for _, c := range []struct{ name, query, options string }{
		{"append", "CREATE STREAMING QUERY live INTO feed AS SELECT k, v FROM STREAM lines", "PROGRESS"},
		{"changelog", "CREATE STREAMING QUERY live OUTPUT MODE update INTO feed AS SELECT k, sum(v) AS s FROM STREAM lines GROUP BY k", "ENVELOPE changelog"},
		{"snapshot", "CREATE STREAMING QUERY live OUTPUT MODE update INTO feed AS SELECT k, sum(v) AS s FROM STREAM lines GROUP BY k", "SNAPSHOT ENVELOPE changelog"},
		{"complete", "CREATE STREAMING QUERY live OUTPUT MODE complete INTO feed AS SELECT k, sum(v) AS s FROM STREAM lines GROUP BY k", "ENVELOPE changelog"},
	} {
		for _, step := range []string{"plan", "write", "commit", "done", "advise"} {
			t.Run(c.name+"/"+step, func(t *testing.T) {
				w := newLive(t)
				w.feed(c.query)
				from := " FROM EPOCH 0"
				if strings.Contains(c.options, "SNAPSHOT") {
					from = ""
				}
				var f *follower
				var told []string
				var at atomic.Int64 // the epoch to crash in
				var crashed atomic.Bool
				w.before = func(s string, epoch base.Epoch) error {
					if s == step && int64(epoch) == at.Load() {
						crashed.Store(true)
						return errPlanned
					}
					return nil
				}
				w.open()
				f = w.subscribe("SUBSCRIBE TO live " + c.options + from)
				for n := 2; n < 8; n++ {
					crashed.Store(false)
					at.Store(int64(n))
					w.file("in", n, fmt.Sprintf(`{"k":"a","v":%d}`, n), fmt.Sprintf(`{"k":"k%d","v":1}`, n))
					// The query fails at the step; what the subscriber still gets differs, and how
					// much of it he reads, too.
					for i := 0; ; i++ {
						more, err := f.batch()
						told = append(told, more...)
						if err != nil || i == n {
							break
						}
					}
					q := w.eng.Query("live")
					ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
					_ = q.AwaitTermination(ctx)
					cancel()
					if !crashed.Load() {
						t.Fatalf("no crash in epoch %d", n)
					}
					f.r.Close()
					at.Store(-1)
					w.open()
					token := f.resume
					f = w.subscribe("SUBSCRIBE TO live " + c.options + " RESUME '" + token + "'")
					f.resume = token
				}
				if err := settle(w.eng.Query("live")); err != nil {
					t.Fatal(err)
				}
				f.r.Close()
				f = w.subscribe("SUBSCRIBE TO live " + c.options + " RESUME '" + f.resume + "' UP TO EPOCH 7")
				told = append(told, f.rest()...)
				options := strings.ReplaceAll(c.options, "SNAPSHOT", "")
				calm := w.subscribe("SUBSCRIBE TO live " + options + " FROM EPOCH 0 UP TO EPOCH 7").rest()
				if c.name == "snapshot" { // two rows stand for those of the first two epochs
					calm = append([]string{"1|1|NULL|b|2", "1|1|NULL|a|4"}, calm[4:]...)
				}
				if a, b := strings.Join(told, "\n"), strings.Join(calm, "\n"); a != b {
					t.Errorf("in parts:\n%s\nat once:\n%s", a, b)
				}
			})
		}
	}
}

// What a slow subscriber gets, by policy.
func TestSlowSubscribers(t *testing.T) {
	w := newLive(t)
	w.settings["flightd.subscribe.maxBatches"] = "3"
	q := w.feed("CREATE STREAMING QUERY live INTO feed AS SELECT k, v FROM STREAM lines")
	set := func(policy string) {
		for k, v := range map[string]string{"flightd.subscribe.slow": policy, "flightd.subscribe.maxBatches": "3"} {
			if _, err := w.s.Set(k, v); err != nil {
				t.Fatal(err)
			}
		}
	}
	followers := map[string]*follower{}
	for _, p := range []string{"block", "skip", "disconnect"} {
		set(p)
		// What was there before does not count as being slow.
		followers[p] = w.subscribe("SUBSCRIBE TO live FROM EPOCH 0")
		followers[p].rows(3)
	}
	for n := 2; n < 9; n++ {
		w.file("in", n, fmt.Sprintf(`{"k":"x","v":%d}`, n))
	}
	if err := settle(q); err != nil {
		t.Fatal(err)
	}
	followers["block"].want("x|2", "x|3", "x|4", "x|5", "x|6", "x|7", "x|8")
	followers["skip"].want("7|5|NULL|NULL|NULL", "8|1|NULL|x|8")
	f := followers["disconnect"]
	_, err := f.batch()
	if base.CodeOf(err) != base.CodeExhausted || !strings.Contains(err.Error(), "RESOURCE_EXHAUSTED") {
		t.Errorf("got %v", err)
	}
	if err := f.r.Check(); base.CodeOf(err) != base.CodeExhausted {
		t.Errorf("checked: %v", err)
	}
	w.subscribe("SUBSCRIBE TO live RESUME '"+f.resume+"' LIMIT 2").want("x|2", "x|3")
	set("skip")
	_, err = w.s.Execute(context.Background(), "SUBSCRIBE TO live ENVELOPE changelog")
	wantError(t, err, "SUBSCRIBE_ENVELOPE", "42601", "leave out")
	if _, err := followers["block"].r.Next(canceled()); err == nil || err == io.EOF {
		t.Errorf("got %v", err)
	}
}

func canceled() context.Context {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	return ctx
}

func TestSubscribeTokens(t *testing.T) {
	w := newLive(t)
	w.feed("CREATE STREAMING QUERY live INTO feed AS SELECT k, v FROM STREAM lines")
	f := w.subscribe("SUBSCRIBE TO live FROM EPOCH 0")
	f.rows(3)
	for i := range f.resume {
		bad := []byte(f.resume)
		if bad[i] == 'A' {
			bad[i] = 'B'
		} else {
			bad[i] = 'A'
		}
		if _, err := w.s.Execute(context.Background(), "SUBSCRIBE TO live RESUME '"+string(bad)+"'"); err == nil {
			t.Errorf("a token with another character %d is taken", i)
		}
	}
	if _, err := w.s.Execute(context.Background(), "CREATE STREAMING QUERY other INTO feed AS SELECT k, v FROM STREAM lines"); err != nil {
		t.Fatal(err)
	}
	_, err := w.s.Execute(context.Background(), "SUBSCRIBE TO other RESUME '"+f.resume+"'")
	wantError(t, err, "SUBSCRIBE_INVALID_TOKEN", "22023", "another query", "SNAPSHOT")
}

// Epochs that the feed does not keep any more are folded: a snapshot and the rows
// before an update stay what they were, and a place before them is an error that
// names the earliest.
func TestSubscribeBeyondRetention(t *testing.T) {
	w := newWorld(t)
	w.file("in", 0, `{"k":"a","v":1}`, `{"k":"b","v":2}`)
	w.open()
	for _, text := range []string{fmt.Sprintf(liveTable, w.dir("in")),
		"CREATE STREAMING QUERY live OUTPUT MODE update INTO feed OPTIONS ('retention' = '1 minute') AS SELECT k, sum(v) AS s FROM STREAM lines GROUP BY k",
		"CREATE STREAMING QUERY rows INTO feed OPTIONS ('retention' = '1 minute') AS SELECT k, v FROM STREAM lines"} {
		if _, err := w.s.Execute(context.Background(), text); err != nil {
			t.Fatal(err)
		}
	}
	wait := func() {
		t.Helper()
		for _, name := range []string{"live", "rows"} {
			if err := settle(w.eng.Query(name)); err != nil {
				t.Fatal(err)
			}
		}
	}
	wait()
	old := w.subscribe("SUBSCRIBE TO rows FROM EPOCH 0 LIMIT 1")
	old.rest()
	part := w.subscribe("SUBSCRIBE TO live SNAPSHOT ENVELOPE changelog LIMIT 1")
	part.rest()
	for n := 1; n <= 6; n++ { // each start of the engine begins a segment
		w.clock.Advance(30 * time.Second)
		w.open()
		w.file("in", n, fmt.Sprintf(`{"k":"a","v":%d}`, n), fmt.Sprintf(`{"k":"k%d","v":1}`, n))
		wait()
	}
	f := w.subscribe("SUBSCRIBE TO live SNAPSHOT ENVELOPE changelog")
	f.want("6|1|NULL|b|2", "6|1|NULL|k1|1", "6|1|NULL|k2|1", "6|1|NULL|k3|1", "6|1|NULL|k4|1", "6|1|NULL|k5|1", "6|1|NULL|a|22", "6|1|NULL|k6|1")
	late := w.subscribe("SUBSCRIBE TO live FROM EPOCH 6 ENVELOPE changelog")
	late.want("6|4|NULL|a|16", "6|3|NULL|a|22", "6|1|NULL|k6|1")
	for text, want := range map[string]string{
		"SUBSCRIBE TO live FROM EPOCH 0 ENVELOPE changelog":                          "earliest is",
		"SUBSCRIBE TO rows FROM EPOCH 1":                                             "earliest is",
		"SUBSCRIBE TO rows RESUME '" + old.resume + "'":                              "earliest is",
		"SUBSCRIBE TO live SNAPSHOT ENVELOPE changelog RESUME '" + part.resume + "'": "earliest is",
	} {
		_, err := w.s.Execute(context.Background(), text)
		if base.CodeOf(err) != base.CodeOutOfRange || !strings.Contains(err.Error(), "[OUT_OF_RANGE]") || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", text, err)
		}
	}
	snap := w.subscribe("SUBSCRIBE TO rows SNAPSHOT")
	if len(snap.r.Notices()) != 1 || !strings.Contains(snap.r.Notices()[0], "not in the snapshot") {
		t.Errorf("notices %q", snap.r.Notices())
	}
}
