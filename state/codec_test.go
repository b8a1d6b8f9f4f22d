package state

import (
	"bytes"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/ipc"

	"github.com/flightd/flightd/internal/base"
)

// smallStore returns a store after an epoch with keys of every layout, and the
// epoch's changes.
func smallStore(tb testing.TB) (*MemoryStore, []byte) {
	m, err := NewMemory(Config{Seed: 9, SubTables: 4})
	if err != nil {
		tb.Fatal(err)
	}
	rng := rand.New(rand.NewPCG(1, 1))
	for i, name := range []string{"window", "encoded", "narrow"} {
		s, err := m.Table(ID{Operator: i, Name: name}, Schema{Keys: keySchemas[name], Values: modelValues})
		if err != nil {
			tb.Fatal(err)
		}
		var cols []Vector
		for _, f := range s.schema.Keys {
			cols = append(cols, randomColumn(rng, f.Kind, 20, 30))
		}
		if err := upsertModelBatch(s, s.NewKeys(), cols, 20, nil, false); err != nil {
			tb.Fatal(err)
		}
	}
	s, err := m.Table(ID{Operator: 3, Name: "rows"}, manySchema(keySchemas["window"]))
	if err != nil {
		tb.Fatal(err)
	}
	b := &manyBatch{keys: []Vector{randomColumn(rng, Int64, 40, 4), randomColumn(rng, Bytes, 40, 20)}, n: 40}
	if _, err := b.insert(s); err != nil {
		tb.Fatal(err)
	}
	changes, err := m.Commit(0)
	if err != nil {
		tb.Fatal(err)
	}
	return m, changes
}

// restoreAny restores b as whichever it is.
func restoreAny(b []byte) (*MemoryStore, error) {
	m, err := NewMemory(Config{Seed: 9})
	if err != nil {
		return nil, err
	}
	if err := m.Apply(0, b); err == nil {
		return m, nil
	}
	_, err = m.Restore(bytes.NewReader(b))
	return m, err
}

func TestDamageIsFound(t *testing.T) {
	m, changes := smallStore(t)
	snapshot, err := Snapshot(m)
	if err != nil {
		t.Fatal(err)
	}
	for _, blob := range [][]byte{changes, snapshot} {
		if _, err := restoreAny(blob); err != nil {
			t.Fatal(err)
		}
		for n := 0; n < len(blob); n += 3 {
			if _, err := restoreAny(blob[:n]); base.CodeOf(err) != base.CodeCorrupt {
				t.Fatalf("cut at %d: %v", n, err)
			}
			bad := bytes.Clone(blob)
			bad[n] ^= 1 << (n % 8)
			if _, err := restoreAny(bad); base.CodeOf(err) != base.CodeCorrupt {
				t.Fatalf("bit flipped in byte %d: %v", n, err)
			}
		}
		if _, err := restoreAny(append(bytes.Clone(blob), 0)); base.CodeOf(err) != base.CodeCorrupt {
			t.Fatalf("a byte more: %v", err)
		}
	}
}

func TestSchemaMismatch(t *testing.T) {
	m, changes := smallStore(t)
	id := ID{Operator: 0, Name: "window"}
	for _, keys := range []bool{true, false} {
		wanted := Schema{Keys: keySchemas["window"], Values: modelValues[:2]}
		if keys {
			wanted = Schema{Keys: keySchemas["texts"], Values: modelValues}
		}
		var mismatch *MismatchError
		if _, err := m.Table(id, wanted); !errors.As(err, &mismatch) || mismatch.Keys != keys || base.CodeOf(err) != base.CodeInvalid {
			t.Errorf("asking with another schema: %v", err)
		}
		other, _ := NewMemory(Config{Seed: 9})
		if _, err := other.Table(id, wanted); err != nil {
			t.Fatal(err)
		}
		if err := other.Apply(0, changes); !errors.As(err, &mismatch) || mismatch.Keys != keys {
			t.Errorf("applying to another schema: %v", err)
		}
	}
}

func TestEpochsAreInOrder(t *testing.T) {
	m, changes := smallStore(t)
	if err := m.Apply(2, changes); base.CodeOf(err) != base.CodeCorrupt {
		t.Errorf("an epoch is missing: %v", err)
	}
	if err := m.Apply(1, changes); base.CodeOf(err) != base.CodeCorrupt {
		t.Errorf("changes of another epoch: %v", err)
	}
	if m.Epoch() != base.NoEpoch || len(m.Tables()) != 0 {
		t.Errorf("the store is not dropped after a failed Apply")
	}
}

// TestBlocksAreArrow reads a block with arrow-go, as a tool outside would.
func TestBlocksAreArrow(t *testing.T) {
	_, changes := smallStore(t)
	d := newSliceReader(changes)
	h, err := d.header(kindChanges)
	if err != nil {
		t.Fatal(err)
	}
	rows := int64(0)
	for {
		fr, err := d.next()
		if err != nil {
			t.Fatal(err)
		}
		if fr.typ == frameEnd {
			break
		}
		r, err := ipc.NewReader(bytes.NewReader(fr.payload))
		if err != nil {
			t.Fatal(err)
		}
		rec, err := r.Read()
		if err != nil {
			t.Fatal(err)
		}
		fields := blockFields(h.Tables[fr.table].Schema, true)
		cols, err := decodeBlock(fr.payload, fields)
		if err != nil {
			t.Fatal(err)
		}
		for i := range cols {
			ours := arrowArray(&cols[i])
			theirs := rec.Column(i)
			if w, k := theirs.DataType(), fields[i].Kind; k == Int16 || k == Int32 || k == Int64 {
				// As narrow as the values allow, and read as wide as the column is.
				if got, most := w.(arrow.FixedWidthDataType).Bytes(), k.width(); got > most || got == 8 && rows == 0 && most == 8 && fields[i].Name == numberColumn {
					t.Errorf("column %s of %s is written as %s", fields[i].Name, k, w)
				}
				if ours.String() == theirs.String() {
					continue
				}
			}
			if !array.ApproxEqual(ours, theirs, array.WithNaNsEqual(true)) {
				t.Errorf("column %s: %v, want %v", fields[i].Name, ours, rec.Column(i))
			}
		}
		rows += rec.NumRows()
	}
	if rows == 0 {
		t.Fatal("no rows were read")
	}
}

// TestPinBesideEpochs writes a snapshot while epochs run.
func TestPinBesideEpochs(t *testing.T) {
	m, _ := smallStore(t)
	want, err := Snapshot(m)
	if err != nil {
		t.Fatal(err)
	}
	for range 20 {
		pinned, done := m.Pin(), make(chan []byte)
		go func() {
			var buf bytes.Buffer
			if err := pinned.Encode(&buf); err != nil {
				t.Error(err)
			}
			done <- buf.Bytes()
		}()
		s := m.Tables()[0]
		keys := []Vector{randomColumn(rand.New(rand.NewPCG(3, 3)), Int64, 100, 50), randomColumn(rand.New(rand.NewPCG(3, 3)), Bytes, 100, 50)}
		if err := upsertModelBatch(s, s.NewKeys(), keys, 100, nil, false); err != nil {
			t.Fatal(err)
		}
		if err := s.Remove(s.Scan()[:5]); err != nil {
			t.Fatal(err)
		}
		if _, err := m.Commit(m.Epoch() + 1); err != nil {
			t.Fatal(err)
		}
		if got := <-done; !bytes.Equal(got, want) {
			t.Fatal("the snapshot has changed with the epochs after it")
		}
		want, _ = Snapshot(m)
	}
}

// reframed replaces the payload of frame n of blob by payload, with a right
// checksum, so that what lies behind the checksum is reached.
func reframed(blob []byte, n int, mutate func([]byte) []byte) []byte {
	d := newSliceReader(blob[len(blobMagic):])
	var out bytes.Buffer
	enc, err := newEncoder(1)
	if err != nil {
		panic(err)
	}
	f, err := newFrameWriter(&out, enc)
	if err != nil {
		panic(err)
	}
	for i := 0; ; i++ {
		fr, err := d.next()
		if err != nil {
			return out.Bytes()
		}
		payload := bytes.Clone(fr.payload)
		if i == n {
			payload = mutate(payload)
		}
		if err := f.write(fr.typ, fr.table, 0, payload); err != nil {
			panic(err)
		}
	}
}

func FuzzRestore(f *testing.F) {
	m, changes := smallStore(f)
	snapshot, _ := Snapshot(m)
	f.Add(uint8(1), uint16(40), uint32(7), []byte{})
	f.Add(uint8(2), uint16(1000), uint32(1<<31), []byte("{}"))
	f.Fuzz(func(t *testing.T, frame uint8, at uint16, xor uint32, tail []byte) {
		for _, blob := range [][]byte{changes, snapshot} {
			bad := reframed(blob, int(frame%16), func(p []byte) []byte {
				if int(at)+4 <= len(p) {
					binary.LittleEndian.PutUint32(p[at:], binary.LittleEndian.Uint32(p[at:])^xor)
				}
				return append(p, tail...)
			})
			_, _ = restoreAny(bad)
			// And raw bytes behind a good frame header.
			raw := append([]byte(blobMagic), make([]byte, frameHeader)...)
			raw = append(raw, tail...)
			binary.LittleEndian.PutUint32(raw[8:], uint32(len(tail)))
			binary.LittleEndian.PutUint32(raw[12:], xor)
			raw[20] = frameHead
			binary.LittleEndian.PutUint32(raw[4:], crc32.Checksum(raw[8:], crc32.MakeTable(crc32.Castagnoli)))
			if _, err := restoreAny(raw); err == nil {
				t.Fatal("bytes without an end were accepted")
			}
		}
	})
}

// TestNarrowed writes integers at the ends of each width and reads them back.
func TestNarrowed(t *testing.T) {
	for _, values := range [][]int64{
		{0}, {-1}, {127, -128}, {128}, {-129}, {1<<15 - 1, -1 << 15}, {1 << 15}, {-1<<15 - 1},
		{1<<31 - 1, -1 << 31}, {1 << 31}, {-1<<31 - 1}, {math.MaxInt64, math.MinInt64}, {math.MinInt64}, {5, -5, 5},
		{1 << 40, 1<<40 + 127, 1<<40 - 1}, {1 << 40, 1<<40 + 128}, {1 << 40, 1<<40 + 1<<15}, {1 << 40, 1<<40 - 1<<31}, {1 << 40, 1<<40 + 1<<31},
		{math.MaxInt64, math.MinInt64, math.MaxInt64 - 1}, {1000, 1001, 1003}, {-1 << 62, 1 << 62}, {0, math.MinInt64, -5},
	} {
		fields := []Field{{Name: "x", Type: "BIGINT", Kind: Int64}}
		var buf bytes.Buffer
		if err := encodeBlock(&buf, fields, []Vector{{Kind: Int64, Len: len(values), Data: bytesOf(values)}}); err != nil {
			t.Fatal(err)
		}
		cols, err := decodeBlock(buf.Bytes(), fields)
		if err != nil {
			t.Fatal(err)
		}
		if got := Values[int64](&cols[0]); !slices.Equal(got, values) {
			t.Errorf("read %v, want %v", got, values)
		}
		small := make([]int32, len(values))
		for i, x := range values {
			small[i] = int32(x)
		}
		fields[0].Kind = Int32
		buf.Reset()
		if err := encodeBlock(&buf, fields, []Vector{{Kind: Int32, Len: len(values), Data: bytesOf(small)}}); err != nil {
			t.Fatal(err)
		}
		if cols, err = decodeBlock(buf.Bytes(), fields); err != nil {
			t.Fatal(err)
		}
		if got := Values[int32](&cols[0]); !slices.Equal(got, small) {
			t.Errorf("read %v, want %v", got, small)
		}
	}
}

// TestCodecs writes payloads that either codec is the better one for.
func TestCodecs(t *testing.T) {
	enc, err := newEncoder(1)
	if err != nil {
		t.Fatal(err)
	}
	rng := rand.New(rand.NewPCG(1, 9))
	for _, c := range []struct{ n, values int }{{0, 1}, {100, 2}, {quickBytes - 1, 1}, {quickBytes, 1}, {100_000, 3}, {100_000, 250}, {1 << 20, 256}} {
		payload := make([]byte, c.n)
		for i := range payload {
			if payload[i] = byte(i / 100); i%50 == 0 || c.values > 200 {
				payload[i] = byte(rng.IntN(c.values))
			}
		}
		var out bytes.Buffer
		f := &frameWriter{w: &out, enc: enc}
		for range 2 {
			if err := f.write(frameUpserts, 0, 0, payload); err != nil {
				t.Fatal(err)
			}
		}
		d := newSliceReader(out.Bytes())
		for range 2 {
			if fr, err := d.next(); err != nil || !bytes.Equal(fr.payload, payload) {
				t.Errorf("%d bytes of %d values: %d come back, %v", c.n, c.values, len(fr.payload), err)
			}
		}
		want := uint8(codecZstd)
		if c.n >= quickBytes && c.values < 200 {
			want = codecS2
		}
		if got := out.Bytes()[17]; got != want {
			t.Errorf("%d bytes of %d values have codec %d, want %d", c.n, c.values, got, want)
		}
	}
}

// TestDifferences: numbers that ascend take a byte each.
func TestDifferences(t *testing.T) {
	for _, c := range []struct{ step, jitter, width int64 }{{64, 0, 1}, {1000, 0, 2}, {100_000, 40_000, 4}, {1 << 40, 0, 8}} {
		vals := make([]int64, 100)
		for i := range vals {
			vals[i] = 1<<50 + int64(i)*c.step + int64(i%2)*c.jitter
		}
		v := Vector{Kind: Int64, Len: len(vals), Data: bytesOf(vals)}
		if d, width, from := differences(&v, 8); int64(width) != c.width || len(d.Data) != int(c.width)*len(vals) || width < 8 && from != vals[0] {
			t.Errorf("steps of %d: %d bytes a value in %d, from %d", c.step, width, len(d.Data), from)
		}
	}
}

// TestRemovalsWithKeys reads removals as versions before 3 wrote them.
func TestRemovalsWithKeys(t *testing.T) {
	m, changes := smallStore(t)
	s := m.Tables()[0]
	refs := s.Scan()[3:6]
	cols := []Vector{{Kind: Int64, Len: len(refs), Data: bytesOf(s.Numbers(refs))}}
	for i := range s.schema.Keys {
		v, err := s.Key(i, refs)
		if err != nil {
			t.Fatal(err)
		}
		cols = append(cols, v)
	}
	var block, out bytes.Buffer
	if err := encodeBlock(&block, blockFields(s.schema, false), cols); err != nil {
		t.Fatal(err)
	}
	f, err := newFrameWriter(&out, m.enc)
	if err != nil {
		t.Fatal(err)
	}
	if err := f.writeJSON(frameHead, header{Kind: kindChanges, Epoch: 1, Tables: []tableHeader{headOf(s)}}); err != nil {
		t.Fatal(err)
	}
	if err := f.write(frameRemovals, 0, len(refs), block.Bytes()); err != nil {
		t.Fatal(err)
	}
	f.total = end{Blocks: 1, Rows: int64(len(refs))}
	if err := f.close(); err != nil {
		t.Fatal(err)
	}
	old := out.Bytes()
	old[3] = 2
	restored, err := restoreAny(changes)
	if err != nil {
		t.Fatal(err)
	}
	if err := restored.Apply(1, old); err != nil {
		t.Fatal(err)
	}
	if err := s.Remove(refs); err != nil {
		t.Fatal(err)
	}
	requireSame(t, "after removals with keys", dump(t, restored.Tables()[0], restored.Tables()[0].Scan()), dump(t, s, s.Scan()))
}
