// Package table reads managed tables (internal/tablelog): as a batch table, whose
// pin is a version, and as a stream, whose offsets are versions.
//
// A stream's first range is the table as it is then; what follows are the rows
// that later commits add. A commit that replaces the rows is an error, unless the
// option skipChangeCommits leaves it out.
//
// Invariants: S1 to S5. A version that is pinned or planned and whose files are
// gone is a Corrupt error, never fewer rows.
package table
