//go:build !goexperiment.simd || !amd64 || purego

package kernels

// useVectors is false, so that the branches to the vector forms disappear.
const useVectors = false

func addInt64SIMD(_, _, _ []int64) int             { return -1 }
func addInt64ScalarSIMD(_, _ []int64, _ int64) int { return -1 }
func subInt64SIMD(_, _, _ []int64) int             { return -1 }
func mulInt64SIMD(_, _, _ []int64) int             { return -1 }
func addFloat64SIMD(_, _, _ []float64)             {}
func subFloat64SIMD(_, _, _ []float64)             {}
func mulFloat64SIMD(_, _, _ []float64)             {}
func divFloat64SIMD(_, _, _ []float64) int         { return -1 }
