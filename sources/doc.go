// Package sources is the contract of what rows come from: replayable streams
// (Source), bounded tables (Table), and the registry of the connectors, one
// folder each. It knows nothing of operators, epochs or the ledger.
//
// Invariants, held by sources/sourcetest:
//
//	S1  Reading a range twice yields the same rows in the same order.
//	S2  Consecutive ranges partition the stream: no row is lost or repeated.
//	S3  Latest never returns a position before from.
//	S4  A foreign offset is a Corrupt error, never a guess.
//	S5  Nothing (goroutine, file, connection) is left after Close.
package sources
