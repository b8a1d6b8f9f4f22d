// Package computetest is the contract of an operator as code: Run holds an
// operator, or a tree of them, to its invariants whatever happens around it.
//
// A Case says what rows go in and what rows come out, epoch by epoch. Run plays
// it with
//
//   - the input cut into batches of 1, 2, 3, 7 and all rows;
//   - dead rows among the live ones, and selections whose unused capacity holds
//     poison;
//   - consumers between every two operators that overwrite a selection as soon as
//     they may, and record batches whose memory is overwritten when it is freed;
//   - the state taken out as changelog and snapshot and restored, after each epoch;
//   - the context cancelled at a random call;
//
// and checks that every record batch of the input was released.
package computetest
