// Package console prints each epoch as Spark's console sink does.
//
// It is being built by the author of the small connectors.
package console
