package client_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/flightd/flightd/client"
)

// What the clients of Go can do, a check for each capability of docs/clients.md. By
// themselves the tests run against a server in this process; with FLIGHTD_INTEROP,
// which make clients sets, against the servers that it names, and print an outcome a
// line for the matrix.

// interop is where the servers are, and what belongs to the client that is checked.
type interop struct {
	Plain    string `json:"plain"`
	Users    string `json:"users"` // with User, Password and Token
	TLS      string `json:"tls"`   // with a certificate of the authority CA
	User     string `json:"user"`
	Password string `json:"password"`
	Token    string `json:"token"`
	CA       string `json:"ca"`
	// Prefix begins the names of tables, Folder is what the queries live and counts
	// read.
	Prefix string `json:"prefix"`
	Folder string `json:"folder"`

	t      *testing.T
	client string
	told   bool
}

const (
	largeResult = "SELECT id, repeat('x', 200) AS s FROM range(300000)"
	largeRows   = 300_000
	longQuery   = "SELECT count(*) FROM range(10000000) a CROSS JOIN range(10000000) b"
	wrongQuery  = "SELECT nam FROM (SELECT 1 AS name)"
)

// allTypes is an expression of each type.
var allTypes = []string{"true", "1Y", "2S", "3", "4L", "1.5F", "2.5D", "1.25BD", "'ü'", "X'6162'", "DATE '2024-02-29'", "TIMESTAMP '2024-02-29 01:02:03'",
	"TIMESTAMP_NTZ '2024-02-29 01:02:03'", "array(1, 2)", "named_struct('a', 1)", "map('k', 1)", "INTERVAL '1' DAY", "CAST(NULL AS STRING)"}

// openInterop makes the servers, or finds them. Several clients share the names, each
// with a prefix of its own.
func openInterop(t *testing.T, name, prefix string) *interop {
	t.Helper()
	x := &interop{t: t, client: name}
	if given := os.Getenv("FLIGHTD_INTEROP"); given != "" {
		x.told = true
		if err := json.Unmarshal([]byte(given), x); err != nil {
			t.Fatal(err)
		}
		x.Prefix += "_" + prefix
		x.Folder = filepath.Join(x.Folder, prefix)
	} else {
		s, _ := start(t)
		x.Plain, x.Prefix, x.Folder = s.addr, prefix, filepath.Join(s.dir, "in")
	}
	if err := os.MkdirAll(x.Folder, 0o755); err != nil {
		t.Fatal(err)
	}
	c, err := client.Connect(bg, "grpc://"+x.Plain, client.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	x.add(3)
	run(t, c, fmt.Sprintf("CREATE TABLE %s (n BIGINT) USING json OPTIONS ('path' = '%s')", x.name("numbers"), x.Folder))
	run(t, c, fmt.Sprintf("CREATE STREAMING QUERY %s INTO feed AS SELECT n FROM STREAM %s", x.name("live"), x.name("numbers")))
	run(t, c, fmt.Sprintf("CREATE STREAMING QUERY %s OUTPUT MODE complete INTO memory AS SELECT count(*) AS n FROM STREAM %s", x.name("counts"), x.name("numbers")))
	return x
}

func (x *interop) name(what string) string { return x.Prefix + "_" + what }

// add puts rows where the streaming queries read.
func (x *interop) add(count int) {
	name := fmt.Sprintf("%020d", time.Now().UnixNano())
	part := filepath.Join(x.Folder, "."+name)
	if err := os.WriteFile(part, []byte(strings.Repeat("{\"n\":1}\n", count)), 0o644); err != nil {
		x.t.Error(err)
	}
	if err := os.Rename(part, filepath.Join(x.Folder, name+".json")); err != nil {
		x.t.Error(err)
	}
}

func (x *interop) tlsConfig() *tls.Config {
	pool := x509.NewCertPool()
	text, err := os.ReadFile(x.CA)
	if err != nil || !pool.AppendCertsFromPEM(text) {
		x.t.Errorf("no certificate in %s: %v", x.CA, err)
	}
	return &tls.Config{RootCAs: pool}
}

func (x *interop) tell(capability, outcome, reason string) {
	if !x.told {
		if outcome == "no" {
			x.t.Errorf("%s: %s", capability, reason)
		}
		return
	}
	reason, _, _ = strings.Cut(reason, "\n")
	line, err := json.Marshal(map[string]string{"client": x.client, "capability": capability, "outcome": outcome, "reason": reason})
	if err != nil {
		x.t.Fatal(err)
	}
	fmt.Println(string(line))
}

// check runs f and tells how it went.
func (x *interop) check(capability string, f func() error) {
	x.t.Helper()
	if err := f(); err != nil {
		x.tell(capability, "no", err.Error())
		return
	}
	x.tell(capability, "yes", "")
}

// apart is check for what needs the servers of FLIGHTD_INTEROP.
func (x *interop) apart(capability string, f func() error) {
	if x.told {
		x.check(capability, f)
	}
}

func (x *interop) notApplicable(reason string, capabilities ...string) {
	for _, c := range capabilities {
		x.tell(c, "n/a", reason)
	}
}

func want(got, wanted any) error {
	if fmt.Sprint(got) != fmt.Sprint(wanted) {
		return fmt.Errorf("got %v, want %v", got, wanted)
	}
	return nil
}

// soon calls f until it is true.
func soon(f func() (bool, error)) error {
	for end := time.Now().Add(20 * time.Second); ; time.Sleep(50 * time.Millisecond) {
		done, err := f()
		if done || err != nil && time.Now().After(end) {
			return err
		}
		if time.Now().After(end) {
			return fmt.Errorf("it does not come")
		}
	}
}

// ends runs f, which takes long, and checks that it ends soon after its context.
func ends(f func(ctx context.Context) error) error {
	ctx, cancel := context.WithTimeout(bg, 500*time.Millisecond)
	defer cancel()
	began := time.Now()
	if err := f(ctx); err == nil || time.Since(began) > 8*time.Second {
		return fmt.Errorf("%v after %v", err, time.Since(began))
	}
	return nil
}

// gives is a check that a statement has the wanted rows.
func gives(rows func(ctx context.Context, text string, args ...any) ([]string, error), wanted, text string, args ...any) func() error {
	return func() error {
		got, err := rows(bg, text, args...)
		if err != nil {
			return err
		}
		return want(strings.Join(got, ", "), wanted)
	}
}
