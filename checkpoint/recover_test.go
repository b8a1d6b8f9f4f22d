package checkpoint

import (
	"encoding/binary"
	"hash/crc32"
	"strings"
	"testing"

	"github.com/flightd/flightd/internal/base"
)

// appendChecksum sets the checksum of the frame b.
func appendChecksum(b []byte) ([]byte, error) {
	binary.LittleEndian.PutUint32(b[4:], crc32.Checksum(b[8:], castagnoli()))
	return b, nil
}

// records makes records of a short text: o opening, m metadata, p3 plan of epoch
// 3, d3 done record, s3 snapshot, f3 folds.
func records(t *testing.T, text string) []record {
	t.Helper()
	var out []record
	for _, w := range strings.Fields(text) {
		e := base.Epoch(0)
		if len(w) > 1 {
			e = base.Epoch(w[1] - '0')
		}
		m := testMeta()
		var rec record
		var err error
		switch w[0] {
		case 'o':
			rec, err = newRecord(recordOpening, opening{Segment: 1, Meta: &m}, nil)
		case 'O': // an opening in the middle of a query, after epoch e
			p, d := testPlan(e), testDone(e)
			j := d.onDisk()
			rec, err = newRecord(recordOpening, opening{Segment: 1, Meta: &m, LastPlan: &p, LastDone: &j}, nil)
		case 'm':
			rec, err = newRecord(recordMeta, m, nil)
		case 'p':
			rec, err = newRecord(recordPlan, testPlan(e), nil)
		case 'd':
			d := testDone(e)
			rec, err = newRecord(recordDone, d.onDisk(), d.Changes)
		case 's':
			rec, err = newRecord(recordSnapshot, Snapshot{Epoch: e, Keep: 2}, nil)
		case 'f':
			f := Folds{Epoch: e, Sources: testFolds(e)}
			j, blob := f.onDisk()
			rec, err = newRecord(recordFolds, j, blob)
		}
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, rec)
	}
	return out
}

func TestRecover(t *testing.T) {
	for _, c := range []struct {
		records string
		next    base.Epoch
		replay  bool
		plans   int
		changes string // the epochs
		err     string
	}{
		{records: "o"},
		{records: "o p0", replay: true, plans: 1},
		{records: "o p0 d0", next: 1, plans: 1, changes: "0"},
		{records: "o p0 d0 p1", next: 1, replay: true, plans: 2, changes: "0"},
		{records: "o p0 d0 p1 d1 s0 p2", next: 2, replay: true, plans: 3, changes: "1"},
		{records: "o p0 d0 s0 p1 d1 s1 p2 d2", next: 3, plans: 3, changes: "12"},
		{records: "o p0 d0 s0 p1 d1 s1 p2 d2 s2", next: 3, plans: 3, changes: "2"},
		{records: "o p0 d0 f0 p1 d1 m", next: 2, plans: 1, changes: "01"},
		{records: "o p0 f0 d0", next: 1, changes: "0"},
		{records: "o p0 d0 f0 s0 O0 p1", next: 1, replay: true, plans: 1},
		{records: "O4 p5 f5", next: 5, replay: true},
		{records: "p0", err: "record 0, plan, after plan -1 and done -1: a ledger does not begin so"},
		{records: "m", err: "record 0"},
		{records: "o p1", err: "record 1, plan, after plan -1 and done -1: plan of epoch 1"},
		{records: "o p0 p1", err: "record 2, plan, after plan 0 and done -1: plan of epoch 1"},
		{records: "o p0 d0 d0", err: "record 3, done, after plan 0 and done 0: done record of epoch 0"},
		{records: "o p0 d1", err: "done record of epoch 1"},
		{records: "o p0 s0", err: "snapshot of epoch 0"},
		{records: "o p0 d0 s0 s0", err: "record 4, snapshot"},
		{records: "o f0", err: "folds of epoch 0"},
		{records: "o p0 d0 O1", err: "segment 1 continues query 3f0e after plan 1 and done 1"},
		{records: "O4 p5", err: "plan of epoch 0 is missing"},
		{records: "O4 p5 d5 f5", err: "state changes of epoch 0 are missing"},
	} {
		recs := records(t, c.records)
		r, _, err := recoverFrom(recs)
		if c.err != "" {
			if err == nil || !strings.Contains(err.Error(), c.err) || base.CodeOf(err) != base.CodeCorrupt {
				t.Errorf("%s: error %v, want %q", c.records, err, c.err)
			}
			continue
		}
		if err != nil {
			t.Errorf("%s: %v", c.records, err)
			continue
		}
		changes := ""
		for _, ch := range r.Changes {
			changes += string(rune('0' + ch.Epoch))
		}
		if r.NextEpoch() != c.next || r.Replay != c.replay || len(r.Plans) != c.plans || changes != c.changes {
			t.Errorf("%s: next %d, replay %v, %d plans, changes %q; want %+v", c.records, r.NextEpoch(), r.Replay, len(r.Plans), changes, c)
		}
	}
}
