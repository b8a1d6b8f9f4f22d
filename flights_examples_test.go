package flightd_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/flightd/flightd"
)

// TestFlightsExamples runs the programs of examples/flights over the departures,
// cut into files of 100, and compares each result with the batch answer of DuckDB
// over the same rows (examples/flights/oracle.py); late is how many rows its LATE
// ROWS INTO has, as DuckDB counts them.
func TestFlightsExamples(t *testing.T) {
	rows := flightEvents(t)
	var files [][][]byte
	for from := 0; from < len(rows); from += 100 {
		files = append(files, rows[from:min(from+100, len(rows))])
	}
	home := t.TempDir()
	writeFiles(t, filepath.Join(home, "events"), files)
	for _, p := range []struct {
		name, result, late string
		rows               int
	}{
		{"sessions", "aircraft_sessions", "late_sessions", 1},
		{"weather", "departures_in_weather", "late_weather", 10},
		{"weather_or_not", "departures_weather_or_not", "late_weather_outer", 10},
		{"duplicates", "departures_once", "late_duplicates", 10},
		{"cube", "delays_cube", "late_cube", 1},
		{"days", "busiest_hours", "late_days", 6},
	} {
		t.Run(p.name, func(t *testing.T) {
			ctx := context.Background()
			eng, err := flightd.Open(ctx, flightd.Options{DataDir: t.TempDir()})
			if err != nil {
				t.Fatal(err)
			}
			defer eng.Close()
			s := eng.NewSession()
			run := func(text string) {
				t.Helper()
				err := s.ExecuteScript(ctx, text, func(_ string, r *flightd.Result, err error) error {
					if err == nil {
						err = r.Close()
					}
					return err
				})
				if err != nil {
					t.Fatal(err)
				}
			}
			// The program's own table is only made if there is none.
			run(fmt.Sprintf("CREATE TABLE departures (%s) USING json OPTIONS ('path' = '%s', 'maxFilesPerTrigger' = '1')",
				strings.ReplaceAll(strings.ReplaceAll(flightColumns, "_delay INT", "_delay DOUBLE"), "air_time INT, distance INT", "air_time DOUBLE, distance DOUBLE"),
				filepath.Join(home, "events")))
			program, err := os.ReadFile(filepath.Join("examples/flights", p.name+".sql"))
			if err != nil {
				t.Fatal(err)
			}
			run(string(program))
			for _, q := range eng.AllQueries() {
				if err := q.AwaitTermination(ctx); err != nil {
					t.Fatal(err)
				}
			}
			answer, err := os.ReadFile(filepath.Join("testdata/flights/answers", p.name+".csv"))
			if err != nil {
				t.Fatal(err)
			}
			want := strings.Split(strings.TrimSpace(string(answer)), "\n")
			got := texts(t, s.Table(p.result))
			for i, row := range got {
				got[i] = strings.TrimSuffix(strings.ReplaceAll(row, "|", ","), ",")
			}
			slices.Sort(got)
			slices.Sort(want)
			if !slices.Equal(got, want) {
				t.Errorf("%d rows, DuckDB has %d", len(got), len(want))
				for i := range min(len(got), len(want)) {
					if got[i] != want[i] {
						t.Fatalf("the first difference is\n%s\n%s", got[i], want[i])
					}
				}
			}
			if late := texts(t, s.SQL("SELECT * FROM "+p.late)); len(late) != p.rows {
				t.Errorf("%d late rows, want %d", len(late), p.rows)
			}
		})
	}
}
