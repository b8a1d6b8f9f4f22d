// Package planner turns a resolved logical plan into a physical one: columns
// become positions, unused columns are not read, joins find their keys, stateful
// operators get their numbers. It moves no rows past a watermark: what may move
// there is decided by package rules before.
package planner
