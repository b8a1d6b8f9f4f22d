// Package socket reads lines of text from a TCP server: for demonstrations, because what a crash has not processed is lost.
//
// It is being built by the author of the small connectors.
package socket
