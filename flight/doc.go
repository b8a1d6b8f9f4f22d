// Package flight serves an engine over Arrow Flight SQL.
//
// A Server is one gRPC service. What a client asks for is a statement, a
// prepared statement with parameters, an ingest, a question about the catalog or
// an option of its session; the answers are those that the ADBC, JDBC, ODBC and
// Go drivers expect, down to their quirks, which the tests name.
//
// The package knows the public API of the engine, through the interfaces in
// backend.go, and nothing behind it.
//
// Promises that tests cite:
//
//	F1  A statement that changes something runs exactly once: when its FlightInfo
//	    is asked for, or in DoPut. Reading its ticket, however often, repeats the
//	    answer and not the statement. Preparing has no effect.
//	F2  FlightInfo.schema is always set and equals the schema of the stream; the
//	    descriptor is echoed; there is one endpoint.
//	F3  No message of a result is larger than Options.MaxMessage; what can be cut
//	    is cut into pieces of about Options.SliceBytes.
//	F4  A handle or ticket is 128 random bits and answers only to the session that
//	    got it; to any other it is not found.
//	    With users, a session is a user's, and no call without a valid token goes
//	    further than its headers.
//	F5  Bytes from the network pass package guard before anything decodes them.
//	F6  A panic in a handler or in the work behind it is an Internal error of that
//	    call; the server goes on.
//	F7  An error has the code of the table in errors.go, the text that a person
//	    reads, and its details in the trailers x-flightd-sqlstate, -condition,
//	    -position and -hint.
package flight
