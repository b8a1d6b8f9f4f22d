// Package kafkatest has brokers and a producer for the tests of the Kafka source
// and sink: a fake broker in another process, so that a test can count its own
// goroutines and files, and a real one on Java (build tag long).
package kafkatest
