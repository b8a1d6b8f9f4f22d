package kafka

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/klauspost/compress/snappy"
	"github.com/klauspost/compress/zstd"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/flightd/flightd/internal/base"
	"github.com/flightd/flightd/internal/kafkaclient/kafkatest"
	"github.com/flightd/flightd/sources"
)

// raw is a reader of [0, to) that has in already and asks nobody.
func raw(in []byte, to int64, crc bool) *reader {
	cfg, err := parseConfig(base.Options{"kafka.bootstrap.servers": "nowhere:1", "subscribe": "t", "includeHeaders": "true"}, nil, false)
	if err != nil {
		panic(err)
	}
	cfg.client.CheckCRC = crc
	r := newReader(&split{offsetRange: offsetRange{partition{"t", 0}, 0, to}, cfg: cfg, losses: &losses{fail: true}, seen: &traffic{},
		schema: newSchema(true), scan: sources.Scan{BatchRows: 100, Columns: []int{0, 1, 2, 3, 4, 5, 6, 7}}})
	r.in = in
	r.inflate.limit = 1 << 20
	return r
}

// drain reads all that r has, as texts of the rows.
func drain(r *reader) ([]string, error) {
	defer r.inflate.close()
	var out []string
	for r.pos < r.to && (r.left > 0 || len(r.in) > 0) {
		cols := newColumns(r.schema, r.scan.Columns, r.scan.BatchRows, sizes{})
		for cols.rows < r.scan.BatchRows && r.pos < r.to && (r.left > 0 || len(r.in) > 0) {
			var err error
			if r.left > 0 {
				err = r.fill(cols)
			} else {
				err = r.open()
			}
			if err != nil {
				return out, err
			}
		}
		rec := cols.record(r.p)
		for i := range int(rec.NumRows()) {
			key, value, h := rec.Column(0).(*array.Binary), rec.Column(1).(*array.Binary), rec.Column(7).(*array.List)
			line := fmt.Sprintf("%d %d %q %v %q %v", rec.Column(4).(*array.Int64).Value(i), rec.Column(5).(*array.Timestamp).Value(i), key.Value(i), key.IsNull(i), value.Value(i), value.IsNull(i))
			from, to := h.ValueOffsets(i)
			for j := from; j < to; j++ {
				st := h.ListValues().(*array.Struct)
				line += fmt.Sprintf(" %s=%q", st.Field(0).(*array.String).Value(int(j)), st.Field(1).(*array.Binary).Value(int(j)))
			}
			if h.IsNull(i) != (from == to) {
				line += " headers that are neither null nor there"
			}
			out = append(out, line)
		}
		rec.Release()
	}
	return out, nil
}

// Record batches of every compression, as a broker sends them, have the records
// that the client library finds in them.
func TestDecodingAgreesWithTheClient(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 2))
	for name, codec := range map[string]kgo.CompressionCodec{
		"none": kgo.NoCompression(), "gzip": kgo.GzipCompression(), "snappy": kgo.SnappyCompression(), "lz4": kgo.Lz4Compression(), "zstd": kgo.ZstdCompression(),
	} {
		t.Run(name, func(t *testing.T) {
			c := fake(t, 1, "t")
			p := kafkatest.NewClient(t, servers(c), kgo.ProducerBatchCompression(codec), kgo.ProducerLinger(5*time.Millisecond))
			bit := func(b []byte) []byte {
				if rnd.IntN(5) == 0 {
					return nil
				}
				return b
			}
			for range 20 {
				var rs []*kgo.Record
				for range 1 + rnd.IntN(60) {
					r := &kgo.Record{Topic: "t", Key: bit(fmt.Append(nil, rnd.Uint64())), Value: bit(bytes.Repeat([]byte("xyz"), rnd.IntN(200))), Timestamp: time.UnixMilli(1e12 + rnd.Int64N(1e9))}
					for range rnd.IntN(3) {
						r.Headers = append(r.Headers, kgo.RecordHeader{Key: "h", Value: bit([]byte("v"))})
					}
					rs = append(rs, r)
				}
				p.SendRecords(rs...)
			}
			s := stream(t, options(c, "subscribe", "t"))
			rt, _, err := s.conn.route(t.Context(), partition{"t", 0}, true)
			if err != nil {
				t.Fatal(err)
			}
			f, err := s.conn.fetch(t.Context(), rt.leader, partition{"t", 0}, rt.id, 0, 50<<20)
			if err != nil {
				t.Fatal(err)
			}
			fp, next := kgo.ProcessFetchPartition(kgo.ProcessFetchPartitionOpts{Topic: "t"}, &kmsg.FetchResponseTopicPartition{RecordBatches: f.batches}, kgo.DefaultDecompressor(), nil)
			if fp.Err != nil || next != f.end {
				t.Fatalf("the client decodes up to %d of %d: %v", next, f.end, fp.Err)
			}
			var want []string
			for _, r := range fp.Records {
				line := fmt.Sprintf("%d %d %q %v %q %v", r.Offset, r.Timestamp.UnixMicro(), r.Key, r.Key == nil, r.Value, r.Value == nil)
				for _, h := range r.Headers {
					line += fmt.Sprintf(" %s=%q", h.Key, h.Value)
				}
				want = append(want, line)
			}
			got, err := drain(raw(f.batches, f.end, true))
			if err != nil || !slices.Equal(got, want) {
				t.Fatalf("%v\n got %d rows %.300q\nwant %d rows %.300q", err, len(got), got, len(want), want)
			}
			testDamage(t, f.batches)
		})
	}
}

// testDamage changes single bytes: the checksum sees each, and without it nothing
// worse than a wrong or refused record may come of it.
func testDamage(t *testing.T, good []byte) {
	rnd := rand.New(rand.NewPCG(3, 4))
	h, _, err := readBatch(good, true)
	if err != nil {
		t.Fatal(err)
	}
	size := headerBytes + len(h.body)
	for range 300 {
		bad := slices.Clone(good[:size])
		at := 17 + rnd.IntN(size-17) // behind what the checksum does not cover
		bad[at] ^= 1 << rnd.IntN(8)
		if _, err := drain(raw(bad, 1<<40, true)); base.CodeOf(err) != base.CodeCorrupt || errors.Is(err, io.EOF) {
			t.Fatalf("byte %d changed: got %v", at, err)
		}
		drain(raw(bad, 1<<40, false))
		drain(raw(good[:rnd.IntN(size)], 1<<40, false))
	}
}

// batchOf makes an uncompressed batch of records with the offsets given.
func batchOf(first int64, attrs int16, producer int64, last int32, offsets ...int32) []byte {
	b := kmsg.RecordBatch{FirstOffset: first, Magic: 2, Attributes: attrs, ProducerID: producer, LastOffsetDelta: last, NumRecords: int32(len(offsets)), FirstTimestamp: 1000, MaxTimestamp: 2000}
	for _, o := range offsets {
		rec := []byte{0} // attributes
		rec = binary.AppendVarint(rec, 1)
		rec = binary.AppendVarint(rec, int64(o))
		rec = binary.AppendVarint(rec, -1)
		rec = binary.AppendVarint(rec, 1)
		rec = append(rec, 'v')
		rec = binary.AppendVarint(rec, 0)
		b.Records = append(binary.AppendVarint(b.Records, int64(len(rec))), rec...)
	}
	b.Length = int32(49 + len(b.Records))
	return b.AppendTo(nil)
}

func TestOffsetsOfABatch(t *testing.T) {
	offsets := func(in []byte, pos, to int64) (string, int64, error) {
		r := raw(in, to, false)
		r.pos = pos
		rows, err := drain(r)
		var out string
		for _, l := range rows {
			var o int64
			fmt.Sscan(l, &o)
			out += fmt.Sprint(o, " ")
		}
		return out, r.pos, err
	}
	for _, c := range []struct {
		name    string
		in      []byte
		from    int64
		to      int64
		want    string
		wantPos int64
	}{
		{"compacted inside", batchOf(10, 0, -1, 9, 0, 4, 7), 0, 100, "10 14 17 ", 20},
		{"begins inside", batchOf(10, 0, -1, 9, 0, 4, 7), 12, 100, "14 17 ", 20},
		{"ends inside", batchOf(10, 0, -1, 9, 0, 4, 7), 0, 15, "10 14 ", 15},
		{"ends in a gap", batchOf(10, 0, -1, 9, 0, 4, 7), 0, 19, "10 14 17 ", 20},
		{"empty after compaction", batchOf(10, 0, -1, 9), 0, 100, "", 20},
		{"control records are not rows", append(batchOf(0, 32, 7, 0, 0), batchOf(1, 0, -1, 0, 0)...), 0, 100, "1 ", 2},
		{"cut off after a whole one", append(batchOf(0, 0, -1, 1, 0, 1), batchOf(2, 0, -1, 1, 0, 1)[:50]...), 0, 100, "0 1 ", 2},
	} {
		got, pos, err := offsets(c.in, c.from, c.to)
		if err != nil || got != c.want || pos != c.wantPos {
			t.Errorf("%s: got %q up to %d, %v; want %q up to %d", c.name, got, pos, err, c.want, c.wantPos)
		}
	}
	for name, in := range map[string][]byte{
		"a record behind the batch":     batchOf(10, 0, -1, 3, 0, 4),
		"offsets out of order":          batchOf(10, 0, -1, 3, 2, 1),
		"fewer records than declared":   func() []byte { b := batchOf(0, 0, -1, 9, 0, 1); b[60] = 9; return b }(),
		"more records than declared":    func() []byte { b := batchOf(0, 0, -1, 9, 0, 1); b[60] = 1; return b }(),
		"a count of billions":           func() []byte { b := batchOf(0, 0, -1, 9, 0, 1); b[57] = 0x7f; return b }(),
		"a negative count":              func() []byte { b := batchOf(0, 0, -1, 9, 0, 1); b[57] = 0xff; return b }(),
		"an old message format":         func() []byte { b := batchOf(0, 0, -1, 9, 0, 1); b[16] = 1; return b }(),
		"a compressed batch of nothing": func() []byte { b := batchOf(0, 1, -1, 1); b[60] = 1; return b }(),
		"an unknown compression":        batchOf(0, 6, -1, 1, 0, 1),
	} {
		if _, _, err := offsets(in, 0, 100); base.CodeOf(err) != base.CodeCorrupt || errors.Is(err, io.EOF) {
			t.Errorf("%s: got %v", name, err)
		}
	}
}

func TestTimestamps(t *testing.T) {
	for attrs, want := range map[int16]string{0: "1001000|0", 8: "2000000|1"} {
		r := raw(batchOf(0, attrs, -1, 0, 0), 1, false)
		r.scan.Columns = []int{colTimestamp, colTimestampType}
		rec, err := r.Next(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if got := fmt.Sprint(int64(rec.Column(0).(*array.Timestamp).Value(0)), "|", rec.Column(1).(*array.Int32).Value(0)); got != want {
			t.Errorf("attributes %d: got %s, want %s", attrs, got, want)
		}
	}
}

// Brokers other than Kafka send aborted transactions in any order.
func TestAbortedTransactions(t *testing.T) {
	const txn = 16
	abort := kmsg.RecordBatch{Magic: 2, Attributes: txn | 32, ProducerID: 7, NumRecords: 1, Records: []byte{2 * 10, 0, 0, 0, 2 * 4, 0, 0, 0, 0, 1, 0}}
	marker := func(at int64) []byte {
		m := abort
		m.FirstOffset, m.Length = at, int32(49+len(m.Records))
		return m.AppendTo(nil)
	}
	in := slices.Concat(batchOf(0, txn, 7, 1, 0, 1), marker(2), batchOf(3, txn, 7, 1, 0, 1), batchOf(5, txn, 8, 0, 0), batchOf(6, 0, -1, 0, 0), marker(7), batchOf(8, txn, 7, 0, 0))
	r := raw(in, 100, false)
	r.aborts = newAborted([]kmsg.FetchResponseTopicPartitionAbortedTransaction{{ProducerID: 7, FirstOffset: 3}, {ProducerID: 7, FirstOffset: 0}})
	rows, err := drain(r)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, l := range rows {
		var o int64
		fmt.Sscan(l, &o)
		got = append(got, fmt.Sprint(o))
	}
	if want := []string{"5", "6", "8"}; !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

// A batch that claims little and unpacks to much is refused at the limit.
func TestDecompressionIsBounded(t *testing.T) {
	zeros := make([]byte, 8<<20)
	enc, err := zstd.NewWriter(nil)
	if err != nil {
		t.Fatal(err)
	}
	bombs := map[int16][]byte{4: enc.EncodeAll(zeros, nil), 2: snappy.Encode(nil, zeros)}
	for codec, comp := range map[int16]kgo.CompressionCodec{1: kgo.GzipCompression(), 3: kgo.Lz4Compression()} {
		c, err := kgo.DefaultCompressor(comp)
		if err != nil {
			t.Fatal(err)
		}
		var b bytes.Buffer
		out, _ := c.Compress(&b, zeros)
		bombs[codec] = slices.Clone(out)
	}
	for codec, in := range bombs {
		f := inflater{limit: 1 << 20}
		if out, err := f.inflate(codec, in); err == nil || cap(f.buf) > 4<<20 {
			t.Errorf("codec %d: %d bytes made %d (%d taken), %v", codec, len(in), len(out), cap(f.buf), err)
		}
		f = inflater{limit: 16 << 20}
		if out, err := f.inflate(codec, in); err != nil || len(out) != len(zeros) {
			t.Errorf("codec %d: %d bytes, %v", codec, len(out), err)
		}
		f.close()
	}
	f := inflater{limit: 1 << 30}
	if _, err := f.inflate(2, []byte{0xff, 0xff, 0xff, 0xff, 0x03, 0}); err == nil || cap(f.buf) > 1<<20 {
		t.Errorf("a snappy block of 6 bytes that claims 1 GiB took %d bytes, %v", cap(f.buf), err)
	}
}

func FuzzBatches(f *testing.F) {
	f.Add(slices.Concat(batchOf(0, 0, -1, 2, 0, 1, 2), batchOf(3, 32, 7, 0, 0)))
	for codec := range int16(6) {
		f.Add(batchOf(0, codec, -1, 2, 0, 1, 2))
	}
	f.Fuzz(func(t *testing.T, in []byte) {
		r := raw(in, 1<<62, false)
		r.fetchedAt = -1
		last := r.pos
		rows, _ := drain(r)
		if r.pos < last || len(rows) > len(in)*1000+1<<20 {
			t.Errorf("%d rows, from %d to %d", len(rows), last, r.pos)
		}
	})
}

func FuzzOffsets(f *testing.F) {
	for _, s := range []string{`{"t":{"0":5,"10":-2}}`, `{"t":[0,1]}`, `{}`, `null`, `{"from":{},"to":{}}`, `{"t":{"00":1}}`} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if p, err := parseOffset(base.Offset(s)); err == nil {
			again, err := parseOffset(p.offset())
			if err != nil || again.offset() != p.offset() {
				t.Errorf("%q became %q, then %q, %v", s, p.offset(), again.offset(), err)
			}
		}
		if ps, err := parseAssign(s); err == nil && len(ps) == 0 {
			t.Errorf("%q assigns nothing", s)
		}
		_, _ = parsePin(s)
	})
}

// A megabyte of records, decoded into all columns and into one.
func BenchmarkDecode(b *testing.B) {
	var in []byte
	rows := 0
	for len(in) < 1<<20 {
		h := kmsg.RecordBatch{FirstOffset: int64(rows), Magic: 2, ProducerID: -1, LastOffsetDelta: 999, NumRecords: 1000}
		for i := range 1000 {
			rec := binary.AppendVarint([]byte{0}, int64(i))
			rec = binary.AppendVarint(rec, int64(i))
			rec = append(binary.AppendVarint(rec, 8), "key45678"...)
			rec = append(binary.AppendVarint(rec, 100), bytes.Repeat([]byte("v"), 100)...)
			rec = binary.AppendVarint(rec, 0)
			h.Records = append(binary.AppendVarint(h.Records, int64(len(rec))), rec...)
		}
		h.Length = int32(49 + len(h.Records))
		in = h.AppendTo(in)
		rows += 1000
	}
	for name, columns := range map[string][]int{"all": {0, 1, 2, 3, 4, 5, 6}, "value": {1}} {
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(len(in)))
			for b.Loop() {
				r := raw(in, int64(rows), false)
				r.scan = sources.Scan{BatchRows: 8192, Columns: columns}
				got := 0
				for got < rows {
					rec, err := r.Next(b.Context())
					if err != nil {
						b.Fatal(err)
					}
					got += int(rec.NumRows())
					rec.Release()
				}
			}
			b.ReportMetric(float64(rows)*float64(b.N)/b.Elapsed().Seconds(), "rows/s")
		})
	}
}
