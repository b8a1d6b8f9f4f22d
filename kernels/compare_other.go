//go:build !amd64 || purego

package kernels

// useAVX2 is false, so that the branches to the forms below disappear.
const useAVX2 = false

func compareIntAVX2[T Int](Op, []byte, []T, []T) int     { return 0 }
func compareIntScalarAVX2[T Int](Op, []byte, []T, T) int { return 0 }
func compareScalarAVX2[T Number](Op, []byte, []T, T) int { return 0 }
func onesAVX2(*int32, *byte, *[256]uint64, int, int) int { return 0 }

var placesOfOnes [256]uint64
