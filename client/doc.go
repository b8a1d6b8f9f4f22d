// Package client talks to a flightd server from Go.
//
// A Conn is a session: settings and temporary views stay until Close. SQL gives
// the rows of a statement as Arrow record batches, Execute runs one for its effect,
// Ingest writes record batches durably, Subscribe follows a running query, and
// Queries lists what runs.
//
// A Subscription goes on by itself after a broken connection or a restart of the
// server: it keeps the token of the last batch that it handed out and continues
// behind it, so that every row comes once. Append goes on in the same way: it numbers
// what it sends to a stream table, and sends again what is not on the server's disk.
//
// What the server refuses is an *Error with its condition, SQLSTATE, place and
// hint. A Conn may be used by several goroutines; what it returns by one at a time,
// except for the Close methods. Contexts end what they were given to: the work on
// the server, too.
//
// Nothing here knows the engine: the package is Flight SQL and what flightd says
// along with it (docs/subscribe.md, docs/ingest.md).
package client
