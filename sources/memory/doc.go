// Package memory holds rows that a program or a test gives: a stream that grows
// by Add, and a table over record batches.
//
// Rows are never copied: what a scan yields are slices of what was given. The
// rows of a Stream outlive its queries, so that a query which is stopped and
// started again in the same process goes on where it was; they end with the
// process. Offsets count record batches, as a JSON number.
package memory
