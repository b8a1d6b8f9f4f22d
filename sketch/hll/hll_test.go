package hll

import (
	"bytes"
	"encoding/binary"
	"math"
	"testing"

	"github.com/flightd/flightd/sketch/murmur"
)

func sketchOf(lgK, from, to int) *Sketch {
	s := New(lgK)
	for x := from; x <= to; x++ {
		s.Update(murmur.Sum128(binary.LittleEndian.AppendUint64(nil, uint64(x)), murmur.Seed))
	}
	return s
}

// Within three standard errors, in every mode and after a union.
func TestEstimate(t *testing.T) {
	for lgK := MinLgK; lgK <= 14; lgK++ {
		for _, n := range []int{0, 1, 7, 8, 100, 5000, 50000} {
			a, b := sketchOf(lgK, 1, n/2), sketchOf(lgK, n/3, n)
			u := NewUnion(lgK)
			u.Add(a, true)
			u.Add(b, false)
			limit := 1 + 3.3*float64(n)/math.Sqrt(float64(int(1)<<lgK))
			for name, got := range map[string]float64{"sketch": sketchOf(lgK, 1, n).Estimate(), "union": u.Result().Estimate()} {
				if n > 0 && math.Abs(got-float64(n)) > limit {
					t.Errorf("%s of %d keys in 1<<%d registers: %v", name, n, lgK, got)
				}
			}
		}
	}
}

func TestImage(t *testing.T) {
	for _, n := range []int{0, 3, 7, 20, 300, 1000} {
		s := sketchOf(9, 1, n)
		again, err := Parse(s.Append(nil))
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(again.Append(nil), s.Append(nil)) || again.Estimate() != s.Estimate() {
			t.Errorf("%d keys are others after their image was read", n)
		}
	}
}

func FuzzParse(f *testing.F) {
	for _, n := range []int{0, 3, 20, 300} {
		f.Add(sketchOf(9, 1, n).Append(nil))
	}
	f.Fuzz(func(t *testing.T, image []byte) {
		s, err := Parse(image)
		if err != nil || s.LgK() > 12 {
			return
		}
		for _, lgK := range []int{4, 8, 12} {
			u := NewUnion(lgK)
			u.Add(sketchOf(lgK, 1, 100), true)
			u.Add(s, true)
			u.Add(s, false)
			u.Result().Estimate()
			u.Result().Append(nil)
		}
	})
}
