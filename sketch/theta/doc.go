// Package theta holds theta and tuple sketches: samples of hashed keys from which
// the number of distinct keys of a set, of unions, intersections and differences
// is estimated. A tuple sketch keeps a number with every key. Rules and images
// are those of Apache DataSketches 6.2, bit for bit.
//
// A sketch keeps the hashes below theta, a number from 0 to 2^63−1; while theta is
// One it keeps all of them and counts exactly. It is called empty if no key was
// ever offered, which is not the same as keeping none.
//
// Invariants:
//
//  1. A kept hash is greater than 0 and less than theta.
//  2. Summaries is as long as Hashes, or nil if the kind is Plain.
//  3. Nothing here trusts an image: Parse returns ErrImage for whatever is no
//     sketch, and makes nothing larger than the image justifies.
package theta
