package proc

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"github.com/flightd/flightd/bench/checksum"
)

// Engine is what Serve drives.
type Engine interface {
	// Load makes the tables ready and tells the engine's version.
	Load(ctx context.Context, spec *Spec) (version string, err error)
	// Run answers the question; r has wall, CPU and memory when it returns.
	Run(ctx context.Context, r *Reply) error
	// Check sums up the last result.
	Check(ctx context.Context) (*checksum.Sum, error)
	Close() error
}

// Serve answers requests until in ends.
func Serve(ctx context.Context, e Engine, in io.Reader, out io.Writer) error {
	dec, enc := json.NewDecoder(in), json.NewEncoder(out)
	for {
		var req Request
		if err := dec.Decode(&req); errors.Is(err, io.EOF) {
			return e.Close()
		} else if err != nil {
			return errors.Join(fmt.Errorf("reading a request: %w", err), e.Close())
		}
		var r Reply
		var err error
		switch req.Op {
		case Load:
			r.Version, err = e.Load(ctx, req.Spec)
		case Run, Choose:
			err = e.Run(ctx, &r)
		case Check:
			r.Sum, err = e.Check(ctx)
		default:
			err = fmt.Errorf("no operation %q", req.Op)
		}
		if err != nil {
			r = Reply{Error: err.Error()}
		}
		if err := enc.Encode(r); err != nil {
			return errors.Join(err, e.Close())
		}
	}
}
