package main

import (
	"fmt"
	"io"
	"strings"
	"sync"

	"github.com/flightd/flightd"
)

// epochPrinter prints a line per epoch and keeps how queries ended.
type epochPrinter struct {
	w    io.Writer
	show bool

	mu     sync.Mutex
	names  map[string]string // by query id
	failed []error
}

var _ flightd.Listener = (*epochPrinter)(nil)

// QueryStarted keeps the query's name.
func (p *epochPrinter) QueryStarted(e flightd.QueryStarted) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.names == nil {
		p.names = map[string]string{}
	}
	p.names[e.ID] = e.Name
}

// QueryProgress prints the epoch.
func (p *epochPrinter) QueryProgress(e flightd.Progress) {
	if p.show {
		p.mu.Lock()
		defer p.mu.Unlock()
		fmt.Fprintln(p.w, epochLine(e))
	}
}

// QueryIdle does nothing: silence says it.
func (p *epochPrinter) QueryIdle(flightd.QueryIdle) {}

// QueryTerminated keeps the failure.
func (p *epochPrinter) QueryTerminated(e flightd.QueryTerminated) {
	if e.Err == nil {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	name := p.names[e.ID]
	if name == "" {
		name = e.ID
	}
	p.failed = append(p.failed, fmt.Errorf("query %s: %w", name, e.Err))
}

// failures are the errors that queries ended with so far.
func (p *epochPrinter) failures() []error {
	p.mu.Lock()
	defer p.mu.Unlock()
	return append([]error(nil), p.failed...)
}

// epochLine is an epoch in one line:
//
//	hourly  epoch 3   897 rows in   212 out   4 late   watermark 2013-01-04T21:59:00.000Z   78 groups   41 ms
func epochLine(e flightd.Progress) string {
	name := e.Name
	if name == "" {
		name = e.ID
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%s  epoch %-3d %6d rows in %6s out %4d late", name, e.BatchID, e.NumInputRows, outputRows(e.Sink.NumOutputRows), e.LateInputRows)
	if e.NextWatermark != "" {
		fmt.Fprintf(&b, "   watermark %s", e.NextWatermark)
	}
	if len(e.StateOps) > 0 {
		var groups int64
		for _, s := range e.StateOps {
			groups += s.NumRowsTotal
		}
		fmt.Fprintf(&b, "   %d groups", groups)
	}
	fmt.Fprintf(&b, "   %d ms", e.BatchDuration)
	return b.String()
}

// outputRows is the count of a sink's rows; some sinks cannot tell.
func outputRows(n int64) string {
	if n < 0 {
		return "?"
	}
	return fmt.Sprint(n)
}
