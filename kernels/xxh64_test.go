package kernels

import (
	"encoding/binary"
	"testing"
)

func TestXXH64(t *testing.T) {
	// Vectors of the reference implementation.
	for _, c := range []struct {
		in   string
		seed uint64
		want uint64
	}{
		{"", 0, 0xef46db3751d8e999},
		{"a", 0, 0xd24ec4f1a98c6e5b},
		{"abc", 0, 0x44bc2cf5ad770999},
		{"The quick brown fox jumps over the lazy dog", 0, 0x0b242d361fda71bc},
	} {
		if got := XXH64([]byte(c.in), c.seed); got != c.want {
			t.Errorf("XXH64(%q) = %#x, want %#x", c.in, got, c.want)
		}
	}
	var b [8]byte
	for _, x := range []uint64{0, 1, 0xdeadbeefcafe0123, ^uint64(0)} {
		binary.LittleEndian.PutUint64(b[:], x)
		if XXH64(b[:], 42) != XXH64Uint64(x, 42) || XXH64(b[:4], 42) != XXH64Uint32(uint32(x), 42) {
			t.Errorf("%#x: a word hashes unlike its bytes", x)
		}
	}
}
