package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"

	"google.golang.org/grpc/status"

	"github.com/flightd/flightd/internal/base"
)

// untilSignal returns a context that ends with the first of the signals. The
// second one ends the process.
func untilSignal(ctx context.Context, w io.Writer, which ...os.Signal) (context.Context, func()) {
	ctx, cancel := context.WithCancel(ctx)
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, which...)
	go func() {
		select {
		case <-signals:
			cancel()
		case <-ctx.Done():
			return
		}
		<-signals
		fmt.Fprintln(w, "flightd: second signal, leaving at once")
		os.Exit(130)
	}()
	return ctx, func() {
		signal.Stop(signals)
		cancel()
	}
}

// display is an error as a person reads it: with the place in the statement and
// the hint.
func display(err error) string {
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		var parts []string
		for _, e := range joined.Unwrap() {
			parts = append(parts, display(e))
		}
		return strings.Join(parts, "\nflightd: ")
	}
	var remote interface{ GRPCStatus() *status.Status }
	if errors.As(err, &remote) {
		return remote.GRPCStatus().Message()
	}
	var e *base.Error
	if !errors.As(err, &e) {
		return err.Error()
	}
	inner := base.AsError(err)
	if inner.Condition != "" {
		return inner.Display()
	}
	return err.Error() + strings.TrimPrefix(e.Display(), e.Error())
}
