package client_test

import (
	"errors"
	"fmt"
	"log"
	"os"
	"path/filepath"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/flightd/flightd/client"
)

// connect is what a program does; the server of the examples is one of their own.
func connect() (c *client.Conn, x *served, end func()) {
	dir, err := os.MkdirTemp("", "client-example")
	if err != nil {
		log.Fatal(err)
	}
	if x, err = serve(dir); err != nil {
		log.Fatal(err)
	}
	if c, err = client.Connect(bg, x.uri(), client.Options{}); err != nil {
		log.Fatal(err)
	}
	return c, x, func() {
		_ = c.Close()
		_ = x.stop(true)
		_ = os.RemoveAll(dir)
	}
}

func ExampleConn_SQL() {
	conn, _, end := connect() // client.Connect(ctx, "grpc://127.0.0.1:8815", client.Options{})
	defer end()
	rows, err := conn.SQL(bg, "SELECT id, id * :factor AS product FROM range(4) WHERE id > :least", client.Named("factor", 10), client.Named("least", 1))
	if err != nil {
		log.Fatal(err)
	}
	defer rows.Release()
	for rows.Next() {
		fmt.Println(rows.RecordBatch().Column(0), rows.RecordBatch().Column(1))
	}
	if err := rows.Err(); err != nil {
		log.Fatal(err)
	}
	// Output: [2 3] [20 30]
}

func ExampleError() {
	conn, _, end := connect()
	defer end()
	_, err := conn.Execute(bg, "SELECT nam FROM VALUES ('a') AS t(name)")
	var e *client.Error
	if errors.As(err, &e) {
		fmt.Println(e.Condition, e.SQLState)
		fmt.Printf("line %d, column %d: %s\n", e.Line, e.Col, e.Hint)
	}
	// Output:
	// UNRESOLVED_COLUMN.WITH_SUGGESTION 42703
	// line 1, column 8: the nearest column is `name`
}

func ExampleConn_Ingest() {
	conn, _, end := connect()
	defer end()
	schema := arrow.NewSchema([]arrow.Field{{Name: "n", Type: arrow.PrimitiveTypes.Int64}}, nil)
	b := array.NewRecordBuilder(memory.DefaultAllocator, schema)
	defer b.Release()
	b.Field(0).(*array.Int64Builder).AppendValues([]int64{1, 2, 3}, nil)
	rows, err := array.NewRecordReader(schema, []arrow.RecordBatch{b.NewRecordBatch()})
	if err != nil {
		log.Fatal(err)
	}
	defer rows.Release()
	n, err := conn.Ingest(bg, "numbers", rows, client.CreateAppend)
	fmt.Println(n, err)
	// Output: 3 <nil>
}

func ExampleConn_Subscribe() {
	conn, x, end := connect()
	defer end()
	if err := os.Mkdir(filepath.Join(x.dir, "in"), 0o755); err != nil {
		log.Fatal(err)
	}
	for _, statement := range []string{
		"CREATE TABLE numbers (n BIGINT) USING json OPTIONS ('path' = '" + filepath.Join(x.dir, "in") + "')",
		"CREATE STREAMING QUERY squares INTO feed AS SELECT n, n * n AS square FROM STREAM numbers",
	} {
		if _, err := conn.Execute(bg, statement); err != nil {
			log.Fatal(err)
		}
	}
	sub, err := conn.Subscribe(bg, "squares", client.SubscribeOptions{FromEpoch: client.Epoch(0)})
	if err != nil {
		log.Fatal(err)
	}
	if err := x.add(3); err != nil {
		log.Fatal(err)
	}
	for batch, err := range sub.All() { // broken connections and restarts of the server are not seen here
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println("epoch", batch.Epoch, batch.Column(1), "resumable", batch.Resume != "")
		break
	}
	// Output: epoch 0 [0 1 4] resumable true
}
