// Package sinks is the contract of where rows leave, and the registry of the
// connectors, one folder each. It knows nothing of operators or the ledger.
//
// Invariants, held by sinks/sinktest:
//
//	K1  Nothing of an epoch is visible to a reader before Commit returned nil.
//	K2  A second Commit of an epoch with the same digest changes nothing.
//	K3  A second Commit with another digest is a Corrupt error naming the epoch.
//	K4  Closing without Commit leaves nothing visible.
package sinks
