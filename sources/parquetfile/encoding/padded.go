package encoding

import "encoding/binary"

// Slack is how many bytes behind the end of a decoder's input can be looked at.
// What they hold has no influence on what is decoded.
const Slack = 32

// Padded returns b with a capacity of Slack bytes beyond its length; a copy if b
// has less.
func Padded(b []byte) []byte {
	if cap(b)-len(b) >= Slack {
		return b
	}
	out := make([]byte, len(b), len(b)+Slack)
	copy(out, b)
	return out
}

// load returns the eight bytes of b from at on, least significant first.
func load(b []byte, at int) uint64 { return binary.LittleEndian.Uint64(b[at:]) }
