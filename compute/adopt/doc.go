// Package adopt turns record batches as libraries outside make them into those of
// the engine.
//
// The engine has one Arrow type for each SQL type (docs/types.md). pandas writes
// texts with large offsets and categories as dictionaries, polars writes views,
// Arrow's own libraries a dozen more: unsigned numbers, seconds to nanoseconds,
// four lists, runs. A Form reads them all, without loss, or says by column and
// row what it cannot read.
//
//	L1  A value that comes out equals the one that went in; what cannot be kept
//	    (nanoseconds of a TIMESTAMP, a 128-bit overflow) is an error that names the
//	    column and the row.
//	L2  Dictionaries, views and runs are written out under a limit of bytes: a
//	    short message cannot stand for more memory than that.
package adopt
