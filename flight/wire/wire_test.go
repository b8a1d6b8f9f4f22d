package wire

import (
	"bytes"
	"context"
	"errors"
	"math/rand/v2"
	"testing"
	"unsafe"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/flight"
	pb "github.com/apache/arrow-go/v18/arrow/flight/gen/flight"
	"github.com/apache/arrow-go/v18/arrow/ipc"
	"github.com/apache/arrow-go/v18/arrow/memory"
	"google.golang.org/grpc/encoding"
	"google.golang.org/grpc/mem"
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"
)

// stream marshals what is sent as gRPC would. Buffers are given back at the end only, if
// they are kept; broken refuses messages before they are marshalled.
type stream struct {
	flight.FlightService_DoGetServer
	keep, broken bool
	kept         []mem.BufferSlice
	sent         []*pb.FlightData
	bytes        [][]byte
}

func (s *stream) Context() context.Context { return context.Background() }

func (s *stream) Send(d *pb.FlightData) error { return s.SendMsg(d) }

func (s *stream) SendMsg(m any) error {
	if s.broken {
		return errors.New("broken")
	}
	b, err := Codec().Marshal(m)
	if err != nil {
		return err
	}
	s.bytes = append(s.bytes, b.Materialize())
	if s.keep {
		s.kept = append(s.kept, b)
	} else {
		b.Free()
	}
	d := &pb.FlightData{}
	if err := proto.Unmarshal(s.bytes[len(s.bytes)-1], d); err != nil {
		return err
	}
	s.sent = append(s.sent, d)
	return nil
}

// record has columns of short and long buffers, with and without NULLs.
func record(alloc memory.Allocator, rows int, seed uint64) arrow.RecordBatch {
	rnd := rand.New(rand.NewPCG(seed, 5))
	schema := arrow.NewSchema([]arrow.Field{
		{Name: "i", Type: arrow.PrimitiveTypes.Int64, Nullable: true},
		{Name: "s", Type: arrow.BinaryTypes.String, Nullable: true},
		{Name: "b", Type: arrow.FixedWidthTypes.Boolean},
		{Name: "v", Type: arrow.BinaryTypes.StringView, Nullable: true},
		{Name: "l", Type: arrow.ListOf(arrow.PrimitiveTypes.Int32), Nullable: true},
	}, nil)
	b := array.NewRecordBuilder(alloc, schema)
	defer b.Release()
	for range rows {
		if rnd.IntN(5) == 0 {
			b.Field(0).AppendNull()
			b.Field(1).AppendNull()
			b.Field(3).AppendNull()
			b.Field(4).AppendNull()
		} else {
			text := string(bytes.Repeat([]byte{'a' + byte(rnd.IntN(26))}, rnd.IntN(30)))
			b.Field(0).(*array.Int64Builder).Append(rnd.Int64())
			b.Field(1).(*array.StringBuilder).Append(text)
			b.Field(3).(*array.StringViewBuilder).Append(text)
			l := b.Field(4).(*array.ListBuilder)
			l.Append(true)
			for range rnd.IntN(4) {
				l.ValueBuilder().(*array.Int32Builder).Append(rnd.Int32())
			}
		}
		b.Field(2).(*array.BooleanBuilder).Append(rnd.IntN(2) == 0)
	}
	return b.NewRecordBatch()
}

// TestWriterSendsWhatArrowSends: message for message, also of slices and of nothing.
func TestWriterSendsWhatArrowSends(t *testing.T) {
	for _, rows := range []int{0, 1, 7, 1000, 20_000} {
		alloc := memory.NewCheckedAllocator(memory.DefaultAllocator)
		rec := record(alloc, rows, uint64(rows))
		cut := rec.NewSlice(int64(rows/3), int64(rows))
		ours, theirs := &stream{keep: true}, &stream{}
		w, a := NewWriter(ours, rec.Schema()), flight.NewRecordWriter(theirs, ipc.WithSchema(rec.Schema()))
		for _, r := range []arrow.RecordBatch{rec, cut} {
			for _, meta := range [][]byte{nil, []byte("m"), make([]byte, 9000)} {
				if err := errors.Join(w.WriteWithAppMetadata(r, meta), a.WriteWithAppMetadata(r, meta)); err != nil {
					t.Fatal(err)
				}
			}
		}
		if err := errors.Join(w.Close(), a.Close()); err != nil {
			t.Fatal(err)
		}
		rec.Release()
		cut.Release()
		if len(ours.sent) != len(theirs.sent) || len(ours.sent) != 7 {
			t.Fatalf("%d messages, not %d", len(ours.sent), len(theirs.sent))
		}
		for i := range ours.sent {
			if !proto.Equal(ours.sent[i], theirs.sent[i]) {
				t.Errorf("%d rows: message %d differs", rows, i)
			}
		}
		for i, b := range ours.kept { // the memory is as it was, though the record batches are released
			if !bytes.Equal(b.Materialize(), ours.bytes[i]) {
				t.Errorf("%d rows: message %d changed before it was sent", rows, i)
			}
			b.Free()
		}
		alloc.AssertSize(t, 0)
	}
}

// Dictionaries go through Arrow's writer, messages that fail give back their memory,
// and a record batch of other columns is refused.
func TestWriterLetsGo(t *testing.T) {
	alloc := memory.NewCheckedAllocator(memory.DefaultAllocator)
	defer alloc.AssertSize(t, 0)
	rec := record(alloc, 3000, 1)
	defer rec.Release()
	if err := NewWriter(&stream{broken: true}, rec.Schema()).Write(rec); err == nil {
		t.Error("a broken stream is no error")
	}
	other := arrow.NewSchema([]arrow.Field{{Name: "x", Type: arrow.ListOf(&arrow.DictionaryType{IndexType: arrow.PrimitiveTypes.Int8, ValueType: arrow.BinaryTypes.String})}}, nil)
	s := &stream{}
	w := NewWriter(s, other)
	if err := w.Write(rec); err == nil {
		t.Error("other columns are no error")
	}
	if err := w.Close(); err != nil || w.dictionaries == nil {
		t.Errorf("%v, dictionaries %v", err, w.dictionaries)
	}
	if err := NewWriter(s, arrow.NewSchema(nil, nil)).Write(rec); err == nil {
		t.Error("other columns are no error")
	}
}

// Large buffers are sent as they are.
func TestReferences(t *testing.T) {
	rec := record(memory.DefaultAllocator, 20_000, 1)
	defer rec.Release()
	s := &stream{keep: true}
	if err := NewWriter(s, rec.Schema()).Write(rec); err != nil {
		t.Fatal(err)
	}
	values := rec.Column(0).Data().Buffers()[1].Bytes()
	for _, b := range s.kept[1] {
		if unsafe.SliceData(b.ReadOnlyData()) == unsafe.SliceData(values) {
			return
		}
	}
	t.Error("the values were copied")
}

func pieced(b []byte, cut int) mem.BufferSlice {
	var out mem.BufferSlice
	for len(b) > 0 {
		n := min(len(b), 1+cut)
		out = append(out, mem.SliceBuffer(b[:n]))
		b = b[n:]
	}
	return out
}

// FuzzUnmarshal: whatever comes, the codec reads what protobuf reads, or fails as it does.
func FuzzUnmarshal(f *testing.F) {
	seed := func(d *pb.FlightData, more ...byte) {
		b, _ := proto.Marshal(d)
		f.Add(append(b, more...), 5)
	}
	seed(&pb.FlightData{})
	seed(&pb.FlightData{DataHeader: []byte("head"), AppMetadata: []byte("meta"), DataBody: make([]byte, 100)})
	seed(&pb.FlightData{FlightDescriptor: &pb.FlightDescriptor{Path: []string{"a"}}, DataBody: []byte("x")}, 0x12, 1, 'y')
	seed(&pb.FlightData{FlightDescriptor: &pb.FlightDescriptor{Path: []string{"a"}}}, 0x0a, 3, 0x1a, 1, 'b')
	seed(&pb.FlightData{DataHeader: []byte("head")}, 0x28, 1)       // a field that is not known
	seed(&pb.FlightData{}, 0x12, 0xff, 0xff, 0xff, 0xff, 0x0f, 'a') // longer than there is
	seed(&pb.FlightData{}, 0x12, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f)
	f.Fuzz(func(t *testing.T, data []byte, cut int) {
		want, got := &pb.FlightData{}, &pb.FlightData{AppMetadata: []byte("old")}
		failed := proto.Unmarshal(data, want)
		err := Codec().Unmarshal(pieced(data, cut&0xfff), got)
		if (failed == nil) != (err == nil) {
			t.Fatalf("protobuf says %v, the codec %v", failed, err)
		}
		if err == nil && !proto.Equal(want, got) {
			t.Fatalf("%v, not %v", got, want)
		}
		if b := got.GetDataBody(); err == nil && len(b) > 0 && len(got.ProtoReflect().GetUnknown()) == 0 && uintptr(unsafe.Pointer(unsafe.SliceData(b)))&63 != 0 {
			t.Error("the body is not aligned")
		}
	})
}

// Other messages are protobuf's.
func TestOtherMessages(t *testing.T) {
	want := &pb.Action{Type: "a", Body: []byte("b")}
	b, err := Codec().Marshal(want)
	if err != nil {
		t.Fatal(err)
	}
	got := &pb.Action{}
	if err := Codec().Unmarshal(b, got); err != nil || !proto.Equal(want, got) {
		t.Errorf("%v, %v", got, err)
	}
	if Codec().Name() != encoding.GetCodecV2("proto").Name() {
		t.Error("another name")
	}
	if n := len(prefix(nil, bodyField, 1<<31-1)); n != protowire.SizeTag(bodyField)+5 {
		t.Errorf("a prefix of %d bytes", n)
	}
}
