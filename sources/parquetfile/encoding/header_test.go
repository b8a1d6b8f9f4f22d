package encoding

import (
	"errors"
	"testing"
)

// A header as a writer makes it: a data page of 300 values with statistics and a
// field that nobody knows.
var dataHeader = []byte{
	0x15, 0x00, 0x15, 0xd0, 0x0f, 0x15, 0x90, 0x0a, // type 0, 1000 bytes, 648 packed
	0x2c,                                                 // field 5: data page
	0x15, 0xd8, 0x04, 0x15, 0x10, 0x15, 0x06, 0x15, 0x06, // 300 values, encoding 8, levels 3, 3
	0x1c, 0x18, 0x02, 'h', 'i', 0x00, // statistics: a binary
	0x00,
	0x69, 0x25, 0x02, 0x04, // field 11: a list of two numbers
	0x00,
}

func TestParsePageHeader(t *testing.T) {
	h, n, err := ParsePageHeader(append(dataHeader, 1, 2, 3))
	want := PageHeader{Kind: DataPage, Size: 1000, Packed: 648, Values: 300, Encoding: RLEDictionary, Levels: RLE, Compressed: true}
	if err != nil || n != len(dataHeader) || h != want {
		t.Errorf("got %+v %d %v", h, n, err)
	}
	for i := range dataHeader {
		if _, _, err := ParsePageHeader(dataHeader[:i]); !errors.Is(err, ErrShort) {
			t.Errorf("first %d bytes: got %v", i, err)
		}
	}
	v2 := []byte{0x15, 0x06, 0x15, 0x14, 0x15, 0x14, 0x5c, 0x15, 0x04, 0x15, 0x02, 0x15, 0x04, 0x15, 0x0a, 0x15, 0x06, 0x15, 0x00, 0x12, 0x00, 0x00}
	h, _, err = ParsePageHeader(v2)
	want = PageHeader{Kind: DataPageV2, Size: 10, Packed: 10, Values: 2, Encoding: DeltaBinaryPacked, DefinitionBytes: 3}
	if err != nil || h != want {
		t.Errorf("got %+v %v", h, err)
	}
	for name, bad := range map[string][]byte{
		"size below zero":     {0x15, 0x00, 0x15, 0x01, 0x00},
		"nothing":             {0x00},
		"no body":             {0x15, 0x00, 0x00},
		"body of a kind else": {0x15, 0x04, 0x2c, 0x15, 0x02, 0x00, 0x00},
		"unknown type":        {0x1d, 0x00},
	} {
		if _, _, err := ParsePageHeader(bad); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

func FuzzParsePageHeader(f *testing.F) { // E1
	f.Add(dataHeader)
	f.Fuzz(func(t *testing.T, b []byte) {
		h, n, err := ParsePageHeader(b)
		if n > len(b) || err == nil && (h.Size < 0 || h.Packed < 0 || h.Values < 0 || h.DefinitionBytes < 0 || h.RepetitionBytes < 0) {
			t.Fatalf("%+v of %d bytes", h, n)
		}
	})
}
