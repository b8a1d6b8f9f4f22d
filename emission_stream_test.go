package flightd_test

import (
	"context"
	"fmt"
	"slices"
	"testing"

	"github.com/flightd/flightd"
	"github.com/flightd/flightd/internal/base"
	"github.com/flightd/flightd/plan/streaming"
	"github.com/flightd/flightd/sinks"
	"github.com/flightd/flightd/sources"
)

// twoPartitions is a dripSource whose rows all come into partition 0 of two.
type twoPartitions struct{ dripSource }

func (s *twoPartitions) Positions(o base.Offset) (map[string]int64, error) {
	var n int64
	_, err := fmt.Sscan(string(o), &n)
	return map[string]int64{"t-0": n, "t-1": 0}, err
}

// TestEmissionIdlePartition: a partition that stands still while others move the
// watermark is named. The other usual mistakes are scripts, in
// testdata/stream/emission.
func TestEmissionIdlePartition(t *testing.T) {
	w := newWorld(t)
	src := &twoPartitions{}
	src.rows.Store(1)
	eng, err := flightd.Open(context.Background(), flightd.Options{CheckpointFS: w.disk, Sinks: []sinks.Provider{w.sink.provider()},
		Sources: []sources.Provider{{Name: "drip", Stream: func(context.Context, sources.Config) (sources.Source, error) { return src, nil }}}})
	if err != nil {
		t.Fatal(err)
	}
	defer eng.Close()
	w.s = eng.NewSession()
	if err := w.s.ReadStream().Format("drip").Load().CreateOrReplaceTempView("e"); err != nil {
		t.Fatal(err)
	}
	q := w.mustStart(`SELECT window.start AS start, count(*) AS n FROM (SELECT timestamp_seconds(1793534400 + n) AS ts FROM e)
		WATERMARK ts DELAY OF INTERVAL 1 SECOND GROUP BY window(ts, '10 seconds')`, "append", flightd.Trigger{})
	idle := func() int {
		return slices.IndexFunc(q.Emission(), func(f streaming.Finding) bool {
			return f.Code == "PARTITION_IDLE" && f.Subject == "DripSource t-1"
		})
	}
	for epoch := range 3 {
		if err := q.ProcessAllAvailable(context.Background()); err != nil {
			t.Fatal(err)
		}
		if got, want := idle() >= 0, epoch > 0; got != want {
			t.Errorf("after %d epochs with data: %v", epoch+1, q.Emission())
		}
		src.rows.Add(1)
	}
}
