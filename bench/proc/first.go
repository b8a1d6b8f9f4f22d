package proc

import (
	"context"
	"fmt"
	"os/exec"
	"strconv"
	"strings"
	"time"
)

// First starts a program that prints its peak of resident memory in bytes when it
// has its first result, and ends. Wall is the time until that line.
func First(ctx context.Context, env []string, argv ...string) (Reply, error) {
	cmd := exec.CommandContext(ctx, argv[0], argv[1:]...)
	cmd.Env = env
	var errs tail
	cmd.Stderr = &errs
	begun := time.Now()
	out, err := cmd.StdoutPipe()
	if err != nil {
		return Reply{}, err
	}
	if err := cmd.Start(); err != nil {
		return Reply{}, err
	}
	line := make([]byte, 64)
	n, _ := out.Read(line)
	r := Reply{Wall: time.Since(begun).Seconds()}
	if err := cmd.Wait(); err != nil {
		return r, fmt.Errorf("%s: %w\n%s", argv[0], err, &errs)
	}
	r.CPU = (cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()).Seconds()
	r.RSS, err = strconv.ParseInt(strings.TrimSpace(string(line[:n])), 10, 64)
	return r, err
}
