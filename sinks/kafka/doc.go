// Package kafka writes the rows of an epoch to Kafka topics.
package kafka
