// Package transport is the server's side of gRPC over HTTP/2, made for messages of
// megabytes that go to few clients and small ones that go to many. It differs from
// grpc-go's, which it stands in for, in who touches the bytes:
//
//   - What is sent goes from its buffers to the socket in one call (writev), written by
//     the goroutine of the call itself, in frames as large as the client takes.
//   - What comes is read into the message it belongs to, which is laid out so that its
//     body is aligned as Arrow wants it.
//
// A connection has one goroutine, which reads, and one more for each call that runs.
// Control frames (answers to pings and settings, credit for what was read) are written
// along with the next data, or by a goroutine that lives as long as there are some: the
// one that reads never waits for a client that does not.
//
// Sources of the rules: RFC 9113 (HTTP/2), RFC 7541 (HPACK), and gRPC's own "gRPC over
// HTTP2" of its repository's doc folder (PROTOCOL-HTTP2.md).
package transport
