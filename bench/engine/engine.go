package engine

import (
	"context"

	"github.com/flightd/flightd/bench/checksum"
	"github.com/flightd/flightd/bench/proc"
	"github.com/flightd/flightd/bench/workload"
)

// Engine runs a workload in the form that its spec asks for.
type Engine struct{ proc.Engine }

// New returns an engine that waits for a spec.
func New() *Engine { return &Engine{} }

// Load starts the engine of the form.
func (e *Engine) Load(ctx context.Context, spec *proc.Spec) (string, error) {
	switch workload.Form(spec.Form) {
	case workload.Stream:
		e.Engine = &Stream{}
	case workload.Pushed:
		e.Engine = &Pushed{}
	case workload.Latency:
		e.Engine = &Latency{}
	default:
		e.Engine = &Batch{}
	}
	return e.Engine.Load(ctx, spec)
}

// Check sums up the last result.
func (e *Engine) Check(ctx context.Context) (*checksum.Sum, error) { return e.Engine.Check(ctx) }

// Close closes what Load opened.
func (e *Engine) Close() error {
	if e.Engine == nil {
		return nil
	}
	return e.Engine.Close()
}
