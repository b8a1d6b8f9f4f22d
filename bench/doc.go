// Command bench measures the whole engine through its public API: rows per
// second, CPU seconds and a checksum for each workload, from memory and from
// Parquet, and the time from the start of a process to its first result.
//
//	go run ./bench -rows 4000000
//
// The generator is deterministic: the same seed and rows give the same files on
// every machine.
package main
