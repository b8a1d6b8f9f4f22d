package noop

import (
	"context"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/flightd/flightd/internal/base"
	"github.com/flightd/flightd/sinks"
)

// Sink drops every row. It has no state.
type Sink struct{}

var _ sinks.Sink = Sink{}

// Providers returns the provider noop, which has no options.
func Providers() []sinks.Provider {
	return []sinks.Provider{{Name: "noop", Volatile: true, Open: func(context.Context, sinks.Config) (sinks.Sink, error) {
		return Sink{}, nil
	}}}
}

// Write does nothing.
func (Sink) Write(context.Context, base.Epoch, sinks.Mode, arrow.RecordBatch) error { return nil }

// Commit does nothing.
func (Sink) Commit(context.Context, base.Epoch, sinks.Mode, base.Digest) error { return nil }

// Describe returns "NoopSink".
func (Sink) Describe() string { return "NoopSink" }

// Close does nothing.
func (Sink) Close() error { return nil }
