package flight

import (
	"context"
	"strings"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"google.golang.org/grpc/metadata"
)

// zoneSetting is the session's setting that serves timestamps without their zone,
// zoneHeader the header that does so for one call: the JDBC driver, whose getObject
// fails on timestamps with a zone, sends what it does not know of its URL as headers.
const (
	zoneSetting = "flightd.client.timestampzone"
	zoneHeader  = "x-flightd-timestamp-zone"
)

// withoutZone reports whether the client of a call wants timestamps without a zone.
func withoutZone(ctx context.Context, ses *session) bool {
	md, _ := metadata.FromIncomingContext(ctx)
	for _, v := range md.Get(zoneHeader) {
		return strings.EqualFold(v, "none")
	}
	return strings.EqualFold(ses.Settings()[zoneSetting], "none")
}

// A zoneless is a statement whose result has the same instants as UTC without a zone.
type zoneless struct{ Statement }

// Schema is that of the result.
func (z zoneless) Schema() *arrow.Schema { return zonelessSchema(z.Statement.Schema()) }

// HasEffect is that of the statement.
func (z zoneless) HasEffect() bool {
	e, ok := z.Statement.(interface{ HasEffect() bool })
	return ok && e.HasEffect()
}

// Endless is that of the statement.
func (z zoneless) Endless() bool {
	e, ok := z.Statement.(interface{ Endless() bool })
	return ok && e.Endless()
}

// Execute runs the statement.
func (z zoneless) Execute(ctx context.Context, params arrow.RecordBatch) (Rows, error) {
	rows, err := z.Statement.Execute(ctx, params)
	if err != nil {
		return nil, err
	}
	return zonelessRows(rows), nil
}

// Epochs are those of the statement.
func (z zoneless) Epochs(ctx context.Context) (epochs, error) {
	steps, ok := z.Statement.(stepwise)
	if !ok {
		return nil, nil
	}
	all, err := steps.Epochs(ctx)
	if all == nil || err != nil {
		return nil, err
	}
	return zonelessEpochs{all}, nil
}

type zonelessEpochs struct{ epochs }

// Rows are those of one epoch.
func (z zonelessEpochs) Rows(ctx context.Context, epoch int64) (Rows, error) {
	rows, err := z.epochs.Rows(ctx, epoch)
	if err != nil {
		return nil, err
	}
	return zonelessRows(rows), nil
}

func zonelessRows(rows Rows) Rows {
	to := zonelessSchema(rows.Schema())
	if live, ok := rows.(Live); ok {
		return &zonelessLive{live, to}
	}
	return &zonelessPlain{rows, to}
}

type zonelessPlain struct {
	Rows
	schema *arrow.Schema
}

// Schema is that of the rows.
func (z *zonelessPlain) Schema() *arrow.Schema { return z.schema }

// Next returns the next record batch.
func (z *zonelessPlain) Next(ctx context.Context) (arrow.RecordBatch, error) {
	return retyped(ctx, z.Rows, z.schema)
}

type zonelessLive struct {
	Live
	schema *arrow.Schema
}

// Schema is that of the rows.
func (z *zonelessLive) Schema() *arrow.Schema { return z.schema }

// Next returns the next record batch.
func (z *zonelessLive) Next(ctx context.Context) (arrow.RecordBatch, error) {
	return retyped(ctx, z.Live, z.schema)
}

// KeepTurn and GiveWay are those of the rows. What several readers share is not: it has
// the zone.
func (z *zonelessLive) KeepTurn() {
	if t, ok := z.Live.(inTurns); ok {
		t.KeepTurn()
	}
}

// GiveWay lets another subscriber work.
func (z *zonelessLive) GiveWay() {
	if t, ok := z.Live.(inTurns); ok {
		t.GiveWay()
	}
}

// retyped returns the next record batch of rows with the schema's types, over the same
// buffers.
func retyped(ctx context.Context, rows Rows, schema *arrow.Schema) (arrow.RecordBatch, error) {
	rec, err := rows.Next(ctx)
	if err != nil {
		return nil, err
	}
	defer rec.Release()
	cols := make([]arrow.Array, rec.NumCols())
	for i, col := range rec.Columns() {
		data := retypedData(col.Data(), schema.Field(i).Type)
		cols[i] = array.MakeFromData(data)
		data.Release()
		defer cols[i].Release()
	}
	return array.NewRecordBatch(schema, cols, rec.NumRows()), nil
}

func retypedData(d arrow.ArrayData, t arrow.DataType) arrow.ArrayData {
	children := make([]arrow.ArrayData, len(d.Children()))
	var types []arrow.DataType
	switch t := t.(type) {
	case *arrow.MapType: // its fields are those of its entries
		types = []arrow.DataType{t.Elem()}
	case arrow.NestedType:
		for _, f := range t.Fields() {
			types = append(types, f.Type)
		}
	}
	for i, c := range d.Children() {
		children[i] = retypedData(c, types[i])
		defer children[i].Release()
	}
	return array.NewData(t, d.Len(), d.Buffers(), children, d.NullN(), d.Offset())
}

// zonelessSchema takes the zones off the timestamps of a schema, those of members
// included.
func zonelessSchema(s *arrow.Schema) *arrow.Schema {
	fields := s.Fields()
	for i := range fields {
		fields[i].Type = zonelessType(fields[i].Type)
	}
	md := s.Metadata()
	return arrow.NewSchema(fields, &md)
}

func zonelessType(t arrow.DataType) arrow.DataType {
	field := func(f arrow.Field) arrow.Field {
		f.Type = zonelessType(f.Type)
		return f
	}
	switch t := t.(type) {
	case *arrow.TimestampType:
		return &arrow.TimestampType{Unit: t.Unit}
	case *arrow.ListType:
		return arrow.ListOfField(field(t.ElemField()))
	case *arrow.MapType:
		m := arrow.MapOfFields(field(t.KeyField()), field(t.ItemField()))
		m.KeysSorted = t.KeysSorted
		return m
	case *arrow.StructType:
		fields := make([]arrow.Field, t.NumFields())
		for i, f := range t.Fields() {
			fields[i] = field(f)
		}
		return arrow.StructOf(fields...)
	}
	return t
}
