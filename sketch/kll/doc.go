// Package kll holds quantile sketches after Karnin, Lang and Liberty, in the images
// of Apache DataSketches 6.2. While a sketch has taken in no more items than its k,
// it holds all of them and everything it says is exact and the same as there.
//
// Beyond that, half of the items of a level are dropped, the even or the odd ones.
// DataSketches tosses a coin for it; here the coin is a hash of how many items the
// sketch has seen, so that the same rows always give the same sketch. What does not
// depend on coins (counts, sizes, least and greatest item) is the same as there.
//
// Parse trusts no image: ErrImage is its answer to whatever is no sketch.
package kll
