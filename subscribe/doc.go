// Package subscribe makes an endless result of a query's feed: SUBSCRIBE.
//
// A Stream is one subscriber. It reads the feed, which is on disk, an epoch at a
// time when its reader asks for it, so a reader that waits takes no memory, and
// a query never waits for its subscribers. It has no goroutine of its own besides
// the timer of FOR INTERVAL: Next does everything, in the reader's goroutine; Drain, Check and
// Close may be called from others. It owns the record batches of the epoch that it
// is handing out, of a large one a single record batch, and the rows by key that an envelope needs.
//
// Invariants:
//
//	S1  From one position on, a subscription gives the same rows in the same order,
//	    whenever it is asked: a position (epoch, row) is exact.
//	S2  The resume token of a batch stands for all rows up to and with it: who goes
//	    on with the last token he has gets every row once.
//	S3  No row is left out without a row that says so (OpGap) or an error.
//
// docs/subscribe.md is the contract with its users. The package knows neither SQL
// nor Flight.
package subscribe
