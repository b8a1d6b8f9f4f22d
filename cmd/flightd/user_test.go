package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// Users are added, listed and removed; a server with them lets in who has the
// password, with the rights of the role.
func TestUsers(t *testing.T) {
	users := filepath.Join(t.TempDir(), "users")
	ok := func(in string, args ...string) string {
		t.Helper()
		code, out, errs := command(t, in, args...)
		if code != 0 {
			t.Fatalf("%v: %d, %s", args, code, errs)
		}
		return out
	}
	refused := func(want, in string, args ...string) {
		t.Helper()
		if code, _, errs := command(t, in, args...); code == 0 || !strings.Contains(errs, want) {
			t.Errorf("%v: %d, %s", args, code, errs)
		}
	}
	ok("ann's secret\n", "user", "add", "ann", "--role", "writer", "--users", users)
	ok("bob's secret", "user", "add", "bob", "--users", users)
	refused("already", "another secret\n", "user", "add", "ann", "--users", users)
	refused("at least 8", "short\n", "user", "add", "cid", "--users", users)
	if token := ok("", "user", "token", "svc", "--users", users); len(token) < 40 {
		t.Errorf("the token is %q", token)
	}
	if out := ok("", "user", "list", "--users", users); !strings.Contains(out, "ann   writer  user") || !strings.Contains(out, "bob   reader  user") || !strings.Contains(out, "svc   reader  service") {
		t.Errorf("listed %s", out)
	}
	ok("", "user", "remove", "svc", "--users", users)
	refused("no user svc", "", "user", "remove", "svc", "--users", users)

	uri, stop := serve(t, "--listen", "127.0.0.1:0", "--data", t.TempDir(), "--users", users)
	defer stop()
	refused("[AUTHENTICATION_REQUIRED]", "", "sql", "--connect", uri, "-c", "SELECT 1")
	refused("there is no password", "", "sql", "--connect", uri, "--user", "ann", "-c", "SELECT 1")
	t.Setenv("FLIGHTD_PASSWORD", "ann's secret")
	ok("", "sql", "--connect", uri, "--user", "ann", "-c", "CREATE TABLE t AS SELECT 7 AS n", "-c", "SELECT n FROM t")
	refused("[AUTHENTICATION_FAILED]", "", "sql", "--connect", uri, "--user", "bob", "-c", "SELECT 1")
	t.Setenv("FLIGHTD_PASSWORD", "bob's secret")
	ok("", "sql", "--connect", uri, "--user", "bob", "-c", "SELECT n FROM t")
	refused("[INSUFFICIENT_PERMISSIONS]", "", "sql", "--connect", uri, "--user", "bob", "-c", "DROP TABLE t")
	t.Setenv("FLIGHTD_PASSWORD", "ann's secret")
	refused("[PATH_NOT_ALLOWED]", "", "sql", "--connect", uri, "--user", "ann", "-c", "CREATE TABLE e USING text OPTIONS (path '/etc/hostname')")
}

// What would let strangers in, or cannot be meant, is refused with the flags.
func TestServeRefusals(t *testing.T) {
	dir := t.TempDir()
	pem := filepath.Join(dir, "x.pem")
	if err := os.WriteFile(pem, []byte("nonsense"), 0o600); err != nil {
		t.Fatal(err)
	}
	for want, args := range map[string][]string{
		"--insecure":               {"--listen", "0.0.0.0:0"},
		"--tls-cert and --tls-key": {"--tls-cert", pem},
		"--tls-client-ca needs":    {"--tls-client-ca", pem},
		"PEM files that belong":    {"--tls-cert", pem, "--tls-key", pem},
		"flightd user add":         {"--users", filepath.Join(dir, "none")},
		"at least a minute":        {"--token-life", "1s"},
		"must be positive":         {"--max-streams", "0"},
	} {
		code, _, errs := command(t, "", append([]string{"serve", "--data", filepath.Join(dir, "data")}, args...)...)
		if code == 0 || !strings.Contains(errs, want) {
			t.Errorf("%v: %d, %s", args, code, errs)
		}
	}
}
