// Package base holds what every room of flightd may know: epochs, offsets,
// digests, clocks, output modes, options and the one error type.
//
// It imports the standard library only and has no package-level mutable state.
package base
