package access

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/flightd/flightd/internal/base"
)

var bg = context.Background()

func roles() []string { return []string{"admin", "writer", "reader"} }

// clock is a time that tests move.
type clock struct {
	mu sync.Mutex
	at time.Time
}

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.at
}

func (c *clock) add(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at = c.at.Add(d)
}

// keeper returns the keeper of ann (writer, password "correct horse"), bob
// (reader, "battery staple") and the service grafana (reader), whose token it
// returns.
func keeper(t *testing.T, o Options) (k *Keeper, path, token string, c *clock) {
	t.Helper()
	path, c = filepath.Join(t.TempDir(), "users"), &clock{at: time.Unix(1e9, 0)}
	f, err := Read(path, roles(), true)
	if err != nil {
		t.Fatal(err)
	}
	if err := f.AddUser("ann", "writer", "correct horse", false); err != nil {
		t.Fatal(err)
	}
	if err := f.AddUser("bob", "Reader", "battery staple", false); err != nil {
		t.Fatal(err)
	}
	if token, err = f.AddService("grafana", "reader", false); err != nil {
		t.Fatal(err)
	}
	if err := f.Write(); err != nil {
		t.Fatal(err)
	}
	o.Now = c.now
	if k, err = Open(path, roles(), o); err != nil {
		t.Fatal(err)
	}
	return k, path, token, c
}

func wants(t *testing.T, err error, code base.Code, text string) {
	t.Helper()
	if err == nil || base.CodeOf(err) != code || !strings.Contains(err.Error(), text) {
		t.Fatalf("want %v with %q, got %v", code, text, err)
	}
}

func TestLogin(t *testing.T) {
	k, _, service, c := keeper(t, Options{})
	token, err := k.Login(bg, "ann", "correct horse", "10.0.0.1:99")
	if err != nil {
		t.Fatal(err)
	}
	if id, err := k.Check(token); err != nil || id != (Identity{Name: "ann", Role: "writer"}) {
		t.Fatalf("got %v, %v", id, err)
	}
	if id, err := k.Check(service); err != nil || id != (Identity{Name: "grafana", Role: "reader", Service: true}) {
		t.Fatalf("got %v, %v", id, err)
	}
	for _, bad := range []string{"", "x", token + "x", token[:len(token)-1], strings.ToUpper(token), digestOf(token).String(), "ann"} {
		_, err := k.Check(bad)
		wants(t, err, base.CodeUnauthenticated, "[INVALID_TOKEN]")
	}
	// X2: the same words for each.
	var said []string
	for _, try := range [][2]string{{"ann", "wrong horse"}, {"nobody", "correct horse"}, {"ANN", "correct horse"}, {"ann", ""}, {"", ""}, {"grafana", service}, {"ann", strings.Repeat("x", 1<<20)}} {
		_, err := k.Login(bg, try[0], try[1], fmt.Sprintf("10.0.1.%d:1", len(said)))
		wants(t, err, base.CodeUnauthenticated, "[AUTHENTICATION_FAILED]")
		said = append(said, err.Error())
		c.add(time.Hour)
	}
	for _, s := range said {
		if s != said[0] {
			t.Errorf("%q and %q tell users apart", s, said[0])
		}
	}
}

// X2: a user that there is not costs a hash as well.
func TestNobodyTakesAsLong(t *testing.T) {
	k, _, _, c := keeper(t, Options{})
	took := func(name string) time.Duration {
		best := time.Hour
		for i := range 5 {
			c.add(time.Hour)
			start := time.Now()
			if _, err := k.Login(bg, name, "wrong horse", fmt.Sprintf("10.0.2.%d:1", i)); err == nil {
				t.Fatal("in")
			}
			best = min(best, time.Since(start))
		}
		return best
	}
	if a, b := took("ann"), took("nobody"); a > 3*b || b > 3*a {
		t.Fatalf("a wrong password takes %v, no such user %v", a, b)
	}
}

// X4: a token slides, and ends with its life, logout, user, password and role.
func TestTokensEnd(t *testing.T) {
	k, path, service, c := keeper(t, Options{TokenLife: time.Hour})
	login := func() string {
		c.add(time.Second)
		token, err := k.Login(bg, "ann", "correct horse", "10.0.0.1:1")
		if err != nil {
			t.Fatal(err)
		}
		return token
	}
	gone := func(token string) {
		t.Helper()
		_, err := k.Check(token)
		wants(t, err, base.CodeUnauthenticated, "INVALID_TOKEN")
		if k.Keep(token, true) {
			t.Fatal("it is kept")
		}
	}
	token := login()
	for range 5 {
		c.add(50 * time.Minute)
		if _, err := k.Check(token); err != nil {
			t.Fatal("a token in use has ended")
		}
	}
	c.add(50 * time.Minute)
	if !k.Keep(token, true) { // as a long result does
		t.Fatal("a token with a running call has ended")
	}
	c.add(61 * time.Minute)
	if k.Keep(token, false) {
		t.Fatal("an unused token is kept")
	}
	gone(token)
	token = login()
	k.Revoke(token)
	gone(token)
	k.Revoke(service)
	if _, err := k.Check(service); err != nil {
		t.Fatal("a service's token was revoked by its user")
	}
	change := func(f func(*File) error) {
		t.Helper()
		file, err := Read(path, roles(), false)
		if err == nil {
			err = f(file)
		}
		if err == nil {
			err = file.Write()
		}
		if err != nil {
			t.Fatal(err)
		}
		if !k.Changed() {
			t.Fatal("the change is not seen")
		}
		if err := k.Reload(); err != nil {
			t.Fatal(err)
		}
		if k.Changed() {
			t.Fatal("what was read counts as a change")
		}
	}
	token = login()
	change(func(f *File) error { return f.AddUser("cid", "admin", "not a secret", false) })
	if _, err := k.Check(token); err != nil {
		t.Fatal("a token ended with the change of another user")
	}
	change(func(f *File) error { return f.AddUser("ann", "admin", "correct horse", true) })
	gone(token)
	token = login()
	change(func(f *File) error { return f.Remove("ann") })
	gone(token)
	change(func(f *File) error { return f.Remove("grafana") })
	gone(service)
	// A sweep leaves nothing.
	if _, err := k.Login(bg, "bob", "battery staple", "10.0.0.1:1"); err != nil {
		t.Fatal(err)
	}
	c.add(2 * time.Hour)
	k.Sweep()
	if len(k.tokens) != 0 || len(k.perUser) != 0 {
		t.Fatalf("left: %v, %v", k.tokens, k.perUser)
	}
}

// The oldest tokens of a user make room.
func TestTokensMakeRoom(t *testing.T) {
	k, _, _, c := keeper(t, Options{MaxTokens: 3})
	var tokens []string
	for range 5 {
		c.add(time.Second)
		token, err := k.Login(bg, "bob", "battery staple", "10.0.0.1:1")
		if err != nil {
			t.Fatal(err)
		}
		tokens = append(tokens, token)
	}
	for i, token := range tokens {
		if _, err := k.Check(token); (err == nil) != (i >= 2) {
			t.Errorf("token %d: %v", i, err)
		}
	}
}

// X3: failures make wait, by user from everywhere and by address for everyone.
func TestThrottle(t *testing.T) {
	k, _, _, c := keeper(t, Options{})
	for i := range freeByUser + 1 {
		_, err := k.Login(bg, "ann", "wrong horse", fmt.Sprintf("10.1.%d.1:1", i))
		wants(t, err, base.CodeUnauthenticated, "AUTHENTICATION_FAILED")
	}
	_, err := k.Login(bg, "ann", "correct horse", "10.2.0.1:1")
	wants(t, err, base.CodeExhausted, "[TOO_MANY_FAILED_LOGINS]")
	if _, err := k.Login(bg, "bob", "battery staple", "10.2.0.1:1"); err != nil {
		t.Fatal(err)
	}
	c.add(firstWait)
	if _, err := k.Login(bg, "ann", "correct horse", "10.2.0.1:1"); err != nil {
		t.Fatal(err)
	}
	if _, err := k.Login(bg, "ann", "wrong horse", "10.2.0.1:1"); base.CodeOf(err) != base.CodeUnauthenticated {
		t.Fatal("a success does not end the wait")
	}
	k, _, _, c = keeper(t, Options{})
	th := k.throttle
	for i := range freeByAddress + 1 {
		if d := th.wait(fmt.Sprint("user", i), "[2001:db8::1]:5", c.now()); d != 0 {
			t.Fatalf("try %d waits %v", i, d)
		}
	}
	if d := th.wait("bob", "[2001:db8::ffff:1]:7", c.now()); d <= 0 || d > firstWait {
		t.Fatalf("a neighbour waits %v", d)
	}
	if d := th.wait("bob", "[2001:db8:0:1::1]:7", c.now()); d != 0 {
		t.Fatalf("another network waits %v", d)
	}
	for range 100 {
		c.add(longestWait)
		if d := th.wait("eve", "10.3.0.1:1", c.now()); d != 0 {
			t.Fatalf("after the longest wait there is one of %v", d)
		}
	}
}

// X3: many logins at once are no way around the throttle, and memory does not
// grow with what is tried.
func TestThrottleUnderFire(t *testing.T) {
	k, _, _, c := keeper(t, Options{})
	var wg sync.WaitGroup
	var mu sync.Mutex
	tried := 0
	for range 50 {
		wg.Go(func() {
			_, err := k.Login(bg, "ann", "wrong horse", "10.0.0.1:1")
			mu.Lock()
			defer mu.Unlock()
			if base.CodeOf(err) == base.CodeUnauthenticated {
				tried++
			}
		})
	}
	wg.Wait()
	if tried > freeByUser+1 {
		t.Fatalf("%d passwords were tried at once", tried)
	}
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	for i := range 200_000 {
		k.throttle.wait(fmt.Sprint("user", i), fmt.Sprintf("10.%d.%d.%d:1", i>>16, i>>8&255, i&255), c.now())
	}
	runtime.GC()
	runtime.ReadMemStats(&after)
	if after.HeapAlloc > before.HeapAlloc+1<<20 {
		t.Fatalf("the heap grew from %d to %d", before.HeapAlloc, after.HeapAlloc)
	}
}

// X1, X5: what the file holds and when it is refused.
func TestFile(t *testing.T) {
	_, path, token, _ := keeper(t, Options{})
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	text := string(b)
	if strings.Contains(text, "horse") || strings.Contains(text, token) || !strings.Contains(text, "ann writer $argon2id$v=19$m=19456,t=2,p=1$") || !strings.Contains(text, "grafana reader sha256:") {
		t.Fatalf("the file holds %s", text)
	}
	if st, _ := os.Stat(path); st.Mode().Perm() != 0o600 {
		t.Fatalf("the file has the mode %v", st.Mode())
	}
	for _, mode := range []os.FileMode{0o644, 0o640, 0o604, 0o660, 0o602} {
		if err := os.Chmod(path, mode); err != nil {
			t.Fatal(err)
		}
		_, err := Open(path, roles(), Options{})
		wants(t, err, base.CodeInvalid, fmt.Sprintf("has the mode %04o", mode))
		if !strings.Contains(base.AsError(err).Hint, "chmod 600") {
			t.Fatal(err)
		}
	}
	hash := hashPassword("long enough")
	for text, want := range map[string]string{
		"":                                       "has no users",
		"# nobody\n\n":                           "has no users",
		"ann":                                    "line 1",
		"ann root " + hash:                       `the role "root"`,
		"-rf admin " + hash:                      "no name of a user",
		"a/b admin " + hash:                      "no name of a user",
		"ann admin secret":                       "not an argon2id hash",
		"ann admin " + hash[:40]:                 "argon2id",
		"ann admin sha256:12":                    "argon2id",
		"ann admin " + hash + " x":               "4 words",
		"a reader " + hash + "\na admin " + hash: "two lines",
		"ann admin " + strings.Replace(hash, "m=19456", "m=4294967295", 1): "out of bounds",
		"ann admin " + strings.Replace(hash, "t=2", "t=4000000", 1):        "out of bounds",
		"ann admin " + strings.Replace(hash, "p=1", "p=0", 1):              "out of bounds",
		"ann admin " + strings.Replace(hash, "argon2id", "argon2i", 1):     "not an argon2id hash",
	} {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(path, 0o600); err != nil {
			t.Fatal(err)
		}
		_, err := Open(path, roles(), Options{})
		wants(t, err, base.CodeInvalid, want)
	}
	_, err = Open(path+".none", roles(), Options{})
	wants(t, err, base.CodeInvalid, "no such file")
	_, err = Open(filepath.Dir(path), roles(), Options{})
	wants(t, err, base.CodeInvalid, "is not a file")
	f, err := Read(path+".none", roles(), true)
	if err != nil {
		t.Fatal(err)
	}
	wants(t, f.AddUser("ann", "admin", "short", false), base.CodeInvalid, "at least 8")
	wants(t, f.AddUser("ann", "admin", strings.Repeat("x", 2000), false), base.CodeInvalid, "at most 1024")
	wants(t, f.AddUser("a b", "admin", "long enough", false), base.CodeInvalid, "no name")
	wants(t, f.AddUser("ann", "boss", "long enough", false), base.CodeInvalid, "the role")
	wants(t, f.Remove("ann"), base.CodeNotFound, "no user ann")
	if err := f.AddUser("ann", "admin", "long enough", false); err != nil {
		t.Fatal(err)
	}
	wants(t, f.AddUser("ann", "admin", "long enough", false), base.CodeConflict, "already")
}

// A file that breaks while the server runs changes nothing.
func TestBrokenReload(t *testing.T) {
	k, path, service, _ := keeper(t, Options{})
	token, err := k.Login(bg, "ann", "correct horse", "10.0.0.1:1")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte("ann admin nonsense"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := k.Reload(); err == nil {
		t.Fatal("it was read")
	}
	for _, x := range []string{token, service} {
		if _, err := k.Check(x); err != nil {
			t.Fatal(err)
		}
	}
}
