package golden

import (
	"context"
	"os"
	"path/filepath"
	"testing"
	"time"
)

const root = "../../testdata/golden"

// TestRecordings plays every recording, in ways that must not show, and holds the
// result to the claims.
func TestRecordings(t *testing.T) {
	if testing.Short() {
		t.Skip("plays 516 recordings")
	}
	claims, err := ReadClaims(filepath.Join(root, "CLAIMED"))
	if err != nil {
		t.Fatal(err)
	}
	gaps, err := ReadGaps(filepath.Join(root, "KNOWN_GAPS"))
	if err != nil {
		t.Fatal(err)
	}
	for name, variant := range map[string]Variant{
		"speed rules on":  {},
		"speed rules off": {Settings: map[string]string{"flightd.speedRules.enabled": "false"}},
		"one row a batch": {Settings: map[string]string{"flightd.batchRows": "1", "flightd.subTables": "1"}},
		"a crash":         {Settings: map[string]string{"flightd.batchRows": "2", "spark.sql.streaming.stateStore.minDeltasForSnapshot": "1"}, Crash: uint64(time.Now().UnixNano())},
	} {
		t.Run(name, func(t *testing.T) {
			r, err := Streaming(context.Background(), filepath.Join(root, "streaming"), gaps, "", variant)
			if err != nil {
				t.Fatal(err)
			}
			r.Print(os.Stdout, false)
			for _, b := range r.Check(claims) {
				t.Error(b)
			}
			r.claimedDiffs(claims, t.Log)
			r.checkGaps(t, gaps)
		})
	}
}

// TestStatements runs every recorded statement and holds the result to the
// floors.
func TestStatements(t *testing.T) {
	if testing.Short() {
		t.Skip("runs 15,075 statements")
	}
	claims, err := ReadClaims(filepath.Join(root, "CLAIMED_SQL"))
	if err != nil {
		t.Fatal(err)
	}
	gaps, err := ReadGaps(filepath.Join(root, "KNOWN_GAPS"))
	if err != nil {
		t.Fatal(err)
	}
	r, err := SQL(context.Background(), filepath.Join(root, "sql"), gaps, "")
	if err != nil {
		t.Fatal(err)
	}
	r.Print(os.Stdout, false)
	for _, b := range r.Check(claims) {
		t.Error(b)
	}
	r.checkGaps(t, gaps)
}

// claimedDiffs logs the differences in families that are claimed whole.
func (r *Report) claimedDiffs(claims []Claim, log func(...any)) {
	whole := map[string]bool{}
	for _, c := range claims {
		whole[c.Family] = c.Floor < 0
	}
	for _, o := range r.Outcomes {
		if o.Diff != "" && whole[o.Family] {
			log(o.ID, o.Diff)
		}
	}
}

// checkGaps makes sure that no case of this run is listed as a gap and passes.
func (r *Report) checkGaps(t *testing.T, gaps map[string]string) {
	for _, o := range r.Outcomes {
		if gaps[o.ID] != "" && o.Diff == "" {
			t.Errorf("%s is listed in KNOWN_GAPS and passes", o.ID)
		}
	}
}

// TestCompare makes sure that the comparison notices each kind of difference.
func TestCompare(t *testing.T) {
	all, err := Load(filepath.Join(root, "streaming"))
	if err != nil {
		t.Fatal(err)
	}
	var s *Scenario
	for _, c := range all {
		if c.ID() == "tumbling/vector_w1" {
			s = c
		}
	}
	if s == nil {
		t.Fatal("tumbling/vector_w1 is not there")
	}
	same := func() answer {
		a := answer{schema: s.Expect.Schema}
		for _, st := range s.Expect.Steps {
			a.steps = append(a.steps, append([]Epoch(nil), st.Epochs...))
		}
		return a
	}
	if d := compare(s, same()); d != "" {
		t.Fatalf("the recording differs from itself: %s", d)
	}
	row, mark := "1970", "1970-01-01T00:00:09.000Z"
	changes := map[string]func(*answer){
		"schema":      func(a *answer) { a.schema = "start TIMESTAMP,n INT" },
		"fewer steps": func(a *answer) { a.steps = a.steps[:1] },
		"epoch":       func(a *answer) { a.steps[0] = a.steps[0][:1] },
		"more epochs": func(a *answer) { a.steps[1] = append(a.steps[1], a.steps[0][0]) },
		"rows":        func(a *answer) { a.steps[0][0].Rows = [][]*string{{&row, nil}} },
		"watermark":   func(a *answer) { a.steps[0][1].Watermark = &mark },
		"event time":  func(a *answer) { a.steps[0][0].EventTime = map[string]string{"min": mark} },
		"state":       func(a *answer) { a.steps[0][0].State = []State{{OperatorName: "stateStoreSave", NumRowsTotal: 2}} },
		"input":       func(a *answer) { a.steps[0][0].InputRows = map[string]int64{"s": 2} },
		"error":       func(a *answer) { a.err, a.at = os.ErrNotExist, "run" },
	}
	for name, change := range changes {
		a := same()
		change(&a)
		if compare(s, a) == "" {
			t.Errorf("a difference in %s is not noticed", name)
		}
	}
}
