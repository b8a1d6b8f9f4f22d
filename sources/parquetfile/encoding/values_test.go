package encoding

import (
	"bytes"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/apache/arrow-go/v18/parquet/compress"
)

func TestSpreadAndGather(t *testing.T) {
	for seed := range uint64(300) {
		rng := rand.New(rand.NewPCG(seed, 4))
		at, n := rng.IntN(20), rng.IntN(300)
		valid := make([]byte, (at+n+7)/8+Slack)
		dict := []uint64{10, 20, 30}
		var index []uint32
		want := make([]uint64, n)
		for i := range want {
			if rng.IntN(4) > int(seed%5) {
				k := rng.IntN(3)
				index = append(index, uint32(k))
				want[i] = dict[k]
				valid[(at+i)>>3] |= 1 << ((at + i) & 7)
			}
		}
		dense, got := make([]uint64, len(index)), make([]uint64, n)
		if bad := Gather(dense, dict, index); bad >= 0 {
			t.Fatalf("index %d", bad)
		}
		Spread(got, dense, valid, at)
		if !slices.Equal(got, want) {
			t.Fatalf("seed %d:\ngot  %v\nwant %v", seed, got, want)
		}
	}
	if bad := Gather(make([]uint64, 2), []uint64{1}, []uint32{0, 1}); bad != 1 {
		t.Errorf("got %d", bad)
	}
}

func TestSplit(t *testing.T) {
	var s Split
	if err := s.Reset([]byte("adgbehcfi"), 3); err != nil {
		t.Fatal(err)
	}
	one, two := make([]byte, 3), make([]byte, 6)
	if err := s.Next(one); err != nil || string(one) != "abc" {
		t.Errorf("got %q %v", one, err)
	}
	if err := s.Next(two); err != nil || string(two) != "defghi" {
		t.Errorf("got %q %v", two, err)
	}
	if s.Next(one) == nil || s.Reset(one, 2) == nil || s.Reset(one, 0) == nil {
		t.Error("no error")
	}
}

func TestCodecs(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 5))
	var d Decompressor
	for name, codec := range map[string]compress.Compression{"snappy": compress.Codecs.Snappy, "gzip": compress.Codecs.Gzip,
		"brotli": compress.Codecs.Brotli, "zstd": compress.Codecs.Zstd, "lz4": compress.Codecs.Lz4Raw} {
		enc, err := compress.GetCodec(codec)
		if err != nil {
			t.Fatal(err)
		}
		c := Codec(codec)
		for _, n := range []int{1, 10, 1000, 100_000, 1 << 20} {
			want := bytes.Repeat([]byte{7}, n)
			for i := range n / 10 {
				want[rng.IntN(n)] = byte(i)
			}
			if n == 1<<20 {
				clear(want)
			}
			packed := enc.Encode(nil, want)
			if err := c.Check(len(packed), n); err != nil {
				t.Errorf("%s: %v", name, err)
			}
			got := make([]byte, n)
			if err := d.Decode(c, got, packed); err != nil || !bytes.Equal(got, want) {
				t.Errorf("%s of %d bytes: %v", name, n, err)
			}
			if err := d.Decode(c, make([]byte, n+1), packed); err == nil {
				t.Errorf("%s of %d bytes: is also one more", name, n)
			}
			if err := d.Decode(c, make([]byte, n-1), packed); err == nil {
				t.Errorf("%s of %d bytes: is also one less", name, n)
			}
			for range 20 {
				bad := bytes.Clone(packed)[:1+rng.IntN(len(packed))]
				bad[rng.IntN(len(bad))] ^= 1 << rng.IntN(8)
				_ = d.Decode(c, got, bad) // may go well: these have no checksum
			}
		}
		if err := c.Check(1000, 1<<30+1); err == nil {
			t.Errorf("%s: a page beyond the limit", name)
		}
		if err := c.Check(0, 10); err == nil {
			t.Errorf("%s: something out of nothing", name)
		}
	}
	if Codec(3).Known() || Codec(5).Known() {
		t.Error("LZO and the LZ4 of Hadoop are not for this decoder")
	}
}
