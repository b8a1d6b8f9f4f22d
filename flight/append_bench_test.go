package flight

import (
	"fmt"
	"net"
	"path/filepath"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/flight"
	"github.com/apache/arrow-go/v18/arrow/flight/flightsql"
	"github.com/apache/arrow-go/v18/arrow/ipc"
	"github.com/apache/arrow-go/v18/arrow/memory"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"

	"github.com/flightd/flightd"
)

// BenchmarkAppend is durable ingest over one connection: rows of 64 bytes in record
// batches of 64 Ki rows, synced. Client and server share the processors.
func BenchmarkAppend(b *testing.B) {
	eng, err := flightd.Open(bg, flightd.Options{DataDir: filepath.Join(b.TempDir(), "data")})
	if err != nil {
		b.Fatal(err)
	}
	defer eng.Close()
	if _, err := eng.NewSession().Execute(bg, "CREATE TABLE t (a BIGINT, b BIGINT, c BIGINT, d BIGINT, e BIGINT, f BIGINT, g BIGINT, h BIGINT) USING flight OPTIONS ('retentionBytes' = '1000000000')"); err != nil {
		b.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	s := New(Engine(eng), Options{})
	go s.Serve(l)
	defer s.Stop(bg)
	c, err := flightsql.NewClient(l.Addr().String(), nil, nil, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		b.Fatal(err)
	}
	defer c.Close()
	const rows = 64 << 10
	var fields []arrow.Field
	var cols []arrow.Array
	for i := range 8 {
		col := array.NewInt64Builder(memory.DefaultAllocator)
		for n := range int64(rows) {
			col.Append(n * int64(i+1) * 0x9E3779B97F4A7C)
		}
		fields, cols = append(fields, arrow.Field{Name: string(rune('a' + i)), Type: arrow.PrimitiveTypes.Int64, Nullable: true}), append(cols, col.NewArray())
	}
	rec := array.NewRecordBatch(arrow.NewSchema(fields, nil), cols, rows)
	b.SetBytes(rows * 64)
	b.ResetTimer()
	stream, err := c.Client.DoPut(bg)
	if err != nil {
		b.Fatal(err)
	}
	w := flight.NewRecordWriter(stream, ipc.WithSchema(rec.Schema()))
	w.SetFlightDescriptor(&flight.FlightDescriptor{Type: flight.DescriptorPATH, Path: []string{"t"}})
	acks := 0
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			if _, err := stream.Recv(); err != nil {
				return
			}
			acks++
		}
	}()
	for i := range b.N {
		if err := w.WriteWithAppMetadata(rec, fmt.Appendf(nil, `{"producer":"p","seq":%d}`, i)); err != nil {
			b.Fatal(err)
		}
	}
	_ = w.Close()
	_ = stream.CloseSend()
	<-done
	b.ReportMetric(float64(b.N)*rows/b.Elapsed().Seconds()/1e6, "Mrows/s")
	b.ReportMetric(float64(b.N)/float64(max(acks, 1)), "batches/ack")
}
