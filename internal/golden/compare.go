package golden

import (
	"fmt"
	"regexp"
	"strings"
)

// compare returns the first difference between what was recorded and what
// flightd did, or "".
func compare(s *Scenario, a answer) string {
	if s.Expect.Error != nil || a.err != nil {
		return compareError(s, a)
	}
	if want, got := ddl(s.Expect.Schema), ddl(a.schema); want != got {
		return fmt.Sprintf("schema: want %s\n           got %s", want, got)
	}
	if len(a.steps) != len(s.Expect.Steps) {
		return fmt.Sprintf("%d steps, want %d", len(a.steps), len(s.Expect.Steps))
	}
	for i, want := range s.Expect.Steps {
		if d := compareEpochs(want.Epochs, a.steps[i]); d != "" {
			return fmt.Sprintf("step %d: %s", i, d)
		}
	}
	return ""
}

func compareError(s *Scenario, a answer) string {
	if a.err == nil {
		return fmt.Sprintf("no error, want %s at %s", text(s.Expect.Error.Class), s.Expect.At)
	}
	if s.Expect.Error == nil {
		return fmt.Sprintf("error at %s: %v", a.at, a.err)
	}
	class, state := conditionOf(a.err)
	want := s.Expect.Error
	if a.at != s.Expect.At || class != str(want.Class) || state != str(want.SQLState) {
		return fmt.Sprintf("error: want %s (%s) at %s: %.120s\n          got %s (%s) at %s: %v", text(want.Class), text(want.SQLState), s.Expect.At,
			want.Message, class, state, a.at, a.err)
	}
	return ""
}

func str(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}

func text(s *string) string {
	if s == nil {
		return "NULL"
	}
	return *s
}

var notNull = regexp.MustCompile(` NOT NULL`)

// ddl drops what is no promise of Spark's: NOT NULL, and the case of type names
// within nested types.
func ddl(s string) string { return notNull.ReplaceAllString(s, "") }

func compareEpochs(want, got []Epoch) string {
	for i, w := range want {
		if i >= len(got) {
			return fmt.Sprintf("epoch %d did not run (%d ran, want %d)", w.BatchID, len(got), len(want))
		}
		if d := compareEpoch(w, got[i]); d != "" {
			return fmt.Sprintf("epoch %d: %s", w.BatchID, d)
		}
	}
	if len(got) > len(want) {
		return fmt.Sprintf("epoch %d ran, %d epochs were recorded", got[len(want)].BatchID, len(want))
	}
	return ""
}

func compareEpoch(want, got Epoch) string {
	if got.BatchID != want.BatchID {
		return fmt.Sprintf("it is number %d", got.BatchID)
	}
	for name, n := range want.InputRows {
		if got.InputRows[name] != n {
			return fmt.Sprintf("%d input rows from %s, want %d", got.InputRows[name], name, n)
		}
	}
	if text(want.Watermark) != text(got.Watermark) {
		return fmt.Sprintf("watermark %s, want %s", text(got.Watermark), text(want.Watermark))
	}
	for k, v := range want.EventTime {
		if got.EventTime[k] != v {
			return fmt.Sprintf("event time %s %s, want %s", k, got.EventTime[k], v)
		}
	}
	if len(got.EventTime) != len(want.EventTime) {
		return fmt.Sprintf("event time %v, want %v", got.EventTime, want.EventTime)
	}
	if w, g := rowsText(want.Rows), rowsText(got.Rows); w != g {
		return fmt.Sprintf("rows:\n  want %s\n   got %s", w, g)
	}
	if len(want.State) != len(got.State) {
		return fmt.Sprintf("%d stateful operators, want %d", len(got.State), len(want.State))
	}
	for i, w := range want.State {
		if ws, gs := stateText(w), stateText(got.State[i]); ws != gs {
			return fmt.Sprintf("stateful operator %d:\n  want %s\n   got %s", i, ws, gs)
		}
	}
	return ""
}

func rowsText(rows [][]*string) string {
	parts := make([]string, len(rows))
	for i, r := range rows {
		cells := make([]string, len(r))
		for j, c := range r {
			cells[j] = text(c)
			if c != nil {
				cells[j] = fmt.Sprintf("%q", *c)
			}
		}
		parts[i] = "[" + strings.Join(cells, " ") + "]"
	}
	return strings.Join(parts, " ")
}

func stateText(s State) string {
	t := fmt.Sprintf("%s total %d updated %d removed %d dropped %d", s.OperatorName, s.NumRowsTotal, s.NumRowsUpdated, s.NumRowsRemoved, s.NumRowsDroppedByWatermark)
	if s.NumDroppedDuplicateRows != nil {
		t += fmt.Sprintf(" duplicates %d", *s.NumDroppedDuplicateRows)
	}
	return t
}
