// Package kernels holds the inner loops of the engine: functions over slices and
// bitmaps that neither allocate nor fail nor call through an interface.
//
// It promises:
//
//  1. A kernel writes every lane of its destination, rows outside a selection
//     included, and none of its inputs can make it panic.
//  2. A fallible kernel returns the index of the first bad row, or −1; the
//     evaluator above it makes the error.
//  3. Bitmaps are Arrow's: bit i of the column is bit i&7 of byte i>>3.
//  4. Every result is the same on every machine: no fused multiply-add, and sums
//     state their order.
//
// A kernel may have forms beside the portable one, whose name ends in Go and which
// is the reference: assembly for AVX2 in every amd64 build (…AVX2), and archsimd
// forms where the toolchain has the experiment simd (…SIMD). The tag purego leaves
// both out. All forms write the same bits; tests and fuzz targets hold them to it.
//
// It knows the standard library only: no Arrow array, no SQL type.
package kernels
