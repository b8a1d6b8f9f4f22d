package tablelog

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/flightd/flightd/internal/base"
)

var schema = arrow.NewSchema([]arrow.Field{{Name: "a", Type: arrow.PrimitiveTypes.Int64, Nullable: true}, {Name: "d", Type: arrow.FixedWidthTypes.Duration_us}}, nil)

func table(t testing.TB) (*Log, string) {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "t")
	if err := Create(dir, schema); err != nil {
		t.Fatal(err)
	}
	return open(t, dir), dir
}

func open(t testing.TB, dir string) *Log {
	t.Helper()
	l, err := Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func rec(writer string, e int, mode string) Record {
	return Record{Writer: writer, Epoch: base.Epoch(e), Digest: fmt.Sprint("d", e), Mode: mode, Files: []File{{Path: fmt.Sprintf("data/%s/%d", writer, e), Rows: 1, Size: 2}}}
}

func names(t testing.TB, l *Log, v int64) string {
	t.Helper()
	files, err := l.Files(v)
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, f := range files {
		out = append(out, strings.TrimPrefix(f.Path, "data/"))
	}
	return strings.Join(out, " ")
}

func TestVersions(t *testing.T) {
	l, dir := table(t)
	if !l.Schema().Equal(schema) {
		t.Errorf("schema %v", l.Schema())
	}
	if err := Create(dir, schema); base.CodeOf(err) != base.CodeConflict {
		t.Errorf("created twice: %v", err)
	}
	if _, err := Open(t.TempDir()); base.CodeOf(err) != base.CodeNotFound {
		t.Errorf("no table: %v", err)
	}
	want := map[int64]string{0: ""}
	for i := range 50 {
		mode := ModeAppend
		if i%15 == 14 {
			mode = ModeReplace
		}
		if added, err := l.Commit(rec("w", i, mode), time.UnixMilli(int64(i))); err != nil || !added {
			t.Fatal(added, err)
		}
		v, _ := l.Latest()
		if v != int64(i)+1 {
			t.Fatalf("version %d", v)
		}
		want[v] = strings.TrimSpace(want[v-1] + fmt.Sprintf(" w/%d", i))
		if mode == ModeReplace {
			want[v] = fmt.Sprintf("w/%d", i)
		}
	}
	again := open(t, dir)
	if e, err := again.Last("w"); err != nil || e != 49 {
		t.Errorf("last epoch %d, %v", e, err)
	}
	for v, w := range want {
		if got := names(t, again, v); got != w {
			t.Errorf("version %d: %s, want %s", v, got, w)
		}
	}
	if _, err := again.Files(51); base.CodeOf(err) != base.CodeCorrupt {
		t.Errorf("a version that is not there: %v", err)
	}
}

func TestEpochsAreCommittedOnce(t *testing.T) { // T2
	l, dir := table(t)
	for i := range 10 {
		if _, err := l.Commit(rec("w", i, ModeAppend), time.Now()); err != nil {
			t.Fatal(err)
		}
	}
	for _, l := range []*Log{l, open(t, dir)} {
		if added, err := l.Commit(rec("w", 9, ModeAppend), time.Now()); added || err != nil {
			t.Errorf("again: %v %v", added, err)
		}
		other := rec("w", 9, ModeAppend)
		other.Digest = "x"
		if _, err := l.Commit(other, time.Now()); base.CodeOf(err) != base.CodeCorrupt || !strings.Contains(err.Error(), "epoch 9") {
			t.Errorf("another digest: %v", err)
		}
		if _, err := l.Commit(rec("w", 2, ModeAppend), time.Now()); base.CodeOf(err) != base.CodeCorrupt {
			t.Errorf("an old epoch: %v", err)
		}
	}
}

func TestManyWriters(t *testing.T) { // T1
	l, dir := table(t)
	var wg sync.WaitGroup
	for w := range 6 {
		mine := l
		if w%2 == 0 {
			mine = open(t, dir)
		}
		wg.Go(func() {
			for e := range 15 {
				if added, err := mine.Commit(rec(fmt.Sprint("w", w), e, ModeAppend), time.Now()); err != nil || !added {
					t.Error(added, err)
				}
			}
		})
	}
	wg.Wait()
	v, err := l.Latest()
	if err != nil || v != 90 {
		t.Fatalf("version %d, %v", v, err)
	}
	if n := len(strings.Fields(names(t, l, v))); n != 90 {
		t.Errorf("%d files", n)
	}
}

func TestDamage(t *testing.T) { // T3
	l, dir := table(t)
	for i := range 25 {
		if _, err := l.Commit(rec("w", i, ModeAppend), time.Now()); err != nil {
			t.Fatal(err)
		}
	}
	path := recordPath(dir, 23)
	good, _ := os.ReadFile(path)
	for i := range good {
		bad := append([]byte(nil), good...)
		bad[i] ^= 1
		if err := os.WriteFile(path, bad, 0o644); err != nil {
			t.Fatal(err)
		}
		if _, err := Open(dir); base.CodeOf(err) != base.CodeCorrupt || !strings.Contains(err.Error(), "version 23") {
			t.Fatalf("byte %d: %v", i, err)
		}
	}
	if err := os.WriteFile(path, good, 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(snapshotPath(dir, 19), []byte("damaged"), 0o644); err != nil {
		t.Fatal(err)
	}
	if got := len(strings.Fields(names(t, open(t, dir), 25))); got != 25 {
		t.Errorf("with a damaged snapshot there are %d files", got)
	}
}

func TestVacuum(t *testing.T) { // T4
	l, dir := table(t)
	for i := range 3 {
		path := filepath.Join(dir, "data/w", fmt.Sprint(i))
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, nil, 0o644); err != nil {
			t.Fatal(err)
		}
		if _, err := l.Commit(rec("w", i, ModeReplace), time.UnixMilli(int64(1000*i))); err != nil {
			t.Fatal(err)
		}
	}
	l = open(t, dir)
	left := func() string {
		out, _ := filepath.Glob(filepath.Join(dir, "data/w/*"))
		for i := range out {
			out[i] = filepath.Base(out[i])
		}
		return strings.Join(out, " ")
	}
	l.Vacuum(time.UnixMilli(1000)) // file 0 was taken out at 1000
	if got := left(); got != "0 1 2" {
		t.Errorf("left %s", got)
	}
	l.Vacuum(time.UnixMilli(2000))
	if got := left(); got != "1 2" {
		t.Errorf("left %s", got)
	}
}

func FuzzDecode(f *testing.F) {
	b, _ := encode(rec("w", 1, ModeAppend))
	f.Add(b)
	f.Fuzz(func(t *testing.T, b []byte) {
		var r Record
		if decode(b, &r) == nil {
			_ = r.check(1)
		}
		var s state
		_ = decode(b, &s)
		_, _ = encode(r)
	})
}
