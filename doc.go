// Package flightd is a columnar streaming engine with the semantics of Spark
// Structured Streaming.
//
// An Engine owns tables, streaming queries and their checkpoints under a data
// folder. A Session speaks SQL to it, or builds the same plans with a DataFrame.
// A StreamingQuery runs micro-batches: each is planned in the ledger, read from
// its sources, pushed through columnar operators, committed to its sinks and
// then declared done, so that a crash anywhere replays at most one epoch.
//
//	eng, err := flightd.Open(ctx, flightd.Options{DataDir: "data"})
//	s := eng.NewSession()
//	_, err = s.Execute(ctx, "CREATE TABLE clicks (ts TIMESTAMP, page STRING) USING json OPTIONS ('path' = '/in')")
//	_, err = s.Execute(ctx, "CREATE STREAMING QUERY hits OUTPUT MODE complete INTO memory AS "+
//		"SELECT page, count(*) AS n FROM STREAM clicks GROUP BY page")
//	res, err := s.Execute(ctx, "SELECT * FROM hits")
//
// Invariants that the whole engine rests on (tests cite them):
//
//	E1  An epoch's plan record is durable before any of its rows is read.
//	E2  A sink commits an epoch before its done record is written.
//	E3  State changes become durable only with the done record.
//	E4  Replaying an epoch gives the same rows in the same order (same digest).
//	E5  After a failed or cancelled epoch the state in memory is rebuilt.
package flightd
