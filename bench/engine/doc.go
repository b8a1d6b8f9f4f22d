// Package engine runs the bench's workloads on flightd, through the public API of
// the root and nothing else.
package engine
