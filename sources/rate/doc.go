// Package rate makes rows at a steady rate: timestamp and a counter.
//
// It is being built by the author of the small connectors.
package rate
