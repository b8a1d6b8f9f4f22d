// Package guard stands between the network and arrow-go's IPC decoder.
//
// A few changed bytes of a message make that decoder ask for terabytes, which no
// recover can catch. So every inbound message is walked here first, with the
// FlatBuffers rules and the Arrow format in hand, and what arrow-go gets
// afterwards cannot make it allocate more than the message is worth.
//
// The package knows no query and no connection. It promises, for a message that
// Admit lets through:
//
//	G1  Every offset, vector and string of the header lies inside the header;
//	    shared sub-tables cannot multiply: the walk visits at most
//	    Limits.Fields plus one table per header byte.
//	G2  The schema has at most Limits.Fields fields, nested at most
//	    Limits.Depth deep, all of types that arrow-go reads.
//	G3  A record batch has exactly the nodes and buffers that its schema needs;
//	    every buffer lies in the body, is long enough for its rows, and no two
//	    buffers together are larger than the body.
//	G4  Compressed buffers are inflated here, by decoders that never hold more
//	    than the declared size, and the declared sizes of a message together
//	    stay under Limits.inflated. What leaves is not compressed.
//	G5  Rows that cost no bytes (null columns, structs without fields) are
//	    counted and limited too.
//	G6  Messages come in order: one schema, then dictionaries that it names and
//	    record batches. An empty header is an error.
//
// Offsets inside buffers, dictionary indices and text encoding are checked after
// decoding, by Validate, which turns a panic of the decoder into an error.
package guard
