// Package expr holds the types of SQL and the typed expression tree: data only,
// with no idea of how anything is evaluated (package compute/expr does that).
//
// One table, Functions, holds the signature of every function; the evaluator of
// a function stands under the same name in compute/expr. The arguments of a
// resolved Call have exactly the types its signature asked for: coercion has put
// in the casts.
package expr
