// Package encoding decodes the bytes of Parquet pages into slices: page headers,
// compressed bodies, runs of levels and dictionary indices, delta and byte-split
// values. It knows bytes and counts, no files, no columns and no Arrow types.
//
// Invariants, held by its tests and fuzz targets:
//
//	E1  No input panics, and no memory is taken for a count that the bytes at
//	    hand do not bear out.
//	E2  A decoder that is asked for n values yields n values or an error, never
//	    fewer, and what it yields does not depend on how the n are cut.
//	E3  Loops load eight bytes at a time and may look at up to Slack bytes behind
//	    the end of their input; Padded sees to it that these are there.
package encoding
