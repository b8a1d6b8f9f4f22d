// Package file is the source and the table over directories of Parquet, JSON
// lines, CSV and text files, with the options and the order of Spark's file
// source: files are taken by modification time, then path; each file once.
//
// An offset is what was added: {"logOffset":n,"files":[…]} with path, size and
// modification time of each file, so a replay reads the very same bytes or fails.
// The set of files taken before is the fold of all offsets; the engine keeps it.
// A directory that a file sink writes is read through its manifest, so rows of
// an epoch that was not committed are never seen.
//
// It knows no query and no ledger, and never watches: it lists when asked.
//
// Invariants, held by its tests:
//
//	F1  A file is in at most one offset of a stream, whatever restarts between.
//	F2  A planned file that is gone, or whose size or time changed, is an error
//	    that names it; it is never skipped.
//	F3  Number and order of splits depend on the offset's files only.
//	F4  Nothing is removed or moved before Commit said that it is done.
package file
