package manifest

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/flightd/flightd/internal/base"
)

func TestFormatIsSparks(t *testing.T) {
	e := NewEntry("/data/out/city=New%20York/part-0.parquet", 7, time.UnixMilli(1700000000123))
	const want = "v1\n" + `{"path":"file:///data/out/city=New%2520York/part-0.parquet","size":7,"isDir":false,"modificationTime":1700000000123,"blockReplication":1,"blockSize":33554432,"action":"add"}`
	if got := string(Encode([]Entry{e})); got != want {
		t.Errorf("got %s", got)
	}
	if got := string(Encode(nil)); got != "v1" {
		t.Errorf("got %s", got)
	}
	back, err := Decode([]byte(want))
	if err != nil || len(back) != 1 || back[0] != e {
		t.Errorf("got %v %v", back, err)
	}
	if f, err := back[0].File(); err != nil || f != "/data/out/city=New%20York/part-0.parquet" {
		t.Errorf("got %s %v", f, err)
	}
	for _, bad := range []string{"", "v2\n", "v1\n{", "v1\n{}", "v1\n[]"} {
		if _, err := Decode([]byte(bad)); base.CodeOf(err) != base.CodeCorrupt {
			t.Errorf("%q: got %v", bad, err)
		}
	}
	if _, err := (Entry{Path: "hdfs://nn/x"}).File(); base.CodeOf(err) != base.CodeCorrupt {
		t.Errorf("got %v", err)
	}
}

func TestCompaction(t *testing.T) {
	root := t.TempDir()
	l := Open(nil, root)
	if l.Exists() {
		t.Error("exists")
	}
	now := time.Now().Add(time.Hour)
	for e := range base.Epoch(35) {
		if err := l.Append(e, []Entry{NewEntry(fmt.Sprintf("/x/%d", e), 1, time.UnixMilli(int64(e)))}, time.Time{}, now); err != nil {
			t.Fatal(err)
		}
		got, latest, err := l.Read()
		if err != nil || latest != e || len(got) != int(e)+1 {
			t.Fatalf("epoch %d: %d entries to %d, %v", e, len(got), latest, err)
		}
		for i, g := range got {
			if !strings.HasSuffix(g.Path, fmt.Sprintf("/%d", i)) {
				t.Fatalf("epoch %d: entry %d is %s", e, i, g.Path)
			}
		}
	}
	names, _ := filepath.Glob(filepath.Join(root, DirName, "*"))
	var all []string
	for _, n := range names {
		all = append(all, filepath.Base(n))
	}
	if got := strings.Join(all, " "); got != "19.compact 20 21 22 23 24 25 26 27 28 29.compact 30 31 32 33 34" {
		t.Errorf("left %s", got)
	}
	if err := l.Append(34, nil, time.Time{}, now); err == nil {
		t.Error("an epoch is written twice")
	}
	if err := l.Append(39, nil, time.Time{}, now); base.CodeOf(err) != base.CodeConflict {
		t.Errorf("got %v", err)
	}
	for e := base.Epoch(35); e < 40; e++ {
		if err := l.Append(e, nil, time.UnixMilli(20), now); err != nil {
			t.Fatal(err)
		}
	}
	if got, _, err := l.Read(); err != nil || len(got) != 15 {
		t.Errorf("retention left %d entries, %v", len(got), err)
	}
	os.Remove(filepath.Join(root, DirName, "39.compact"))
	os.Remove(filepath.Join(root, DirName, "33"))
	if _, _, err := l.Read(); base.CodeOf(err) != base.CodeCorrupt || !strings.Contains(err.Error(), "epoch 33") {
		t.Errorf("got %v", err)
	}
}
