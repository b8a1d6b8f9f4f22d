// Package ratemicrobatch makes a fixed number of rows for each epoch, with times that depend on nothing but their number.
//
// It is being built by the author of the small connectors.
package ratemicrobatch
