// Package kafka reads Kafka topics, as a stream and as a table.
package kafka
