// Package memory holds rows that a program or a test gives: a stream that grows by Add, and a table over record batches.
//
// It is being built by the author of the small connectors.
package memory
