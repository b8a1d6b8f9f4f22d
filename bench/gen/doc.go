// Package gen makes the bench's tables: every value is a function of a seed, the
// column's name and the row's number, so any part of a table can be made alone,
// in parallel, and is the same on every machine.
//
// Tables come as record batches or as files (Parquet, JSON lines) that are kept
// between runs. Files are in the order of their rows, by name and by
// modification time, so that a stream over them sees event times in order.
//
// It does not know what the tables are for.
package gen
