// Package wire moves record batches between gRPC and Arrow with as few copies as there
// can be: a message that is sent refers to the buffers of its record batch until gRPC
// has put them into its frames, and the body of one that comes is copied once, out of
// the frames to where its columns stay.
package wire

import (
	"io"
	"math"

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
// aligned to 64 bytes.
func (c codec) Unmarshal(data mem.BufferSlice, v any) error {
	d, ok := v.(*pb.FlightData)
	if !ok {
		return c.CodecV2.Unmarshal(data, v)
	}
	proto.Reset(d)
	plain, err := read(data, d)
	if err != nil {
		return status.Errorf(codes.Internal, "grpc: failed to unmarshal the received message: %v", err)
	}
	if !plain { // has what Flight.proto does not know
		return c.CodecV2.Unmarshal(data, v)
	}
	return nil
}

// read fills d. It reports false if data has other fields, or fields of other types.
func read(data mem.BufferSlice, d *pb.FlightData) (plain bool, err error) {
	r := data.Reader()
	defer r.Close()
	for r.Remaining() > 0 {
		tag, err := number(r)
		if err != nil {
			return false, err
		}
		field, kind := protowire.DecodeTag(tag)
		if kind != protowire.BytesType {
			return false, nil
		}
		switch field {
		case descriptorField, headerField, metadataField, bodyField:
		default:
			return false, nil
		}
		n, err := number(r)
		if err != nil {
			return false, err
		}
		if n > uint64(r.Remaining()) {
			return false, io.ErrUnexpectedEOF
		}
		b := make([]byte, n)
		if field == bodyField {
			b = aligned(int(n))
		}
		if _, err := io.ReadFull(r, b); err != nil {
			return false, err
		}
		switch field {
		case descriptorField:
			if d.FlightDescriptor == nil {
				d.FlightDescriptor = &pb.FlightDescriptor{}
			}
			if err := (proto.UnmarshalOptions{Merge: true}).Unmarshal(b, d.FlightDescriptor); err != nil {
				return false, err
			}
		case headerField:
			d.DataHeader = b
		case metadataField:
			d.AppMetadata = b
		case bodyField:
			d.DataBody = b
		}
	}
	return true, nil
}

// number reads a varint.
func number(r *mem.Reader) (uint64, error) {
	var v uint64
	for shift := 0; shift < 64; shift += 7 {
		b, err := r.ReadByte()
		if err != nil {
			return 0, io.ErrUnexpectedEOF
		}
		if shift == 63 && b > 1 {
			break
		}
		v |= uint64(b&0x7f) << shift
		if b < 0x80 {
			return v, nil
		}
	}
	return 0, status.Error(codes.Internal, "a number has more than 64 bits")
}

// prefix appends the tag and the length of a field of n bytes.
func prefix(b []byte, field protowire.Number, n int) []byte {
	return protowire.AppendVarint(protowire.AppendTag(b, field, protowire.BytesType), uint64(n))
}

// maxMessage is the most bytes of a message: protobuf's own limit.
const maxMessage = math.MaxInt32
