package client

import (
	"context"
	"encoding/json"
	"strconv"
	"strings"
	"time"

	"github.com/apache/arrow-go/v18/arrow/array"
	"google.golang.org/grpc/codes"
)

// A Query is a streaming query of the server, by name: each method asks.
type Query struct {
	conn *Conn
	name string
}

// Status is what a streaming query does now.
type Status struct {
	Name, ID, RunID string
	Active          bool
	// Message says what it does, in words.
	Message string
	// Epoch is the last one that was reported on; -1 before the first.
	Epoch      int64
	OutputMode string
	Sink       string
	// Exception is why it stopped, if that was an error.
	Exception string
	// Statement is what made it.
	Statement string
	// Progress is the report of the last epoch as JSON with Spark's names; nil before
	// the first.
	Progress json.RawMessage
}

// Queries lists the streaming queries, those that stopped included.
func (x *Conn) Queries(ctx context.Context) ([]*Query, error) {
	var out []*Query
	err := x.texts(ctx, "SHOW QUERIES", func(row []string) {
		if row[0] != "" {
			out = append(out, &Query{x, row[0]})
		}
	})
	return out, err
}

// Query returns the streaming query of that name, or a NotFound error.
func (x *Conn) Query(ctx context.Context, name string) (*Query, error) {
	q := &Query{x, name}
	_, err := q.Status(ctx)
	return q, err
}

// texts reads a result of texts row by row; NULL is "".
func (x *Conn) texts(ctx context.Context, statement string, row func([]string)) error {
	rows, err := x.SQL(ctx, statement)
	if err != nil {
		return err
	}
	defer rows.Release()
	for rows.Next() {
		rec := rows.RecordBatch()
		for i := range int(rec.NumRows()) {
			out := make([]string, rec.NumCols())
			for c := range out {
				switch col := rec.Column(c).(type) {
				case *array.String:
					if col.IsValid(i) {
						out[c] = col.Value(i)
					}
				default:
					if col.IsValid(i) {
						out[c] = col.ValueStr(i)
					}
				}
			}
			row(out)
		}
	}
	return rows.Err()
}

// Name is the query's name.
func (q *Query) Name() string { return q.name }

// Status asks what the query does.
func (q *Query) Status(ctx context.Context) (*Status, error) {
	s := &Status{Epoch: -1}
	err := q.conn.texts(ctx, "DESCRIBE QUERY "+quoted(q.name), func(row []string) {
		key, value := row[0], row[1]
		switch key {
		case "name":
			s.Name = value
		case "id":
			s.ID = value
		case "runId":
			s.RunID = value
		case "isActive":
			s.Active = value == "true"
		case "status":
			s.Message = value
		case "batchId":
			if n, err := strconv.ParseInt(value, 10, 64); err == nil {
				s.Epoch = n
			}
		case "outputMode":
			s.OutputMode = value
		case "sink":
			s.Sink = value
		case "exception":
			s.Exception = value
		case "statement":
			s.Statement = value
		case "lastProgress":
			s.Progress = json.RawMessage(value)
		}
	})
	if err != nil {
		return nil, err
	}
	return s, nil
}

// Stop stops the query. It stays on the server.
func (q *Query) Stop(ctx context.Context) error {
	_, err := q.conn.Execute(ctx, "STOP QUERY "+quoted(q.name))
	return err
}

// Drop stops the query and forgets it, with its checkpoint.
func (q *Query) Drop(ctx context.Context) error {
	_, err := q.conn.Execute(ctx, "DROP QUERY "+quoted(q.name))
	return err
}

// Subscribe follows the query's output.
func (q *Query) Subscribe(ctx context.Context, o SubscribeOptions) (*Subscription, error) {
	return q.conn.Subscribe(ctx, q.name, o)
}

// AwaitTermination waits until the query has stopped, or ctx ends. A query that
// stopped with an error is an *Error of the code Aborted with its text.
func (q *Query) AwaitTermination(ctx context.Context) error {
	for wait := 20 * time.Millisecond; ; wait = min(2*wait, time.Second) {
		s, err := q.Status(ctx)
		switch {
		case err != nil:
			return err
		case !s.Active && s.Exception != "":
			return &Error{Code: codes.Aborted, Message: "query " + q.name + ": " + s.Exception}
		case !s.Active:
			return nil
		}
		select {
		case <-time.After(wait):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// quoted returns a name as SQL has it.
func quoted(name string) string { return "`" + strings.ReplaceAll(name, "`", "``") + "`" }
