// Package proc runs an engine in a process of its own and asks it questions: one
// JSON request a line on its standard input, one JSON reply a line on its
// standard output. peers/protocol.py is the other end for the peers, Serve the
// one for ourselves, so all engines are driven and measured alike.
//
// A child loads a workload, runs it any number of times, and after a run sums up
// the result, which is not timed. The child itself takes the time, so that the
// pipe costs nothing.
package proc
