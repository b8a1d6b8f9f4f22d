package checkpoint

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/cockroachdb/pebble/v2/vfs/errorfs"

	"github.com/flightd/flightd/internal/base"
)

// The script of these tests runs epochs whose records are functions of the epoch,
// so that whatever is recovered can be held to what must be there.

var smallOptions = Options{MinEpochs: 3, SegmentBytes: 2500, InlineBytes: 300}

func testMeta() Meta {
	return Meta{QueryID: "3f0e", CreatedMs: 1, HashSeed: 1 << 63, Fingerprint: "f", SubTables: 64,
		Sources: []string{"a", "b"}, Initial: []base.Offset{"", `{"x":0}`}, Conf: map[string]string{"k": "v"}}
}

func testPlan(e base.Epoch) Plan {
	return Plan{Epoch: e, From: []base.Offset{"", base.Offset(fmt.Sprint(e))}, To: []base.Offset{"", base.Offset(fmt.Sprint(e + 1))},
		WatermarkMs: int64(e) * 10, LateWatermarkMs: int64(e)*10 - 10, ClockMs: 1000 + int64(e),
		Operators: []byte(fmt.Sprintf(`{"0":%d}`, e)), StaticPins: map[string]string{"t": fmt.Sprint(e)}}
}

func filler(seed uint64, n int) []byte {
	b, rng := make([]byte, n), rand.New(rand.NewPCG(seed, 0))
	for i := range b {
		b[i] = byte(rng.Uint32())
	}
	return b
}

func testChanges(e base.Epoch) []byte { return filler(uint64(e), 50+int(e%4)*300) }

func testDone(e base.Epoch) Done {
	return Done{Epoch: e, NextWatermarkMs: int64(e)*10 + 10, Changes: testChanges(e),
		Digests: []SinkDigest{{Sink: "main", Digest: base.Digest{byte(e), 1}}}}
}

func testSnapshot(e base.Epoch) []byte { return filler(1000+uint64(e), 6000) }

func testFolds(e base.Epoch) [][]byte {
	return [][]byte{nil, []byte(strings.Repeat(fmt.Sprint(e, ","), 20*int(1+e%3))), {}}
}

// progress is what the script was told is on disk, and what it had begun.
type progress struct {
	planned, done, snapshot, fold base.Epoch
	// tried are the same for what was asked for.
	triedPlan, triedDone base.Epoch
}

var noProgress = progress{planned: -1, done: -1, snapshot: -1, fold: -1, triedPlan: -1, triedDone: -1}

// runScript goes on with the ledger in fs until epoch last is done.
func runScript(fs vfs.FS, last base.Epoch, p *progress) error {
	l, r, err := Open(fs, "q", smallOptions)
	if err != nil {
		return err
	}
	defer l.Close()
	if r.Meta == nil {
		if err := l.WriteMeta(testMeta()); err != nil {
			return err
		}
	}
	plan := func(e base.Epoch) { p.planned, p.triedPlan = max(p.planned, e), max(p.triedPlan, e) }
	planned := r.Replay
	for e := r.NextEpoch(); e <= last; e++ {
		if !planned {
			p.triedPlan = max(p.triedPlan, e)
			if err := l.WritePlan(testPlan(e)); err != nil {
				return err
			}
			plan(e)
		}
		p.triedDone = max(p.triedDone, e)
		if planned = e%3 == 1 && e < last; planned {
			p.triedPlan = max(p.triedPlan, e+1)
			err = l.WriteDoneAndPlan(testDone(e), testPlan(e+1))
		} else {
			err = l.WriteDone(testDone(e))
		}
		if err != nil {
			return err
		}
		p.done = max(p.done, e)
		if planned {
			plan(e + 1)
		}
		if e%4 == 3 {
			write := func(w io.Writer) error { _, err := w.Write(testSnapshot(e)); return err }
			if err := l.WriteSnapshot(e, write); err != nil {
				return err
			}
			p.snapshot = e
		}
		if e%5 == 2 {
			if err := l.Compact(e, testFolds(e)); err != nil {
				return err
			}
			p.fold = e
		}
	}
	return l.Close()
}

// holdTo opens the ledger and holds what it says to the script and to p. It
// returns an error only if the ledger itself finds damage.
func holdTo(t *testing.T, fs vfs.FS, p *progress) error {
	t.Helper()
	l, r, err := Open(fs, "q", smallOptions)
	if err != nil {
		return err
	}
	defer l.Close()
	same := func(what string, got, want any) {
		t.Helper()
		if g, w := fmt.Sprintf("%+v", got), fmt.Sprintf("%+v", want); g != w {
			t.Fatalf("%s is\n%s\nwant\n%s", what, g, w)
		}
	}
	if p != nil {
		if r.lastPlan() < p.planned || r.lastPlan() > p.triedPlan || r.lastDone() < p.done || r.lastDone() > p.triedDone {
			t.Fatalf("plan %d and done %d were recovered, %+v were written", r.lastPlan(), r.lastDone(), *p)
		}
		if p.snapshot >= 0 && (len(r.Snapshots) == 0 || r.Snapshots[0].Epoch < p.snapshot) || r.foldEpoch() < p.fold {
			t.Fatalf("snapshots %v and folds %d were recovered, %+v were written", r.Snapshots, r.foldEpoch(), *p)
		}
	}
	if r.Meta == nil {
		if p != nil && p.planned >= 0 {
			t.Fatal("the metadata is gone")
		}
		return nil
	}
	same("metadata", *r.Meta, testMeta())
	if r.LastPlan != nil {
		same("last plan", *r.LastPlan, testPlan(r.LastPlan.Epoch))
	}
	if r.LastDone != nil {
		want := testDone(r.LastDone.Epoch)
		want.Changes, want.ref = nil, r.LastDone.ref
		same("last done", *r.LastDone, want)
	}
	same("replay", r.Replay, r.lastPlan() > r.lastDone())
	for i, plan := range r.Plans {
		same("plan", plan, testPlan(r.foldEpoch()+1+base.Epoch(i)))
	}
	same("plans", len(r.Plans), int(r.lastPlan()-r.foldEpoch()))
	if r.Folds != nil {
		same("folds", r.Folds.Sources, testFolds(r.Folds.Epoch))
		if r.Folds.Sources[0] != nil || r.Folds.Sources[2] == nil {
			t.Fatal("nil folds and empty folds are not told apart")
		}
	}
	state := base.Epoch(0)
	for _, s := range r.Snapshots {
		err := l.ReadSnapshot(s, func(r io.Reader) error {
			b, err := io.ReadAll(r)
			if err == nil && !bytes.Equal(b, testSnapshot(s.Epoch)) {
				t.Fatalf("snapshot of epoch %d has other contents", s.Epoch)
			}
			return err
		})
		if err != nil {
			return err
		}
		state = s.Epoch + 1
	}
	same("changes", len(r.Changes), int(r.lastDone()+1-state))
	for i, c := range r.Changes {
		b, err := l.ReadChanges(c)
		if err != nil {
			return err
		}
		if c.Epoch != state+base.Epoch(i) || !bytes.Equal(b, testChanges(c.Epoch)) {
			t.Fatalf("changes of epoch %d have other contents", c.Epoch)
		}
	}
	return nil
}

const lastEpoch = 22

func TestScript(t *testing.T) {
	fs, p := vfs.NewMem(), noProgress
	for e := base.Epoch(0); e <= lastEpoch; e += 3 {
		if err := runScript(fs, e, &p); err != nil {
			t.Fatal(err)
		}
		if err := holdTo(t, fs, &p); err != nil {
			t.Fatal(err)
		}
	}
	names, _ := fs.List("q")
	if len(names) > 12 {
		t.Errorf("files are not removed: %v", names)
	}
	var out strings.Builder
	if err := Dump(fs, "q", &out); err != nil || !strings.HasSuffix(out.String(), "planned 21, done 21, replay false\n") {
		t.Errorf("dump: %v\n%s", err, out.String())
	}
}

// TestCrashAtEveryStep stops the script before its k-th change of the file
// system, for every k, loses what was not synced, and recovers.
func TestCrashAtEveryStep(t *testing.T) {
	for _, percent := range []int{0, 50, 100} {
		rng := rand.New(rand.NewPCG(uint64(percent), 1))
		for k := 0; ; k++ {
			mem, p, n := vfs.NewCrashableMem(), noProgress, 0
			fs := errorfs.Wrap(mem, errorfs.InjectorFunc(func(op errorfs.Op) error {
				if op.Kind.ReadOrWrite() == errorfs.OpIsWrite {
					if n++; n > k {
						return errors.New("the machine is down")
					}
				}
				return nil
			}))
			err := runScript(fs, lastEpoch, &p)
			after := mem.CrashClone(vfs.CrashCloneCfg{UnsyncedDataPercent: percent, RNG: rng})
			if err := holdTo(t, after, &p); err != nil {
				t.Fatalf("%d%%, step %d: %v", percent, k, err)
			}
			if err := runScript(after, lastEpoch, &p); err != nil {
				t.Fatalf("%d%%, step %d: going on: %v", percent, k, err)
			}
			if err := holdTo(t, after, &p); err != nil {
				t.Fatalf("%d%%, step %d: at the end: %v", percent, k, err)
			}
			if err == nil {
				if k < 100 {
					t.Fatalf("the script has only %d steps", k)
				}
				break
			}
		}
	}
}

// TestErrorAtEveryStep injects one error in the k-th operation of any kind and
// goes on with a new ledger: nothing is lost and nothing is made up.
func TestErrorAtEveryStep(t *testing.T) {
	for k := int32(0); ; k++ {
		mem, p := vfs.NewMem(), noProgress
		inject := errorfs.OnIndex(k)
		fs := errorfs.Wrap(mem, errorfs.ErrInjected.If(inject))
		err := runScript(fs, lastEpoch, &p)
		if err != nil && base.CodeOf(err) != base.CodeUnavailable {
			t.Fatalf("operation %d: code %v of %v", k, base.CodeOf(err), err)
		}
		if err := runScript(mem, lastEpoch, &p); err != nil {
			t.Fatalf("operation %d: going on: %v", k, err)
		}
		if err := holdTo(t, mem, &p); err != nil {
			t.Fatalf("operation %d: %v", k, err)
		}
		if inject.Load() >= 0 {
			if k < 100 {
				t.Fatalf("the script has only %d operations", k)
			}
			return
		}
	}
}

func TestBrokenLedgerStaysBroken(t *testing.T) {
	toggle := &errorfs.Toggle{Injector: errorfs.ErrInjected}
	l, _, err := Open(errorfs.Wrap(vfs.NewMem(), toggle), "q", Options{})
	if err != nil {
		t.Fatal(err)
	}
	if err := l.WriteMeta(testMeta()); err != nil {
		t.Fatal(err)
	}
	toggle.On()
	if err := l.WritePlan(testPlan(0)); !errors.Is(err, errorfs.ErrInjected) {
		t.Fatalf("got %v", err)
	}
	toggle.Off()
	if err := l.WritePlan(testPlan(0)); !errors.Is(err, errorfs.ErrInjected) || !strings.Contains(err.Error(), "broken by an earlier error") {
		t.Fatalf("got %v", err)
	}
}

func filesOf(t *testing.T, fs vfs.FS) map[string][]byte {
	t.Helper()
	names, err := fs.List("q")
	if err != nil {
		t.Fatal(err)
	}
	out := map[string][]byte{}
	for _, name := range names {
		if out[name], err = readFile(fs, fs.PathJoin("q", name)); err != nil {
			t.Fatal(err)
		}
	}
	return out
}

func fsOf(t *testing.T, files map[string][]byte) vfs.FS {
	t.Helper()
	fs := vfs.NewMem()
	if err := fs.MkdirAll("q", 0o755); err != nil {
		t.Fatal(err)
	}
	for name, b := range files {
		f, err := fs.Create(fs.PathJoin("q", name), writeCategory)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := f.Write(bytes.Clone(b)); err != nil {
			t.Fatal(err)
		}
		if err := f.Close(); err != nil {
			t.Fatal(err)
		}
	}
	return fs
}

// TestEveryFlipIsFoundOrHarmless flips bits all over the files of a ledger. It
// says Corrupt, or loses no more than the last record, as if it were torn.
func TestEveryFlipIsFoundOrHarmless(t *testing.T) {
	fs, p := vfs.NewMem(), noProgress
	if err := runScript(fs, lastEpoch, &p); err != nil {
		t.Fatal(err)
	}
	files := filesOf(t, fs)
	last := ""
	for name := range files {
		if strings.HasPrefix(name, segmentPrefix) {
			last = max(last, name)
		}
	}
	found, harmless := 0, 0
	for name, b := range files {
		for i := 0; i < len(b); i++ {
			if strings.HasPrefix(name, segmentPrefix) || i%13 == 0 {
				bad := map[string][]byte{}
				for n, c := range files {
					bad[n] = c
				}
				bad[name] = bytes.Clone(b)
				bad[name][i] ^= 1 << (i % 8)
				// The last append may be lost, but nothing before it.
				atLeast := p
				atLeast.done, atLeast.planned, atLeast.fold = p.done-1, p.planned-1, p.fold-5
				switch err := holdTo(t, fsOf(t, bad), &atLeast); {
				case err == nil && name != last:
					t.Fatalf("byte %d of %s was flipped, and nothing was found", i, name)
				case err == nil:
					harmless++
				case base.CodeOf(err) != base.CodeCorrupt:
					t.Fatalf("byte %d of %s: code %v of %v", i, name, base.CodeOf(err), err)
				default:
					found++
				}
			}
		}
	}
	t.Logf("%d flips found, %d cut as a torn tail", found, harmless)
	if found < 1000 {
		t.Errorf("only %d flips were found", found)
	}
}

func TestMissingFiles(t *testing.T) {
	fs, p := vfs.NewMem(), noProgress
	if err := runScript(fs, lastEpoch, &p); err != nil {
		t.Fatal(err)
	}
	files := filesOf(t, fs)
	last, segments := "", 0
	for name := range files {
		if strings.HasPrefix(name, segmentPrefix) {
			last = max(last, name)
			segments++
		}
	}
	for name := range files {
		if name == lockName || name == last && segments > 1 {
			continue // without its newest segment a ledger is an older one
		}
		less := map[string][]byte{}
		for n, c := range files {
			if n != name {
				less[n] = c
			}
		}
		if err := holdTo(t, fsOf(t, less), &p); base.CodeOf(err) != base.CodeCorrupt {
			t.Errorf("%s is missing: %v", name, err)
		}
	}
	only := map[string][]byte{}
	for n, c := range files {
		if !strings.HasPrefix(n, segmentPrefix) {
			only[n] = c
		}
	}
	_, _, err := Open(fsOf(t, only), "q", Options{})
	if base.AsError(err).Condition != "STREAMING_CHECKPOINT_MISSING_METADATA_FILE" {
		t.Errorf("without segments: %v", err)
	}
}

func TestOnlyOneHolder(t *testing.T) {
	for _, fs := range []vfs.FS{vfs.NewMem(), vfs.Default} {
		dir := fs.PathJoin(t.TempDir(), "q")
		l, _, err := Open(fs, dir, Options{})
		if err != nil {
			t.Fatal(err)
		}
		_, _, err = Open(fs, dir, Options{})
		if e := base.AsError(err); e.Code != base.CodeConflict || e.Condition != "CONCURRENT_STREAM_LOG_UPDATE" {
			t.Errorf("opening a ledger twice: %v", err)
		}
		if err := l.Close(); err != nil {
			t.Fatal(err)
		}
		l, _, err = Open(fs, dir, Options{})
		if err != nil {
			t.Fatal(err)
		}
		if err := l.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

func TestOrderIsEnforced(t *testing.T) {
	l, r, err := Open(vfs.NewMem(), "q", Options{})
	if err != nil || r.NextEpoch() != 0 {
		t.Fatal(r, err)
	}
	defer l.Close()
	refused := func(what string, err error, code base.Code) {
		t.Helper()
		if err == nil || base.CodeOf(err) != code {
			t.Errorf("%s: %v", what, err)
		}
	}
	ok := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	refused("a plan before metadata", l.WritePlan(testPlan(0)), base.CodeInternal)
	ok(l.WriteMeta(testMeta()))
	other := testMeta()
	other.QueryID = "another"
	refused("another query's metadata", l.WriteMeta(other), base.CodeConflict)
	refused("plan 1 first", l.WritePlan(testPlan(1)), base.CodeInternal)
	refused("done without plan", l.WriteDone(testDone(0)), base.CodeInternal)
	ok(l.WritePlan(testPlan(0)))
	refused("plan 0 again", l.WritePlan(testPlan(0)), base.CodeInternal)
	refused("plan 1 before done 0", l.WritePlan(testPlan(1)), base.CodeInternal)
	refused("a snapshot before done", l.WriteSnapshot(0, func(io.Writer) error { return nil }), base.CodeInternal)
	refused("done 0 and plan 2", l.WriteDoneAndPlan(testDone(0), testPlan(2)), base.CodeInternal)
	ok(l.WriteDoneAndPlan(testDone(0), testPlan(1)))
	ok(l.WriteSnapshot(0, func(io.Writer) error { return nil }))
	refused("a snapshot again", l.WriteSnapshot(0, func(io.Writer) error { return nil }), base.CodeInternal)
	ok(l.Compact(0, nil))
	refused("a fold again", l.Compact(0, nil), base.CodeInternal)
	ok(l.WriteDone(testDone(1)))
}

// TestSnapshotsBesideEpochs writes snapshots and folds while epochs run.
func TestSnapshotsBesideEpochs(t *testing.T) {
	fs := vfs.NewMem()
	l, _, err := Open(fs, "q", smallOptions)
	if err != nil {
		t.Fatal(err)
	}
	if err := l.WriteMeta(testMeta()); err != nil {
		t.Fatal(err)
	}
	asked, done := make(chan base.Epoch, 100), make(chan struct{})
	go func() {
		defer close(done)
		for e := range asked {
			write := func(w io.Writer) error { _, err := w.Write(testSnapshot(e)); return err }
			if err := l.WriteSnapshot(e, write); err != nil {
				t.Error(err)
			}
			if err := l.Compact(e, testFolds(e)); err != nil {
				t.Error(err)
			}
		}
	}()
	for e := base.Epoch(0); e < 100; e++ {
		if err := l.WritePlan(testPlan(e)); err != nil {
			t.Fatal(err)
		}
		if err := l.WriteDone(testDone(e)); err != nil {
			t.Fatal(err)
		}
		if e%7 == 6 {
			asked <- e
		}
	}
	close(asked)
	<-done
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	if err := holdTo(t, fs, &progress{planned: 99, done: 99, triedPlan: 99, triedDone: 99, snapshot: 97, fold: 97}); err != nil {
		t.Fatal(err)
	}
}

func FuzzDecodeFrame(f *testing.F) {
	p, _ := newRecord(recordPlan, testPlan(3), []byte("blob"))
	b, _ := appendFrame(nil, 7, p, p)
	f.Add(b, uint64(7))
	f.Fuzz(func(t *testing.T, b []byte, seq uint64) {
		for _, fix := range []bool{false, true} {
			if fix && len(b) >= frameHeader {
				// A right checksum over whatever it is.
				c := bytes.Clone(b)
				copy(c, frameMagic)
				c[8], c[9], c[10], c[11] = byte(len(c)-frameHeader), byte((len(c)-frameHeader)>>8), byte((len(c)-frameHeader)>>16), 0
				c[12] = frameVersion
				rest, err := appendChecksum(c)
				if err != nil {
					return
				}
				b, seq = rest, firstFrame(rest)
			}
			recs, n, err := decodeFrame(b, seq)
			if err != nil {
				continue
			}
			again, err := appendFrame(nil, seq, recs...)
			if err != nil || len(again) != n {
				t.Fatalf("%d bytes are %d bytes again, %v", n, len(again), err)
			}
			_, _, _ = recoverFrom(recs)
		}
		_ = intactFrameAfter(b, seq)
	})
}
