package flightd_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"runtime"
	"strings"
	"testing"

	"github.com/flightd/flightd/internal/base"
)

// repeatable are queries whose output, epoch by epoch, must depend on nothing but
// the rows of the epochs.
var repeatable = []struct{ name, mode, sql string }{
	{"windowed double sums", "append", `SELECT window.start AS start, k, count(*) AS n, sum(x) AS x, avg(x) AS mean, stddev(x) AS dev
		FROM e WATERMARK ts DELAY OF INTERVAL 20 SECONDS GROUP BY window(ts, '10 seconds'), k`},
	{"sliding update", "update", `SELECT window.start AS start, sum(x) AS x, max(v) AS v
		FROM e WATERMARK ts DELAY OF INTERVAL 20 SECONDS GROUP BY window(ts, '15 seconds', '5 seconds')`},
	{"many keys", "update", `SELECT concat(k, '-', v) AS kv, count(*) AS n, sum(x) AS x FROM e GROUP BY concat(k, '-', v)`},
	{"complete", "complete", `SELECT k, count(*) AS n, sum(x) AS x, min(x) AS lo, max_by(v, x) AS best FROM e GROUP BY k`},
	{"complete ordered", "complete", `SELECT v % 10 AS d, sum(x) AS x FROM e GROUP BY v % 10 ORDER BY x DESC LIMIT 5`},
	{"global", "update", `SELECT count(*) AS n, sum(x) AS x, corr(x, v) AS c FROM e`},
	{"static join", "append", `SELECT e.k, names.name, e.x FROM e LEFT JOIN names ON e.k = names.k`},
	{"join then sums", "update", `SELECT name, sum(x) AS x FROM e JOIN names USING (k) GROUP BY name`},
	{"lists", "update", `SELECT k, collect_list(v) AS vs, collect_set(v % 7) AS few, first(x) AS a, last(x) AS z, any_value(v) AS any FROM e GROUP BY k`},
	{"sketches", "update", `SELECT k, approx_count_distinct(v) AS d, percentile_approx(x, 0.5, 20) AS p FROM e GROUP BY k`},
	{"images of sketches", "update", `SELECT k, hex(theta_sketch_agg(v)) AS theta, hex(tuple_sketch_agg_double(v, x)) AS tuple, hex(hll_sketch_agg(v, 6)) AS hll,
		hex(kll_sketch_agg_double(x, 8)) AS kll, approx_top_k(v % 5, 3, 10) AS top, hex(count_min_sketch(v, 0.5D, 0.5D, 7)) AS cm FROM e GROUP BY k`},
	{"lists in order", "update", `SELECT k, listagg(CAST(v AS STRING), ',') WITHIN GROUP (ORDER BY x DESC, v) AS vs, histogram_numeric(x, 5) AS h,
		collect_union(array(v % 3, v % 5)) AS u, max_by(v, x, 3) AS best, mode(v) AS m, vector_avg(array(CAST(x AS FLOAT))) AS mean FROM e GROUP BY k`},
	{"dedup", "append", `SELECT k, v, x FROM e DEDUPLICATE ON (k, v)`},
	{"dedup by time", "append", `SELECT ts, k, x FROM e WATERMARK ts DELAY OF INTERVAL 5 SECONDS DEDUPLICATE WITHIN WATERMARK ON (k, v)`},
	{"union", "update", `SELECT side, sum(x) AS x FROM (SELECT 'e' AS side, x FROM e UNION ALL SELECT k AS side, x FROM f) GROUP BY side`},
	{"chained", "append", `SELECT window(w, '30 seconds').start AS start, sum(x) AS x, count(*) AS n FROM (
		SELECT window AS w, k, sum(x) AS x FROM e WATERMARK ts DELAY OF INTERVAL 10 SECONDS GROUP BY window(ts, '5 seconds'), k)
		GROUP BY window(w, '30 seconds')`},
	{"sessions", "append", `SELECT k, v % 3 AS m, session_window.start AS start, session_window.end AS end, count(*) AS n, max(v) AS v
		FROM e WATERMARK ts DELAY OF INTERVAL 20 SECONDS GROUP BY k, session_window(ts, '3 seconds'), v % 3`},
	{"sessions in order", "append", `SELECT k, v, session_window AS w, sum(x) AS x, stddev(x) AS dev, collect_list(x) AS xs, max_by(x, v) AS best
		FROM e WATERMARK ts DELAY OF INTERVAL 15 SECONDS GROUP BY session_window(ts, CASE WHEN v % 5 = 0 THEN '9 seconds' ELSE '2 seconds' END), k, v`},
	{"sessions complete", "complete", `SELECT v % 7 AS d, session_window AS w, count(*) AS n, sum(x) AS x, first(k) AS k FROM e GROUP BY v % 7, session_window(ts, '1 second')`},
	{"sessions of windows", "append", `SELECT k, session_window AS s, sum(n) AS n FROM (
		SELECT k, window AS w, count(*) AS n FROM e WATERMARK ts DELAY OF INTERVAL 10 SECONDS GROUP BY window(ts, '5 seconds'), k)
		GROUP BY k, session_window(w, '6 seconds')`},
	{"explode", "append", `SELECT k, explode(sequence(1, v % 4 + 1)) AS i, x FROM e WHERE v IS NOT NULL`},
}

// variant is one way of running a query that must not show.
type variant struct {
	procs, batchRows, subTables int
	// crashes is how often the run dies at a random step and goes on from the
	// checkpoint, with snapshots as often as that takes.
	crashes int
	// slow switches the rules for speed off.
	slow bool
}

func (v variant) String() string {
	return fmt.Sprintf("procs %d, batches of %d, %d sub-tables, %d crashes, slow %v", v.procs, v.batchRows, v.subTables, v.crashes, v.slow)
}

// play runs a query over the events to the end and returns the digest and the
// rows of every epoch.
func (v variant) play(t *testing.T, sql, mode string, seed uint64) []sinkCommit {
	t.Helper()
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(v.procs))
	w := newWorld(t)
	defer w.close()
	w.events("e", 24, 120, 6, 1)
	w.events("f", 12, 40, 3, 2)
	w.file("names", 0, `{"k":"k1","name":"one"}`, `{"k":"k2","name":"two"}`, `{"k":"k2","name":"zwei"}`)
	if v.batchRows > 0 {
		w.settings["flightd.batchRows"] = fmt.Sprint(v.batchRows)
	}
	if v.subTables > 0 {
		w.settings["flightd.subTables"] = fmt.Sprint(v.subTables)
	}
	w.settings["spark.sql.streaming.stateStore.minDeltasForSnapshot"] = "2"
	w.settings["flightd.speedRules.enabled"] = fmt.Sprint(!v.slow)
	r := rand.New(rand.NewPCG(seed, 5))
	left := v.crashes
	fuse := 1 + r.IntN(12)
	w.before = func(string, base.Epoch) error {
		if left == 0 {
			return nil
		}
		if fuse--; fuse == 0 {
			left, fuse = left-1, 1+r.IntN(12)
			return errPlanned
		}
		return nil
	}
	for tries := 0; ; tries++ {
		w.open()
		w.stream("e", eventsDDL, 3)
		w.stream("f", eventsDDL, 2)
		w.table("names", "k STRING, name STRING")
		err := finish(w.mustStart(sql, mode, availableNow))
		if err == nil {
			break
		}
		if !errors.Is(err, errPlanned) || tries > v.crashes {
			t.Fatal(err)
		}
	}
	if left > 0 {
		t.Errorf("%d crashes did not happen", left)
	}
	return w.sink.all()
}

// TestDeterminism runs every query in many ways: each commit of an epoch, first or
// repeated, has the digest of the plain run (invariant E4).
func TestDeterminism(t *testing.T) {
	variants := []variant{{2, 0, 0, 0, false}, {4, 7, 1, 0, true}, {1, 100, 16, 4, false}, {2, 1, 4, 3, true}, {4, 0, 0, 6, false}}
	if testing.Short() {
		variants = variants[1:3]
	}
	for _, q := range repeatable {
		t.Run(q.name, func(t *testing.T) {
			want := variant{procs: 1}.play(t, q.sql, q.mode, 0)
			if len(want) < 8 {
				t.Fatalf("only %d epochs", len(want))
			}
			for i, v := range variants {
				compareEpochs(t, v.String(), want, v.play(t, q.sql, q.mode, uint64(i)))
			}
		})
	}
}

func compareEpochs(t *testing.T, how string, want, got []sinkCommit) {
	t.Helper()
	seen := base.NoEpoch
	for _, c := range got {
		seen = max(seen, c.epoch)
		if int(c.epoch) >= len(want) {
			t.Errorf("%s: epoch %d, the plain run has %d", how, c.epoch, len(want))
			return
		}
		w := want[c.epoch]
		if c.digest == w.digest {
			continue
		}
		t.Errorf("%s: epoch %d has digest %s, want %s; %s", how, c.epoch, c.digest, w.digest, firstDifference(w.rows, c.rows))
		return
	}
	if int(seen) != len(want)-1 {
		t.Errorf("%s: the last epoch is %d, want %d", how, seen, len(want)-1)
	}
}

func firstDifference(want, got []string) string {
	for i := range want {
		if i >= len(got) {
			return fmt.Sprintf("%d rows, want %d; the first that lacks is %s", len(got), len(want), want[i])
		}
		if want[i] != got[i] {
			return fmt.Sprintf("row %d of %d is %s, want %s", i, len(want), got[i], want[i])
		}
	}
	return fmt.Sprintf("%d rows, want %d", len(got), len(want))
}

// TestFailedEpochLeavesNothing fails every epoch once, after some rows or at the
// commit, or gives it up, and starts the query again in the same process: state
// must be that before the epoch (invariant E5), so the outputs are those of a run
// without failures.
func TestFailedEpochLeavesNothing(t *testing.T) {
	for _, q := range repeatable {
		t.Run(q.name, func(t *testing.T) {
			want := variant{procs: 2}.play(t, q.sql, q.mode, 0)
			w := newWorld(t)
			w.events("e", 24, 120, 6, 1)
			w.events("f", 12, 40, 3, 2)
			w.file("names", 0, `{"k":"k1","name":"one"}`, `{"k":"k2","name":"two"}`, `{"k":"k2","name":"zwei"}`)
			w.settings["flightd.batchRows"] = "5"
			w.settings["spark.sql.streaming.stateStore.minDeltasForSnapshot"] = "3"
			w.open()
			w.stream("e", eventsDDL, 3)
			w.stream("f", eventsDDL, 2)
			w.table("names", "k STRING, name STRING")
			failed := map[base.Epoch]bool{}
			hung := make(chan struct{}, 1)
			w.sink.onWrite = func(ctx context.Context, epoch base.Epoch, rows int64) error {
				if failed[epoch] || rows < int64(epoch)*3%11 {
					return nil
				}
				failed[epoch] = true
				if epoch%4 == 3 {
					hung <- struct{}{}
					<-ctx.Done()
					return ctx.Err()
				}
				return errPlanned
			}
			w.sink.onCommit = func(epoch base.Epoch) error {
				if failed[epoch] {
					return nil
				}
				failed[epoch] = true
				return errPlanned
			}
			for tries := 0; ; tries++ {
				query := w.mustStart(q.sql, q.mode, availableNow)
				ended := make(chan error, 1)
				go func() { ended <- finish(query) }()
				var err error
				select {
				case err = <-ended:
				case <-hung:
					gone, cancel := context.WithCancel(context.Background())
					cancel()
					if err := query.Stop(gone); err != nil {
						t.Fatal(err)
					}
					if err := <-ended; err != nil {
						t.Fatalf("an epoch that was given up ended the query with %v", err)
					}
					continue
				}
				if err == nil {
					break
				}
				if !errors.Is(err, errPlanned) || tries > 2*len(want) {
					t.Fatal(err)
				}
			}
			if len(failed) != len(want) {
				t.Errorf("%d epochs failed, want %d", len(failed), len(want))
			}
			compareEpochs(t, "every epoch failed once", want, w.sink.all())
		})
	}
}

// TestDigestSeesRows guards the tests above: other rows have other digests.
func TestDigestSeesRows(t *testing.T) {
	sql := "SELECT k, sum(x) AS x FROM e GROUP BY k"
	a := variant{procs: 1}.play(t, sql, "update", 0)
	b := variant{procs: 1}.play(t, strings.Replace(sql, "sum(x)", "sum(x * 2)", 1), "update", 0)
	for i := range min(len(a), len(b)) {
		if a[i].digest == b[i].digest && len(a[i].rows) > 0 {
			t.Errorf("epoch %d has the same digest with other rows", i)
		}
	}
}
