package streamtest

import (
	"errors"
	"fmt"
	"path/filepath"
	"sync"

	"github.com/cockroachdb/pebble/v2/vfs/errorfs"

	"github.com/flightd/flightd/internal/base"
)

// errCrash is what a crashed step returns.
var errCrash = errors.New("crashed here")

// errInjected is what a failed operation of the disk returns.
var errInjected = errors.New("injected I/O error")

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
	op    string // of the disk
	steps []taken
	blown string
}

func (f *fuse) before(_, step string, epoch base.Epoch) error {
	if epoch == base.NoEpoch { // of a stream table: its rows are there before the query sees them
		return nil
	}
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

// diskOps are the operations of the checkpoint's disk that fail knows.
var diskOps = map[errorfs.OpKind]string{errorfs.OpCreate: "create", errorfs.OpRename: "rename", errorfs.OpFileWrite: "write",
	errorfs.OpFileSync: "sync", errorfs.OpFileSyncData: "sync"}

// MaybeError fails the operation of the disk that the script asked for.
func (f *fuse) MaybeError(op errorfs.Op) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.op == "" || diskOps[op.Kind] != f.op {
		return nil
	}
	f.blown = fmt.Sprintf("the %s of %s failed", f.op, filepath.Base(op.Path))
	f.op = ""
	return errInjected
}

// String names the fuse among injectors.
func (f *fuse) String() string { return "fuse" }

// armDisk makes the next operation of a kind fail.
func (f *fuse) armDisk(op string) {
	f.mu.Lock()
	f.op, f.blown = op, ""
	f.mu.Unlock()
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
	f.step, f.op = "", ""
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
