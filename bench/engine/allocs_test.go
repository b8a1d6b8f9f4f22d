package engine

import (
	"context"
	"runtime"
	"testing"

	"github.com/flightd/flightd/bench/proc"
	"github.com/flightd/flightd/bench/workload"
	"github.com/flightd/flightd/internal/invariants"
)

// ceilings are the most allocations a thousand rows that a workload may cost in
// steady state: what a run over twice the rows allocates more. They go down when
// the engine gets better, never up without a reason in the commit.
var ceilings = map[string]float64{
	"w1": 8, "w1_nulls": 10, "w2_10": 3.5, "w2_1k": 4.5, "w2_100k": 8.5, "w3_1k": 3.5, "w4": 7, "w5": 5.5, "w8": 4.5,
}

// TestAllocations counts allocations of two workers instead of time, so that it
// says the same on every machine.
func TestAllocations(t *testing.T) {
	if invariants.Enabled {
		t.Skip("checks allocate as well")
	}
	// Each worker has tables and memory of its own.
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(2))
	for _, w := range workload.All() {
		ceiling, ok := ceilings[w.Name]
		if !ok {
			continue
		}
		const rows = 256 << 10
		once, twice := allocations(t, &w, rows), allocations(t, &w, 2*rows)
		per := (twice - once) / rows * 1000
		t.Logf("%s: %.2f allocations a thousand rows", w.Name, per)
		if per > ceiling {
			t.Errorf("%s: %.2f allocations a thousand rows, over the ceiling of %v", w.Name, per, ceiling)
		}
	}
}

// allocations is how often a run over rows allocates, at best of a few.
func allocations(t *testing.T, w *workload.Workload, rows int) float64 {
	t.Helper()
	spec := &proc.Spec{Name: w.Name, Form: string(workload.Memory), Rows: rows, Seed: 3, Queries: w.Ours(workload.Memory)}
	for _, table := range w.Tables {
		spec.Tables = append(spec.Tables, proc.Table{Name: table.Name})
	}
	e := New()
	defer e.Close()
	ctx := context.Background()
	if _, err := e.Load(ctx, spec); err != nil {
		t.Fatal(err)
	}
	var least uint64
	for i := range 4 {
		var before, after runtime.MemStats
		var r proc.Reply
		runtime.ReadMemStats(&before)
		if err := e.Run(ctx, &r); err != nil {
			t.Fatal(err)
		}
		runtime.ReadMemStats(&after)
		if n := after.Mallocs - before.Mallocs; i == 0 || n < least {
			least = n
		}
	}
	return float64(least)
}
