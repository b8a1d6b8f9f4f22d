package encoding

import (
	"encoding/binary"
	"math/rand/v2"
	"slices"
	"testing"
)

// packRuns encodes vals as some mixture of runs, groups of eight where packed.
func packRuns(rng *rand.Rand, vals []uint32, width int) []byte {
	var out []byte
	for len(vals) > 0 {
		if n := slices.IndexFunc(vals, func(v uint32) bool { return v != vals[0] }); rng.IntN(2) == 0 {
			if n < 0 {
				n = len(vals)
			}
			n = 1 + rng.IntN(n)
			out = binary.AppendUvarint(out, uint64(n)<<1)
			for k := range (width + 7) / 8 {
				out = append(out, byte(vals[0]>>(8*k)))
			}
			vals = vals[n:]
			continue
		}
		groups := 1 + rng.IntN(10)
		if 8*groups > len(vals) && len(vals)%8 != 0 && 8*groups != len(vals)+8-len(vals)%8 {
			groups = (len(vals) + 7) / 8
		}
		groups = min(groups, (len(vals)+7)/8)
		out = binary.AppendUvarint(out, uint64(groups)<<1|1)
		body := make([]byte, groups*width)
		for i := range min(8*groups, len(vals)) {
			for b := range width {
				if vals[i]>>b&1 == 1 {
					bit := i*width + b
					body[bit>>3] |= 1 << (bit & 7)
				}
			}
		}
		out = append(out, body...)
		vals = vals[min(8*groups, len(vals)):]
	}
	return out
}

func randomNumbers(rng *rand.Rand, n, width int) []uint32 {
	vals := make([]uint32, n)
	for i := range vals {
		if i > 0 && rng.IntN(3) == 0 {
			vals[i] = vals[i-1]
		} else {
			vals[i] = uint32(rng.Uint64() & (1<<width - 1))
		}
	}
	return vals
}

func TestNumbersOfEveryWidth(t *testing.T) { // E2
	for seed := range uint64(400) {
		rng := rand.New(rand.NewPCG(seed, 1))
		width := int(seed % 33)
		want := randomNumbers(rng, 1+rng.IntN(500), width)
		var r Runs
		if err := r.Reset(packRuns(rng, want, width), width); err != nil {
			t.Fatal(err)
		}
		got := make([]uint32, len(want))
		for rest := got; len(rest) > 0; {
			n := min(len(rest), 1+rng.IntN(70))
			if err := r.Numbers(rest[:n]); err != nil {
				t.Fatalf("width %d: %v", width, err)
			}
			rest = rest[n:]
		}
		if !slices.Equal(got, want) {
			t.Fatalf("width %d:\ngot  %v\nwant %v", width, got, want)
		}
	}
}

func TestBits(t *testing.T) { // E2
	for seed := range uint64(200) {
		rng := rand.New(rand.NewPCG(seed, 2))
		want := randomNumbers(rng, 1+rng.IntN(1000), 1)
		data := packRuns(rng, want, 1)
		var r Runs
		if err := r.Reset(data, 1); err != nil {
			t.Fatal(err)
		}
		at := rng.IntN(20)
		dst := make([]byte, (at+len(want)+7)/8+Slack)
		ones := 0
		for done := 0; done < len(want); {
			n := min(len(want)-done, 1+rng.IntN(300))
			k, err := r.Bits(dst, at+done, n)
			if err != nil {
				t.Fatal(err)
			}
			ones, done = ones+k, done+n
		}
		for i := range 8 * len(dst) {
			bit := uint32(dst[i>>3] >> (i & 7) & 1)
			if inside := i >= at && i < at+len(want); inside && bit != want[i-at] || !inside && bit != 0 {
				t.Fatalf("seed %d: bit %d is %d", seed, i-at, bit)
			}
			ones -= int(bit)
		}
		if ones != 0 {
			t.Fatalf("seed %d: %d ones too many counted", seed, ones)
		}
	}
}

func TestPackedLevels(t *testing.T) {
	var r Runs
	r.ResetPacked([]byte{0b1010_0000, 0b0100_0000})
	dst := make([]byte, 2+Slack)
	if n, err := r.Bits(dst, 0, 10); n != 3 || err != nil || dst[0] != 0b101 || dst[1] != 0b10 {
		t.Errorf("got %d %v %b", n, err, dst[:2])
	}
	if _, err := r.Bits(dst, 0, 7); err == nil {
		t.Error("seven levels of six")
	}
}

func TestRunsEnd(t *testing.T) {
	var r Runs
	for _, c := range []struct {
		width int
		data  []byte
	}{{4, nil}, {4, []byte{8}}, {9, []byte{8, 1}}, {3, []byte{8, 9}}, {33, nil}, {1, []byte{0xff, 0xff, 0xff, 0xff, 0xff, 0xff}}, {5, []byte{3, 1}}} {
		err := r.Reset(c.data, c.width)
		if err == nil {
			err = r.Numbers(make([]uint32, 8))
		}
		if err == nil {
			t.Errorf("%d bits of %v: no error", c.width, c.data)
		}
	}
}

func FuzzRuns(f *testing.F) { // E1, E2
	f.Add([]byte{8, 1, 5, 0xf1, 0x22, 20, 1, 3, 0x7f, 0xff, 0xff, 0xff, 0x0f, 1}, uint8(1), uint8(63))
	f.Add([]byte{8, 3, 5, 0x11, 0x22, 0x33, 0x44, 0x55, 0x66}, uint8(3), uint8(5))
	f.Fuzz(func(t *testing.T, data []byte, width, cut uint8) {
		var r Runs
		if r.Reset(data, int(width)) != nil {
			return
		}
		all := make([]uint32, 1000)
		err := r.Numbers(all)
		if r.Reset(data, int(width)) != nil {
			t.Fatal("refused the second time")
		}
		var err2 error
		pieces := make([]uint32, 1000)
		for rest := pieces; len(rest) > 0 && err2 == nil; {
			n := min(len(rest), 1+int(cut))
			err2 = r.Numbers(rest[:n])
			rest = rest[n:]
		}
		if (err == nil) != (err2 == nil) || err == nil && !slices.Equal(all, pieces) {
			t.Fatalf("in one go %v, in pieces %v", err, err2)
		}
		if err != nil {
			return
		}
		var places []int32
		for at := int32(cut & 7); at < 1000; at += 1 + at%(1+int32(cut)) {
			places = append(places, at)
		}
		picked := make([]uint32, len(places))
		if r.Reset(data, int(width)) != nil || r.Pick(picked, places, 1000) != nil {
			t.Fatal("what can be decoded cannot be picked")
		}
		for i, at := range places {
			if picked[i] != all[at] {
				t.Fatalf("number %d is %d, picked %d", at, all[at], picked[i])
			}
		}
		if width != 1 {
			return
		}
		bits, ones := make([]byte, 125+Slack), 0
		if r.Reset(data, 1) != nil {
			t.Fatal("refused the third time")
		}
		for at := 0; at < 1000; at += 1 + int(cut) {
			n, err := r.Bits(bits, at, min(1000-at, 1+int(cut)))
			if ones += n; err != nil {
				t.Fatal(err)
			}
		}
		for i, v := range all {
			if uint32(bits[i>>3]>>(i&7)&1) != v {
				t.Fatalf("bit %d is not %d", i, v)
			}
			ones -= int(v)
		}
		if ones != 0 {
			t.Fatalf("%d ones too many", ones)
		}
	})
}
