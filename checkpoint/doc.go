// Package checkpoint keeps the ledger of a query: which epochs were planned and
// which are done, with everything that a restart needs to go on exactly there.
//
// A ledger is a directory of append-only segments of checksummed records over a
// vfs.FS, and files of their own for what is large; FORMAT.md draws every byte.
// Recovery is a pure function of the records.
//
// The order of calls, which only the engine's epoch loop knows:
//
//	l, r, err := checkpoint.Open(fs, dir, checkpoint.Options{})
//	if r.Meta == nil {
//		err = l.WriteMeta(meta)             // id, seed, initial offsets: once
//	}
//	for _, s := range r.Snapshots {         // newest first; one that can be read
//		err = l.ReadSnapshot(s, restore)
//	}
//	for _, c := range r.Changes {           // of epochs after that snapshot
//		changes, err := l.ReadChanges(c)
//	}
//	if r.Replay { … }                       // run r.LastPlan again, as it was
//	for {
//		err = l.WritePlan(plan)             // before the sources are read
//		…                                   // read, run, commit the sinks
//		err = l.WriteDone(done)             // or WriteDoneAndPlan
//		go l.WriteSnapshot(epoch, encode)   // now and then
//		go l.Compact(epoch, folds)
//	}
//
// Invariants:
//
//  1. What a write call returned nil for survives any crash.
//  2. A done record and its state changes become durable together, and so do both
//     records of WriteDoneAndPlan.
//  3. Plans are dense from epoch 0; a plan follows the done record of the epoch
//     before, a done record its own plan. Anything else is a Corrupt error.
//  4. A frame is written only when the one before it is on disk. So damage at the
//     very end is a torn append and is cut, and damage anywhere else is an error
//     that names the place and the last epoch before it.
//  5. A segment, a snapshot and a file of changes get their name when their
//     contents are on disk, and a record that names a file is written after that.
//  6. Nothing is removed that a recovery from the newest records could need, with
//     the oldest snapshot that is kept; plan and done records of the last
//     Options.MinEpochs epochs stay.
//  7. One process holds a ledger at a time.
//  8. Decoding takes no more memory than the file has bytes.
//
// A bit that flips in the last append looks like a torn one: its record is lost,
// and the epoch is replayed. The sinks' digests judge the replay.
//
// The package does not know what an offset, a fold, a setting or a state change
// means, nor whether a checkpoint fits the query: the caller compares Meta.
package checkpoint
