package columnar

import (
	"math"
	"math/big"
	"math/rand/v2"
	"strconv"
	"strings"
	"testing"
)

func TestParseFloatEqualsStrconv(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for range 200_000 {
		var s string
		switch rng.IntN(3) {
		case 0:
			s = strconv.FormatFloat(math.Float64frombits(rng.Uint64()), 'g', -1, 64)
		case 1:
			s = strconv.FormatFloat(rng.NormFloat64()*1000, 'f', rng.IntN(12), 64)
		case 2:
			s = strconv.FormatInt(rng.Int64()>>rng.IntN(60), 10)
		}
		if strings.ContainsAny(s, "NI") {
			continue
		}
		want, _ := strconv.ParseFloat(s, 64)
		got, ok := ParseFloat([]byte(s))
		if !ok || math.Float64bits(got) != math.Float64bits(want) {
			t.Fatalf("%q: got %v %v, want %v", s, got, ok, want)
		}
	}
	for _, s := range []string{"", "-", ".", "e5", "1e", "0x10", "1_0", "NaN", "inf", "1.2.3", " 1"} {
		if v, ok := ParseFloat([]byte(s)); ok {
			t.Errorf("%q is read as %v", s, v)
		}
	}
	if v, ok := ParseFloat([]byte("1e400")); !ok || !math.IsInf(v, 1) {
		t.Errorf("1e400: got %v %v", v, ok)
	}
}

func TestParseInt(t *testing.T) {
	for s, want := range map[string]int64{"0": 0, "-0": 0, "+7": 7, "9223372036854775807": math.MaxInt64, "-9223372036854775808": math.MinInt64, "000000000000000000000001": 1} {
		if got, ok := ParseInt([]byte(s)); !ok || got != want {
			t.Errorf("%q: got %d %v", s, got, ok)
		}
	}
	for _, s := range []string{"", "-", "1.0", "1e3", "9223372036854775808", "1L", " 1", "--1"} {
		if v, ok := ParseInt([]byte(s)); ok {
			t.Errorf("%q is read as %d", s, v)
		}
	}
}

func TestParseDecimalEqualsBig(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 4))
	for range 50_000 {
		digits := 1 + rng.IntN(30)
		var b strings.Builder
		if rng.IntN(2) == 0 {
			b.WriteByte('-')
		}
		point := rng.IntN(digits + 1)
		for i := range digits {
			if i == point {
				b.WriteByte('.')
			}
			b.WriteByte(byte('0' + rng.IntN(10)))
		}
		if rng.IntN(3) == 0 {
			b.WriteString("e" + strconv.Itoa(rng.IntN(13)-6))
		}
		s, p, sc := b.String(), int32(1+rng.IntN(38)), int32(0)
		sc = int32(rng.IntN(int(p) + 1))
		r, ok := new(big.Rat).SetString(s)
		if !ok {
			t.Fatal(s)
		}
		r.Mul(r, new(big.Rat).SetInt(new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(sc)), nil)))
		neg := r.Sign() < 0
		r.Abs(r).Add(r, big.NewRat(1, 2))
		want := new(big.Int).Quo(r.Num(), r.Denom())
		fits := want.Cmp(new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(p)), nil)) < 0
		if neg {
			want.Neg(want)
		}
		got, ok := ParseDecimal([]byte(s), p, sc)
		if ok != fits || ok && got.BigInt().Cmp(want) != 0 {
			t.Fatalf("%q as decimal(%d,%d): got %v %v, want %v %v", s, p, sc, got.BigInt(), ok, want, fits)
		}
	}
	for _, s := range []string{"", ".", "-", "1e", "1e9999999999", "x", "1.1.1", "1e100000"} {
		if v, ok := ParseDecimal([]byte(s), 38, 2); ok {
			t.Errorf("%q is read as %v", s, v.BigInt())
		}
	}
}
