// Package expr evaluates the resolved expressions of plan/expr over columns.
//
// Compile turns a tree into evaluators, one per node, that compute a column at a
// time. One table maps the name of every function to what makes its evaluator;
// its rows stand in the files of their families. Adding a function is one row
// and its test here, and one row in plan/expr's table of signatures.
//
// It promises:
//
//  1. The result of Eval is aligned with the input: row i belongs to row i. Rows
//     outside the selection are unspecified, and nothing about them can raise an
//     error or a panic.
//  2. Lazy functions (case, if, coalesce, and, or, …) evaluate a branch for the
//     rows that need it and no others.
//  3. Errors carry Spark's condition and SQLSTATE, the value, and the position of
//     the expression.
//  4. A result depends on the input, the expression and the Env only; evaluators
//     of rand and its kin count the rows of their epoch.
//
// It does not know where columns come from nor what becomes of them. An
// evaluator is for one goroutine.
package expr
