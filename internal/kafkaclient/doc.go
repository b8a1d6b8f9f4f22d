// Package kafkaclient turns options whose names begin with "kafka." into a
// client of a Kafka cluster, for the source and the sink alike: which keys are
// honoured, accepted without effect, or refused, and why; security; time limits.
//
// It knows nothing of topics, offsets or rows. Keys stand in one table: a key
// that is not in it is an error, so no option reaches the client unread (a
// token endpoint or a login module named by an option could read files or call
// other hosts).
//
// Invariants:
//
//	KC1  A request ends after default.api.timeout.ms at the latest.
//	KC2  A response is read only up to a limit that the settings give.
//	KC3  An error never shows a password or the content of a file.
package kafkaclient
