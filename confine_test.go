package flightd_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"sort"
	"strings"
	"testing"

	"github.com/flightd/flightd"
	"github.com/flightd/flightd/internal/base"
)

// secret is in every file that SQL must not read.
const secret = "5ecret"

// prison is an engine whose SQL may use one directory, beside one that it may
// not.
type prison struct {
	eng           *flightd.Engine
	s             *flightd.Session
	in, out, data string
}

func newPrison(t *testing.T) *prison {
	t.Helper()
	top, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	p := &prison{in: filepath.Join(top, "in"), out: filepath.Join(top, "out"), data: filepath.Join(top, "in", "data")}
	for _, d := range []string{"in/sub", "in/data", "in/source", "out/sub", "out/k=1", "inside"} {
		if err := os.MkdirAll(filepath.Join(top, d), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	for _, f := range []string{"out/secret.csv", "out/sub/secret.csv", "out/k=1/secret.csv", "out/passwd", "inside/secret.csv", "in/users", "in/sub/ok.csv", "in/source/a.csv"} {
		text := secret + "\n"
		if strings.HasSuffix(f, "ok.csv") || strings.HasSuffix(f, "a.csv") {
			text = "harmless\n"
		}
		if err := os.WriteFile(filepath.Join(top, f), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for link, to := range map[string]string{"abs": p.out, "rel": "../out", "file.csv": p.out + "/secret.csv", "deep": "sub/../../out", "chain": "rel", "loop": "loop",
		"dots": "..", "root": "/", "own": "data", "me": "users", "sub/up": "../../out", "fd": "/proc/self/cwd", "k=1": "../out/k=1"} {
		if err := os.Symlink(to, filepath.Join(p.in, link)); err != nil {
			t.Fatal(err)
		}
	}
	p.eng, err = flightd.Open(context.Background(), flightd.Options{DataDir: p.data, Roots: []string{p.in}, Private: []string{filepath.Join(p.in, "users")}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { p.eng.Close() })
	p.s = p.eng.NewSession()
	if _, err := p.run("CREATE TABLE kept AS SELECT '" + secret + "' AS v"); err != nil {
		t.Fatal(err)
	}
	return p
}

// run runs a statement and returns all that it shows.
func (p *prison) run(text string) (string, error) {
	ctx := context.Background()
	r, err := p.s.Execute(ctx, text)
	if err != nil {
		return "", err
	}
	defer r.Close()
	var b strings.Builder
	for {
		rec, err := r.Next(ctx)
		if errors.Is(err, io.EOF) {
			return b.String(), nil
		}
		if err != nil {
			return b.String(), err
		}
		fmt.Fprintln(&b, rec)
		rec.Release()
	}
}

// tricks are more than 200 names of what is outside.
func (p *prison) tricks() []string {
	up := strings.Repeat("../", 20)
	rel := strings.TrimPrefix(p.out, "/")
	var out []string
	for _, target := range []string{p.out, p.out + "/secret.csv", p.data + "/catalog", p.data + "/subscription.key", p.in + "/users"} {
		slashless := strings.TrimPrefix(target, "/")
		pct := func(chars string) string {
			var b strings.Builder
			for _, c := range []byte(target) {
				if strings.IndexByte(chars, c) >= 0 {
					fmt.Fprintf(&b, "%%%02x", c)
				} else {
					b.WriteByte(c)
				}
			}
			return b.String()
		}
		out = append(out, target, target+"/", target+"/.", target+"//", "/"+target, "//"+target, "  "+target+"  ", "\t"+target, target+"\n",
			"file:"+target, "file://"+target, "file:/"+target, "file://localhost"+target, "FILE:"+target, "File://"+target, "file:"+pct("/"), "file:"+pct("./ose"), "file:///"+pct("se"),
			pct("/"), pct("./"), p.in+"/"+up+slashless, p.in+"/sub/../../"+filepath.Base(p.out)+strings.TrimPrefix(target, p.out), p.in+"/%2e%2e/"+slashless,
			"file:"+p.in+"/%2e%2e/%2e%2e/%2e%2e/%2e%2e/%2e%2e/%2e%2e/"+slashless, "file:"+p.in+"/..%2f..%2f..%2f..%2f..%2f"+slashless, p.in+"/..\\..\\"+slashless,
			"\\\\?\\"+target, "C:"+strings.ReplaceAll(target, "/", "\\"), strings.ReplaceAll(target, "/", "\\"), up+slashless, "./"+up+slashless,
			"/proc/self/root"+target, "/proc/thread-self/root"+target, p.in+"/root/"+slashless, p.in+"/\u2025/"+slashless, p.in+"/\uff0e\uff0e/"+slashless, strings.ReplaceAll(target, "/", "\u2215"),
			target+"\x00.csv", p.in+"\x00/../"+slashless, p.in+"/sub/{ok.csv,"+up+slashless+"}", "{"+p.in+"/sub,"+target+"}", p.in+"/*/"+up+slashless, strings.TrimSuffix(target, "t")+"?",
			target[:len(target)-1]+"["+target[len(target)-1:]+"]", target+"*", filepath.Dir(target)+"/*", "/*/"+slashless, "jar:file:"+target+"!/x", "hdfs:"+target, "https://x"+target, "~"+target, "$PWD/"+up+slashless)
	}
	for _, link := range []string{"abs", "rel", "deep", "chain", "dots/out", "root" + p.out, "sub/up", "own/catalog", "own/tables", "me", "file.csv", "loop", "fd", "k=1", "rel/../out", "abs/../out", "sub/../rel"} {
		out = append(out, p.in+"/"+link, p.in+"/"+link+"/secret.csv", p.in+"/"+link+"/*", p.in+"/"+link+"/new", "file:"+p.in+"/"+link, p.in+"/*/../"+link)
	}
	for _, odd := range []string{"/", "/etc/passwd", "/etc", "/dev/stdin", "/dev/zero", "/dev/fd/0", "/proc/self/environ", "/proc/self/mem", "/sys", "../out", "..", "../../..", "../inside/secret.csv",
		p.in + "side", p.in + "side/secret.csv", p.in + "/../inside", "file:///etc/passwd", "file:%2fetc%2fpasswd", rel, p.in + "/.", p.in, p.in + "/k=1"} {
		out = append(out, odd, odd+"*")
	}
	return out
}

// uses are the places where SQL names a file.
func uses(path, ok string, n int) map[string][]string {
	q := "'" + strings.NewReplacer(`\`, `\\`, "'", `\'`).Replace(path) + "'"
	home := "'" + ok + "'"
	stream := func(sink, options, source string) []string {
		return []string{fmt.Sprintf("CREATE TABLE s%d (v STRING) USING csv OPTIONS (path %s)", n, source),
			fmt.Sprintf("CREATE STREAMING QUERY q%d TRIGGER AVAILABLE NOW %s AS SELECT v FROM STREAM s%d", n, sink+options, n)}
	}
	return map[string][]string{
		"text":     {fmt.Sprintf("CREATE TABLE r%d USING text OPTIONS (path %s)", n, q), fmt.Sprintf("SELECT * FROM r%d", n)},
		"csv":      {fmt.Sprintf("CREATE TABLE c%d (v STRING) USING csv OPTIONS (path %s, recursiveFileLookup 'true')", n, q), fmt.Sprintf("SELECT * FROM c%d", n), fmt.Sprintf("INSERT INTO c%d VALUES ('x')", n), fmt.Sprintf("INSERT OVERWRITE c%d VALUES ('y')", n)},
		"json":     {fmt.Sprintf("CREATE TABLE j%d USING json OPTIONS (path %s)", n, q), fmt.Sprintf("SELECT * FROM j%d", n)},
		"parquet":  {fmt.Sprintf("CREATE TABLE p%d USING parquet OPTIONS (path %s) AS SELECT 1 AS a", n, q)},
		"base":     {fmt.Sprintf("CREATE TABLE b%d (v STRING) USING csv OPTIONS (path %s, basePath %s)", n, home, q), fmt.Sprintf("SELECT * FROM b%d", n)},
		"kafka":    {fmt.Sprintf("CREATE TABLE k%d USING kafka OPTIONS ('kafka.bootstrap.servers' '127.0.0.1:1', subscribe 't', 'kafka.security.protocol' 'SSL', 'kafka.ssl.truststore.location' %s, 'kafka.ssl.keystore.location' %s)", n, q, q)},
		"sink":     stream("INTO csv OPTIONS (path "+q+")", "", home),
		"ledger":   stream("CHECKPOINT LOCATION "+q+" INTO noop", "", home),
		"stream":   append(stream("INTO memory", "", q), fmt.Sprintf("SELECT * FROM q%d", n)),
		"archive":  {fmt.Sprintf("CREATE TABLE a%d (v STRING) USING csv OPTIONS (path %s, cleanSource 'archive', sourceArchiveDir %s)", n, home, q), fmt.Sprintf("CREATE STREAMING QUERY q%d TRIGGER AVAILABLE NOW INTO noop AS SELECT v FROM STREAM a%d", n, n)},
		"setting":  {"SET spark.sql.streaming.checkpointLocation = " + q, fmt.Sprintf("CREATE STREAMING QUERY q%d TRIGGER AVAILABLE NOW INTO noop AS SELECT v FROM STREAM legal", n), "RESET spark.sql.streaming.checkpointLocation"},
		"location": {fmt.Sprintf("CREATE TABLE l%d (v STRING) USING csv LOCATION %s", n, q), fmt.Sprintf("SELECT * FROM csv.`%s`", strings.ReplaceAll(path, "`", "``"))},
	}
}

// The path corpus: no name of what is outside, in any place where SQL takes a
// name, reads, makes, changes or removes anything there.
func TestPathCorpus(t *testing.T) {
	p := newPrison(t)
	tricks := p.tricks()
	if len(tricks) < 200 {
		t.Fatalf("there are %d tricks", len(tricks))
	}
	before := p.outside(t)
	ok := filepath.Join(p.in, "source")
	if _, err := p.run("CREATE TABLE legal (v STRING) USING csv OPTIONS (path '" + ok + "')"); err != nil {
		t.Fatal(err)
	}
	t.Chdir(p.in) // relative names begin where the server's do
	n, refused := 0, 0
	for _, trick := range tricks {
		n++
		for use, statements := range uses(trick, ok, n) {
			// Should the test fail one day, it is not to harm the computer that it runs on.
			if !strings.Contains(trick, strings.TrimPrefix(filepath.Dir(p.in), "/")) && !slices.Contains([]string{"text", "json", "base", "kafka", "stream", "location"}, use) {
				continue
			}
			for _, text := range statements {
				shown, err := p.run(text)
				for _, q := range p.eng.AllQueries() {
					if e := q.AwaitTermination(context.Background()); e != nil && err == nil {
						err = e
					}
				}
				if err != nil {
					shown += err.Error() + base.AsError(err).Display()
					if base.AsError(err).Condition == "PATH_NOT_ALLOWED" {
						refused++
					}
				}
				if strings.Contains(strings.ReplaceAll(shown, text, ""), secret) {
					t.Errorf("%s of %q: %s\nshows %s", use, trick, text, shown)
				}
			}
			for _, name := range []string{"q", "s", "r", "c", "j", "p", "b", "k", "a", "l"} {
				kind := "TABLE"
				if name == "q" {
					kind = "QUERY"
				}
				_, _ = p.run(fmt.Sprintf("DROP %s IF EXISTS %s%d", kind, name, n))
			}
			if after := p.outside(t); after != before {
				t.Fatalf("%s of %q changed what is outside:\n%s\nwas\n%s", use, trick, after, before)
			}
		}
	}
	if refused < len(tricks) {
		t.Errorf("%d tricks in 12 places were refused as paths %d times only", len(tricks), refused)
	}
	t.Logf("%d tricks, refused %d times", len(tricks), refused)
	if got, err := p.run("SELECT count(*) FROM kept"); err != nil || !strings.Contains(got, "1") {
		t.Fatalf("the table under the data folder: %s, %v", got, err)
	}
}

// outside describes all that must stay as it is, except the engine's log.
func (p *prison) outside(t *testing.T) string {
	t.Helper()
	var lines []string
	top := filepath.Dir(p.in)
	for _, dir := range []string{p.out, filepath.Join(top, "inside"), filepath.Join(p.in, "users"), filepath.Join(p.data, "tables")} {
		err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
			if err != nil {
				return err
			}
			st, err := d.Info()
			if err != nil {
				return err
			}
			text := ""
			if st.Mode().IsRegular() {
				b, _ := os.ReadFile(path)
				text = string(b)
			}
			lines = append(lines, fmt.Sprintf("%s %v %q", path, st.Mode(), text))
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	for _, dir := range []string{top, filepath.Join(p.data, "catalog")} {
		names, err := os.ReadDir(dir)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range names {
			if d.Name() != "data" {
				lines = append(lines, filepath.Join(dir, d.Name()))
			}
		}
	}
	sort.Strings(lines)
	return strings.Join(lines, "\n")
}

// What lies under a root works in every place, by path and by URL.
func TestPathsInside(t *testing.T) {
	p := newPrison(t)
	t.Chdir(p.in)
	ok := filepath.Join(p.in, "source")
	for i, path := range []string{p.in + "/new1", "new2", "file:" + p.in + "/new3", "file://" + p.in + "/new%34", "./sub/../new5"} {
		if _, err := p.run(fmt.Sprintf("CREATE TABLE w%d USING csv OPTIONS (path '%s') AS SELECT 'fine' AS v", i, path)); err != nil {
			t.Fatalf("%s: %v", path, err)
		}
		if got, err := p.run(fmt.Sprintf("SELECT * FROM w%d", i)); err != nil || !strings.Contains(got, "fine") {
			t.Fatalf("%s: %s, %v", path, got, err)
		}
		if _, err := p.run(fmt.Sprintf("INSERT OVERWRITE w%d VALUES ('finer')", i)); err != nil {
			t.Fatalf("%s: %v", path, err)
		}
	}
	for _, text := range []string{
		"CREATE TABLE src (v STRING) USING csv OPTIONS (path '" + ok + "/*.csv', cleanSource 'archive', sourceArchiveDir '" + p.in + "/done')",
		"CREATE STREAMING QUERY q TRIGGER AVAILABLE NOW CHECKPOINT LOCATION '" + p.in + "/ledger' INTO parquet OPTIONS (path '" + p.in + "/streamed') AS SELECT v FROM STREAM src",
	} {
		if _, err := p.run(text); err != nil {
			t.Fatalf("%s: %v", text, err)
		}
	}
	if err := p.eng.Query("q").AwaitTermination(context.Background()); err != nil {
		t.Fatal(err)
	}
	got, err := p.run("CREATE TABLE back USING parquet OPTIONS (path '" + (&url.URL{Scheme: "file", Path: p.in + "/streamed"}).String() + "')")
	if err == nil {
		got, err = p.run("SELECT * FROM back")
	}
	if err != nil || !strings.Contains(got, "harmless") {
		t.Fatalf("%s, %v", got, err)
	}
	for _, text := range []string{"CREATE TABLE ticks USING rate", "CREATE STREAMING QUERY fed INTO feed AS SELECT * FROM STREAM ticks", "SUBSCRIBE TO SELECT value FROM STREAM ticks"} {
		r, err := p.s.Execute(context.Background(), text)
		if err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		r.Close()
	}
	// Whatever the engine has made in its folder is its own.
	names, err := os.ReadDir(p.data)
	if err != nil || len(names) < 5 {
		t.Fatalf("the data folder has %v, %v", names, err)
	}
	for i, d := range names {
		if _, err := p.run(fmt.Sprintf("CREATE TABLE o%d USING text OPTIONS (path '%s')", i, filepath.Join(p.data, d.Name()))); err == nil || base.AsError(err).Condition != "PATH_NOT_ALLOWED" {
			t.Errorf("%s is within reach of SQL: %v", d.Name(), err)
		}
	}
}
