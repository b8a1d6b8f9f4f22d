// Package memory keeps a query's result in memory as a table that can be read while the query runs, one committed epoch at a time.
//
// It is being built by the author of the small connectors.
package memory
