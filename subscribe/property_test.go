package subscribe

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/flightd/flightd/internal/base"
	"github.com/flightd/flightd/internal/turnstile"
	"github.com/flightd/flightd/sinks"
)

// table is a result that changes are applied to: how often a row is there.
type table map[pair]int

func (x table) add(p pair, n int) bool {
	x[p] += n
	left := x[p]
	if left == 0 {
		delete(x, p)
	}
	return left >= 0
}

// rowOf returns the row of a key.
func (x table) rowOf(k int64) (pair, bool) {
	for p := range x {
		if p.k == k {
			return p, true
		}
	}
	return pair{}, false
}

// set replaces the row of a key.
func (x table) set(p pair) {
	if old, ok := x.rowOf(p.k); ok {
		x.add(old, -1)
	}
	x.add(p, 1)
}

// history is random epochs of a query, with the result after each.
type history struct {
	epochs [][]pair
	after  []table
}

func makeHistory(r *rand.Rand, mode sinks.Mode, n int) *history {
	h := &history{}
	now := table{}
	value := func() string { return []string{"", "a", "b", "c"}[r.IntN(4)] }
	for range n {
		var rows []pair
		switch mode.Kind {
		case base.Append:
			for range r.IntN(6) {
				rows = append(rows, pair{int64(r.IntN(100)), value()})
				now.add(rows[len(rows)-1], 1)
			}
		case base.Update: // a key once an epoch
			for _, k := range r.Perm(8)[:r.IntN(8)] {
				rows = append(rows, pair{int64(k), value()})
				now.set(rows[len(rows)-1])
			}
		case base.Complete:
			now = table{}
			for _, k := range r.Perm(8)[:r.IntN(8)] {
				rows = append(rows, pair{int64(k), value()})
				now.add(rows[len(rows)-1], 1)
			}
		}
		h.epochs = append(h.epochs, rows)
		h.after = append(h.after, maps.Clone(now))
	}
	return h
}

// apply tells an event to a table, and why it cannot be.
func apply(x table, e event, upsert bool) error {
	switch e.op {
	case OpInsert:
		x.add(e.row, 1)
	case OpUpdateAfter:
		if upsert {
			x.set(e.row)
		} else {
			x.add(e.row, 1)
		}
	case OpDelete, OpUpdateBefore:
		if x[e.row] == 0 {
			return fmt.Errorf("%s takes away what is not there", e.say())
		}
		x.add(e.row, -1)
	}
	return nil
}

// The property: whatever a query puts out and however its epochs are cut into record
// batches, what a subscription tells, applied to its snapshot, is the result at each epoch's
// end; two subscriptions hear the same (S1); and whoever goes on behind any row, also
// after a restart, hears just the rest (S2).
func TestChangesAreTheResult(t *testing.T) {
	key := []int{0}
	for _, c := range []struct {
		name     string
		mode     sinks.Mode
		envelope Envelope
		keys     []int
	}{
		{"append", sinks.Mode{Kind: base.Append}, Append, nil},
		{"update as changelog", sinks.Mode{Kind: base.Update, Keys: key}, Changelog, nil},
		{"update as upsert", sinks.Mode{Kind: base.Update, Keys: key}, Upsert, nil},
		{"complete as changelog", sinks.Mode{Kind: base.Complete}, Changelog, nil},
		{"complete as changelog of keys", sinks.Mode{Kind: base.Complete, Keys: key}, Changelog, nil},
		{"complete as upsert", sinks.Mode{Kind: base.Complete}, Upsert, key},
	} {
		t.Run(c.name, func(t *testing.T) {
			for seed := range uint64(12) {
				r := rand.New(rand.NewPCG(seed, 7))
				h := makeHistory(r, c.mode, 8)
				q := newQuery(t, c.mode)
				q.cuts = r
				began := r.IntN(len(h.epochs))
				for _, rows := range h.epochs[:began] {
					q.epoch(rows...)
				}
				ask := ask()
				ask.Envelope, ask.Keys, ask.Progress, ask.Snapshot = c.envelope, c.keys, true, true
				turns := func(o *Options) { o.Turns = turnstile.New(1) }
				s, same := q.subscribe(ask, turns), q.subscribe(ask)
				for _, rows := range h.epochs[began:] {
					q.epoch(rows...)
				}
				q.feed.Close()
				all := rest(t, s)
				if got := says(rest(t, same)); !slices.Equal(got, says(all)) {
					t.Fatalf("seed %d: two subscribers hear\n%v\n%v", seed, says(all), got)
				}
				check(t, seed, h, all, c.envelope == Upsert)
				q.restart()
				q.feed.Close()
				for i, e := range all[:len(all)-1] {
					if e.token == "" {
						t.Fatalf("seed %d: %s has no token", seed, e.say())
					}
					if got, want := rows(rest(t, q.subscribe(resume(t, ask, e.token)))), rows(all[i+1:]); !slices.Equal(got, want) {
						t.Fatalf("seed %d: behind %s came\n%v\nnot\n%v", seed, e.say(), got, want)
					}
				}
			}
		})
	}
}

// rows says the events without what is of the snapshot: of a query in output mode append
// that is what was there when the subscription began, and who resumes begins later.
func rows(es []event) []string {
	es = slices.Clone(es)
	for i := range es {
		es[i].snapshot = false
	}
	return says(es)
}

// check compares the result at each epoch's end.
func check(t *testing.T, seed uint64, h *history, all []event, upsert bool) {
	t.Helper()
	x := table{}
	put := false // something was put in place in this epoch
	last := base.NoEpoch
	for _, e := range all {
		switch {
		case e.end != "":
			if e.end != string(endStopped) {
				t.Errorf("seed %d: ended with %q", seed, e.end)
			}
			continue
		case e.op == OpProgress:
			if want := h.after[e.epoch]; !maps.Equal(x, want) {
				t.Fatalf("seed %d: after epoch %d the result is %v, not %v; told was\n%v", seed, e.epoch, x, want, says(all))
			}
			put, last = false, e.epoch
			continue
		}
		if e.epoch <= last {
			t.Errorf("seed %d: %s comes after epoch %d was complete", seed, e.say(), last)
		}
		away := e.op == OpDelete || e.op == OpUpdateBefore
		if away && put {
			t.Errorf("seed %d: %s comes after rows were put in place", seed, e.say())
		}
		put = put || !away
		if err := apply(x, e, upsert); err != nil {
			t.Fatalf("seed %d: %v; told was\n%v", seed, err, says(all))
		}
	}
	if want := base.Epoch(len(h.epochs) - 1); last != want {
		t.Errorf("seed %d: the last epoch was %d, not %d", seed, last, want)
	}
}
