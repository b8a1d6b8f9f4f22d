// Package compute runs a physical plan for one epoch: Build turns a tree of
// plan/physical into operators, and whoever holds the top one pulls batches until
// io.EOF. A batch query is one epoch without state.
//
// Operators are built for every epoch and thrown away after it, also after a
// failed one, so that nothing of an epoch can reach the next but through package
// state. Building costs some microseconds a node.
//
// Invariants:
//
//  1. A selection is ascending and within its record batch; nil selects all. It
//     is valid until the next call of Next; the record batch until then too,
//     unless it is retained. Nobody writes a record batch's buffers.
//  2. A batch holds rows of one split, and the numbers of splits do not descend.
//     Partial aggregates end where the number changes.
//  3. The rows and their order depend on the input's rows, splits and order, on
//     the state and on the Env only: not on the layout of a hash table, on map
//     order or on the number of processors; and on how rows were cut into
//     batches only where an operator says so.
//  4. An operator is used by one goroutine. Those that share the work (exchange,
//     aggregations) start Env.Workers goroutines at most, and none is left after
//     Next of an aggregation, or Close of an exchange; a panic in one of them is
//     the caller's.
//  5. A stateful operator has taken in all its input before its first row comes
//     out, except deduplication and limits, which pass rows on as they come.
//
// It does not know SQL, offsets, files or who reads the result.
package compute
