// Package kafka writes the rows of an epoch to Kafka topics: a row is a record,
// with the columns value (string or binary, required), key (string or binary),
// topic (string, unless the option topic names one), headers
// (array<struct<key: string, value: binary>>) and partition (int). Other columns
// are not written.
//
// What holds now: at least once. The producer is idempotent and waits for all
// replicas in sync (acks=all), and Commit returns only when every record of the
// epoch is acknowledged; so no row is lost, and the client's own retries write
// nothing twice. But rows are sent as they come, so that memory stays bounded:
// readers see them before Commit, and rows of an epoch that was interrupted stay.
// Which epochs are committed, and with which digest, is known to the open sink
// alone: a repeat within its life is dropped (K2) or refused (K3); a replay after a
// restart is written again.
//
// What comes with transactions stands behind the interface commits: it finds an
// epoch that is in Kafka, and finishes one together with its digest.
//
// It knows no query and no ledger.
package kafka
