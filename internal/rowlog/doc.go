// Package rowlog is the log of a stream table (CREATE TABLE … USING flight): an
// append log of Arrow record batches with numbered rows, and what their producers
// have sent. sinks/stream and Flight's DoPut write it, sources/stream reads it.
//
//	<dir>/table                       one frame: JSON with the table's id and schema
//	<dir>/<row>-<commit>.rows         a segment: frames from that row and commit on
//	<dir>/<row>-<commit>.state        one frame: JSON, the producers before the segment
//	<dir>/<random>.stage              rows of a statement that has not ended
//
// The body of a frame in a segment:
//
//	version u8 (1) · flags u8 · length of the producer u16 · rows u32 · row u64, from the
//	segment's first · commit u64 · time i64 (ms since 1970) · seq i64, −1 without ·
//	length of the metadata u32 · 0 u32 · producer · digest, 16 bytes, with flag 2 ·
//	zeros · metadata · zeros · body of one Arrow IPC message of a record batch
//
// The metadata begins at a multiple of 8 and the message's body at one of 64 bytes
// of the frame. With flag 1 the frame belongs to a group that goes on with the next
// one; a group is there whole or not at all. A frame without rows has no message. A
// statement of many rows is a segment of its own, whose frames have commit 0.
//
// Rows are numbered from 0, for ever. Appends wait for each other's sync: whoever
// comes while one is on its way goes with the next (group commit), and each sync is
// a commit, whose numbers are dense from 1.
//
// Invariants, held by its tests:
//
//	R1  A receipt is given only after its rows are on disk; no reader sees a row
//	    before that, nor another row under its number ever.
//	R2  Of a producer each sequence number is in the log once, in order, without
//	    gaps; one that was there before is acknowledged and not written. That holds
//	    over restarts, failures and retention.
//	R3  A torn end is cut when the log is opened, never read. Damage elsewhere is a
//	    Corrupt error that names segment and byte, where it is read.
//	R4  Segments go whole, oldest first, and never while somebody holds their rows.
//	R5  What waits to be written is at most Options.QueueBytes.
//
// It knows neither SQL nor Flight nor who reads.
package rowlog
