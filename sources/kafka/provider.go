package kafka

import "github.com/flightd/flightd/sources"

// Provider returns the provider "kafka": a stream and a table.
func Provider() sources.Provider {
	return sources.Provider{Name: "kafka", Options: optionNames(), Stream: openStream, Batch: openBatch, Lasting: true}
}
