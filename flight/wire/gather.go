package wire

import (
	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/bitutil"
	flatbuffers "github.com/google/flatbuffers/go"
)

// Gatherable reports whether several record batches of a schema can be sent as one: no
// column is nested, a dictionary, a view or of large offsets.
func Gatherable(schema *arrow.Schema) bool {
	for _, f := range schema.Fields() {
		if layoutOf(f.Type) == otherLayout {
			return false
		}
	}
	return len(schema.Fields()) > 0
}

// WriteGathered sends the rows of recs, in their order, as one record batch, without a
// copy of their values where these are of fixed width or texts. The schema is gatherable,
// and that of recs. It retains recs as Write does. If followed is set, something else is
// sent at once.
func (w *Writer) WriteGathered(recs []arrow.RecordBatch, followed bool) error {
	if len(recs) == 1 {
		return w.write(recs[0], nil, followed)
	}
	if err := w.check(recs); err != nil {
		return err
	}
	if err := w.start(true); err != nil {
		return err
	}
	for _, r := range recs {
		r.Retain()
	}
	// The caller's slice may change.
	recs = append([]arrow.RecordBatch(nil), recs...)
	m := gather(recs)
	m.followed = followed
	m.release = func() {
		for _, r := range recs {
			r.Release()
		}
	}
	return w.send(m)
}

// A layout is how a column lies in the body of a message, as Arrow's columnar format has
// it: a bitmap of validity, and the buffers named here.
type layout int

const (
	otherLayout layout = iota
	fixedLayout        // values of some bytes each
	bitLayout          // a bit for each value
	textLayout         // offsets of 32 bits, and bytes
)

func layoutOf(t arrow.DataType) layout {
	switch t := t.(type) {
	case arrow.ExtensionType:
		return layoutOf(t.StorageType())
	case *arrow.BooleanType:
		return bitLayout
	case *arrow.StringType, *arrow.BinaryType:
		return textLayout
	case *arrow.DictionaryType:
		return otherLayout
	case arrow.FixedWidthDataType:
		if t.Layout().HasDict || len(t.Layout().Buffers) != 2 || t.BitWidth()%8 != 0 {
			return otherLayout
		}
		return fixedLayout
	}
	return otherLayout
}

// body is the body of a message that is put together, with what its header says of it.
type body struct {
	pieces
	buffers [][2]int64 // offset and length
	nodes   [][2]int64 // rows and nulls
}

// alignment is that of the buffers of a body.
const alignment = 64

// add adds a buffer that is made of pieces.
func (b *body) add(list ...[]byte) {
	from := b.bytes
	for _, p := range list {
		if len(p) > 0 {
			_, _ = b.Write(p)
		}
	}
	b.buffers = append(b.buffers, [2]int64{int64(from), int64(b.bytes - from)})
	if over := b.bytes % alignment; over > 0 {
		_, _ = b.Write(padding[over:])
	}
}

var padding [alignment]byte

// gather returns the message of recs, which are two or more.
func gather(recs []arrow.RecordBatch) *message {
	var rows int64
	for _, r := range recs {
		rows += r.NumRows()
	}
	var b body
	parts := make([]arrow.ArrayData, len(recs))
	list := make([][]byte, len(recs))
	for c := range recs[0].NumCols() {
		nulls := 0
		for i, r := range recs {
			a := r.Column(int(c))
			if e, ok := a.(array.ExtensionArray); ok {
				a = e.Storage()
			}
			parts[i] = a.Data()
			nulls += a.NullN()
		}
		b.nodes = append(b.nodes, [2]int64{rows, int64(nulls)})
		if nulls == 0 {
			b.add()
		} else {
			b.add(bits(parts, 0, rows))
		}
		switch layoutOf(parts[0].DataType()) {
		case bitLayout:
			b.add(bits(parts, 1, rows))
		case textLayout:
			offsets := make([]int32, 1, rows+1)
			for i, p := range parts {
				offsets, list[i] = appendTexts(offsets, p)
			}
			b.add(arrow.Int32Traits.CastToBytes(offsets))
			b.add(list...)
		default:
			width := parts[0].DataType().(arrow.FixedWidthDataType).BitWidth() / 8
			for i, p := range parts {
				list[i] = nil
				if v := p.Buffers()[1]; v != nil {
					list[i] = v.Bytes()[p.Offset()*width : (p.Offset()+p.Len())*width]
				}
			}
			b.add(list...)
		}
	}
	header := batchHeader(rows, &b)
	return &message{header: header, body: b.pieces, size: b.bytes + len(header) + 4*10}
}

// bits returns one bitmap of the bitmaps of parts, which are the nth of their buffers;
// none stands for all set.
func bits(parts []arrow.ArrayData, nth int, rows int64) []byte {
	out := make([]byte, bitutil.BytesForBits(rows))
	at := 0
	for _, p := range parts {
		if from := p.Buffers()[nth]; from == nil || from.Len() == 0 {
			bitutil.SetBitsTo(out, int64(at), int64(p.Len()), true)
		} else {
			bitutil.CopyBitmap(from.Bytes(), p.Offset(), p.Len(), out, at)
		}
		at += p.Len()
	}
	return out
}

// appendTexts appends where the texts of p end, counted from the end of those before, and
// returns their bytes. The last of offsets is the end of those.
func appendTexts(offsets []int32, p arrow.ArrayData) ([]int32, []byte) {
	ends := p.Buffers()[1]
	if p.Len() == 0 || ends == nil {
		return offsets, nil
	}
	from := arrow.Int32Traits.CastFromBytes(ends.Bytes())[p.Offset() : p.Offset()+p.Len()+1]
	shift := offsets[len(offsets)-1] - from[0]
	for _, e := range from[1:] {
		offsets = append(offsets, e+shift)
	}
	var bytes []byte
	if v := p.Buffers()[2]; v != nil {
		bytes = v.Bytes()[from[0]:from[p.Len()]]
	}
	return offsets, bytes
}

// Fields of the tables of Message.fbs, by the offset of their place in a vtable, and what
// is in them.
const (
	messageVersion, messageType, messageHeader, messageBody = 0, 1, 2, 3

	batchRows, batchNodes, batchBuffers = 0, 1, 2

	metadataV5      = 4
	typeRecordBatch = 3
)

// batchHeader returns the Message of a record batch with the body.
func batchHeader(rows int64, body *body) []byte {
	b := flatbuffers.NewBuilder(256 + 16*(len(body.buffers)+len(body.nodes)))
	pairs := func(list [][2]int64) flatbuffers.UOffsetT {
		b.StartVector(16, len(list), 8)
		for i := len(list) - 1; i >= 0; i-- {
			b.Prep(8, 16)
			b.PrependInt64(list[i][1])
			b.PrependInt64(list[i][0])
		}
		return b.EndVector(len(list))
	}
	nodes, buffers := pairs(body.nodes), pairs(body.buffers)
	b.StartObject(4)
	b.PrependInt64Slot(batchRows, rows, 0)
	b.PrependUOffsetTSlot(batchNodes, nodes, 0)
	b.PrependUOffsetTSlot(batchBuffers, buffers, 0)
	batch := b.EndObject()
	b.StartObject(5)
	b.PrependInt16Slot(messageVersion, metadataV5, 0)
	b.PrependByteSlot(messageType, typeRecordBatch, 0)
	b.PrependUOffsetTSlot(messageHeader, batch, 0)
	b.PrependInt64Slot(messageBody, int64(body.bytes), 0)
	b.Finish(b.EndObject())
	return b.FinishedBytes()
}
