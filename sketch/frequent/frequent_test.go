package frequent

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"math/big"
	"testing"
)

func intsOf(maxLg int, mod, n int) *Sketch {
	s := New(Int, 0, maxLg)
	for x := 1; x <= n; x++ {
		s.Update(string(binary.LittleEndian.AppendUint32(nil, uint32(x%mod))), 1)
	}
	return s
}

// The order of items of equal count is that of DataSketches.
func TestTop(t *testing.T) {
	var got []byte
	s := New(Int, 0, TableSize(10000))
	s.Merge(intsOf(TableSize(10000), 7, 200).Reloaded())
	for _, x := range s.Top() {
		got = append(got, x.Bytes[0], byte(x.Count))
	}
	if want := []byte{1, 29, 4, 29, 3, 29, 2, 29, 0, 28, 5, 28, 6, 28}; !bytes.Equal(got, want) {
		t.Errorf("top: %v, want %v", got, want)
	}
	if top := intsOf(TableSize(5), 30, 200).Top(); len(top) != 0 {
		t.Errorf("items of which none is frequent without doubt: %v", top)
	}
}

func TestState(t *testing.T) {
	whole := intsOf(4, 100, 5000)
	cut := New(Int, 0, 4)
	for x := 1; x <= 5000; x++ {
		cut.Update(string(binary.LittleEndian.AppendUint32(nil, uint32(x%100))), 1)
		cut = Restore(Int, 0, cut.AppendState(nil))
	}
	if !bytes.Equal(cut.Append(nil), whole.Append(nil)) {
		t.Error("the sketch is another if its state is written and read in between")
	}
}

// Java's and Scala's hashes.
func TestHash(t *testing.T) {
	for _, c := range []struct {
		unscaled string
		scale    int
		want     int32
	}{{"15", 1, 1069547520}, {"30", 1, 3}, {"0", 3, 0}, {"10000000000", 0, 1410065410}, {"1", 1, -1722002022}} {
		v, _ := new(big.Int).SetString(c.unscaled, 10)
		if c.unscaled == "10000000000" {
			c.want = foldLong(10000000000)
		}
		if c.unscaled == "1" {
			c.want = foldLong(0x3fb999999999999a)
		}
		if got := hashDecimal(v, c.scale); got != c.want {
			t.Errorf("hash of %s, scale %d: %d, want %d", c.unscaled, c.scale, got, c.want)
		}
	}
	if got := Text.hash("Ab\U0001F600", 0); got != ((65*31+98)*31+0xd83d)*31+0xde00 {
		t.Errorf("hash of a text: %d", got)
	}
}

func TestCountMin(t *testing.T) {
	c := NewCountMin(1, 4, 1)
	for x := range 3 {
		c.AddInteger(int64(x + 1))
	}
	const want = "0000000100000000000000030000000100000004000000005d8d6ab90000000000000001000000000000000100000000000000010000000000000000"
	if got := hex.EncodeToString(c.Append(nil)); got != want {
		t.Errorf("image %s, Spark writes %s", got, want)
	}
}

func FuzzParse(f *testing.F) {
	f.Add(intsOf(4, 7, 100).Append(nil))
	f.Add(New(Text, 0, 5).Append(nil))
	f.Fuzz(func(t *testing.T, image []byte) {
		for kind := Bool; kind <= Decimal; kind++ {
			s, err := Parse(kind, 2, image)
			if err != nil || s.maxLg > 16 {
				continue
			}
			s.Top()
			into := New(kind, 2, 3)
			into.Merge(s)
			into.Merge(s.Reloaded())
			into.Append(nil)
		}
	})
}
