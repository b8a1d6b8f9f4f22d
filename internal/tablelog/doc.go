// Package tablelog is the log of a managed table: a directory of Parquet files
// and the commits that say which of them are the table. The table sink writes
// it, the table source reads it; neither may import the other.
//
//	<dir>/log/00000000000000000007.json       commit 7: checksum, JSON
//	<dir>/log/00000000000000000019.snapshot   the table after commit 19
//	<dir>/data/<writer>/<epoch>-<n>.parquet   rows
//	<dir>/stage/<writer>/                     rows not committed
//
// Invariants, held by its tests:
//
//	T1  Versions are dense from 0; of several writers one gets each version.
//	T2  An epoch of a writer is committed once: again with the same digest is
//	    nothing, with another digest a Corrupt error that names the epoch.
//	T3  A damaged record is a Corrupt error that names its version, never a guess.
//	T4  A file is removed only after a commit took it out of the table, and not
//	    before the retention has passed since.
//
// It knows neither Parquet nor queries.
package tablelog
