package engine

import (
	"context"
	"slices"
	"testing"

	"github.com/flightd/flightd/bench/checksum"
	"github.com/flightd/flightd/bench/proc"
	"github.com/flightd/flightd/bench/workload"
)

// TestFormsAgree runs every workload over the same rows in each of its forms: the
// checksums must be equal.
func TestFormsAgree(t *testing.T) {
	dir := t.TempDir()
	for _, w := range workload.All() {
		if w.TPCH > 0 { // one form, over data of a generator that the bench installs
			continue
		}
		rows := 30_000
		if w.Ended != "" { // time must pass for anything to end
			rows = 300_000
		}
		var first *checksum.Sum
		forms := w.Forms
		if slices.Contains(forms, workload.Latency) {
			// As many rows as the others, and an answer to compare with.
			w.Rows, forms = 0, append(forms, workload.Files)
			w.Forms = forms
		}
		for _, form := range forms {
			if !w.Runs(form) {
				continue
			}
			spec, err := workload.SpecOf(&w, form, workload.Data{Dir: dir, Seed: 7, Rows: rows, PerFile: rows / 4})
			if err != nil {
				t.Fatal(err)
			}
			spec.Scratch = t.TempDir()
			spec.Ways = []proc.Way{{Name: "a quarter", Files: 1}}
			got := sumOf(t, spec)
			if first == nil {
				first = got
			}
			if form == workload.Stream && w.Ended != "" {
				if spec, err = workload.SpecOf(&w, workload.Files, workload.Data{Dir: dir, Seed: 7, Rows: rows, PerFile: rows / 4}); err != nil {
					t.Fatal(err)
				}
				spec.Queries = []string{w.AtEnd()}
				first = sumOf(t, spec)
			}
			if diff := first.Differs(*got); diff != "" || got.Rows == 0 {
				t.Errorf("%s (%s): %d rows: %s", w.Name, form, got.Rows, diff)
			}
		}
	}
}

func sumOf(t *testing.T, spec *proc.Spec) *checksum.Sum {
	t.Helper()
	e := New()
	defer e.Close()
	ctx := context.Background()
	if _, err := e.Load(ctx, spec); err != nil {
		t.Fatalf("%s (%s): %v", spec.Name, spec.Form, err)
	}
	var r proc.Reply
	if err := e.Run(ctx, &r); err != nil {
		t.Fatalf("%s (%s): %v", spec.Name, spec.Form, err)
	}
	sum, err := e.Check(ctx)
	if err != nil {
		t.Fatalf("%s (%s): %v", spec.Name, spec.Form, err)
	}
	return sum
}
