// Package ratemicrobatch makes a fixed number of rows for each epoch, with times
// that depend on nothing but their number: a stream for tests.
//
// Rows of one epoch have the same time; the next epoch's is later by a fixed step.
// There is always another epoch, as fast as the trigger asks. An offset is the
// rows before it and the time of the next, {"offset":20,"timestamp":2000}.
package ratemicrobatch
