package flight

import (
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/flight"
	"github.com/apache/arrow-go/v18/arrow/flight/flightsql"
	pb "github.com/apache/arrow-go/v18/arrow/flight/gen/flight"
	"github.com/apache/arrow-go/v18/arrow/ipc"
	"github.com/apache/arrow-go/v18/arrow/memory"
	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/anypb"
)

func ingestOptions(table string, makes bool, exists pb.CommandStatementIngest_TableDefinitionOptions_TableExistsOption) *flightsql.ExecuteIngestOpts {
	o := &flightsql.TableDefinitionOptions{IfNotExist: flightsql.TableDefinitionOptionsTableNotExistOptionFail, IfExists: exists}
	if makes {
		o.IfNotExist = flightsql.TableDefinitionOptionsTableNotExistOptionCreate
	}
	return &flightsql.ExecuteIngestOpts{Table: table, TableDefinitionOptions: o}
}

func reader(t *testing.T, recs ...arrow.RecordBatch) array.RecordReader {
	t.Helper()
	r, err := array.NewRecordReader(recs[0].Schema(), recs)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestIngestModes(t *testing.T) {
	f, addr := start(t, Options{})
	c := dial(t, addr)
	for _, m := range []struct {
		makes  bool
		exists pb.CommandStatementIngest_TableDefinitionOptions_TableExistsOption
		want   IngestMode
	}{
		{true, flightsql.TableDefinitionOptionsTableExistsOptionFail, IngestCreate},
		{false, flightsql.TableDefinitionOptionsTableExistsOptionAppend, IngestAppend},
		{true, flightsql.TableDefinitionOptionsTableExistsOptionReplace, IngestReplace},
		{true, flightsql.TableDefinitionOptionsTableExistsOptionAppend, IngestCreateAppend},
	} {
		n, err := c.ExecuteIngest(bg, reader(t, numbers(1, 2, 3), numbers(), numbers(4)), ingestOptions("t", m.makes, m.exists))
		if err != nil || n != 4 || f.lastMode != m.want {
			t.Fatalf("got %d rows, mode %v, %v", n, f.lastMode, err)
		}
	}
	if f.ingested["t"] != 16 {
		t.Fatalf("the table has %d rows", f.ingested["t"])
	}
	for _, opt := range []ipc.Option{ipc.WithZstd(), ipc.WithLZ4()} {
		if n, err := c.ExecuteIngestWithIPC(bg, reader(t, numbers(make([]int64, 10_000)...)), ingestOptions("z", true, flightsql.TableDefinitionOptionsTableExistsOptionAppend), []ipc.Option{opt}); err != nil || n != 10_000 {
			t.Fatalf("compressed: got %d rows, %v", n, err)
		}
	}
	o := ingestOptions("t", true, flightsql.TableDefinitionOptionsTableExistsOptionAppend)
	o.Temporary = true
	_, err := c.ExecuteIngest(bg, reader(t, numbers(1)), o)
	wantCode(t, err, codes.Unimplemented, "temporary")
	o.Temporary, o.Catalog = false, proto.String("nowhere")
	_, err = c.ExecuteIngest(bg, reader(t, numbers(1)), o)
	wantCode(t, err, codes.NotFound, "[CATALOG_NOT_FOUND]")
}

// A client that has nothing to ingest sends no message at all.
func TestIngestOfNothing(t *testing.T) {
	_, addr := start(t, Options{})
	stream, err := dial(t, addr).Client.DoPut(bg)
	if err != nil {
		t.Fatal(err)
	}
	if err := stream.CloseSend(); err != nil {
		t.Fatal(err)
	}
	_, err = stream.Recv()
	wantCode(t, err, codes.InvalidArgument, "ended before its first message")
}

func TestDictionariesAreNotBombs(t *testing.T) {
	_, addr := start(t, Options{})
	dt := &arrow.DictionaryType{IndexType: arrow.PrimitiveTypes.Int32, ValueType: arrow.BinaryTypes.String}
	b := array.NewDictionaryBuilder(memory.DefaultAllocator, dt).(*array.BinaryDictionaryBuilder)
	for range 100_000 {
		if err := b.AppendString(strings.Repeat("x", 20_000)); err != nil {
			t.Fatal(err)
		}
	}
	rec := array.NewRecordBatch(arrow.NewSchema([]arrow.Field{{Name: "d", Type: dt}}, nil), []arrow.Array{b.NewArray()}, 100_000)
	_, err := dial(t, addr).ExecuteIngest(bg, reader(t, rec), ingestOptions("t", true, flightsql.TableDefinitionOptionsTableExistsOptionAppend))
	wantCode(t, err, codes.ResourceExhausted, "dictionaries are written out")
}

// F5: damaged messages in DoPut are refused and the server lives.
func TestDamagedPuts(t *testing.T) {
	_, addr := start(t, Options{})
	c := dial(t, addr)
	var good []*flight.FlightData
	w := flight.NewRecordWriter(sendFunc(func(d *flight.FlightData) error {
		good = append(good, &flight.FlightData{DataHeader: append([]byte(nil), d.DataHeader...), DataBody: append([]byte(nil), d.DataBody...)})
		return nil
	}), ipc.WithSchema(numbers().Schema()))
	if err := w.Write(numbers(1, 2, 3)); err != nil {
		t.Fatal(err)
	}
	cmd, err := anypb.New((*pb.CommandStatementIngest)(ingestOptions("t", true, flightsql.TableDefinitionOptionsTableExistsOptionAppend)))
	if err != nil {
		t.Fatal(err)
	}
	packed, err := proto.Marshal(cmd)
	if err != nil {
		t.Fatal(err)
	}
	put := func(ds ...*flight.FlightData) error {
		stream, err := c.Client.DoPut(bg)
		if err != nil {
			return err
		}
		for i, d := range ds {
			m := &flight.FlightData{DataHeader: d.DataHeader, DataBody: d.DataBody}
			if i == 0 {
				m.FlightDescriptor = &flight.FlightDescriptor{Type: flight.DescriptorCMD, Cmd: packed}
			}
			if stream.Send(m) != nil {
				break // the answer has the reason
			}
		}
		_ = stream.CloseSend()
		_, err = stream.Recv()
		return err
	}
	if err := put(good...); err != nil {
		t.Fatal(err)
	}
	wantCode(t, put(good[0], &flight.FlightData{}, good[1]), codes.InvalidArgument, "header is empty")
	wantCode(t, put(good[1]), codes.InvalidArgument, "before the schema")
	rnd := rand.New(rand.NewPCG(1, 2))
	for range 300 {
		d := &flight.FlightData{DataHeader: append([]byte(nil), good[0].DataHeader...)}
		for range 1 + rnd.IntN(3) {
			d.DataHeader[rnd.IntN(len(d.DataHeader))] = byte(rnd.Uint32())
		}
		if err := put(d, good[1]); err != nil {
			wantNoInternal(t, err)
		}
	}
	if n, err := c.ExecuteIngest(bg, reader(t, numbers(1)), ingestOptions("t", true, flightsql.TableDefinitionOptionsTableExistsOptionAppend)); err != nil || n != 1 {
		t.Fatalf("afterwards: %d, %v", n, err)
	}
	// Rubbish where a command belongs.
	stream, err := c.Client.DoPut(bg)
	if err != nil {
		t.Fatal(err)
	}
	if err := stream.Send(&flight.FlightData{DataHeader: good[0].DataHeader}); err != nil {
		t.Fatal(err)
	}
	_, err = stream.Recv()
	wantCode(t, err, codes.InvalidArgument, "no descriptor")
}

func wantNoInternal(t *testing.T, err error) {
	t.Helper()
	if strings.Contains(err.Error(), "ran into a bug") {
		t.Fatal(err)
	}
}

type sendFunc func(*flight.FlightData) error

func (f sendFunc) Send(d *flight.FlightData) error { return f(d) }
