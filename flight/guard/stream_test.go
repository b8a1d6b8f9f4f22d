package guard

import (
	"fmt"
	"io"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/flight"
	"github.com/apache/arrow-go/v18/arrow/ipc"
	"github.com/apache/arrow-go/v18/arrow/memory"
)

// A capture keeps what a Flight writer sends.
type capture struct{ messages []Message }

func (c *capture) Send(d *flight.FlightData) error {
	c.messages = append(c.messages, Message{Header: slices.Clone(d.DataHeader), Body: slices.Clone(d.DataBody)})
	return nil
}

// A playback is a Flight stream of messages, each admitted first.
type playback struct {
	g        *Guard
	messages []Message
}

func (p *playback) Recv() (*flight.FlightData, error) {
	if len(p.messages) == 0 {
		return nil, io.EOF
	}
	m := p.messages[0]
	p.messages = p.messages[1:]
	m, _, err := p.g.Admit(m)
	if err != nil {
		return nil, err
	}
	return &flight.FlightData{DataHeader: m.Header, DataBody: m.Body}, nil
}

// decode reads the messages as the server does and returns the number of rows.
func decode(messages []Message, limits Limits, each func(arrow.RecordBatch)) (rows int64, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("escaped panic: %v", p)
		}
	}()
	rdr, err := flight.NewRecordReader(&playback{g: New(limits), messages: messages}, ipc.WithDelayReadSchema(true))
	if err != nil {
		return 0, err
	}
	defer rdr.Release()
	for {
		rec, err := Next(rdr)
		if err == io.EOF {
			return rows, nil
		}
		if err != nil {
			return rows, err
		}
		rows += rec.NumRows()
		if each != nil {
			each(rec)
		}
	}
}

// encode returns the messages of a stream of recs.
func encode(tb testing.TB, recs []arrow.RecordBatch, opts ...ipc.Option) []Message {
	tb.Helper()
	var c capture
	w := flight.NewRecordWriter(&c, append([]ipc.Option{ipc.WithSchema(recs[0].Schema())}, opts...)...)
	for _, rec := range recs {
		if err := w.Write(rec); err != nil {
			tb.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		tb.Fatal(err)
	}
	return c.messages
}

// fill appends n random values, every fifth of them null, to b.
func fill(b array.Builder, n int, rnd *rand.Rand) {
	for range n {
		if rnd.IntN(5) == 0 {
			b.AppendNull()
			continue
		}
		one(b, rnd)
	}
}

func one(b array.Builder, rnd *rand.Rand) {
	switch b := b.(type) {
	case *array.ListBuilder:
		b.Append(true)
		fill(b.ValueBuilder(), rnd.IntN(4), rnd)
	case *array.LargeListBuilder:
		b.Append(true)
		fill(b.ValueBuilder(), rnd.IntN(4), rnd)
	case *array.ListViewBuilder:
		k := rnd.IntN(4)
		b.AppendWithSize(true, k)
		fill(b.ValueBuilder(), k, rnd)
	case *array.FixedSizeListBuilder:
		b.Append(true)
		fill(b.ValueBuilder(), int(b.Type().(*arrow.FixedSizeListType).Len()), rnd)
	case *array.MapBuilder:
		b.Append(true)
		for range rnd.IntN(3) {
			one(b.KeyBuilder(), rnd)
			fill(b.ItemBuilder(), 1, rnd)
		}
	case *array.StructBuilder:
		b.Append(true)
		for i := range b.NumField() {
			fill(b.FieldBuilder(i), 1, rnd)
		}
	case *array.BinaryDictionaryBuilder:
		_ = b.AppendString([]string{"red", "green", "blue"}[rnd.IntN(3)])
	case *array.StringBuilder:
		b.Append(text(rnd))
	case *array.LargeStringBuilder:
		b.Append(text(rnd))
	case *array.StringViewBuilder:
		b.Append(text(rnd))
	case *array.NullBuilder:
		b.AppendNull()
	case *array.BinaryBuilder:
		b.Append([]byte(text(rnd)))
	case *array.FixedSizeBinaryBuilder:
		b.Append(make([]byte, b.Type().(*arrow.FixedSizeBinaryType).ByteWidth))
	default:
		b.AppendEmptyValue()
	}
}

func text(rnd *rand.Rand) string {
	return fmt.Sprintf("%0*d", rnd.IntN(30), rnd.Uint32())
}

// types are all that the guard must let through.
func types() []arrow.DataType {
	return []arrow.DataType{
		arrow.FixedWidthTypes.Boolean, arrow.PrimitiveTypes.Int8, arrow.PrimitiveTypes.Uint16, arrow.PrimitiveTypes.Int32,
		arrow.PrimitiveTypes.Uint64, arrow.FixedWidthTypes.Float16, arrow.PrimitiveTypes.Float32, arrow.PrimitiveTypes.Float64,
		arrow.BinaryTypes.String, arrow.BinaryTypes.Binary, arrow.BinaryTypes.LargeString, arrow.BinaryTypes.StringView,
		arrow.FixedWidthTypes.Date32, arrow.FixedWidthTypes.Date64, arrow.FixedWidthTypes.Time32ms, arrow.FixedWidthTypes.Time64us,
		arrow.FixedWidthTypes.Timestamp_us, arrow.FixedWidthTypes.Duration_ns, arrow.FixedWidthTypes.MonthInterval,
		arrow.FixedWidthTypes.DayTimeInterval, arrow.FixedWidthTypes.MonthDayNanoInterval, arrow.Null,
		&arrow.Decimal128Type{Precision: 38, Scale: 4}, &arrow.Decimal256Type{Precision: 50, Scale: 2},
		&arrow.FixedSizeBinaryType{ByteWidth: 16}, arrow.ListOf(arrow.PrimitiveTypes.Int64), arrow.LargeListOf(arrow.BinaryTypes.String),
		arrow.ListViewOf(arrow.PrimitiveTypes.Int32), arrow.FixedSizeListOf(3, arrow.PrimitiveTypes.Float32),
		arrow.MapOf(arrow.BinaryTypes.String, arrow.PrimitiveTypes.Int32),
		arrow.StructOf(arrow.Field{Name: "a", Type: arrow.PrimitiveTypes.Int32, Nullable: true},
			arrow.Field{Name: "b", Type: arrow.ListOf(arrow.BinaryTypes.String), Nullable: true}),
		&arrow.DictionaryType{IndexType: arrow.PrimitiveTypes.Int16, ValueType: arrow.BinaryTypes.String},
		arrow.SparseUnionOf([]arrow.Field{{Name: "i", Type: arrow.PrimitiveTypes.Int32, Nullable: true}, {Name: "s", Type: arrow.BinaryTypes.String, Nullable: true}}, []arrow.UnionTypeCode{0, 1}),
		arrow.DenseUnionOf([]arrow.Field{{Name: "i", Type: arrow.PrimitiveTypes.Int32, Nullable: true}, {Name: "s", Type: arrow.BinaryTypes.String, Nullable: true}}, []arrow.UnionTypeCode{3, 9}),
	}
}

// record has one column of each of dts and n rows.
func record(dts []arrow.DataType, n int, seed uint64) arrow.RecordBatch {
	fields := make([]arrow.Field, len(dts))
	for i, dt := range dts {
		fields[i] = arrow.Field{Name: fmt.Sprintf("c%d", i), Type: dt, Nullable: true}
	}
	meta := arrow.NewMetadata([]string{"made by"}, []string{"a test"})
	b := array.NewRecordBuilder(memory.DefaultAllocator, arrow.NewSchema(fields, &meta))
	defer b.Release()
	rnd := rand.New(rand.NewPCG(seed, 1))
	for _, f := range b.Fields() {
		fill(f, n, rnd)
	}
	return b.NewRecordBatch()
}
