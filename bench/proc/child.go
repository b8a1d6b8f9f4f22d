package proc

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"strings"
	"sync"
)

// Child is a running engine. It answers one question at a time.
type Child struct {
	Name string
	cmd  *exec.Cmd
	in   io.WriteCloser
	out  *json.Decoder
	log  *tail
}

// Start starts an engine. The process ends with ctx at the latest.
func Start(ctx context.Context, name string, env []string, argv ...string) (*Child, error) {
	cmd := exec.CommandContext(ctx, argv[0], argv[1:]...)
	cmd.Env = env
	c := &Child{Name: name, cmd: cmd, log: &tail{}}
	cmd.Stderr = c.log
	var err error
	if c.in, err = cmd.StdinPipe(); err != nil {
		return nil, err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	c.out = json.NewDecoder(out)
	return c, cmd.Start()
}

// Ask sends a request and waits for the reply.
func (c *Child) Ask(req Request) (Reply, error) {
	line, err := json.Marshal(req)
	if err != nil {
		return Reply{}, err
	}
	if _, err := c.in.Write(append(line, '\n')); err != nil {
		return Reply{}, fmt.Errorf("%s: %s: %w\n%s", c.Name, req.Op, err, c.log)
	}
	var r Reply
	if err := c.out.Decode(&r); err != nil {
		return r, fmt.Errorf("%s: %s: %w\n%s", c.Name, req.Op, err, c.log)
	}
	if r.Error != "" {
		return r, fmt.Errorf("%s: %s: %s", c.Name, req.Op, r.Error)
	}
	return r, nil
}

// Close ends the child and waits for it.
func (c *Child) Close() error {
	return errors.Join(c.in.Close(), c.cmd.Wait())
}

// tail keeps the end of what a child prints on its standard error.
type tail struct {
	mu  sync.Mutex
	buf []byte
}

const tailBytes = 4 << 10

func (t *tail) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.buf = append(t.buf, p...)
	if over := len(t.buf) - tailBytes; over > 0 {
		t.buf = append(t.buf[:0], t.buf[over:]...)
	}
	return len(p), nil
}

func (t *tail) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return strings.TrimSpace(string(bytes.ToValidUTF8(t.buf, nil)))
}
