// Package stream writes stream tables (internal/rowlog): the rows of a statement as
// one commit, and the epochs of a query, each once. A query is a producer of the
// table, whose sequence numbers are its epochs; the digest of the last one is kept
// with it.
//
// Invariants: K1 to K4. Of epochs before the last one the digest is not known any more.
package stream
