// Package stream reads stream tables (internal/rowlog, CREATE TABLE … USING flight):
// as a stream, whose offsets are row numbers, and as a batch table, whose pin is
// the rows that are kept at one commit.
//
// An offset is {"table":"1f2e3d4c","row":17}: the number of the row behind it, and the
// table's own id, by which an offset of a dropped table of the same name is known.
// New rows announce themselves, so that a query that waits reads them at once.
//
// Retention does not ask who has read what. A stream whose rows are gone before it
// has read them fails with FLIGHT_DATA_LOSS; with failOnDataLoss=false it goes on
// behind the loss, which the metric lostRows counts. A batch keeps what it has
// pinned until it is closed.
//
// Invariants: S1 to S5.
package stream
