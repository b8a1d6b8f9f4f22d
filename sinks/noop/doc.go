// Package noop takes rows and drops them: for benchmarks.
//
// It is being built by the author of the small connectors.
package noop
