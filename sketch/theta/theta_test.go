package theta

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"testing"

	"github.com/flightd/flightd/sketch/murmur"
)

func hashOf(x int) uint64 {
	h, _ := murmur.Sum128(binary.LittleEndian.AppendUint64(nil, uint64(x)), murmur.Seed)
	return h >> 1
}

func sketchOf(kind Kind, lg, from, to int) *Compact {
	t := NewTable(kind, Sum, lg)
	for x := from; x <= to; x++ {
		t.Update(hashOf(x), OfFloat(float64(x)))
	}
	return t.Compact()
}

// The images and estimates that DataSketches gives.
func TestImages(t *testing.T) {
	for _, c := range []struct {
		of   *Compact
		want string
	}{
		{sketchOf(Plain, 12, 1, 3), "0104033e011acc930316861af72df7e4558fbe9c3477e9eaefb2e5966badaa3dc0"},
		{sketchOf(Plain, 12, 1, 0), "01030300001e0000"},
		{sketchOf(Double, 12, 1, 0), "01030901000ecc93"},
	} {
		if got := hex.EncodeToString(c.of.Append(nil)); got != c.want {
			t.Errorf("image %s, want %s", got, c.want)
		}
	}
	if got := int(sketchOf(Plain, 5, 1, 200).Estimate() + 0.5); got != 236 {
		t.Errorf("200 keys in 32 entries are estimated as %d, DataSketches says 236", got)
	}
}

func TestOperations(t *testing.T) {
	a, b := sketchOf(Plain, 12, 1, 100), sketchOf(Plain, 12, 51, 300)
	u, x := NewUnion(Plain, Sum, 12), NewIntersection(Plain, Sum)
	for _, s := range []*Compact{a, b} {
		u.Add(s, Summary{})
		x.Add(s, Summary{})
	}
	for name, c := range map[string]struct{ got, want float64 }{
		"union":        {u.Result().Estimate(), 300},
		"intersection": {x.Result().Estimate(), 50},
		"difference":   {Difference(a, b).Estimate(), 50},
	} {
		if c.got != c.want {
			t.Errorf("%s: %v, want %v", name, c.got, c.want)
		}
	}
}

// State is read back as it was, whenever it is written.
func TestState(t *testing.T) {
	for _, kind := range []Kind{Plain, Double, Integer} {
		whole, cut := NewTable(kind, Max, 5), NewTable(kind, Max, 5)
		for x := range 500 {
			whole.Update(hashOf(x), OfInt(int32(x)))
			cut.Update(hashOf(x), OfInt(int32(x)))
			cut, _ = RestoreTable(kind, Max, 5, cut.AppendState(nil))
		}
		if got, want := cut.Compact().Append(nil), whole.Compact().Append(nil); !bytes.Equal(got, want) {
			t.Errorf("kind %d: %x, want %x", kind, got, want)
		}
	}
}

func FuzzParse(f *testing.F) {
	for _, kind := range []Kind{Plain, Double} {
		for _, n := range []int{0, 1, 2, 100} {
			f.Add(sketchOf(kind, 5, 1, n).Append(nil))
		}
	}
	f.Fuzz(func(t *testing.T, image []byte) {
		for _, kind := range []Kind{Plain, Double, Integer} {
			c, err := Parse(image, kind)
			if err != nil {
				continue
			}
			u, x := NewUnion(kind, Sum, 4), NewIntersection(kind, Min)
			for range 2 {
				u.Add(c, Summary{})
				x.Add(c, Summary{})
			}
			Difference(c, u.Result()).Append(nil)
			x.Result().Append(nil)
			c.Numbers(Sum)
		}
	})
}
