// Package golden plays recordings of a real Spark against flightd and compares
// epoch by epoch. It uses the public DataFrame API and nothing internal of the
// engine, so what passes here works for any user of the API.
//
// The format of a recording is that of testdata/golden/README.md. A case is
// passed if schema, epochs, rows, watermarks, event-time statistics, state
// counts and errors (condition, SQLSTATE and whether it came from the analysis,
// the start or the run) are those of the recording.
package golden
