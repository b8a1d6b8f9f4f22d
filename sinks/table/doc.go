// Package table is the sink into a managed table (internal/tablelog): Parquet
// files and a log of versions in a directory of the engine's. Any number of
// queries and statements may write into one table.
//
// An epoch is one commit of the log. Append adds rows; Complete replaces the
// table's rows; Update is refused, for a table has no keys. Rows that a replace
// took out stay on disk for the option retention (an hour if not given), so that
// readers may finish.
//
// Invariants: K1 to K4; T1 to T4 of the log.
package table
