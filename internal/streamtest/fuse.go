package streamtest

import (
	"errors"
	"fmt"
	"sync"

	"github.com/flightd/flightd/internal/base"
)

// errCrash is what a crashed step returns.
var errCrash = errors.New("crashed here")

// taken is a durable step that the engine was about to take.
type taken struct {
	step  string
	epoch base.Epoch
}

// fuse crashes the engine before a durable step: the next one of a name, or the
// k-th of all. It remembers the steps.
type fuse struct {
	mu    sync.Mutex
	step  string
	k     int
	steps []taken
	blown string
}

func (f *fuse) before(_, step string, epoch base.Epoch) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.steps = append(f.steps, taken{step, epoch})
	if f.step == step || f.k > 0 && len(f.steps) == f.k {
		f.step, f.k = "", 0
		f.blown = fmt.Sprintf("crashed before %s of epoch %d", step, epoch)
		return errCrash
	}
	return nil
}

// arm makes the next step of a name crash.
func (f *fuse) arm(step string) {
	f.mu.Lock()
	f.step, f.blown = step, ""
	f.mu.Unlock()
}

// disarm forgets a crash that has not come, and returns the text of one that has.
func (f *fuse) disarm() string {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.step = ""
	return f.blown
}

// count is the number of steps so far.
func (f *fuse) count() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return len(f.steps)
}

// first is the first step after the n-th, or false.
func (f *fuse) first(n int) (taken, bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if len(f.steps) <= n {
		return taken{}, false
	}
	return f.steps[n], true
}
