package flight

import (
	"database/sql"
	"encoding/base64"
	"net/url"
	"sync"
	"testing"
	"time"

	"github.com/apache/arrow-go/v18/arrow/flight"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
)

// The driver of database/sql knows no Handshake: it sends the user and password of
// its DSN with every call, padded.
func TestBasicOfDatabaseSQL(t *testing.T) {
	_, addr, _, later := guarded(t, Options{})
	open := func(user, password string) *sql.DB {
		db, err := sql.Open("flightsql", (&url.URL{Scheme: "flightsql", User: url.UserPassword(user, password), Host: addr, RawQuery: "timeout=30s"}).String())
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { db.Close() })
		return db
	}
	count := func(db *sql.DB) error {
		rows, err := db.Query("NUMBERS 3")
		if err != nil {
			return err
		}
		defer rows.Close()
		n := 0
		for rows.Next() {
			n++
		}
		if n != 3 && rows.Err() == nil {
			t.Errorf("got %d rows", n)
		}
		return rows.Err()
	}
	// Many connections at once are one login: more would count as failed ones.
	db := open("ann", "ann password")
	var wg sync.WaitGroup
	for range 20 {
		wg.Go(func() {
			if err := count(db); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	later(2 * time.Hour) // the token behind it is over; a new one takes its place
	if err := count(db); err != nil {
		t.Fatal(err)
	}
	for range 3 {
		if err := count(open("bob", "wrong")); status.Code(err) != codes.Unauthenticated {
			t.Fatalf("a wrong password: %v", err)
		}
	}
	if err := count(open("bob", "bob password")); err != nil {
		t.Fatal(err)
	}
}

// Whoever sends a user and password with every call has a session for each
// connection, as with a service's token, and ends no other's by ending it.
func TestBasicSessions(t *testing.T) {
	_, addr, _, _ := guarded(t, Options{})
	for _, enc := range []*base64.Encoding{base64.StdEncoding, base64.RawStdEncoding} {
		ctx := metadata.AppendToOutgoingContext(bg, "authorization", "basic "+enc.EncodeToString([]byte("root:root password")))
		a, b := dial(t, addr), dial(t, addr)
		set(t, a, ctx, "k", "1")
		if got := setting(t, a, ctx, "k"); got != "1" {
			t.Fatalf("got %q", got)
		}
		if got := setting(t, b, ctx, "k"); got != "" {
			t.Fatalf("another connection has %q", got)
		}
		set(t, b, ctx, "k", "2")
		if _, err := a.CloseSession(ctx, &flight.CloseSessionRequest{}); err != nil {
			t.Fatal(err)
		}
		if got := setting(t, b, ctx, "k"); got != "2" {
			t.Fatalf("the other session has %q", got)
		}
	}
	for _, rubbish := range []string{"Basic", "Basic ", "Basic !!!", "Basic YW5u"} {
		_, err := dial(t, addr).Execute(metadata.AppendToOutgoingContext(bg, "authorization", rubbish), "NUMBERS 1")
		if c := status.Code(err); c != codes.Unauthenticated && c != codes.InvalidArgument {
			t.Errorf("%q: %v", rubbish, err)
		}
	}
}
