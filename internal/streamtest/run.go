package streamtest

import (
	"fmt"
	"math/rand/v2"
	"os"
	"strings"
	"testing"

	"github.com/cockroachdb/datadriven"
)

// Run plays a script: once as it is (with -rewrite: regenerating it), then with
// record batches of 1, 2 and 3 rows, then with crashes before durable steps.
func Run(t *testing.T, path string) {
	steps := 0
	t.Run("plain", func(t *testing.T) { steps = play(t, path, 0, 0) })
	if t.Failed() || rewriting() {
		return
	}
	for _, rows := range []int{1, 2, 3} {
		t.Run(fmt.Sprintf("batches of %d", rows), func(t *testing.T) { play(t, path, rows, 0) })
	}
	if ordersCrashes(t, path) {
		return
	}
	for _, k := range crashes(steps) {
		t.Run(fmt.Sprintf("crash before step %d", k), func(t *testing.T) { play(t, path, 0, k) })
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

// ordersCrashes reports whether the script crashes by itself: then no others are
// added.
func ordersCrashes(t *testing.T, path string) bool {
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return strings.Contains(string(text), "\ncrash ") || strings.Contains(string(text), "\nrestart")
}

// crashes picks up to ten of the durable steps, the first and last among them.
func crashes(steps int) []int {
	if steps <= 10 {
		out := make([]int, steps)
		for i := range out {
			out[i] = i + 1
		}
		return out
	}
	out := []int{1, steps}
	for _, i := range rand.Perm(steps - 2)[:8] {
		out = append(out, i+2)
	}
	return out
}

// play plays the script once and returns how many durable steps there were.
func play(t *testing.T, path string, batchRows, k int) int {
	f := &fuse{k: k}
	s := newScript(t.TempDir(), batchRows, f)
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
	return f.steps
}
