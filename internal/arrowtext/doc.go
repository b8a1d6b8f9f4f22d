// Package arrowtext turns values into the text that CAST(v AS STRING) prints and
// reads them back as CAST does: shortest doubles in Java's form, dates, times,
// zones, decimals and intervals.
//
// The Append functions never fail. The Parse functions take text with white
// space around it and say whether it is well-formed; they never panic. Package
// knows no column type of ours; Append prints whole Arrow arrays.
package arrowtext
