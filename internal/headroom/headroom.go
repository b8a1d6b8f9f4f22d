// Package headroom keeps the garbage collector from running too often in a process
// with a small heap.
//
// The collector runs when the heap has doubled. A stream with little state makes tens
// of megabytes of short-lived buffers an epoch, so it would run several times an
// epoch, though memory is plenty: a tenth to a fifth of the CPU time. With headroom it
// runs when the heap has doubled or has grown by that much, whichever is more.
package headroom

import (
	"math"
	"os"
	"runtime"
	"runtime/debug"
	"runtime/metrics"
)

// Default is the headroom of the command, in bytes.
const Default = 256 << 20

// mark is an object that nobody holds: its finalizer runs after each collection.
type mark struct {
	headroom uint64
	percent  int
	live     [1]metrics.Sample
}

// Set gives the process so many bytes of headroom, from now on to its end. It does
// nothing where the environment has GOGC: who sets that knows better. Libraries do
// not call it, only a main function does.
func Set(bytes int64) {
	if os.Getenv("GOGC") != "" || bytes <= 0 {
		return
	}
	m := &mark{headroom: uint64(bytes), percent: 100}
	m.live[0].Name = "/gc/heap/live:bytes"
	m.adjust()
}

func (m *mark) adjust() {
	metrics.Read(m.live[:])
	live := uint64(0)
	if v := m.live[0].Value; v.Kind() == metrics.KindUint64 {
		live = v.Uint64()
	}
	// Setting the percentage stops the world for a moment.
	if p := percent(live, m.headroom); p < m.percent*9/10 || p > m.percent*11/10 {
		m.percent = p
		debug.SetGCPercent(p)
	}
	next := *m
	runtime.SetFinalizer(&next, (*mark).adjust)
}

// leastLive is the heap, in bytes, from which on the percentage is not made larger:
// Go's own least heap to begin a collection at.
const leastLive = 4 << 20

// percent returns how much a live heap may grow, in percent.
func percent(live, headroom uint64) int {
	live = max(live, leastLive)
	return int(max(100, min(headroom*100/live, math.MaxInt32)))
}
