//go:build !goexperiment.simd || !amd64 || purego

package encoding

// useVectors is false, so that the branch to the vector form disappears.
const useVectors = false

func spreadVectors(_, _ []uint64, _ []byte, _ int) (rows, taken int) { return 0, 0 }
