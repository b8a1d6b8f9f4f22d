// Package manifest is the log of a directory that the file sink writes:
// <dir>/_spark_metadata/N names the files of epoch N, in Spark's v1 format, so
// that Spark reads what flightd wrote and the other way round. The file sink
// writes it, the file source reads it.
//
// A log file is a line "v1" and a JSON line per data file; every tenth file,
// N.compact, holds all entries so far. A data file counts from the moment that
// the log file which names it exists.
//
// It knows nothing of digests, queries or what is in the data files.
package manifest
