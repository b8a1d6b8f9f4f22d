package headroom

import (
	"runtime"
	"runtime/debug"
	"testing"
	"time"
)

func TestPercent(t *testing.T) {
	for _, test := range []struct {
		live, headroom uint64
		want           int
	}{{0, 256 << 20, 6400}, {4 << 20, 256 << 20, 6400}, {64 << 20, 256 << 20, 400}, {256 << 20, 256 << 20, 100}, {8 << 30, 256 << 20, 100}} {
		if got := percent(test.live, test.headroom); got != test.want {
			t.Errorf("percent(%d, %d) is %d, want %d", test.live, test.headroom, got, test.want)
		}
	}
}

// TestFollowsTheHeap holds memory and lets go of it: the percentage follows.
func TestFollowsTheHeap(t *testing.T) {
	t.Setenv("GOGC", "")
	before := debug.SetGCPercent(100)
	defer debug.SetGCPercent(before)
	Set(64 << 20)
	held := make([]byte, 128<<20)
	wait := func(what string, ok func(percent int) bool) {
		t.Helper()
		for range 200 {
			runtime.GC()
			time.Sleep(5 * time.Millisecond) // the finalizer runs beside us
			p := debug.SetGCPercent(100)
			debug.SetGCPercent(p)
			if ok(p) {
				return
			}
		}
		t.Errorf("the percentage does not become that of %s heap", what)
	}
	wait("a large", func(p int) bool { return p == 100 })
	runtime.KeepAlive(held)
	held = nil
	wait("a small", func(p int) bool { return p > 300 })
}
