package flightd

import (
	"os"
	"strconv"
	"strings"

	cexpr "github.com/flightd/flightd/compute/expr"
	"github.com/flightd/flightd/plan/catalog"
	"github.com/flightd/flightd/plan/conf"
)

// memoryLimit is how many bytes the operators of one query may hold: what the session
// says, or six tenths of the machine's memory.
func (e *Engine) memoryLimit(c catalog.Conf) int64 {
	if n := conf.SizeOf(c, cexpr.MemoryLimit); n > 0 {
		return n
	}
	return e.memory
}

// machineMemory is how much memory the process may use: that of the machine, or of the
// control group it is in if that has less. 0 means that nobody says.
func machineMemory() int64 {
	least := int64(0)
	consider := func(n int64) {
		if n > 0 && (least == 0 || n < least) {
			least = n
		}
	}
	if info, err := os.ReadFile("/proc/meminfo"); err == nil {
		for line := range strings.Lines(string(info)) {
			if rest, ok := strings.CutPrefix(line, "MemTotal:"); ok {
				kb, _ := strconv.ParseInt(strings.TrimSpace(strings.TrimSuffix(strings.TrimSpace(rest), "kB")), 10, 64)
				consider(kb << 10)
			}
		}
	}
	// The second version of control groups, and the first.
	for _, path := range []string{"/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"} {
		if b, err := os.ReadFile(path); err == nil {
			n, _ := strconv.ParseInt(strings.TrimSpace(string(b)), 10, 64)
			consider(n)
		}
	}
	return least
}
