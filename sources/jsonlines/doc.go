// Package jsonlines decodes files of one JSON value a line straight into Arrow
// columns of a given schema, and infers such a schema, with the meaning of
// Spark's JSON reader. There is no tree and no map of a row; what the schema does
// not want is checked and skipped.
//
// The rules that may surprise: names are compared with case; of a repeated name
// the last value counts; a string column takes any value as its text; a number
// column takes no string except NaN and the infinities (and decimals); a field
// that does not convert is null and marks its record as malformed, the other
// fields keep their values; what follows the first value of a line is ignored; a
// line that is an array of objects is that many rows; blank lines are no rows.
//
// Options that Spark has and this decoder refuses by name: multiLine, comments,
// unquoted names, leading zeros, other encodings than UTF-8.
package jsonlines
