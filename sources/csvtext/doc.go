// Package csvtext decodes CSV files straight into Arrow columns of a given
// schema, and infers such a schema, with the meaning of Spark's CSV reader. One
// line is one record: quoted line ends (multiLine) are refused.
//
// The rules that may surprise: columns are found by position, and a header is
// skipped, not compared; an empty cell is null, a quoted empty cell is
// emptyValue, and a cell that equals nullValue is null; the escape character is a
// backslash, so doubled quotes need escape='"'; a quoted cell with a bare quote
// in it is taken as written, quotes included; numbers admit no white space; a
// line with too few or too many cells is malformed but keeps its cells.
package csvtext
