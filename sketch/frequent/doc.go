// Package frequent counts how often items occur: all of many items roughly, by a
// count-min sketch as Apache Spark makes it, and the most frequent ones with a bound
// of the error, as Apache DataSketches does. Images and the order in which items of
// equal count come are the same as there.
//
// Parse functions trust no image: ErrImage is their answer to whatever is no sketch.
package frequent
