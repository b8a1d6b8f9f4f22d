// Package collation orders and searches texts by the rules of a collation: bytes,
// lower-case letters, or the Unicode collation algorithm with the order of a
// language.
//
// Every collation has a key: two texts are equal where their keys are the same
// bytes, and sort as their keys do. Whatever groups, joins or sorts by a collation
// works on keys. A search finds the characters whose key is the searched text's, so
// that what compares equal is also found.
//
// The weights are those of golang.org/x/text, from an older release of Unicode than
// Spark's: characters that are younger sort behind all others.
package collation
