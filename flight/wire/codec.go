// Package wire moves record batches between gRPC and Arrow with as few copies as there
// can be: a message that is sent refers to the buffers of its record batch until gRPC
// has put them into its frames, and the body of one that comes is copied once, out of
// the frames to where its columns stay.
package wire

import (
	"math"
	"unsafe"

	pb "github.com/apache/arrow-go/v18/arrow/flight/gen/flight"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/encoding"
	_ "google.golang.org/grpc/encoding/proto" // what Codec falls back to
	"google.golang.org/grpc/mem"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"
)

// Field numbers of FlightData, in Flight.proto.
const (
	descriptorField = 1
	headerField     = 2
	metadataField   = 3
	bodyField       = 1000
)

// The methods whose messages are FlightData.
const (
	putMethod      = "/arrow.flight.protocol.FlightService/DoPut"
	exchangeMethod = "/arrow.flight.protocol.FlightService/DoExchange"
)

// Codec is gRPC's codec of protobuf, but for the messages that hold record batches:
// those of Writer when they are sent, and FlightData when it comes.
func Codec() encoding.CodecV2 { return codec{encoding.GetCodecV2("proto")} }

type codec struct{ encoding.CodecV2 }

// Marshal takes over the references of a message of Writer.
func (c codec) Marshal(v any) (mem.BufferSlice, error) {
	if m, ok := v.(*message); ok {
		return m.marshal(), nil
	}
	return c.CodecV2.Marshal(v)
}

// Unmarshal reads a message. The bytes of FlightData are the message's own, its body
// aligned to 64 bytes. If data is one buffer that nobody takes back, and Align was asked
// how to lay it, they are not copied.
func (c codec) Unmarshal(data mem.BufferSlice, v any) error {
	d, ok := v.(*pb.FlightData)
	if !ok {
		return c.CodecV2.Unmarshal(data, v)
	}
	proto.Reset(d)
	var b []byte
	if len(data) == 1 {
		if own, ok := data[0].(mem.SliceBuffer); ok {
			b = own
		}
	}
	if b == nil {
		b = data.Materialize()
	}
	plain, err := read(b, d)
	if err != nil {
		return status.Errorf(codes.Internal, "grpc: failed to unmarshal the received message: %v", err)
	}
	if !plain { // has what Flight.proto does not know
		return c.CodecV2.Unmarshal(data, v)
	}
	return nil
}

// read fills d with parts of b. It reports false if b has other fields, or fields of
// other types.
func read(b []byte, d *pb.FlightData) (plain bool, err error) {
	for len(b) > 0 {
		field, value, rest, err := next(b)
		if err != nil || value == nil {
			return false, err
		}
		b = rest
		switch field {
		case descriptorField:
			if d.FlightDescriptor == nil {
				d.FlightDescriptor = &pb.FlightDescriptor{}
			}
			if err := (proto.UnmarshalOptions{Merge: true}).Unmarshal(value, d.FlightDescriptor); err != nil {
				return false, err
			}
		case headerField:
			d.DataHeader = value
		case metadataField:
			d.AppMetadata = value
		case bodyField:
			if uintptr(unsafe.Pointer(unsafe.SliceData(value)))&63 != 0 {
				value = append(aligned(len(value))[:0], value...)
			}
			d.DataBody = value
		default:
			return false, nil
		}
	}
	return true, nil
}

// next returns the first field of a message, a value of nil if it has no bytes but a
// number, and what is behind it.
func next(b []byte) (field protowire.Number, value, rest []byte, err error) {
	field, kind, at := protowire.ConsumeTag(b)
	if at < 0 {
		return 0, nil, nil, protowire.ParseError(at)
	}
	if kind != protowire.BytesType {
		return field, nil, nil, nil
	}
	value, n := protowire.ConsumeBytes(b[at:])
	if n < 0 {
		return 0, nil, nil, protowire.ParseError(n)
	}
	return field, value[:len(value):len(value)], b[at+n:], nil
}

// Align returns where the body of a FlightData begins that begins with head; it is 0 for
// other messages, and where the head does not reach that far.
func Align(method string, head []byte, size int) int {
	if method != putMethod && method != exchangeMethod {
		return 0
	}
	for at := 0; at < len(head); {
		field, kind, n := protowire.ConsumeTag(head[at:])
		if n < 0 || kind != protowire.BytesType {
			return 0
		}
		length, m := protowire.ConsumeVarint(head[at+n:])
		if m < 0 {
			return 0
		}
		at += n + m
		if field == bodyField {
			return at
		}
		if length > uint64(len(head)-at) {
			return 0
		}
		at += int(length)
	}
	return 0
}

// prefix appends the tag and the length of a field of n bytes.
func prefix(b []byte, field protowire.Number, n int) []byte {
	return protowire.AppendVarint(protowire.AppendTag(b, field, protowire.BytesType), uint64(n))
}

// maxMessage is the most bytes of a message: protobuf's own limit.
const maxMessage = math.MaxInt32
