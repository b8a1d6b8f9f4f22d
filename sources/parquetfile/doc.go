// Package parquetfile reads the row groups of Parquet files as record batches of
// a wanted schema. It knows files and columns, no directories and no offsets.
//
// Columns are matched by name (exactly, else without regard to case); one that
// the file lacks is null. Types are brought to those of the engine: timestamps of
// any unit, INT96 too, become microseconds; unsigned numbers become the next
// larger signed type; a declared type may be wider than the file's, never
// narrower.
//
// A column without nesting is decoded here: chunk reads its pages, column its
// definition levels, which become the validity bitmap, and cells its values,
// straight into the buffers of the record batch, however many rows that is to
// have. Package encoding holds the loops. Lists, maps, structs and what nobody
// writes any more are left to pqarrow.
//
// Invariants, held by its tests:
//
//	P1  A damaged file is a Corrupt error that names it, the row group and the
//	    column; no input panics, or takes memory that it does not bear out.
//	P2  A row group yields exactly the rows that its footer promises, or an error.
//	P3  A reader decodes serially: parallelism is row groups, under the engine.
//	    Those of one file or footer share nothing that changes.
//	P4  Buffers of a record batch that was returned are never written again.
package parquetfile
