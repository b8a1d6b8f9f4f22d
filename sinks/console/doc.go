// Package console prints each epoch as Spark's console sink does: a header with
// the epoch's number and the first rows as a table, nothing else between them.
//
// An epoch is printed when it is committed, also if it has no rows, with one
// write. An epoch that is replayed in the same process is not printed again; after
// a restart of the process it is. Queries may share a console.
package console
