package wkb

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"testing"
)

func TestConvert(t *testing.T) {
	for _, c := range []struct{ in, want, fault string }{
		{"0101000000000000000000F03F0000000000000040", "00000000013ff00000000000004000000000000000", ""},
		{"0101000000000000000000F03F000000000000004000", "00000000013ff00000000000004000000000000000", ""},
		{"01040000000100000000000000013FF00000000000004000000000000000", "00000000040000000100000000013ff00000000000004000000000000000", ""},
		{"01E9030000000000000000F03F00000000000000400000000000000840", "00000003e93ff000000000000040000000000000004008000000000000", ""},
		{"0101000000000000000000F87F000000000000F87F", "00000000017ff80000000000007ff8000000000000", ""},
		{"010200000000000000", "000000000200000000", ""},
		{"", "", "there is no shape at byte 0"},
		{"00", "", "the shape ends early at byte 0"},
		{"0101000000", "", "the shape ends early at byte 5"},
		{"0101000000000000000000F03F00000000000000", "", "the shape ends early at byte 13"},
		{"0108000000", "", "there is no shape of type 8 at byte 1"},
		{"0101000000000000000000F07F0000000000000040", "", "a coordinate is out of range at byte 5"},
		{"010200000001000000000000000000F03F0000000000000040", "", "a line has one point at byte 5"},
		{"010400000001000000010200000000000000", "", "a member of a collection is of another type at byte 9"},
		{"0103000000010000000300000000000000000000000000000000000000000000000000F03F000000000000000000000000000000000000000000000000", "", "a ring has fewer than four points at byte 9"},
	} {
		src, err := hex.DecodeString(c.in)
		if err != nil {
			t.Fatal(err)
		}
		got, err := Convert(nil, src, binary.BigEndian, false)
		switch {
		case c.fault == "" && (err != nil || hex.EncodeToString(got) != c.want):
			t.Errorf("%s: %x %v, want %s", c.in, got, err, c.want)
		case c.fault != "" && (err == nil || err.Error() != c.fault):
			t.Errorf("%s: %v, want %s", c.in, err, c.fault)
		}
	}
	far, _ := hex.DecodeString("010100000000000000000069400000000000000040")
	if _, err := Convert(nil, far, binary.LittleEndian, true); err == nil {
		t.Error("a longitude of 200 degrees passes")
	}
}

// FuzzConvert holds what Convert makes to be a shape that stays as it is.
func FuzzConvert(f *testing.F) {
	for _, s := range []string{"0101000000000000000000F03F0000000000000040", "0107000000010000000101000000000000000000F03F0000000000000040"} {
		b, _ := hex.DecodeString(s)
		f.Add(b, true)
	}
	f.Fuzz(func(t *testing.T, src []byte, geographic bool) {
		once, err := Convert(nil, src, binary.LittleEndian, geographic)
		if err != nil {
			return
		}
		twice, err := Convert(nil, once, binary.LittleEndian, geographic)
		if err != nil || !bytes.Equal(once, twice) {
			t.Errorf("%x became %x and then %x: %v", src, once, twice, err)
		}
	})
}
