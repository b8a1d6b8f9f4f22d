// Package socket reads lines of text from a TCP server: for demonstrations and
// tests, because it is not fault tolerant.
//
// Lines stay in memory until they are committed, so that an epoch can be run again
// within the process. A line that was received and not committed when the process
// ended is gone: after a restart the lines of the new connection go on behind the
// last planned offset, and the range that was planned and not done is empty.
// When the server closes the connection there is nothing new any more; when it
// breaks, that is an error, behind the last line that came.
//
// The connection is made when the query first asks for offsets: describing a table
// connects to nobody. Offsets count lines, as a JSON number.
package socket
