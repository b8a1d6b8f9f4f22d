// Package parquetfile reads the row groups of Parquet files as record batches of
// a wanted schema. It knows files and columns, no directories and no offsets.
//
// Columns are matched by name (exactly, else without regard to case); one that
// the file lacks is null. Types are brought to those of the engine: timestamps of
// any unit, INT96 too, become microseconds; unsigned numbers become the next
// larger signed type; a declared type may be wider than the file's, never
// narrower.
//
// Invariants, held by its tests:
//
//	P1  A damaged file is a Corrupt error that names it; no input panics.
//	P2  A row group yields exactly the rows that its footer promises, or an error.
//	P3  A reader decodes serially: parallelism is row groups, under the engine.
package parquetfile
