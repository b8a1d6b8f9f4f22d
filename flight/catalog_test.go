package flight

import (
	"io"
	"slices"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/flight"
	"github.com/apache/arrow-go/v18/arrow/flight/flightsql"
	pb "github.com/apache/arrow-go/v18/arrow/flight/gen/flight"
	"github.com/apache/arrow-go/v18/arrow/memory"
)

func TestCatalogCommands(t *testing.T) {
	_, addr := start(t, Options{})
	c := dial(t, addr)
	ref := flightsql.TableRef{Table: "clicks"}
	for name, ask := range map[string]func() (*flight.FlightInfo, error){
		"catalogs":        func() (*flight.FlightInfo, error) { return c.GetCatalogs(bg) },
		"schemas":         func() (*flight.FlightInfo, error) { return c.GetDBSchemas(bg, &flightsql.GetDBSchemasOpts{}) },
		"table types":     func() (*flight.FlightInfo, error) { return c.GetTableTypes(bg) },
		"primary keys":    func() (*flight.FlightInfo, error) { return c.GetPrimaryKeys(bg, ref) },
		"exported keys":   func() (*flight.FlightInfo, error) { return c.GetExportedKeys(bg, ref) },
		"imported keys":   func() (*flight.FlightInfo, error) { return c.GetImportedKeys(bg, ref) },
		"cross reference": func() (*flight.FlightInfo, error) { return c.GetCrossReference(bg, ref, ref) },
		"types":           func() (*flight.FlightInfo, error) { return c.GetXdbcTypeInfo(bg, nil) },
		"one type":        func() (*flight.FlightInfo, error) { code := int32(xdbcBigint); return c.GetXdbcTypeInfo(bg, &code) },
	} {
		info, err := ask()
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		recs, err := collect(t, c, info)
		want := map[string]int64{"catalogs": 1, "schemas": 1, "table types": 3, "types": int64(len(sqlTypes)), "one type": 1}[name]
		if err != nil || rowsOf(recs) != want {
			t.Errorf("%s: %d rows, %v", name, rowsOf(recs), err)
		}
	}
}

func TestGetTables(t *testing.T) {
	_, addr := start(t, Options{})
	c := dial(t, addr)
	names := func(o *flightsql.GetTablesOpts) []string {
		t.Helper()
		info, err := c.GetTables(bg, o)
		if err != nil {
			t.Fatal(err)
		}
		recs, err := collect(t, c, info)
		if err != nil {
			t.Fatal(err)
		}
		var out []string
		for _, rec := range recs {
			for i := range int(rec.NumRows()) {
				out = append(out, rec.Column(2).(*array.String).Value(i))
			}
		}
		return out
	}
	text := func(s string) *string { return &s }
	both := []string{"clicks", "click_counts"}
	for _, c := range []struct {
		opts *flightsql.GetTablesOpts
		want []string
	}{
		{&flightsql.GetTablesOpts{}, both},
		{&flightsql.GetTablesOpts{Catalog: text("spark_catalog"), DbSchemaFilterPattern: text("def%")}, both},
		{&flightsql.GetTablesOpts{Catalog: text("other")}, nil},
		{&flightsql.GetTablesOpts{TableNameFilterPattern: text(`click\_%`)}, []string{"click_counts"}},
		{&flightsql.GetTablesOpts{TableTypes: []string{"table"}}, []string{"clicks"}},
		{&flightsql.GetTablesOpts{TableTypes: []string{"base table", "view"}}, both},
	} {
		if got := names(c.opts); !slices.Equal(got, c.want) {
			t.Errorf("%+v: got %v", c.opts, got)
		}
	}
}

func TestTableSchemas(t *testing.T) {
	_, addr := start(t, Options{})
	c := dial(t, addr)
	info, err := c.GetTables(bg, &flightsql.GetTablesOpts{IncludeSchema: true})
	if err != nil {
		t.Fatal(err)
	}
	recs, err := collect(t, c, info)
	if err != nil {
		t.Fatal(err)
	}
	raw := recs[0].Column(4).(*array.Binary).Value(0)
	if slices.Equal(raw[len(raw)-8:], []byte{0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0}) {
		t.Error("the schema is a whole stream, not a message")
	}
	schema, err := flight.DeserializeSchema(raw, memory.DefaultAllocator)
	if err != nil {
		t.Fatal(err)
	}
	columnMD := schema.Field(1).Metadata
	md := flightsql.ColumnMetadata{Data: &columnMD}
	name, _ := md.TypeName()
	precision, _ := md.Precision()
	scale, _ := md.Scale()
	if name != "DECIMAL" || precision != 10 || scale != 2 || schema.Field(0).Type.ID() != arrow.TIMESTAMP {
		t.Errorf("got %s(%d, %d) in %v", name, precision, scale, schema)
	}
}

// A driver that misses a code may crash: every code of the protocol is there.
func TestSQLInfo(t *testing.T) {
	_, addr := start(t, Options{Version: "1.2.3"})
	c := dial(t, addr)
	ask := func(codes ...flightsql.SqlInfo) map[uint32]any {
		t.Helper()
		info, err := c.GetSqlInfo(bg, codes)
		if err != nil {
			t.Fatal(err)
		}
		r, err := c.DoGet(bg, info.Endpoint[0].Ticket)
		if err != nil {
			t.Fatal(err)
		}
		defer r.Release()
		out := map[uint32]any{}
		for {
			rec, err := r.Read()
			if err == io.EOF {
				return out
			}
			if err != nil {
				t.Fatal(err)
			}
			u := rec.Column(1).(*array.DenseUnion)
			for i := range int(rec.NumRows()) {
				child := u.Field(u.ChildID(i))
				out[rec.Column(0).(*array.Uint32).Value(i)] = child.GetOneForMarshal(int(u.ValueOffset(i)))
			}
		}
	}
	all := ask()
	for code, name := range pb.SqlInfo_name {
		if _, ok := all[uint32(code)]; !ok {
			t.Errorf("%s (%d) is missing", name, code)
		}
	}
	some := ask(flightsql.SqlInfoFlightSqlServerTransaction, flightsql.SqlInfoFlightSqlServerVersion, 999_999)
	if len(some) != 2 || some[uint32(flightsql.SqlInfoFlightSqlServerTransaction)] != int32(0) || some[uint32(flightsql.SqlInfoFlightSqlServerVersion)] != "1.2.3" {
		t.Errorf("got %v", some)
	}
	if none := ask(999_999); len(none) != 0 {
		t.Errorf("got %v", none)
	}
}

func TestListActions(t *testing.T) {
	_, addr := start(t, Options{})
	stream, err := dial(t, addr).Client.ListActions(bg, &flight.Empty{})
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for {
		a, err := stream.Recv()
		if err == io.EOF {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, a.Type)
	}
	for _, want := range []string{"CreatePreparedStatement", "ClosePreparedStatement", "CancelFlightInfo", "CancelQuery", "RenewFlightEndpoint", "SetSessionOptions", "GetSessionOptions", "CloseSession"} {
		if !slices.Contains(got, want) {
			t.Errorf("%s is missing", want)
		}
	}
}
