package columnar

import (
	"bytes"
	"math"
	"math/rand/v2"
	"strconv"
	"strings"
	"testing"
)

// padded returns s with LinePad bytes behind it that must not matter.
func padded(s string, pad byte) []byte {
	return append([]byte(s), bytes.Repeat([]byte{pad}, LinePad)...)
}

// checkNumbers holds the quick readers of numbers to strconv: what they take they
// read as it does, to the last bit, and to the same end.
func checkNumbers(t *testing.T, s string) {
	t.Helper()
	for _, pad := range []byte{0, '7', '.', ','} {
		b := padded(s, pad)
		if v, end, ok := ScanInt(b, 0); ok && end <= len(s) {
			want, err := strconv.ParseInt(s[:end], 10, 64)
			if err != nil || want != v || end < len(s) && s[end]-'0' <= 9 {
				t.Fatalf("%q: got %d up to %d, want %d %v", s, v, end, want, err)
			}
		}
		if v, end, ok := ScanFloat(b, 0); ok && end <= len(s) {
			want, err := strconv.ParseFloat(s[:end], 64)
			if err != nil || math.Float64bits(want) != math.Float64bits(v) || end < len(s) && strings.IndexByte("0123456789eE", s[end]) >= 0 {
				t.Fatalf("%q: got %v up to %d, want %v %v", s, v, end, want, err)
			}
		}
	}
}

func TestScanNumbersEqualStrconv(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 6))
	taken := 0
	for range 300_000 {
		whole := strconv.FormatUint(rng.Uint64()>>rng.IntN(64), 10)
		s := whole
		if rng.IntN(3) > 0 {
			frac := strconv.FormatUint(rng.Uint64()>>rng.IntN(64), 10)
			s = whole[:1+rng.IntN(len(whole))] + "." + strings.Repeat("0", rng.IntN(3)*rng.IntN(4)) + frac[:1+rng.IntN(len(frac))]
		}
		if rng.IntN(2) == 0 {
			s = "-" + s
		}
		checkNumbers(t, s)
		if _, end, ok := ScanFloat(padded(s, ','), 0); ok && end == len(s) {
			taken++
		}
	}
	if taken < 100_000 {
		t.Errorf("only %d of 300,000 numbers were read the quick way", taken)
	}
	for _, s := range []string{"", "-", "0", "-0", "-0.0", "01", "1.", ".5", "1e5", "1.5E3", "12345678", "123456789", "1234567.8", "0.00000001", "9007199254740993", "9007199254740992.5",
		"999999999999999999", "9999999999999999999", "99999999999999999999", "18446744073709551615", "1234567812345678123456781", "0.1234567890123456789", "1.7976931348623157", "5-", "--5"} {
		checkNumbers(t, s)
	}
	for _, s := range []string{"01", "-01", "", "-", "x"} {
		if v, end, ok := ScanInt(padded(s, ','), 0); ok {
			t.Errorf("%q is read as %d up to %d", s, v, end)
		}
	}
}

// TestHalfway: numbers exactly between two doubles, and just beside, where one
// rounding too many would show.
func TestHalfway(t *testing.T) {
	rng := rand.New(rand.NewPCG(7, 8))
	for range 100_000 {
		odd := (1<<53|rng.Uint64()>>11)<<1 | 1 // 54 bits and a half
		shift := rng.IntN(9)
		for _, d := range []int64{-1, 0, 1} {
			checkNumbers(t, strconv.FormatUint(odd<<shift+uint64(d), 10)+".0")
		}
	}
	for range 100_000 {
		f := rng.Float64() * math.Pow(10, float64(rng.IntN(6)))
		checkNumbers(t, strconv.FormatFloat((f+math.Nextafter(f, 10))/2, 'f', 17, 64))
	}
}

func TestIndexOf(t *testing.T) {
	rng := rand.New(rand.NewPCG(9, 10))
	for range 20_000 {
		s := make([]byte, rng.IntN(40))
		for i := range s {
			s[i] = []byte{',', '-', '+', ',' ^ 0x80, 'x', 0}[rng.IntN(6)]
		}
		from := rng.IntN(len(s) + 1)
		want := bytes.IndexByte(s[from:], ',')
		if want += from; want < from {
			want = len(s)
		}
		if got := IndexOf(padded(string(s), ','), from, len(s), ','); got != want {
			t.Fatalf("%q from %d: got %d, want %d", s, from, got, want)
		}
	}
}

func TestFirstHigh(t *testing.T) {
	for n := range 100 {
		b := bytes.Repeat([]byte{0x7f}, n)
		for from := range n {
			if got := firstHigh(b, from); got != n {
				t.Fatalf("%d bytes from %d: got %d", n, from, got)
			}
			for at := from; at < n; at++ {
				b[at] = 0x80
				if got := firstHigh(b, from); got != at {
					t.Fatalf("%d bytes from %d: got %d, want %d", n, from, got, at)
				}
				b[at] = 0x7f
			}
		}
	}
}

// checkISO holds the quick reader of timestamps to the one of the whole grammar.
func checkISO(t *testing.T, z *Zone, b []byte) {
	t.Helper()
	for range 2 { // the second time the day is remembered
		got, zone, ok := z.parseISO(b)
		want, wantZone, wantOK := parseLocal(b)
		if ok && (!wantOK || got != want || string(zone) != string(wantZone)) {
			t.Fatalf("%q: got %d %q, want %d %q %v", b, got, zone, want, wantZone, wantOK)
		}
	}
}

func TestParseISO(t *testing.T) {
	z := NewZone(nil)
	for _, s := range []string{"2024-02-29T23:59:59.999999Z", "2024-02-29 23:59:59", "2024-02-29 00:00:00.5", "1969-12-31T23:59:59.001Z", "0001-01-01 00:00:00", "2024-02-29 00:00:00."} {
		if _, _, ok := z.parseISO([]byte(s)); !ok {
			t.Errorf("%q is read the long way", s)
		}
		checkISO(t, z, []byte(s))
	}
	rng := rand.New(rand.NewPCG(11, 12))
	const chars = "0123456789-:T .Z+\x00/;a"
	for range 300_000 {
		b := []byte("2024-02-29T23:59:59.123456Z")[:15+rng.IntN(13)]
		for range rng.IntN(3) {
			b[rng.IntN(len(b))] = chars[rng.IntN(len(chars))]
		}
		checkISO(t, z, b)
	}
	checkISO(t, NewZone(nil), append(make([]byte, 10), "T00:00:00"...))
}

func FuzzScan(f *testing.F) {
	for _, s := range []string{"-12.5,", "0.1234567890123456", "12345678901234567", "2024-02-29T23:59:59.123456Z", "7.e"} {
		f.Add([]byte(s))
	}
	z := NewZone(nil)
	f.Fuzz(func(t *testing.T, b []byte) {
		checkNumbers(t, string(b))
		checkISO(t, z, b)
	})
}
