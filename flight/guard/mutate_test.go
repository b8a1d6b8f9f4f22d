package guard

import (
	"encoding/binary"
	"flag"
	"math/rand/v2"
	"runtime/metrics"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/ipc"
)

var mutants = flag.Int("mutants", 50_000, "number of damaged streams that TestMutants decodes")

// TestMutants decodes damaged streams: the process lives, no panic escapes, and
// no stream makes it allocate more than four times its size and 64 MiB.
func TestMutants(t *testing.T) {
	seeds := mutationSeeds(t)
	rnd := rand.New(rand.NewPCG(7, 7))
	deadline := time.Now().Add(3 * time.Minute)
	passed, done := 0, 0
	for ; done < *mutants && (*mutants != 50_000 || time.Now().Before(deadline)); done++ {
		ms := mutate(seeds[rnd.IntN(len(seeds))], rnd)
		size := 0
		for _, m := range ms {
			size += len(m.Header) + len(m.Body)
		}
		before := allocated()
		_, err := decode(ms, Limits{}, nil)
		if used := allocated() - before; used > uint64(4*size+64<<20) {
			t.Fatalf("mutant %d of %d bytes made the decoder allocate %d bytes (%v)", done, size, used, err)
		}
		if err != nil && strings.Contains(err.Error(), "escaped panic") {
			t.Fatalf("mutant %d: %v", done, err)
		}
		if err == nil {
			passed++
		}
	}
	t.Logf("%d mutants, %d of them still decode", done, passed)
	if done < *mutants/2 {
		t.Errorf("only %d mutants in the time allowed", done)
	}
}

// FuzzStream feeds one header and one body after an honest schema.
func FuzzStream(f *testing.F) {
	seeds := mutationSeeds(f)
	for i, ms := range seeds {
		f.Add(uint8(i), ms[len(ms)-1].Header, ms[len(ms)-1].Body, false)
		f.Add(uint8(i), ms[0].Header, ms[0].Body, true)
	}
	f.Fuzz(func(t *testing.T, seed uint8, head, body []byte, first bool) {
		ms := seeds[int(seed)%len(seeds)]
		stream := append(slices.Clone(ms[:len(ms)-1]), Message{Header: head, Body: body})
		if first {
			stream = append([]Message{{Header: head, Body: body}}, ms[1:]...)
		}
		size := 0
		for _, m := range stream {
			size += len(m.Header) + len(m.Body)
		}
		before := allocated()
		_, err := decode(stream, Limits{}, nil)
		if used := allocated() - before; used > uint64(4*size+64<<20) {
			t.Fatalf("%d bytes made the decoder allocate %d bytes (%v)", size, used, err)
		}
		if err != nil && strings.Contains(err.Error(), "escaped panic") {
			t.Fatal(err)
		}
	})
}

func mutationSeeds(tb testing.TB) [][]Message {
	all := types()
	var seeds [][]Message
	add := func(rows int, dts []arrow.DataType, opts ...ipc.Option) {
		seeds = append(seeds, encode(tb, []arrow.RecordBatch{record(dts, rows, 1), record(dts, rows, 2)}, opts...))
	}
	add(3, []arrow.DataType{arrow.PrimitiveTypes.Int64})
	add(5, []arrow.DataType{arrow.BinaryTypes.String, arrow.PrimitiveTypes.Int32})
	add(40, all)
	add(40, all, ipc.WithZstd())
	add(40, all, ipc.WithLZ4())
	for _, dt := range all {
		add(9, []arrow.DataType{dt})
	}
	return seeds
}

// mutate returns ms with one to four changes.
func mutate(ms []Message, rnd *rand.Rand) []Message {
	out := make([]Message, len(ms))
	for i, m := range ms {
		out[i] = Message{Header: slices.Clone(m.Header), Body: slices.Clone(m.Body)}
	}
	for range 1 + rnd.IntN(4) {
		if len(out) == 0 {
			break
		}
		m := &out[rnd.IntN(len(out))]
		b := m.Header
		if rnd.IntN(3) == 0 && len(m.Body) > 0 {
			b = m.Body
		}
		switch op := rnd.IntN(12); {
		case len(b) < 8:
		case op < 3:
			b[rnd.IntN(len(b))] ^= 1 << rnd.IntN(8)
		case op < 5:
			b[rnd.IntN(len(b))] = byte(rnd.Uint32())
		case op < 8:
			p := 4 * rnd.IntN(len(b)/4)
			binary.LittleEndian.PutUint32(b[p:], awkward(rnd))
		case op < 9:
			p := 8 * rnd.IntN(len(b)/8)
			binary.LittleEndian.PutUint64(b[p:], uint64(awkward(rnd))<<rnd.IntN(33))
		case op < 10:
			m.Header = b[:rnd.IntN(len(b))]
		case op < 11:
			m.Body = m.Body[:rnd.IntN(len(m.Body)+1)]
		default:
			i := rnd.IntN(len(out))
			out[i], out[0] = out[0], out[i]
		}
	}
	return out
}

func awkward(rnd *rand.Rand) uint32 {
	switch rnd.IntN(5) {
	case 0:
		return uint32(rnd.IntN(64))
	case 1:
		return ^uint32(0) - uint32(rnd.IntN(64))
	case 2:
		return 1<<31 - 1 - uint32(rnd.IntN(2))
	case 3:
		return 1 << rnd.IntN(32)
	}
	return rnd.Uint32()
}

// allocated is the number of bytes that this process has ever allocated.
func allocated() uint64 {
	s := []metrics.Sample{{Name: "/gc/heap/allocs:bytes"}}
	metrics.Read(s)
	return s[0].Value.Uint64()
}
