package flightd

import (
	"slices"

	"github.com/flightd/flightd/compute"
	"github.com/flightd/flightd/plan/physical"
)

// watermarks tracks the event time of a query's watermark nodes. Only the global
// value is kept over a restart: a fast side must pass it again (semantics,
// vector W2).
type watermarks struct {
	nodes []*physical.Watermark
	// max is, per node, the largest event time seen minus the delay; 0 without
	// data yet.
	max  []int64
	seen []bool
	// global never goes back.
	global int64
	useMax bool
}

func newWatermarks(nodes []*physical.Watermark, policy string, restored int64) *watermarks {
	return &watermarks{nodes: nodes, max: make([]int64, len(nodes)), seen: make([]bool, len(nodes)),
		global: max(0, restored), useMax: policy == "max"}
}

// clone returns a copy that moves by itself.
func (w *watermarks) clone() *watermarks {
	c := *w
	c.max, c.seen = slices.Clone(w.max), slices.Clone(w.seen)
	return &c
}

// observe takes what the nodes saw in an epoch and moves the global watermark:
// to the least (policy min) or largest (max) of the nodes, a node without data
// counting as 0.
func (w *watermarks) observe(stats []compute.EventTime) {
	for i, s := range stats {
		if s.Count == 0 {
			continue
		}
		v := s.Max - w.nodes[i].Delay
		if !w.seen[i] || v > w.max[i] {
			w.max[i] = v
		}
		w.seen[i] = true
	}
	if len(w.nodes) == 0 {
		return
	}
	next := max(w.max[0], 0)
	for i := range w.nodes[1:] {
		v := max(w.max[i+1], 0)
		if w.useMax == (v > next) {
			next = v
		}
	}
	w.global = max(w.global, next)
}
