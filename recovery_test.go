package flightd_test

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/flightd/flightd/internal/base"
)

const windowSums = `SELECT window.start AS start, k, count(*) AS n, sum(x) AS x
	FROM e WATERMARK ts DELAY OF INTERVAL 20 SECONDS GROUP BY window(ts, '10 seconds'), k`

// TestCrashBeforeEachStep crashes before each durable step of each epoch. The
// restart replays that epoch and no other: the sink hears of every epoch once,
// except of one whose commit it had and whose done record is missing, which comes
// twice. The plan of an epoch whose data was waiting goes with the done record of
// the epoch before.
func TestCrashBeforeEachStep(t *testing.T) {
	play := func(t *testing.T, step string, epoch base.Epoch) (rows []string, commits []base.Epoch, crashed bool) {
		w := newWorld(t)
		w.events("e", 5, 100, 3, 1)
		w.before = func(s string, e base.Epoch) error {
			if !crashed && s == step && e == epoch {
				crashed = true
				return errPlanned
			}
			return nil
		}
		for {
			w.open()
			w.stream("e", eventsDDL, 1)
			err := finish(w.mustStart(windowSums, "append", availableNow))
			if err == nil {
				break
			}
			if !errors.Is(err, errPlanned) {
				t.Fatal(err)
			}
		}
		rows, _ = w.sink.rows(t)
		for _, c := range w.sink.all() {
			commits = append(commits, c.epoch)
		}
		return rows, commits, crashed
	}
	want, epochs, _ := play(t, "", 0)
	if len(want) < 5 || len(epochs) != 6 {
		t.Fatalf("the plain run has %d rows in %d epochs", len(want), len(epochs))
	}
	for _, step := range []string{"plan", "write", "commit", "done", "advise"} {
		for _, epoch := range epochs {
			t.Run(fmt.Sprintf("%s of %d", step, epoch), func(t *testing.T) {
				t.Parallel()
				rows, commits, crashed := play(t, step, epoch)
				if !crashed {
					t.Fatal("it did not crash")
				}
				if !slices.Equal(rows, want) {
					t.Errorf("the rows are others: %s", firstDifference(want, rows))
				}
				wantCommits := slices.Clone(epochs)
				switch {
				case step == "done":
					wantCommits = slices.Insert(wantCommits, int(epoch), epoch)
				case step == "plan" && epoch > 0 && epoch < 5:
					// Data was waiting: the plan is one append with the done record of
					// the epoch before, which is the one that comes again.
					wantCommits = slices.Insert(wantCommits, int(epoch)-1, epoch-1)
				}
				if !slices.Equal(commits, wantCommits) {
					t.Errorf("the sink heard of the epochs %v, want %v", commits, wantCommits)
				}
			})
		}
	}
}

// checkpointFiles lists the ledger's files whose name contains part.
func (w *world) checkpointFiles(part string) []string {
	w.t.Helper()
	dir := filepath.Join(w.home, "checkpoint")
	names, err := w.disk.List(dir)
	if err != nil {
		w.t.Fatal(err)
	}
	var out []string
	for _, n := range names {
		if strings.Contains(n, part) {
			out = append(out, filepath.Join(dir, n))
		}
	}
	slices.Sort(out)
	return out
}

// TestRestartsOverSnapshots runs forty epochs in one go, and with a restart after
// every few of them: the state comes from a snapshot and the changes after it.
func TestRestartsOverSnapshots(t *testing.T) {
	sql := "SELECT k, v % 50 AS m, count(*) AS n, sum(x) AS x FROM e GROUP BY k, v % 50"
	for seed := range uint64(4) {
		t.Run(fmt.Sprintf("seed %d", seed), func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.events("e", 40, 30, 5, 3)
			r := rand.New(rand.NewPCG(seed, 9))
			fuse := 0
			w.before = func(step string, _ base.Epoch) error {
				if fuse > 0 && step == "write" {
					if fuse--; fuse == 0 {
						return errPlanned
					}
				}
				return nil
			}
			starts := 0
			for ; ; starts++ {
				if seed > 0 {
					fuse = 2 + r.IntN(14)
				}
				w.open()
				w.stream("e", eventsDDL, 1)
				err := finish(w.mustStart(sql, "update", availableNow))
				if err == nil {
					break
				}
				if !errors.Is(err, errPlanned) {
					t.Fatal(err)
				}
			}
			w.close()
			if n := len(w.sink.all()); n != 40 {
				t.Errorf("%d epochs in %d starts, want 40", n, starts+1)
			}
			if n := len(w.checkpointFiles("snap")); seed == 0 && (n < 1 || n > 2) {
				t.Errorf("%d snapshots are on disk, want 1 or 2: %v", n, w.checkpointFiles(""))
			}
			plain := newWorld(t)
			plain.events("e", 40, 30, 5, 3)
			plain.open()
			plain.stream("e", eventsDDL, 1)
			if err := finish(plain.mustStart(sql, "update", availableNow)); err != nil {
				t.Fatal(err)
			}
			compareEpochs(t, fmt.Sprintf("%d starts", starts+1), plain.sink.all(), w.sink.all())
		})
	}
}

// TestStaticInputChanged changes a table between the plan of an epoch and its
// replay: that has an error of its own, unless the user allows it.
func TestStaticInputChanged(t *testing.T) {
	w := newWorld(t)
	w.file("e", 0, `{"ts":"2026-01-01T00:00:00Z","k":"a","v":1,"x":1}`)
	w.file("names", 0, `{"k":"a","name":"old"}`)
	sql := "SELECT e.v, names.name FROM e JOIN names USING (k)"
	begin := func() error {
		w.open()
		w.stream("e", eventsDDL, 0)
		w.table("names", "k STRING, name STRING")
		return finish(w.mustStart(sql, "append", availableNow))
	}
	w.before = func(step string, _ base.Epoch) error {
		if step == "write" {
			return errPlanned
		}
		return nil
	}
	if err := begin(); !errors.Is(err, errPlanned) {
		t.Fatal(err)
	}
	w.before = nil
	if err := os.WriteFile(filepath.Join(w.dir("names"), "00000.json"), []byte(`{"k":"a","name":"newer"}`+"\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	err := begin()
	if base.CodeOf(err) != base.CodeCorrupt {
		t.Errorf("the code is %v, want Corrupt: %v", base.CodeOf(err), err)
	}
	wantError(t, err, "STATIC_INPUT_CHANGED", "", "00000.json", "epoch 0")
	w.settings["flightd.allowNonDeterministicReplay"] = "true"
	if err := begin(); err != nil {
		t.Fatal(err)
	}
	if rows, _ := w.sink.rows(t); !slices.Equal(rows, []string{"1|newer"}) {
		t.Errorf("the rows are %v", rows)
	}
}

// edit changes a file of the checkpoint.
func (w *world) edit(path string, change func([]byte) []byte) {
	w.t.Helper()
	f, err := w.disk.Open(path)
	if err != nil {
		w.t.Fatal(err)
	}
	b, err := io.ReadAll(f)
	f.Close()
	if err != nil {
		w.t.Fatal(err)
	}
	out, err := w.disk.Create(path, vfs.WriteCategoryUnspecified)
	if err == nil {
		_, err = out.Write(change(b))
	}
	if err == nil {
		err = out.Close()
	}
	if err != nil {
		w.t.Fatal(err)
	}
}

// TestDamagedLedger: damage within the ledger is an error that names the place; a
// torn end is cut and its epoch replayed; a damaged snapshot is passed over.
func TestDamagedLedger(t *testing.T) {
	sql := "SELECT k, count(*) AS n, sum(x) AS x FROM e GROUP BY k"
	prepared := func(t *testing.T, snapshotEvery int) *world {
		w := newWorld(t)
		w.settings["spark.sql.streaming.stateStore.minDeltasForSnapshot"] = fmt.Sprint(snapshotEvery)
		w.events("e", 26, 20, 4, 4)
		w.open()
		w.stream("e", eventsDDL, 1)
		if err := finish(w.mustStart(sql, "update", availableNow)); err != nil {
			t.Fatal(err)
		}
		w.close()
		return w
	}
	again := func(w *world) error {
		w.open()
		w.stream("e", eventsDDL, 1)
		q, err := w.start(sql, "update", availableNow)
		if err != nil {
			return err
		}
		return finish(q)
	}
	t.Run("record", func(t *testing.T) {
		w := prepared(t, 10)
		segments := w.checkpointFiles("ledger-")
		if len(segments) == 0 {
			t.Fatalf("no segments among %v", w.checkpointFiles(""))
		}
		w.edit(segments[0], func(b []byte) []byte { b[len(b)/2] ^= 1; return b })
		err := again(w)
		if base.CodeOf(err) != base.CodeCorrupt {
			t.Errorf("the code is %v, want Corrupt: %v", base.CodeOf(err), err)
		}
		if err == nil || !strings.Contains(err.Error(), filepath.Base(segments[0])) || !strings.Contains(err.Error(), "checksum") {
			t.Errorf("the error does not name the place: %v", err)
		}
	})
	t.Run("torn end", func(t *testing.T) {
		w := prepared(t, 1000) // else the last record may be that of a snapshot
		segments := w.checkpointFiles("ledger-")
		before := len(w.sink.all())
		w.edit(segments[len(segments)-1], func(b []byte) []byte { return b[:len(b)-3] })
		if err := again(w); err != nil {
			t.Fatal(err)
		}
		if n := len(w.sink.all()); n != before+1 {
			t.Errorf("the sink heard of %d epochs more, want the last one again", n-before)
		}
		w.sink.rows(t)
	})
	t.Run("snapshot", func(t *testing.T) {
		w := prepared(t, 10)
		snaps := w.checkpointFiles("snap")
		if len(snaps) != 2 {
			t.Fatalf("%d snapshots among %v", len(snaps), w.checkpointFiles(""))
		}
		w.edit(snaps[1], func(b []byte) []byte { b[len(b)/2] ^= 1; return b })
		w.events("e", 30, 20, 4, 4) // four files more
		if err := again(w); err != nil {
			t.Fatal(err)
		}
		plain := newWorld(t)
		plain.events("e", 30, 20, 4, 4)
		if err := again(plain); err != nil {
			t.Fatal(err)
		}
		compareEpochs(t, "after a damaged snapshot", plain.sink.all(), w.sink.all())
	})
}

// TestCrashedDiskEveryOperation fails every file operation of the ledger in turn:
// the query fails with that error, never goes on as if nothing had happened, and
// the next start puts out the same rows.
func TestCrashedDiskEveryOperation(t *testing.T) {
	play := func(t *testing.T, k int) (rows []string, ops int) {
		w := newWorld(t)
		w.events("e", 4, 40, 3, 1)
		disk := newFailingDisk(vfs.NewMem(), k)
		w.disk = disk
		for tries := 0; ; tries++ {
			w.open()
			w.stream("e", eventsDDL, 1)
			q, err := w.start(windowSums, "append", availableNow)
			if err == nil {
				err = finish(q)
			}
			if err == nil {
				break
			}
			if !errors.Is(err, errPlanned) || tries > 1 {
				t.Fatalf("operation %d: %v", k, err)
			}
		}
		rows, _ = w.sink.rows(t)
		return rows, disk.count()
	}
	want, ops := play(t, 0)
	step := 1
	if testing.Short() {
		step = 5
	}
	for k := 1; k <= ops; k += step {
		if rows, _ := play(t, k); !slices.Equal(rows, want) {
			t.Errorf("operation %d of %d: %s", k, ops, firstDifference(want, rows))
		}
	}
}

// TestPowerCut cuts the power at a random step of a run: of what was not synced, a
// random part is lost. The next start goes on from what is left, and the sink,
// which outlives the cut, gets the same rows.
func TestPowerCut(t *testing.T) {
	sql := "SELECT k, v % 50 AS m, count(*) AS n, sum(x) AS x FROM e GROUP BY k, v % 50"
	plain := newWorld(t)
	plain.events("e", 24, 30, 5, 3)
	plain.open()
	plain.stream("e", eventsDDL, 1)
	if err := finish(plain.mustStart(sql, "update", availableNow)); err != nil {
		t.Fatal(err)
	}
	seeds := uint64(60)
	if testing.Short() {
		seeds = 6
	}
	for seed := range seeds {
		r := rand.New(rand.NewPCG(seed, 21))
		w := newWorld(t)
		disk := vfs.NewCrashableMem()
		w.disk = disk
		w.settings["spark.sql.streaming.stateStore.minDeltasForSnapshot"] = "3"
		w.events("e", 24, 30, 5, 3)
		fuse := 1 + r.IntN(40)
		var left *vfs.MemFS
		w.before = func(string, base.Epoch) error {
			if fuse--; fuse != 0 {
				return nil
			}
			left = disk.CrashClone(vfs.CrashCloneCfg{UnsyncedDataPercent: []int{0, 50, 100}[r.IntN(3)], RNG: r})
			return errPlanned
		}
		for cuts := 0; ; {
			w.open()
			w.stream("e", eventsDDL, 1)
			err := finish(w.mustStart(sql, "update", availableNow))
			if err == nil {
				break
			}
			if !errors.Is(err, errPlanned) {
				t.Fatalf("seed %d: %v", seed, err)
			}
			w.close()
			if cuts++; cuts < 4 {
				fuse = 1 + r.IntN(40)
			}
			disk = left
			w.disk = disk
		}
		w.close()
		compareEpochs(t, fmt.Sprintf("seed %d", seed), plain.sink.all(), w.sink.all())
		if t.Failed() {
			return
		}
	}
}

// TestLargeStateChanges: changes of state that have a file of their own are
// restored from it, and its damage is found.
func TestLargeStateChanges(t *testing.T) {
	const rows, fresh = 40_000, 30_000 // of a file, and those whose key is new
	key := func(n int) string { return fmt.Sprintf("%x", sha256.Sum256([]byte(strconv.Itoa(n)))) }
	w := newWorld(t)
	for f := range 4 {
		var lines []string
		for i := range rows {
			lines = append(lines, fmt.Sprintf(`{"k":%q}`, key(f*fresh+i)))
		}
		w.file("e", f, lines...)
	}
	sql := "SELECT k, count(*) AS n FROM e GROUP BY k"
	for stop := base.Epoch(1); stop < 4; stop++ {
		w.before = func(step string, epoch base.Epoch) error {
			if step == "commit" && epoch == stop {
				return errPlanned
			}
			return nil
		}
		w.open()
		w.stream("e", "k STRING", 1)
		if err := finish(w.mustStart(sql, "update", availableNow)); !errors.Is(err, errPlanned) {
			t.Fatal(err)
		}
	}
	w.close()
	files := w.checkpointFiles("changes-")
	if len(files) != 3 {
		t.Fatalf("the files of the checkpoint are %v", w.checkpointFiles(""))
	}
	w.before = nil
	var good []byte
	w.edit(files[1], func(b []byte) []byte { good = slices.Clone(b); b[len(b)/3] ^= 4; return b })
	w.open()
	w.stream("e", "k STRING", 1)
	err := finish(w.mustStart(sql, "update", availableNow))
	if base.CodeOf(err) != base.CodeCorrupt || !strings.Contains(err.Error(), filepath.Base(files[1])) {
		t.Errorf("a damaged file of changes: %v", err)
	}
	w.close()
	w.edit(files[1], func([]byte) []byte { return good })
	w.open()
	w.stream("e", "k STRING", 1)
	if err := finish(w.mustStart(sql, "update", availableNow)); err != nil {
		t.Fatal(err)
	}
	out, _ := w.sink.rows(t)
	for i, got := range out[len(out)-rows:] {
		count := 1
		if i < rows-fresh {
			count = 2
		}
		if want := fmt.Sprintf("%s|%d", key(3*fresh+i), count); got != want {
			t.Fatalf("row %d of the last epoch is %s, want %s", i, got, want)
		}
	}
}
