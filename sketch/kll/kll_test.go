package kll

import (
	"bytes"
	"encoding/hex"
	"errors"
	"math"
	"testing"
)

func sketchOf(k, from, to int) *Sketch[int64] {
	s := New[int64](k)
	for x := from; x <= to; x++ {
		s.Update(int64(x))
	}
	return s
}

func TestImage(t *testing.T) {
	s := New[int64](DefaultK)
	s.Merge(sketchOf(DefaultK, 1, 3))
	const want = "05010f00c80008000300000000000000c8000100c500000001000000000000000300000000000000010000000000000002000000000000000300000000000000"
	if got := hex.EncodeToString(s.Append(nil)); got != want {
		t.Errorf("image %s, DataSketches writes %s", got, want)
	}
	for _, n := range []int{0, 1, 2, 200, 201, 10000} {
		s := sketchOf(DefaultK, 1, n)
		again, err := Parse[int64](s.Append(nil))
		if err != nil || !bytes.Equal(again.Append(nil), s.Append(nil)) {
			t.Errorf("%d items are others after their image was read: %v", n, err)
		}
	}
}

func TestRanks(t *testing.T) {
	for _, n := range []int{1, 10, 200, 1000, 100000} {
		whole := sketchOf(DefaultK, 1, n)
		halves := sketchOf(DefaultK, 1, n/2)
		halves.Merge(sketchOf(DefaultK, n/2+1, n))
		for name, s := range map[string]*Sketch[int64]{"whole": whole, "merged": halves} {
			v, err := s.View()
			if err != nil || s.N() != int64(n) {
				t.Fatalf("%s of %d: N %d, %v", name, n, s.N(), err)
			}
			for _, rank := range []float64{0, 0.1, 0.5, 0.99, 1} {
				x, err := v.Quantile(rank)
				if err != nil || math.Abs(float64(x)-max(1, rank*float64(n))) > 0.03*float64(n)+1 {
					t.Errorf("%s of %d: quantile %v is %d, %v", name, n, rank, x, err)
				}
				if got := v.Rank(x); math.Abs(got-float64(x)/float64(n)) > 0.03 {
					t.Errorf("%s of %d: rank of %d is %v", name, n, x, got)
				}
			}
		}
	}
	if _, err := New[float64](8).View(); !errors.Is(err, ErrEmpty) {
		t.Errorf("an empty sketch gives %v", err)
	}
}

func FuzzParse(f *testing.F) {
	for _, n := range []int{0, 1, 2, 300} {
		f.Add(sketchOf(8, 1, n).Append(nil))
	}
	f.Fuzz(func(t *testing.T, image []byte) {
		fuzzParse[int64](image)
		fuzzParse[float64](image)
		fuzzParse[float32](image)
	})
}

func fuzzParse[T Item](image []byte) {
	s, err := Parse[T](image)
	if err != nil || s.K() > 1000 {
		return
	}
	s.Append(nil)
	s.Summary(func(T) string { return "" })
	into := New[T](8)
	for range 3 {
		into.Merge(s)
	}
	if v, err := s.View(); err == nil {
		v.Quantile(0.5)
		v.Rank(0)
	}
}
