// Package file is the sink into directories of Parquet, JSON lines, CSV and text
// files, append only, each epoch exactly once.
//
// Rows are staged under <path>/_flightd/stage. Commit makes the epoch durable in
// this order, each step synced:
//
//  1. the staged files;
//  2. <path>/_flightd/commits: the epoch's digest and file names;
//  3. the files' names in the directory;
//  4. <path>/_spark_metadata/N, the manifest, which is the commit point.
//
// A crash before 4 leaves an epoch that the next start undoes: the files that 2
// names are removed. A crash after 4 leaves a committed epoch: its replay is
// compared with the digest of 2 and dropped.
//
// Names come from the query's name, the epoch and a number, and the files' bytes
// from the rows alone, not from how they were cut into record batches; so two
// runs over the same epochs leave the same files.
//
// Invariants, beside K1 to K4:
//
//	D1  The rows and the files of an epoch are the same on every replay.
//	D2  After a start there is no file that an uncommitted epoch wrote.
//	D3  A directory belongs to one query: another one is refused.
//
// It knows no query plan and reads no data file back.
package file
