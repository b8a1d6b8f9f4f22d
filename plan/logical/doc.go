// Package logical holds the one plan language: the tree that the SQL parser,
// the DataFrame API and later Spark Connect make (names unresolved), and the
// same tree after resolution (every expression typed, every column an
// expr.Column). Data only; package plan/resolve turns the first into the second.
//
// Nodes are immutable: a rewrite makes new ones.
package logical
