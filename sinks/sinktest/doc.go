// Package sinktest is the contract of package sinks as code: every connector's
// tests run it (invariants K1 to K4), whatever else they test.
package sinktest
