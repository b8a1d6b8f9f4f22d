// Package hll holds HyperLogLog sketches as Apache DataSketches 6.2 makes them
// with registers of 8 bits: estimates, and images in the updatable form, are the
// same to the bit.
//
// A sketch passes through three modes. Up to 8 coupons, a hash cut to 26 bits of
// address and 6 bits of value, lie in a list; then, if there are 256 registers or
// more, in a hash set; then registers hold the greatest value of each address. As
// long as registers took in single keys, the estimate is the historic one, summed
// up at each change; once registers were united it is computed from them.
//
// Invariants:
//
//  1. Nothing trusts an image: Parse returns ErrImage for whatever is no sketch of
//     8-bit registers, and no coupon set is ever full.
//  2. The order of coupons in a set is the order that probing gives, because
//     images show it.
package hll
