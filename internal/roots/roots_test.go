package roots

import (
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/flightd/flightd/internal/base"
)

// place returns a set of one directory, that directory, and one outside with a
// secret in it.
func place(t *testing.T) (s *Set, in, out string) {
	t.Helper()
	top, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	in, out = filepath.Join(top, "in"), filepath.Join(top, "out")
	for _, d := range []string{in, out, filepath.Join(in, "own")} {
		if err := os.Mkdir(d, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	write(t, filepath.Join(out, "secret"), "secret")
	write(t, filepath.Join(in, "own", "catalog"), "secret")
	if s, err = New([]string{in}, []string{filepath.Join(in, "own")}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s, in, out
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

// D1, D2, D3: every operation refuses what lies elsewhere, by whatever name.
func TestOutside(t *testing.T) {
	s, in, out := place(t)
	for link, to := range map[string]string{"abs": out, "rel": "../out", "file": filepath.Join(out, "secret"), "two": "rel", "mine": "own"} {
		if err := os.Symlink(to, filepath.Join(in, link)); err != nil {
			t.Fatal(err)
		}
	}
	paths := []string{filepath.Join(out, "secret"), out, "/etc/passwd", in + "/../out/secret", in + "x/secret", in + "/abs/secret", in + "/rel/secret",
		in + "/file", in + "/two/secret", in + "/own/catalog", in + "/mine/catalog", in + "/mine/new/deep", "/", "", ".", "..", in + "/a\x00b",
		in + "/rel/../../out/secret", "/proc/self/root" + out + "/secret"}
	for _, p := range paths {
		for name, f := range map[string]func() error{
			"open":     func() error { f, err := s.Open(p); closed(f); return err },
			"create":   func() error { f, err := s.Create(p); closed(f); return err },
			"temp":     func() error { f, err := s.CreateTemp(p, "x*"); closed(f); return err },
			"read":     func() error { _, err := s.ReadFile(p); return err },
			"list":     func() error { _, err := s.ReadDir(p); return err },
			"stat":     func() error { _, err := s.Stat(p); return err },
			"mkdir":    func() error { return s.MkdirAll(p, 0o755) },
			"under":    func() error { return s.MkdirAll(p+"/new", 0o755) },
			"rename":   func() error { return s.Rename(p, in+"/stolen") },
			"over":     func() error { return s.Rename(in+"/none", p) },
			"link":     func() error { return s.Link(p, in+"/stolen") },
			"lock":     func() error { c, err := s.FS().Lock(p); closed(c); return err },
			"ledger":   func() error { f, err := s.FS().Create(p, ""); closed(f); return err },
			"ledgered": func() error { f, err := s.FS().Open(p); closed(f); return err },
		} {
			if name == "ledger" || name == "lock" || name == "ledgered" {
				if p == "" || p == "." || p == ".." {
					continue // of the working directory there
				}
			}
			if p == in+"/file" && (name == "ledger" || name == "rename" || name == "link") {
				continue // of the link itself
			}
			if err := f(); err == nil {
				t.Errorf("%s %q: done", name, p)
			}
		}
		if strings.Contains(p, "own") || strings.HasPrefix(p, out) {
			if e := base.AsError(s.Check(p)); e.Condition != "PATH_NOT_ALLOWED" || e.SQLState != "42501" || !strings.Contains(e.Hint, "--root") || !strings.Contains(e.Hint, in) {
				t.Errorf("%q is refused with %s, %q", p, e, e.Hint)
			}
		}
	}
	for _, pattern := range []string{out + "/*", in + "/*/secret", "/*/*", in + "/../out/*", in + "/rel/*", in + "/mine/*"} {
		found, _ := s.Glob(pattern)
		for _, f := range found {
			if b, err := s.ReadFile(f); err == nil {
				t.Errorf("%s found %s: %q", pattern, f, b)
			}
		}
	}
	// Removing a link removes the link.
	if err := s.RemoveAll(in + "/abs"); err != nil {
		t.Error(err)
	}
	if err := s.RemoveAll(in + "/rel/secret"); err == nil {
		t.Error("removed through a link")
	}
	for _, f := range []string{filepath.Join(out, "secret"), filepath.Join(in, "own", "catalog")} {
		if b, err := os.ReadFile(f); err != nil || string(b) != "secret" {
			t.Fatalf("%s: %q, %v", f, b, err)
		}
	}
	if d, _ := os.ReadDir(out); len(d) != 1 {
		t.Fatalf("made outside: %v", d)
	}
	if d, _ := os.ReadDir(filepath.Join(in, "own")); len(d) != 1 {
		t.Fatalf("made among what is private: %v", d)
	}
}

func closed(c any) {
	switch c := c.(type) {
	case *os.File:
		if c != nil {
			c.Close()
		}
	case vfs.File:
		if c != nil {
			c.Close()
		}
	}
}

// D1: a directory that becomes a link and back, while it is used, leads nowhere.
func TestSwap(t *testing.T) {
	s, in, out := place(t)
	write(t, filepath.Join(in, "secret"), "harmless")
	dir, link := filepath.Join(in, "d"), filepath.Join(in, "l")
	if err := os.Mkdir(filepath.Join(in, "real"), 0o755); err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(in, "real", "secret"), "harmless")
	if err := os.Symlink("real", dir); err != nil {
		t.Fatal(err)
	}
	stop := make(chan struct{})
	var wg sync.WaitGroup
	wg.Go(func() {
		for i := 0; ; i++ {
			select {
			case <-stop:
				return
			default:
			}
			os.Symlink([]string{"real", "../out"}[i%2], link)
			os.Rename(link, dir)
		}
	})
	read := 0
	for end := time.Now().Add(300 * time.Millisecond); time.Now().Before(end); {
		b, err := s.ReadFile(filepath.Join(dir, "secret"))
		if err == nil && string(b) != "harmless" {
			t.Fatalf("read %q", b)
		}
		if err == nil {
			read++
		}
		if f, err := s.Create(filepath.Join(dir, "made")); err == nil {
			f.Close()
		}
	}
	close(stop)
	wg.Wait()
	if read == 0 {
		t.Fatal("the directory was never read")
	}
	if d, _ := os.ReadDir(out); len(d) != 1 {
		t.Fatalf("made outside: %v", d)
	}
}

// D4: a pipe that nobody writes to is refused at once.
func TestPipe(t *testing.T) {
	s, in, _ := place(t)
	p := filepath.Join(in, "pipe")
	if err := syscall.Mkfifo(p, 0o644); err != nil {
		t.Skip(err)
	}
	if f, err := s.Open(p); err == nil {
		f.Close()
		t.Fatal("opened")
	}
}

// Within the directory everything works as it does without a set.
func TestInside(t *testing.T) {
	set, in, _ := place(t)
	for name, s := range map[string]*Set{"confined": set, "free": nil} {
		dir := filepath.Join(in, name)
		must(t, s.MkdirAll(filepath.Join(dir, "a", "b"), 0o755))
		f, err := s.Create(filepath.Join(dir, "a", "x.csv"))
		must(t, err)
		_, err = f.WriteString("1")
		must(t, err)
		must(t, f.Close())
		must(t, s.Rename(filepath.Join(dir, "a", "x.csv"), filepath.Join(dir, "a", "b", "y.csv")))
		must(t, s.Link(filepath.Join(dir, "a", "b", "y.csv"), filepath.Join(dir, "z.csv")))
		found, err := s.Glob(filepath.Join(dir, "*", "b", "*.csv"))
		if err != nil || len(found) != 1 || found[0] != filepath.Join(dir, "a", "b", "y.csv") {
			t.Fatalf("%s: found %v, %v", name, found, err)
		}
		b, err := s.ReadFile(found[0])
		if err != nil || string(b) != "1" {
			t.Fatalf("%s: read %q, %v", name, b, err)
		}
		var seen []string
		must(t, s.WalkDir(dir, func(p string, _ os.DirEntry, err error) error {
			seen = append(seen, strings.TrimPrefix(p, dir))
			return err
		}))
		if got := strings.Join(seen, " "); got != " /a /a/b /a/b/y.csv /z.csv" {
			t.Fatalf("%s: walked %q", name, got)
		}
		_, err = s.Stat(filepath.Join(dir, "none"))
		if !os.IsNotExist(err) || !strings.Contains(err.Error(), filepath.Join(dir, "none")) {
			t.Fatalf("%s: %v", name, err)
		}
		l, err := s.FS().Lock(filepath.Join(dir, "LOCK"))
		must(t, err)
		if _, err := s.FS().Lock(filepath.Join(dir, "LOCK")); err == nil {
			t.Fatalf("%s: locked twice", name)
		}
		must(t, l.Close())
		must(t, s.RemoveAll(dir))
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
