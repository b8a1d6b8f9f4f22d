// Package metamorphic holds streaming queries to batch queries: for random
// queries and data, cut into micro-batches anywhere and restarted at random, what a
// query puts out in append mode is what a batch query says of the rows, and of the
// windows of rows, that were not late.
//
// Which rows were late is said by a model that goes row by row over plain Go values
// and shares no code with the engine; what the rest of them gives is said by the
// engine's own batch side, over files of the pairs (row, window) that the model has
// kept.
//
// The mutants, run by make test-long, are faults planted in a copy of the source: a
// suite that lets one of them live is not worth its time.
package metamorphic
