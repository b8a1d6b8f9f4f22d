package flightd_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/flightd/flightd"
	"github.com/flightd/flightd/internal/arrowtext"
	"github.com/flightd/flightd/kernels"
)

const flightColumns = "scheduled_at TIMESTAMP, observed_at TIMESTAMP, carrier STRING, flight INT, tailnum STRING, origin STRING, dest STRING, dep_delay INT, arr_delay INT, air_time INT, distance INT"

// flightEvents reads all departures of the test data in the order in which they
// were observed.
func flightEvents(t *testing.T) [][]byte {
	t.Helper()
	files, err := filepath.Glob("testdata/flights/events/*.jsonl")
	if err != nil || len(files) != 7 {
		t.Fatalf("%d files of departures: %v", len(files), err)
	}
	var out [][]byte
	for _, f := range files {
		b, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		for line := range bytes.SplitSeq(bytes.TrimSpace(b), []byte("\n")) {
			out = append(out, line)
		}
	}
	return out
}

// lateness is the reference: which rows are late when the files come one an
// epoch under AvailableNow. A row is late if its hour ended at or before the
// watermark of the epoch before; an epoch's watermark is the newest departure of
// all earlier files less two hours.
func lateness(t *testing.T, files [][][]byte) (kept [][]byte, late int64, final time.Time) {
	zero := time.Unix(0, 0)
	watermark, before, newest := zero, zero, time.Time{}
	for _, f := range files {
		before, watermark = watermark, maxTime(watermark, newest.Add(-2*time.Hour))
		for _, line := range f {
			var row struct {
				At time.Time `json:"scheduled_at"`
			}
			if err := json.Unmarshal(line, &row); err != nil {
				t.Fatal(err)
			}
			newest = maxTime(newest, row.At)
			if end := row.At.Truncate(time.Hour).Add(time.Hour); end.After(before) {
				kept = append(kept, line)
			} else {
				late++
			}
		}
	}
	return kept, late, newest.Add(-2 * time.Hour)
}

func maxTime(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// TestFlightsEveryCut cuts the departures into files at random and compares the
// streamed hours with one batch query over the rows that were not late.
func TestFlightsEveryCut(t *testing.T) {
	rows := flightEvents(t)
	for seed := range uint64(20) {
		t.Run(fmt.Sprintf("cut %d", seed), func(t *testing.T) {
			t.Parallel()
			r := rand.New(rand.NewPCG(seed, 7))
			cuts := []int{0, len(rows)}
			for range 1 + r.IntN(40) {
				cuts = append(cuts, r.IntN(len(rows)))
			}
			slices.Sort(cuts)
			var files [][][]byte
			for i := range cuts[1:] {
				if cuts[i] < cuts[i+1] {
					files = append(files, rows[cuts[i]:cuts[i+1]])
				}
			}
			kept, late, final := lateness(t, files)
			home := t.TempDir()
			writeFiles(t, filepath.Join(home, "in"), files)
			writeFiles(t, filepath.Join(home, "kept"), [][][]byte{kept})
			streamed, counted := streamHours(t, home)
			if counted != late {
				t.Errorf("%d rows were late, the reference says %d", counted, late)
			}
			want := batchHours(t, home, final)
			slices.Sort(streamed)
			slices.Sort(want)
			if !slices.Equal(streamed, want) {
				t.Errorf("streamed %d hours, the batch has %d:\n%v\n%v", len(streamed), len(want), streamed, want)
			}
			if len(want) < 100 {
				t.Errorf("only %d hours: the test compares too little", len(want))
			}
		})
	}
}

func writeFiles(t *testing.T, dir string, files [][][]byte) {
	t.Helper()
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	for i, f := range files {
		name := filepath.Join(dir, fmt.Sprintf("%04d.json", i))
		if err := os.WriteFile(name, append(bytes.Join(f, []byte("\n")), '\n'), 0o644); err != nil {
			t.Fatal(err)
		}
		at := time.Unix(1_700_000_000+int64(i)*10, 0)
		if err := os.Chtimes(name, at, at); err != nil {
			t.Fatal(err)
		}
	}
}

const hoursSQL = "SELECT origin, window.start AS hour, count(*) AS n, sum(dep_delay) AS delay, avg(dep_delay) AS mean FROM %s GROUP BY origin, window(scheduled_at, '1 hour')"

// streamHours streams the files and returns the emitted rows as text and how
// many input rows were late.
func streamHours(t *testing.T, home string) (out []string, late int64) {
	t.Helper()
	ctx := context.Background()
	eng, err := flightd.Open(ctx, flightd.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer eng.Close()
	s := eng.NewSession()
	in := s.ReadStream().Schema(flightColumns).Option("maxFilesPerTrigger", 1).JSON(filepath.Join(home, "in"))
	if err := in.WithWatermark("scheduled_at", "2 hours").CreateOrReplaceTempView("departures"); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Set("spark.sql.streaming.numRecentProgressUpdates", "1000"); err != nil {
		t.Fatal(err)
	}
	q, err := s.SQL(fmt.Sprintf(hoursSQL, "departures")).WriteStream().QueryName("hours").Format("memory").
		Trigger(flightd.Trigger{Kind: flightd.AvailableNow}).Start(ctx)
	if err == nil {
		err = q.AwaitTermination(ctx)
	}
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range q.RecentProgress() {
		late += p.LateInputRows
	}
	return texts(t, s.Table("hours")), late
}

// batchHours runs the same SQL once over the rows that were not late, up to the
// final watermark.
func batchHours(t *testing.T, home string, final time.Time) []string {
	t.Helper()
	eng, err := flightd.Open(context.Background(), flightd.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer eng.Close()
	s := eng.NewSession()
	if err := s.Read().Schema(flightColumns).JSON(filepath.Join(home, "kept")).CreateOrReplaceTempView("kept"); err != nil {
		t.Fatal(err)
	}
	until := fmt.Sprintf("hour + INTERVAL 1 HOUR <= TIMESTAMP '%s'", final.UTC().Format("2006-01-02 15:04:05"))
	return texts(t, s.SQL(fmt.Sprintf(hoursSQL, "kept")).Where(until))
}

// texts runs a query and returns its rows as text.
func texts(t *testing.T, d *flightd.DataFrame) []string {
	t.Helper()
	recs, err := d.Collect(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	utc := kernels.NewZone(time.UTC)
	var out []string
	for _, rec := range recs {
		for i := range int(rec.NumRows()) {
			row := ""
			for c := range int(rec.NumCols()) {
				text, ok := arrowtext.Value(rec.Column(c), i, utc)
				if !ok {
					text = "NULL"
				}
				row += text + "|"
			}
			out = append(out, row)
		}
	}
	return out
}
