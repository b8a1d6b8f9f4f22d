// Package vec is the column that expressions and accumulators work on: the
// buffers of an Arrow array without its interfaces, plus constants.
//
// A Vec made from an Arrow array shares its buffers and must not be written. A
// Vec made by an evaluator belongs to it and lives until its next call, unless
// the evaluator says otherwise.
package vec
