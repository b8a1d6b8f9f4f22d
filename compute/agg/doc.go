// Package agg holds the accumulators: the state of an aggregate function for
// many groups at once, in columns of package state.
//
// An accumulator is bound to the columns of one table of groups. Everything it
// knows lies in those columns, so that changelog and snapshots see it, and so
// that the same code serves the groups of a split, of an epoch, and of the
// query's life. A new row of the table (zero, NULL, empty) is a group that has
// seen nothing.
//
// Invariants, on which equality with Spark rests:
//
//  1. Rows are taken in in the order in which they are given.
//  2. Merge(dst, src) takes dst as what came before and src as what came after,
//     and computes also where one of them is empty.
//  3. No result depends on row numbers, on hash order or on how rows were cut
//     into batches.
//
// FILTER and DISTINCT are the caller's: it gives only the rows that count. What a
// group is, and when it is late, this package does not know.
package agg
