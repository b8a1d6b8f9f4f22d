// Package physical holds the tree that runs: every column is a position in the
// input (expr.Ref), every choice of algorithm is made. Data only; package
// compute turns a tree into operators.
package physical
