// Package difftest holds the engine's batch SQL to DuckDB's: random typed queries
// whose meaning both share, over the same Parquet files, and the 22 queries of TPC-H.
//
// A query is drawn as a tree of which every part is written once for each engine,
// since Spark's dialect and DuckDB's spell some things differently. What the two mean
// differently is not drawn; the place where it would be drawn says what differs. A
// query whose answers differ is cut down, part by part, while they still do.
//
// It is a module of its own, so that the engine does not depend on DuckDB. Results
// follow from the seed alone:
//
//	FLIGHTD_DIFF_QUERIES=20000 FLIGHTD_DIFF_SEED=1 go test -run TestQueries -v .
//
// FLIGHTD_DIFF_ONLY=n draws query n alone.
package difftest
