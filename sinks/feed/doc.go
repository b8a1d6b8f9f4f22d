// Package feed is the live output of a query: a log of each epoch's rows on disk,
// kept for a retention, which any number of readers follow from an epoch of their
// choice, each at its own pace, also after a restart of the server.
//
// A segment file <first epoch>.feed is a row of frames, one per epoch:
//
//	length   u32  of the body, little-endian like all numbers
//	checksum u32  CRC-32C of the body
//	head     u32  CRC-32C of the eight bytes before, so that a damaged length is
//	              not taken for a torn frame
//	body     version u8 (2) · mode u8 · epoch u64 · time u64 (ms) · digest 16 bytes
//	         · watermark i64 (ms; version 1 has none) · number of keys u32 · keys u32 each
//	         · uncompressed size u32 · Arrow IPC stream in one zstd frame
//
// A file <last epoch>.base is one frame: the newest row of each key after that
// epoch, of a query in output mode update, whose earlier epochs are not kept any
// more. It is written before they are removed.
//
// A torn frame at the end of the last segment is cut when the feed is opened;
// damage elsewhere is a Corrupt error that names segment and byte. Whoever knows
// which epochs are done compares the last of them with Range.
//
// A reader that waits takes no memory for the epochs it has not read: they are on
// disk. One that falls behind the retention gets an error that names the earliest
// epoch, never a gap.
//
// Invariants, beside K1 to K4:
//
//	L1  A subscription yields every epoch once, in order, whoever else reads.
//	L2  With Held set, an epoch reaches readers only after Publish.
//	L3  The rows of an epoch are the same for every reader, at any time.
//
// It knows neither Flight nor who its readers are.
package feed
