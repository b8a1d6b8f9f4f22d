// Package kafka reads Kafka topics, as a stream and as a table, with the options
// and the columns of Spark's Kafka source: key, value, topic, partition, offset,
// timestamp, timestampType, and headers on request.
//
// An offset of the stream is {"topic":{"0":5,"1":9}}, the next offset to read of
// each partition. The query's ledger keeps it; no group is joined and nothing is
// committed to Kafka, so kafka.group.id and groupIdPrefix only name the reader in
// messages. Records are fetched one range at a time, without a session, and
// decoded straight into Arrow columns; columns that are not wanted are not copied.
//
// A reader's place is the next offset to read, not the last record: compaction,
// aborted transactions and their markers leave gaps, which are not losses. A range
// whose end the leader can serve, but for which it returns nothing for three
// seconds, is taken to be empty (compaction took its last record).
//
// It knows no query and no ledger. A range can be read again only as long as
// Kafka keeps its records; compaction between two readings may take records away.
//
// Invariants, held by its tests:
//
//	KS1  A range yields the records at its offsets, each once, in order of topic,
//	     partition and offset; where record batches are cut depends on BatchRows
//	     and the records' lengths only.
//	KS2  A partition that appears later is read from the start of its log. If that
//	     is not 0, or a partition or an offset not yet read is gone, or a log ends
//	     before an offset already read, the read fails with KAFKA_DATA_LOSS; with
//	     failOnDataLoss=false it goes on behind the loss, which the metric
//	     lostOffsets counts.
//	KS3  Records of open and aborted transactions never appear under
//	     isolation.level read_committed; control records never appear.
//	KS4  Nothing a broker sends makes the reader take memory beyond its limits,
//	     panic, or wait longer than kafkaConsumer.pollTimeoutMs for a record.
package kafka
