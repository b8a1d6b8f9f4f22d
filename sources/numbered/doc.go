// Package numbered is what sources share whose rows have numbers: offsets that
// count, and splits that cut a range of numbers into record batches which a
// function makes when they are asked for. It knows no connector.
//
// Invariants, held by its tests:
//
//	N1  Splits and record batches depend on the range, the columns and the batch
//	    size alone, whatever was read before.
//	N2  A split holds nothing: what was not read costs nothing.
package numbered
