// Package memory keeps a query's result in memory as a table that can be read
// while the query runs, one committed epoch at a time.
//
// Append adds rows; Update replaces the rows with the same keys; Complete replaces
// all. The rows end with the process. It does not know who reads it nor under
// which name.
//
// Invariants, beside K1 to K4:
//
//	M1  A snapshot is the result after one committed epoch, and never changes.
//	M2  A commit costs in proportion to the rows of its epoch, averaged over epochs,
//	    not to the result; a snapshot costs so only for record batches in which rows
//	    were replaced since the last one.
package memory
