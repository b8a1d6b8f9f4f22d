package client_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/flight"
	"github.com/apache/arrow-go/v18/arrow/flight/flightsql"
	"google.golang.org/grpc/codes"

	"github.com/flightd/flightd/client"
)

// ownClient checks this package.
type ownClient struct {
	*interop
	c *client.Conn
}

func TestInteropOwn(t *testing.T) {
	x := ownClient{interop: openInterop(t, "flightd for Go", "own")}
	connect := func(uri string, o client.Options) func() error {
		return func() error {
			c, err := client.Connect(bg, uri, o)
			if err != nil {
				return err
			}
			_, err = c.Execute(bg, "SELECT 1")
			return errors.Join(err, c.Close())
		}
	}
	x.check("connect", connect("grpc://"+x.Plain, client.Options{}))
	x.apart("password", connect("grpc://"+x.Users, client.Options{User: x.User, Password: x.Password}))
	x.apart("token", connect("grpc://"+x.Users, client.Options{Token: x.Token}))
	x.apart("tls", func() error { return connect("grpc+tls://"+x.TLS, client.Options{TLS: x.tlsConfig()})() })
	var err error
	if x.c, err = client.Connect(bg, "grpc://"+x.Plain, client.Options{}); err != nil {
		t.Fatal(err)
	}
	defer x.c.Close()
	x.statements()
	x.catalog()
	x.ingest()
	x.streams()
	x.session()
}

// rows runs a statement and returns its columns as texts, by rows.
func (x ownClient) rows(ctx context.Context, text string, args ...any) (out []string, err error) {
	rows, err := x.c.SQL(ctx, text, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Release()
	for rows.Next() {
		rec := rows.RecordBatch()
		for i := range int(rec.NumRows()) {
			vals := make([]string, rec.NumCols())
			for c := range vals {
				vals[c] = rec.Column(c).ValueStr(i)
			}
			out = append(out, strings.Join(vals, " "))
		}
	}
	return out, rows.Err()
}

func (x ownClient) gives(wanted, text string, args ...any) func() error {
	return gives(x.rows, wanted, text, args...)
}

func (x ownClient) statements() {
	x.check("query", x.gives("7 x", "SELECT 7 AS a, 'x' AS b"))
	x.check("types", func() error {
		got, err := x.rows(bg, "SELECT "+strings.Join(allTypes, ", "))
		if err != nil || len(got) != 1 {
			return fmt.Errorf("%d rows, %v", len(got), err)
		}
		return nil
	})
	x.check("parameters", x.gives("4", "SELECT id FROM range(5) WHERE id > ? AND 'b' = ?", 3, "b"))
	x.check("prepared", x.gives("1, 4", "SELECT id FROM range(5) WHERE id = ?", numbers(1, 4)))
	x.check("schema", func() error {
		p, err := x.c.FlightSQL().Prepare(bg, "SELECT 1 AS n")
		if err != nil {
			return err
		}
		return errors.Join(want(p.DatasetSchema().Field(0).Name, "n"), p.Close(bg))
	})
	x.check("update", func() error {
		if _, err := x.c.Execute(bg, "CREATE TABLE "+x.name("u")+" (n INT)"); err != nil {
			return err
		}
		n, err := x.c.Execute(bg, "INSERT INTO "+x.name("u")+" VALUES (1), (2)")
		return errors.Join(err, want(n, 2))
	})
	x.check("large", func() error {
		rows, err := x.c.SQL(bg, largeResult)
		if err != nil {
			return err
		}
		table, err := rows.ReadAll()
		if err != nil {
			return err
		}
		defer table.Release()
		return want(table.NumRows(), largeRows)
	})
	x.check("cancel", func() error {
		return ends(func(ctx context.Context) error {
			_, err := x.rows(ctx, longQuery)
			return err
		})
	})
	wrong := func() (e *client.Error, err error) {
		if _, err = x.rows(bg, wrongQuery); !errors.As(err, &e) {
			return nil, fmt.Errorf("got %v", err)
		}
		return e, nil
	}
	x.check("error_class", func() error {
		e, err := wrong()
		if err != nil {
			return err
		}
		return want(e.Condition+" "+e.SQLState, "UNRESOLVED_COLUMN.WITH_SUGGESTION 42703")
	})
	x.check("error_place", func() error {
		e, err := wrong()
		if err != nil {
			return err
		}
		return want([]int{e.Line, e.Col}, []int{1, 8})
	})
}

// first returns the first record batch of an endpoint; the caller releases it.
func (x ownClient) first(info *flight.FlightInfo) (arrow.RecordBatch, error) {
	r, err := x.c.FlightSQL().DoGet(bg, info.Endpoint[0].Ticket)
	if err != nil {
		return nil, err
	}
	defer r.Release()
	rec, err := r.Read()
	if err != nil {
		return nil, err
	}
	rec.Retain()
	return rec, nil
}

func (x ownClient) catalog() {
	x.check("catalogs", func() error {
		info, err := x.c.FlightSQL().GetCatalogs(bg)
		if err != nil {
			return err
		}
		rec, err := x.first(info)
		if err != nil {
			return err
		}
		defer rec.Release()
		return want(rec.Column(0).ValueStr(0), "spark_catalog")
	})
	x.check("info", func() error {
		info, err := x.c.FlightSQL().GetSqlInfo(bg, []flightsql.SqlInfo{flightsql.SqlInfoFlightSqlServerName})
		if err != nil {
			return err
		}
		rec, err := x.first(info)
		if err != nil {
			return err
		}
		defer rec.Release()
		return want(rec.NumRows(), 1)
	})
	x.check("schemas", x.gives("default", "SHOW SCHEMAS LIKE 'default'"))
	x.check("tables", func() error {
		info, err := x.c.FlightSQL().GetTables(bg, &flightsql.GetTablesOpts{})
		return errors.Join(err, want(info != nil, true), x.gives("default "+x.name("u")+" false", "SHOW TABLES LIKE '"+x.name("u")+"'")())
	})
	x.check("columns", x.gives("n int (null)", "DESCRIBE "+x.name("u")))
}

func (x ownClient) ingest() {
	put := func(table string, mode client.Mode, rows, total int) error {
		recs := []arrow.RecordBatch{}
		if rows > 0 {
			recs = append(recs, numbers(make([]int64, rows)...))
		}
		r, err := array.NewRecordReader(numbers().Schema(), recs)
		if err != nil {
			return err
		}
		defer r.Release()
		n, err := x.c.Ingest(bg, x.name(table), r, mode)
		return errors.Join(err, want(n, rows), x.gives(fmt.Sprint(total), "SELECT count(*) FROM "+x.name(table))())
	}
	refused := func(err error, code codes.Code) error {
		var e *client.Error
		if !errors.As(err, &e) || e.Code != code {
			return fmt.Errorf("got %v", err)
		}
		return nil
	}
	x.check("create", func() error {
		return errors.Join(put("t", client.Create, 2, 2), refused(put("t", client.Create, 2, 2), codes.AlreadyExists))
	})
	x.check("append", func() error {
		return errors.Join(put("t", client.Append, 2, 4), refused(put("absent", client.Append, 2, 2), codes.NotFound))
	})
	x.check("replace", func() error { return put("t", client.Replace, 2, 2) })
	x.check("create_append", func() error {
		return errors.Join(put("t", client.CreateAppend, 2, 4), put("t2", client.CreateAppend, 2, 2))
	})
	x.check("nothing", func() error { return put("t3", client.Create, 0, 0) })
	x.check("stream_append", func() error {
		_, err := x.c.Execute(bg, "CREATE TABLE "+x.name("s")+" (n BIGINT) USING flight")
		return errors.Join(err, put("s", client.Append, 2, 2))
	})
	x.check("numbered", func() error {
		for range 2 { // it was stopped, and sends the same again
			n, err := x.c.Append(bg, x.name("s"), batches(numbers(1), numbers(2)), client.AppendOptions{Producer: "p", Seq: client.Seq(0)})
			if err := errors.Join(err, want(n, 2), x.gives("4", "SELECT count(*) FROM "+x.name("s"))()); err != nil {
				return err
			}
		}
		return nil
	})
}

func (x ownClient) streams() {
	x.check("live", func() error {
		count := func() (n int, err error) {
			got, err := x.rows(bg, "SELECT n FROM "+x.name("counts"))
			if err == nil && len(got) == 1 {
				_, err = fmt.Sscan(got[0], &n)
			}
			return n, err
		}
		var before int
		if err := soon(func() (_ bool, err error) { before, err = count(); return before > 0, err }); err != nil {
			return err
		}
		x.add(2)
		return soon(func() (bool, error) { n, err := count(); return n >= before+2, err })
	})
	follow := func(o client.SubscribeOptions, rows int64) (last *client.Batch, err error) {
		s, err := x.c.Subscribe(bg, x.name("live"), o)
		if err != nil {
			return nil, err
		}
		for b, err := range s.All() {
			if err != nil {
				return nil, err
			}
			last = b
			if rows -= b.NumRows(); rows <= 0 {
				break
			}
		}
		if rows > 0 {
			return nil, fmt.Errorf("%d rows are missing", rows)
		}
		return last, nil
	}
	x.check("subscribe", func() error {
		_, err := follow(client.SubscribeOptions{FromEpoch: client.Epoch(0), Limit: 3}, 3)
		return err
	})
	x.check("endless", func() error {
		x.add(2)
		_, err := follow(client.SubscribeOptions{FromEpoch: client.Epoch(0)}, 5)
		return err
	})
	x.check("resume", func() error {
		first, err := follow(client.SubscribeOptions{FromEpoch: client.Epoch(0)}, 1)
		if err != nil {
			return err
		}
		x.add(2)
		again, err := follow(client.SubscribeOptions{Resume: first.Resume}, 1)
		if err == nil && again.Epoch <= first.Epoch {
			err = fmt.Errorf("epoch %d again behind epoch %d", again.Epoch, first.Epoch)
		}
		return err
	})
}

func (x ownClient) session() {
	x.check("session", func() error {
		if _, err := x.c.Execute(bg, "CREATE TEMPORARY VIEW mine AS SELECT 7 AS n"); err != nil {
			return err
		}
		other, err := client.Connect(bg, "grpc://"+x.Plain, client.Options{})
		if err != nil {
			return err
		}
		defer other.Close()
		if _, err := other.SQL(bg, "SELECT n FROM mine"); err == nil {
			return errors.New("another connection sees the view")
		}
		return x.gives("7", "SELECT n FROM mine")()
	})
}
