package client_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"testing"

	"github.com/apache/arrow-go/v18/arrow/flight/flightsql/driver"
)

// databaseSQL checks the driver of arrow-go for database/sql.
type databaseSQL struct {
	*interop
	db *sql.DB
}

func TestInteropDatabaseSQL(t *testing.T) {
	x := databaseSQL{interop: openInterop(t, "Go database/sql", "databasesql")}
	connect := func(dsn string) error {
		db, err := sql.Open("flightsql", dsn)
		if err != nil {
			return err
		}
		var n int64
		err = db.QueryRow("SELECT 1L").Scan(&n)
		return errors.Join(err, want(n, 1), db.Close())
	}
	x.check("connect", func() error { return connect("flightsql://" + x.Plain) })
	x.apart("password", func() error {
		return connect((&url.URL{Scheme: "flightsql", User: url.UserPassword(x.User, x.Password), Host: x.Users}).String())
	})
	x.apart("token", func() error { return connect("flightsql://" + x.Users + "?token=" + url.QueryEscape(x.Token)) })
	x.apart("tls", func() error {
		if err := driver.RegisterTLSConfig("interop", x.tlsConfig()); err != nil {
			return err
		}
		defer func() { _ = driver.UnregisterTLSConfig("interop") }() // it is registered
		return connect("flightsql://" + x.TLS + "?tls=interop")
	})
	var err error
	if x.db, err = sql.Open("flightsql", "flightsql://"+x.Plain); err != nil {
		t.Fatal(err)
	}
	defer x.db.Close()
	x.statements()
	x.streams()
	x.notApplicable("database/sql has no such function; SHOW TABLES and DESCRIBE are queries", "catalogs", "schemas", "tables", "columns", "info", "schema")
	x.notApplicable("database/sql has no ingest; rows go by INSERT with parameters", "create", "append", "replace", "create_append", "nothing", "numbered")
	x.apart("resume", x.resume)
}

// rows runs a query and returns its values as texts, by rows.
func (x databaseSQL) rows(ctx context.Context, text string, args ...any) (out []string, err error) {
	rows, err := x.db.QueryContext(ctx, text, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	names, err := rows.Columns()
	if err != nil {
		return nil, err
	}
	for rows.Next() {
		vals, to := make([]any, len(names)), make([]any, len(names))
		for i := range vals {
			to[i] = &vals[i]
		}
		if err := rows.Scan(to...); err != nil {
			return nil, err
		}
		out = append(out, strings.Trim(fmt.Sprint(vals), "[]"))
	}
	return out, rows.Err()
}

func (x databaseSQL) gives(wanted, text string, args ...any) func() error {
	return gives(x.rows, wanted, text, args...)
}

func (x databaseSQL) statements() {
	x.check("query", x.gives("7 x", "SELECT 7 AS a, 'x' AS b"))
	x.apart("types", func() error {
		for _, e := range allTypes {
			if _, err := x.rows(bg, "SELECT "+e); err != nil {
				return fmt.Errorf("%s: %w", e, err)
			}
		}
		return nil
	})
	x.check("parameters", x.gives("4", "SELECT id FROM range(5) WHERE id > ? AND 'b' = ?", int64(3), "b"))
	x.check("prepared", func() error {
		p, err := x.db.Prepare("SELECT id FROM range(5) WHERE id = ?")
		if err != nil {
			return err
		}
		defer p.Close()
		for _, n := range []int64{1, 4} {
			var got int64
			if err := p.QueryRow(n).Scan(&got); err != nil || got != n {
				return fmt.Errorf("got %d, %v", got, err)
			}
		}
		return nil
	})
	x.check("update", func() error {
		if _, err := x.db.Exec("CREATE TABLE " + x.name("u") + " (n BIGINT)"); err != nil {
			return err
		}
		r, err := x.db.Exec("INSERT INTO "+x.name("u")+" VALUES (?), (?)", int64(1), int64(2))
		if err != nil {
			return err
		}
		n, err := r.RowsAffected()
		return errors.Join(err, want(n, 2))
	})
	x.check("stream_append", func() error {
		if _, err := x.db.Exec("CREATE TABLE " + x.name("s") + " (n BIGINT) USING flight"); err != nil {
			return err
		}
		if _, err := x.db.Exec("INSERT INTO "+x.name("s")+" VALUES (?)", int64(1)); err != nil {
			return err
		}
		return x.gives("1", "SELECT n FROM "+x.name("s"))()
	})
	x.check("large", func() error {
		got, err := x.rows(bg, largeResult)
		return errors.Join(err, want(len(got), largeRows))
	})
	x.check("cancel", func() error {
		return ends(func(ctx context.Context) error {
			_, err := x.rows(ctx, longQuery)
			return err
		})
	})
	wrong := func(words ...string) error {
		_, err := x.rows(bg, wrongQuery)
		for _, w := range words {
			if err == nil || !strings.Contains(err.Error(), w) {
				return fmt.Errorf("%s is not in: %v", w, err)
			}
		}
		return nil
	}
	x.check("error_class", func() error { return wrong("UNRESOLVED_COLUMN.WITH_SUGGESTION", "42703") })
	x.check("error_place", func() error { return wrong("line 1:8", "^^^") })
	x.check("session", func() error {
		c, err := x.db.Conn(bg) // the pool may give each statement another connection
		if err != nil {
			return err
		}
		defer c.Close()
		if _, err := c.ExecContext(bg, "CREATE TEMPORARY VIEW mine AS SELECT 7L AS n"); err != nil {
			return err
		}
		var n int64
		return errors.Join(c.QueryRowContext(bg, "SELECT n FROM mine").Scan(&n), want(n, 7))
	})
}

func (x databaseSQL) streams() {
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
	x.check("subscribe", func() error {
		got, err := x.rows(bg, "SUBSCRIBE TO "+x.name("live")+" FROM EPOCH 0 LIMIT 3")
		return errors.Join(err, want(len(got), 3))
	})
	x.check("endless", func() error {
		rows, err := x.db.Query("SUBSCRIBE TO " + x.name("live") + " FROM EPOCH 0")
		if err != nil {
			return err
		}
		defer rows.Close()
		for i := range 8 {
			if i == 3 {
				x.add(5)
			}
			if !rows.Next() {
				return fmt.Errorf("%d rows: %v", i, rows.Err())
			}
		}
		return nil
	})
}

// resume follows epochs by their columns, and goes on behind the last complete one.
func (x databaseSQL) resume() error {
	follow := func(more string) (done uint64, err error) {
		rows, err := x.db.Query("SUBSCRIBE TO " + x.name("live") + " PROGRESS " + more)
		if err != nil {
			return 0, err
		}
		defer rows.Close()
		for rows.Next() {
			var epoch, op, mark, n any
			if err := rows.Scan(&epoch, &op, &mark, &n); err != nil {
				return 0, err
			}
			if fmt.Sprint(op) == "0" {
				_, err := fmt.Sscan(fmt.Sprint(epoch), &done)
				return done, err
			}
		}
		return 0, fmt.Errorf("the subscription ended: %v", rows.Err())
	}
	done, err := follow("FROM EPOCH 0")
	if err != nil {
		return err
	}
	x.add(2)
	again, err := follow(fmt.Sprintf("FROM EPOCH %d", done+1))
	if err == nil && again <= done {
		err = fmt.Errorf("epoch %d again behind epoch %d", again, done)
	}
	return err
}
