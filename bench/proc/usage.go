package proc

import (
	"os"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// Usage measures what this process uses between Begin and End.
type Usage struct {
	begun time.Time
	cpu   float64
}

// Begin starts to measure; the peak of resident memory starts from now.
func Begin() *Usage {
	// Linux resets the peak for a 5. Where it does not, the peak is the process's.
	_ = os.WriteFile("/proc/self/clear_refs", []byte("5"), 0)
	return &Usage{begun: time.Now(), cpu: CPUSeconds()}
}

// End puts what was used since Begin into the reply.
func (u *Usage) End(r *Reply) {
	r.Wall = time.Since(u.begun).Seconds()
	r.CPU = CPUSeconds() - u.cpu
	r.RSS = PeakRSS()
}

// CPUSeconds is what this process has used.
func CPUSeconds() float64 {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0
	}
	return float64(u.Utime.Nano()+u.Stime.Nano()) / 1e9
}

// PeakRSS is the most memory that was resident, in bytes; 0 where it is not
// known.
func PeakRSS() int64 {
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return 0
	}
	for line := range strings.Lines(string(status)) {
		if value, ok := strings.CutPrefix(line, "VmHWM:"); ok {
			kb, _ := strconv.ParseInt(strings.TrimSpace(strings.TrimSuffix(strings.TrimSpace(value), "kB")), 10, 64)
			return kb << 10
		}
	}
	return 0
}

// Written is how many bytes this process has written to files and pipes; 0 where
// it is not known.
func Written() int64 {
	io, err := os.ReadFile("/proc/self/io")
	if err != nil {
		return 0
	}
	for line := range strings.Lines(string(io)) {
		if value, ok := strings.CutPrefix(line, "wchar:"); ok {
			n, _ := strconv.ParseInt(strings.TrimSpace(value), 10, 64)
			return n
		}
	}
	return 0
}
