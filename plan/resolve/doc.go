// Package resolve turns the unresolved plan that the parser and the DataFrame
// API make into one whose every expression has a type: names become columns,
// stars lists, functions calls with the casts they need, subqueries joins.
//
// It promises that the plan it returns
//
//  1. holds only the nodes Relation, Values, Range, Project, Filter, Aggregate,
//     Expand, Window, Session, Over, Generate, Join, Union, SetOp, Distinct,
//     Sort, Limit, Watermark, Deduplicate, Sample and Repartition (Alias, With,
//     Having, Tagged, Table, Function and Source are gone);
//  2. holds only the expressions Column, Literal, Alias, Cast, Call, Lambda,
//     LambdaVar, Agg and uncorrelated scalar Subquery;
//  3. gives every use of a relation columns with IDs of their own, so that a
//     table may be joined with itself;
//  4. has Aggregate nodes in one form: each item of List is a Column or an Alias
//     over exactly one grouping expression (first, in the order of Group, all of
//     them) or exactly one Agg (after those). Whatever is computed from them
//     stands in a Project above;
//  5. gives its root the names of the query's result.
//
// A mistake of the user is a *base.Error with Spark's condition, the place of
// the token, and a hint. It does not know how anything runs, and whether a
// streaming plan is supported is for package plan/streaming.
package resolve
