package roots

import (
	"os"
	"syscall"
)

// setOpenLock is F_OFD_SETLK: the lock belongs to the open file, so it holds
// against the same process too, and against those that lock with fcntl.
const setOpenLock = 37

func lock(f *os.File) error {
	return syscall.FcntlFlock(f.Fd(), setOpenLock, &syscall.Flock_t{Type: syscall.F_WRLCK})
}
