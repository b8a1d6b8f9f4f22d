package murmur

import "testing"

// The published check values of MurmurHash3_x64_128, and the seed hash that
// DataSketches writes into its images.
func TestSum128(t *testing.T) {
	for _, c := range []struct {
		in     string
		seed   uint64
		h1, h2 uint64
	}{
		{"", 0, 0, 0},
		{"hello", 0, 0xcbd8a7b341bd9b02, 0x5b1e906a48ae1d19},
		{"The quick brown fox jumps over the lazy dog", 0, 0xe34bbc7bbc071b6c, 0x7a433ca9c49a9347},
	} {
		if h1, h2 := Sum128([]byte(c.in), c.seed); h1 != c.h1 || h2 != c.h2 {
			t.Errorf("Sum128(%q) = %x, %x, want %x, %x", c.in, h1, h2, c.h1, c.h2)
		}
	}
	if h, _ := Sum128([]byte{0x29, 0x23, 0, 0, 0, 0, 0, 0}, 0); uint16(h) != 0x93cc {
		t.Errorf("the seed's hash is %x, want 93cc", uint16(h))
	}
}
