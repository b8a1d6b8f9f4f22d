// Package noop takes rows and drops them: for benchmarks, and for queries that
// only matter by their progress. No row is ever visible, and any epoch may come
// again with any digest.
package noop
