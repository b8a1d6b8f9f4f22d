package streamtest

import (
	"fmt"
	"math/rand/v2"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/cockroachdb/datadriven"
	"github.com/cockroachdb/pebble/v2/vfs"
)

// multipliers are the ways in which every script is played besides the plain one;
// none may change what it prints.
var multipliers = []struct {
	name     string
	settings [][2]string
}{
	{"batches of 1", [][2]string{{"flightd.batchRows", "1"}}},
	{"batches of 2", [][2]string{{"flightd.batchRows", "2"}}},
	{"batches of 3, one sub-table", [][2]string{{"flightd.batchRows", "3"}, {"flightd.subTables", "1"}}},
}

// Run plays a script: once as it is (with -rewrite: regenerating it), then with
// every multiplier, then with crashes before durable steps.
func Run(t *testing.T, path string) {
	steps := 0
	t.Run("plain", func(t *testing.T) { steps = play(t, path, nil, 0) })
	if t.Failed() || rewriting() {
		return
	}
	for _, m := range multipliers {
		t.Run(m.name, func(t *testing.T) { play(t, path, m.settings, 0) })
	}
	if ordersCrashes(t, path) {
		return
	}
	for _, k := range crashes(steps) {
		t.Run(fmt.Sprintf("crash before step %d", k), func(t *testing.T) { play(t, path, nil, k) })
	}
}

func rewriting() bool {
	for _, a := range os.Args {
		if strings.HasSuffix(a, "-rewrite") || strings.HasSuffix(a, "-rewrite=true") {
			return true
		}
	}
	return false
}

// ordered are the commands that crash or restart by themselves, or show what a
// crash leaves behind or begins anew.
var ordered = regexp.MustCompile(`(?m)^(crash|fail|restart|ledger|emission)\b`)

// ordersCrashes reports whether the script crashes by itself: then no others are
// added.
func ordersCrashes(t *testing.T, path string) bool {
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return ordered.Match(text)
}

// mostCrashes is how many crashes of a script are played; long scripts have
// others each time.
const mostCrashes = 10

// crashes picks some of the durable steps, the first and last among them.
func crashes(steps int) []int {
	if steps <= mostCrashes {
		out := make([]int, steps)
		for i := range out {
			out[i] = i + 1
		}
		return out
	}
	out := []int{1, steps}
	for _, i := range rand.Perm(steps - 2)[:mostCrashes-2] {
		out = append(out, i+2)
	}
	return out
}

// play plays the script once and returns how many durable steps there were. With
// k it crashes before the k-th of them.
func play(t *testing.T, path string, settings [][2]string, k int) int {
	f := &fuse{k: k}
	disk := vfs.Default
	if k > 0 || settings != nil {
		disk = vfs.NewMem()
	}
	s := newScript(t.TempDir(), disk, settings, f)
	defer func() {
		if s.eng != nil {
			s.eng.Close()
		}
	}()
	datadriven.RunTest(t, path, func(t *testing.T, d *datadriven.TestData) string {
		out, err := s.command(d)
		if err != nil {
			d.Fatalf(t, "%v", err)
		}
		return out
	})
	if k > 0 && f.disarm() == "" {
		t.Errorf("the play had %d durable steps, and no crash before step %d", f.count(), k)
	}
	return f.count()
}
