package flight

import (
	"bytes"
	"io"
	"log/slog"
	"net"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/flight"
	"github.com/apache/arrow-go/v18/arrow/flight/flightsql"
	pb "github.com/apache/arrow-go/v18/arrow/flight/gen/flight"
	"github.com/apache/arrow-go/v18/arrow/memory"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
)

// oneValue runs a statement of an engine and returns its one value as text.
func oneValue(t *testing.T, c *flightsql.Client, text string) string {
	t.Helper()
	recs, err := collect(t, c, mustInfo(t, c, text))
	if err != nil || rowsOf(recs) != 1 {
		t.Fatalf("%s: %d rows, %v", text, rowsOf(recs), err)
	}
	return recs[0].Column(0).ValueStr(0)
}

// Preparing has no effect, and tells what there will be: the result's schema for a
// query, none for an update, the parameters.
func TestPrepareHasNoEffect(t *testing.T) {
	c := dial(t, startEngine(t))
	if _, err := c.ExecuteUpdate(bg, "CREATE TABLE t (n BIGINT, s STRING)"); err != nil {
		t.Fatal(err)
	}
	for _, x := range []struct {
		text         string
		update       bool
		fields, want int
	}{
		{"SELECT n, s FROM t WHERE n > ?", false, 2, 1},
		{"INSERT INTO t VALUES (?, ?)", true, 0, 2},
		{"INSERT INTO t SELECT 1, 'a'", true, 0, 0},
		{"CREATE TABLE u AS SELECT 1 AS n", true, 0, 0},
		{"DROP TABLE t", true, 0, 0},
		{"CREATE TEMPORARY VIEW v AS SELECT 1", true, 0, 0},
		{"SET spark.sql.session.timeZone = Asia/Tokyo", false, 2, 0},
		{"SHOW TABLES", false, -1, 0},
		{"EXPLAIN SELECT 1", false, 1, 0},
	} {
		p, err := c.Prepare(bg, x.text)
		if err != nil {
			t.Fatalf("%s: %v", x.text, err)
		}
		if (p.DatasetSchema() == nil) != x.update || !x.update && x.fields >= 0 && p.DatasetSchema().NumFields() != x.fields || p.ParameterSchema().NumFields() != x.want {
			t.Errorf("%s: %v, %v", x.text, p.DatasetSchema(), p.ParameterSchema())
		}
		if err := p.Close(bg); err != nil {
			t.Error(err)
		}
	}
	for text, want := range map[string]string{"SELECT count(*) FROM t": "0", "SELECT current_timezone()": "Etc/UTC"} {
		if got := oneValue(t, c, text); got != want && got != "UTC" {
			t.Errorf("%s: %s", text, got)
		}
	}
	for _, gone := range []string{"SELECT 1 FROM u", "SELECT 1 FROM v"} {
		if _, err := c.Execute(bg, gone); err == nil {
			t.Errorf("%s runs", gone)
		}
	}
}

// Every FlightInfo has a schema, one endpoint, no made-up totals, its descriptor; it
// says that its rows are ordered, and every message of a result has a header: no client
// is sent metadata alone.
func TestFlightInfos(t *testing.T) {
	c := dial(t, startEngine(t))
	infos := map[string]*flight.FlightInfo{}
	for _, text := range []string{"SELECT 1 AS n", "SELECT id FROM range(100000)", "SELECT 1 WHERE false", "CREATE TABLE t AS SELECT 1 AS n", "INSERT INTO t VALUES (2)", "SHOW TABLES", "SET"} {
		infos[text] = mustInfo(t, c, text)
	}
	var err error
	if infos["tables"], err = c.GetTables(bg, &flightsql.GetTablesOpts{IncludeSchema: true}); err != nil {
		t.Fatal(err)
	}
	for text, info := range infos {
		if !info.Ordered || len(info.Schema) == 0 || info.TotalBytes != -1 || len(info.Endpoint[0].Location) != 0 {
			t.Errorf("%s: %v", text, info)
		}
		if _, err := collect(t, c, info); err != nil {
			t.Errorf("%s: %v", text, err)
		}
		stream, err := c.Client.DoGet(bg, info.Endpoint[0].Ticket)
		if err != nil {
			t.Fatal(err)
		}
		for {
			d, err := stream.Recv()
			if err == io.EOF {
				break
			}
			if err != nil {
				t.Fatal(err)
			}
			if len(d.DataHeader) == 0 {
				t.Errorf("%s: a message without a header", text)
			}
		}
	}
}

// The columns of the catalog's results, with names and nullability that drivers
// compare.
func TestCatalogSchemas(t *testing.T) {
	c := dial(t, startEngine(t))
	shown := func(info *flight.FlightInfo, err error) string {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		s, err := flight.DeserializeSchema(info.Schema, memory.DefaultAllocator)
		if err != nil {
			t.Fatal(err)
		}
		var out []string
		for _, f := range s.Fields() {
			null := ""
			if f.Nullable {
				null = "?"
			}
			out = append(out, f.Name+null)
		}
		return strings.Join(out, " ")
	}
	const keys = "pk_catalog_name? pk_db_schema_name? pk_table_name pk_column_name fk_catalog_name? fk_db_schema_name? fk_table_name fk_column_name key_sequence fk_key_name? pk_key_name? update_rule delete_rule"
	ref := flightsql.TableRef{Table: "t"}
	for _, x := range []struct{ got, want string }{
		{shown(c.GetCatalogs(bg)), "catalog_name"},
		{shown(c.GetDBSchemas(bg, &flightsql.GetDBSchemasOpts{})), "catalog_name? db_schema_name"},
		{shown(c.GetTables(bg, &flightsql.GetTablesOpts{})), "catalog_name? db_schema_name? table_name table_type"},
		{shown(c.GetTables(bg, &flightsql.GetTablesOpts{IncludeSchema: true})), "catalog_name? db_schema_name? table_name table_type table_schema"},
		{shown(c.GetTableTypes(bg)), "table_type"},
		{shown(c.GetSqlInfo(bg, nil)), "info_name value"},
		{shown(c.GetPrimaryKeys(bg, ref)), "catalog_name? db_schema_name? table_name column_name key_sequence key_name?"},
		{shown(c.GetExportedKeys(bg, ref)), keys},
		{shown(c.GetImportedKeys(bg, ref)), keys},
		{shown(c.GetCrossReference(bg, ref, ref)), keys},
	} {
		if x.got != x.want {
			t.Errorf("got  %s\nwant %s", x.got, x.want)
		}
	}
}

// The values of SqlInfo have the types that drivers cast them to.
func TestSQLInfoTypes(t *testing.T) {
	c := dial(t, startEngine(t))
	info, err := c.GetSqlInfo(bg, nil)
	if err != nil {
		t.Fatal(err)
	}
	recs, err := collect(t, c, info)
	if err != nil {
		t.Fatal(err)
	}
	children := map[string]arrow.UnionTypeCode{}
	for _, rec := range recs {
		u := rec.Column(1).(*array.DenseUnion)
		for i := range int(rec.NumRows()) {
			children[pb.SqlInfo(rec.Column(0).(*array.Uint32).Value(i)).String()] = u.TypeCode(i)
		}
	}
	const text, boolean, long, integer, list, conversions = 0, 1, 2, 3, 4, 5
	for name, want := range map[string]arrow.UnionTypeCode{
		"FLIGHT_SQL_SERVER_NAME": text, "FLIGHT_SQL_SERVER_READ_ONLY": boolean, "FLIGHT_SQL_SERVER_TRANSACTION": integer, "SQL_IDENTIFIER_QUOTE_CHAR": text,
		"SQL_KEYWORDS": list, "SQL_NUMERIC_FUNCTIONS": list, "SQL_SUPPORTS_CONVERT": conversions, "SQL_MAX_ROW_SIZE": long, "SQL_MAX_STATEMENT_LENGTH": long,
		"SQL_SUPPORTED_GROUP_BY": integer, "SQL_SUPPORTED_UNIONS": integer, "SQL_SUPPORTED_GRAMMAR": integer, "SQL_TRANSACTIONS_SUPPORTED": boolean,
		"SQL_DEFAULT_TRANSACTION_ISOLATION": long, "SQL_SUPPORTED_TRANSACTIONS_ISOLATION_LEVELS": integer, "SQL_SCHEMA_TERM": text, "SQL_NULL_ORDERING": integer,
	} {
		if got, ok := children[name]; !ok || got != want {
			t.Errorf("%s is child %d, want %d", name, got, want)
		}
	}
}

// What Grafana's plugin sends: a health check, table types as it spells them, and
// macros with date_bin, datepart and RFC 3339 times.
func TestGrafana(t *testing.T) {
	c := dial(t, startEngine(t))
	if _, err := c.ExecuteUpdate(bg, "CREATE TABLE m AS SELECT TIMESTAMP '2024-01-01T00:00:17Z' AS time, TIMESTAMP_NTZ '2024-01-01 00:00:17' AS ntz, 1.5D AS v"); err != nil {
		t.Fatal(err)
	}
	info, err := c.GetTables(bg, &flightsql.GetTablesOpts{TableTypes: []string{"BASE TABLE", "table"}})
	if err != nil {
		t.Fatal(err)
	}
	if recs, err := collect(t, c, info); err != nil || rowsOf(recs) != 1 || recs[0].Column(3).ValueStr(0) != "BASE TABLE" {
		t.Fatalf("got %v, %v", recs, err)
	}
	for text, want := range map[string]string{
		"select 1": "1",
		"select v from m where time >= cast('2024-01-01T00:00:00Z' as timestamp) and time <= cast('2024-01-01T00:01:00.5Z' as timestamp)":             "1.5",
		"select v from m where time + interval '5 second' > cast('2024-01-01T00:00:20Z' as timestamp)":                                                "1.5",
		"select cast(date_bin(interval '10 second', time, timestamp '1970-01-01T00:00:00Z') as string) as time from m group by 1":                     "2024-01-01 00:00:10",
		"select cast(date_bin(interval '10 second', ntz, timestamp '1970-01-01T00:00:00Z') as string) from m":                                         "2024-01-01 00:00:10",
		"select cast(date_bin(interval '1 month', cast(time as date)) as string) from m":                                                              "2024-01-01 00:00:00",
		"select datepart('minute', time) + datepart('second', ntz) from m":                                                                            "17",
		"select sum(v) from m group by date_bin(interval '60 second', time, timestamp '1970-01-01T00:00:00Z') having min(time) < current_timestamp()": "1.5",
	} {
		if got := oneValue(t, c, text); got != want {
			t.Errorf("%s\n got %s, want %s", text, got, want)
		}
	}
	if got := oneValue(t, c, "SHOW FUNCTIONS LIKE 'date_bin'"); got != "date_bin" {
		t.Errorf("SHOW FUNCTIONS has %s", got)
	}
}

// A result's schema comes before rows that take long: clients give their users the
// result then, who can cancel it.
func TestSchemaComesFirst(t *testing.T) {
	f, addr := start(t, Options{Quiet: time.Hour})
	c := dial(t, addr)
	info := mustInfo(t, c, "WAIT")
	r, err := c.DoGet(bg, info.Endpoint[0].Ticket)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Release()
	if r.Schema().NumFields() != 1 {
		t.Fatalf("got %v", r.Schema())
	}
	if _, err := c.CancelFlightInfo(bg, &flight.CancelFlightInfoRequest{Info: info}); err != nil {
		t.Fatal(err)
	}
	eventually(t, func() bool { return f.canceled.Load() == 1 })
}

// The deprecated CancelQuery still works, tickets can be renewed, and what is not
// this session's is nobody's.
func TestCancelQueryAndRenew(t *testing.T) {
	f, addr := start(t, Options{Quiet: time.Hour})
	c, other := dial(t, addr), dial(t, addr)
	info := mustInfo(t, c, "WAIT")
	if _, err := c.DoGet(bg, info.Endpoint[0].Ticket); err != nil {
		t.Fatal(err)
	}
	if _, err := other.CancelQuery(bg, info); err == nil { //nolint:staticcheck // older clients still send it
		t.Error("another session canceled it")
	}
	_, err := other.RenewFlightEndpoint(bg, &flight.RenewFlightEndpointRequest{Endpoint: info.Endpoint[0]})
	wantCode(t, err, codes.NotFound, "no such ticket")
	before := info.Endpoint[0].ExpirationTime.AsTime()
	time.Sleep(2 * time.Millisecond)
	renewed, err := c.RenewFlightEndpoint(bg, &flight.RenewFlightEndpointRequest{Endpoint: info.Endpoint[0]})
	if err != nil || !renewed.ExpirationTime.AsTime().After(before) || !bytes.Equal(renewed.Ticket.Ticket, info.Endpoint[0].Ticket.Ticket) {
		t.Fatalf("got %v, %v", renewed, err)
	}
	if res, err := c.CancelQuery(bg, info); err != nil || res != flightsql.CancelResultCancelled { //nolint:staticcheck
		t.Fatalf("got %v, %v", res, err)
	}
	eventually(t, func() bool { return f.canceled.Load() == 1 })
}

// Without users any handshake is accepted, whatever it carries, and so is a raw one
// of ODBC and of JDBC with a token.
func TestOpenHandshakes(t *testing.T) {
	_, addr := start(t, Options{})
	c := dial(t, addr)
	for _, value := range []string{"", "Bearer abc", "bearer abc", "BASIC YW5uOnNlY3JldA", "Negotiate abc"} {
		ctx := bg
		if value != "" {
			ctx = metadata.AppendToOutgoingContext(bg, "authorization", value)
		}
		stream, err := c.Client.Handshake(ctx)
		if err != nil {
			t.Fatal(err)
		}
		if err := stream.Send(&flight.HandshakeRequest{}); err != nil {
			t.Fatal(err)
		}
		if err := stream.CloseSend(); err != nil {
			t.Fatal(err)
		}
		if _, err := stream.Recv(); err != nil {
			t.Errorf("%q: %v", value, err)
		}
	}
}

// A client that speaks TLS to a server without is in the log, once.
func TestTLSOnPlaintext(t *testing.T) {
	var mu sync.Mutex
	var log bytes.Buffer
	s := New(newFake(), Options{Logger: slog.New(slog.NewTextHandler(lockedWriter{&mu, &log}, nil))})
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	served := make(chan error, 1)
	go func() { served <- s.Serve(l) }()
	defer func() {
		s.Stop(bg)
		<-served
	}()
	for range 3 {
		c, err := net.Dial("tcp", l.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		if _, err := c.Write(append([]byte{0x16, 3, 1, 2, 0, 1}, make([]byte, 512)...)); err != nil {
			t.Fatal(err)
		}
		_, _ = io.ReadAll(c) // it is closed
		c.Close()
	}
	if _, err := dial(t, l.Addr().String()).Execute(bg, "NUMBERS 1"); err != nil {
		t.Fatal(err)
	}
	mu.Lock()
	defer mu.Unlock()
	if n := strings.Count(log.String(), "TLS handshake on a plaintext port"); n != 1 || !strings.Contains(log.String(), "useEncryption=false") {
		t.Errorf("the log has it %d times:\n%s", n, log.String())
	}
}

type lockedWriter struct {
	mu *sync.Mutex
	b  *bytes.Buffer
}

func (w lockedWriter) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.b.Write(p)
}

// A session may have its timestamps as UTC without a zone, by a setting or for one
// call by a header; the schemas that are told before are those of the stream.
func TestZonelessTimestamps(t *testing.T) {
	c := dial(t, startEngine(t))
	if _, err := c.ExecuteUpdate(bg, "CREATE TABLE z AS SELECT TIMESTAMP '2024-01-01 00:00:17' AS t, array(TIMESTAMP '2024-01-01 00:00:18', null) AS l, map('a', named_struct('t', TIMESTAMP '2024-01-01 00:00:19', 'n', 1)) AS m, 7 AS n"); err != nil {
		t.Fatal(err)
	}
	const text = "SELECT * FROM z UNION ALL SELECT * FROM z WHERE n > 7"
	schema := func(info *flight.FlightInfo) string {
		s, err := flight.DeserializeSchema(info.Schema, memory.DefaultAllocator)
		if err != nil {
			t.Fatal(err)
		}
		var out []string
		for _, f := range s.Fields() {
			out = append(out, f.Type.String())
		}
		return strings.Join(out, "; ")
	}
	zoned := mustInfo(t, c, text)
	recs, err := collect(t, c, zoned)
	if err != nil || strings.Count(schema(zoned), "tz=UTC") != 3 {
		t.Fatalf("got %s, %v", schema(zoned), err)
	}
	check := func(info *flight.FlightInfo) {
		t.Helper()
		plain, err := collect(t, c, info)
		if err != nil || strings.Contains(schema(info), "tz=") || strings.Count(schema(info), "timestamp[us]") != 3 || rowsOf(plain) != 1 {
			t.Fatalf("got %s, %v", schema(info), err)
		}
		for i, col := range plain[0].Columns() {
			if got, want := col.ValueStr(0), recs[0].Column(i).ValueStr(0); strings.ReplaceAll(got, "Z", "") != strings.ReplaceAll(want, "Z", "") {
				t.Errorf("column %d: %s, was %s", i, got, want)
			}
		}
	}
	header, err := c.Execute(metadata.AppendToOutgoingContext(bg, zoneHeader, "none"), text)
	if err != nil {
		t.Fatal(err)
	}
	check(header)
	if strings.Count(schema(mustInfo(t, c, text)), "tz=UTC") != 3 {
		t.Error("the header outlives its call")
	}
	options, err := flight.NewSessionOptionValues(map[string]any{"flightd.client.timestampZone": "none"})
	if err != nil {
		t.Fatal(err)
	}
	if res, err := c.SetSessionOptions(bg, &flight.SetSessionOptionsRequest{SessionOptions: options}); err != nil || len(res.Errors) != 0 {
		t.Fatalf("got %v, %v", res, err)
	}
	check(mustInfo(t, c, text))
	p, err := c.Prepare(bg, text)
	if err != nil || slices.ContainsFunc(p.DatasetSchema().Fields(), func(f arrow.Field) bool { return strings.Contains(f.Type.String(), "tz=") }) {
		t.Fatalf("got %v, %v", p.DatasetSchema(), err)
	}
	info, err := p.Execute(bg)
	if err != nil {
		t.Fatal(err)
	}
	check(info)
	if _, err := c.ExecuteUpdate(bg, "SET flightd.client.timestampZone = Europe/Berlin"); err == nil {
		t.Error("a zone is taken")
	}
}
