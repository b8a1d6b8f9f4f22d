// Package columnar is what the text decoders share: columns that grow cell by
// cell and become Arrow arrays without a copy, the parsing of numbers, dates,
// timestamps and decimals as Spark's readers parse them, and a bounded line
// reader. It knows no file format and no connector.
//
// Invariants, held by its tests:
//
//	C1  A column's buffers are handed over by Finish and never written again.
//	C2  Truncate undoes appends exactly: what follows is as if they never were.
//	C3  No input makes a parser panic; what it cannot read it reports.
//	C4  Memory taken is in proportion to bytes read, never to a number in them.
package columnar
