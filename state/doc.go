// Package state holds keyed rows of typed columns: the groups of a hash
// aggregation, while an epoch runs and from epoch to epoch.
//
// Table is the hash table, and there is only this one: package compute uses it
// for the groups of a batch query or of one epoch's partial aggregation. Sharded
// is a table that is kept, split into sub-tables. A Store is all the kept tables
// of a query; it turns an epoch into a changelog and its tables into a snapshot,
// and back. The ledger (package checkpoint) keeps those bytes.
//
// Keys go in as Vectors, are normalised to words once per record batch (Keys), and
// are looked up as a batch. Accumulators then work on the value columns by row:
//
//	keys := table.NewKeys()
//	err := keys.Normalise(columns, n, sel)
//	err = table.Upsert(keys, sel, func(t *state.Table, sel, rows []int32) error {
//		sums := t.Value(0).(*state.Fixed[int64]).Data()
//		for i, r := range sel {
//			sums[rows[i]] += input[r]
//		}
//		return nil
//	})
//
// A table whose Schema says Many keeps several rows of a key: the rows of one side of
// a join, the sessions of a user. Insert adds to them and Find and Older walk them,
// from the newest to the oldest:
//
//	err := table.Find(keys, nil, rows)
//	for r := rows[i]; r >= 0; r = table.Older(r) {
//		…
//	}
//
// The epoch ends in this order:
//
//	refs := table.Changed()               // or Scan: what to put out
//	v, err := table.Value(0, refs)        // as columns
//	due, err := sub.Due(limit, times)     // eviction: of each sub-table
//	err = table.RemoveSub(i, due)
//	changes, err := store.Commit(epoch)   // into the Done record
//	pinned := store.Pin()                 // now and then,
//	go pinned.Encode(file)                // while the next epoch runs
//
// After a start, or after a failed epoch and Rollback, the store comes back with
// Restore of the newest snapshot and Apply of each later epoch's changes; then
// the operators ask for their tables by id.
//
// Invariants:
//
//  1. The order of Changed is that of first touch in the epoch, the order of Scan
//     that of first appearance over all epochs. Neither depends on hashes, the
//     number of sub-tables, growth, removals or restarts.
//  2. A row keeps its place from the Upsert or Insert that made it to the end of the epoch.
//  3. Row numbers only ascend, and are part of changelog and snapshot. A key that
//     was removed and comes again has a new one.
//  4. Commit returns the same bytes for the same epoch, before and after a
//     restore; for any number of sub-tables too, unless the epoch touched or
//     removed more than 16,384 rows that lie far apart in their order.
//  5. Snapshot plus changelog gives every key, value, row number and counter of
//     the tables that were there.
//  6. Two keys are one row, or one chain of rows, if and only if their columns are
//     equal, NULL to NULL, -0.0 to 0.0 and NaN to NaN; hashes never decide.
//  7. A Pinned does not change, whatever later epochs do.
//  8. Rows, references and arenas hold no pointers: the garbage collector's work
//     does not grow with the number of keys.
//  9. Damaged bytes are a Corrupt error; they never panic, and never take more
//     memory than their own length and MaxFrame.
//  10. Find and Older give the live rows of a key from the highest number to the lowest,
//     each once, also after removals, growth, compaction and restarts.
//  11. What is done to n rows of one key takes time in proportion to n, or to n log n
//     in a restore: removal, growth, compaction, replay.
//  12. Where a key may have several rows they lie in the order of their numbers, but
//     within a restore: a row of a changelog is found by its number, and must have
//     the key that it is given with.
//  13. Due gives the live rows that are due, all of them and in order, however their
//     times have grown, and asks of the others few for their time.
//
// It does not know what operators, aggregates, event times or types mean, nor
// where its bytes are kept.
package state
