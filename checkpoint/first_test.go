package checkpoint

import (
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/flightd/flightd/internal/base"
)

// A ledger may begin with another epoch than 0, and is then as strict about what follows
// as any, also over its segments and after it was opened again.
func TestFirstEpoch(t *testing.T) {
	const first = base.Epoch(17)
	fs := vfs.NewMem()
	open := func() (*Ledger, *Recovered) {
		t.Helper()
		l, r, err := Open(fs, "dir", Options{SegmentBytes: 1}) // a segment for each record
		if err != nil {
			t.Fatal(err)
		}
		return l, r
	}
	l, _ := open()
	m := testMeta()
	m.First = first
	if err := l.WriteMeta(m); err != nil {
		t.Fatal(err)
	}
	for _, wrong := range []base.Epoch{0, first - 1, first + 1} {
		if err := l.WritePlan(testPlan(wrong)); err == nil {
			t.Errorf("the plan of epoch %d is taken as the first", wrong)
		}
	}
	for e := first; e < first+4; e++ {
		l.Close()
		var r *Recovered
		if l, r = open(); r.NextEpoch() != e || r.Replay {
			t.Fatalf("epoch %d is next, not %d; replay %v", r.NextEpoch(), e, r.Replay)
		}
		if err := l.WriteDone(testDone(e)); err == nil {
			t.Errorf("epoch %d is done before it was planned", e)
		}
		if err := l.WritePlan(testPlan(e)); err != nil {
			t.Fatal(err)
		}
		l.Close()
		if l, r = open(); r.NextEpoch() != e || !r.Replay {
			t.Fatalf("epoch %d is next, not %d; replay %v", r.NextEpoch(), e, r.Replay)
		}
		if err := l.WriteDone(testDone(e)); err != nil {
			t.Fatal(err)
		}
	}
	l.Close()
	if _, r, err := Open(fs, "dir", Options{}); err != nil || len(r.Changes) != 4 || r.Changes[0].Epoch != first {
		t.Fatalf("%+v, %v", r, err)
	}
}
