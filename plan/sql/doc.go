// Package sql reads SQL text in Spark's dialect and makes the unresolved trees
// of plan/logical and plan/expr.
//
// It promises that
//
//  1. every node and every error has the place of its text, and every error is a
//     *base.Error with Spark's condition, SQLSTATE and the text itself;
//  2. no text makes it panic, and time and memory are linear in the text; what
//     is nested deeper than a fixed limit is refused;
//  3. hardly any word is reserved: where Spark takes a keyword for a name, so
//     does this package;
//  4. Text fields of statements are the exact characters of the query.
//
// It does not know which tables, columns and functions exist. The settings that
// change how text is read (the session's time zone, double quotes) come in a
// Dialect.
//
// The pieces follow the grammar: lexer.go makes tokens; expression.go,
// predicate.go, primary.go, call.go, literal.go and interval.go read
// expressions; types.go types; query.go, selecting.go, from.go, grouping.go
// queries; statement.go and its neighbours statements.
package sql
