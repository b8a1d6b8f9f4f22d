// Package seglog is a log on disk: files of frames, called segments, that are
// appended to, read at any place and removed whole. The feed of a query and the
// tables of USING flight build on it; what a body means is theirs.
//
// A segment is a row of frames:
//
//	length   u32  of the body, little-endian like all numbers
//	checksum u32  CRC-32C of the body
//	head     u32  CRC-32C of the eight bytes before, so that a damaged length is
//	              not taken for a torn frame
//	body
//
// Invariants, held by its tests:
//
//	G1  A frame that was synced is read as it was written, or is a Corrupt error
//	    that names segment and byte. Bytes that are not whole are never a frame.
//	G2  What a crash leaves of a frame at the end of a segment is told apart from
//	    damage: it reaches to the end of the file, and nothing follows it.
//	G3  After a write or sync that did not succeed nothing of it stays: nobody
//	    knows what of it is on disk, so Abandon cuts back to what is.
//
// It knows neither Arrow nor who reads.
package seglog
