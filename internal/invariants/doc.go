// Package invariants says what a bug of ours does: it panics in builds with the
// tag "invariants" (all tests), and is an error with the code Internal in
// others.
//
// It knows no other package than base and has no state.
package invariants
