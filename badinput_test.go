package flightd_test

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/flightd/flightd"
	"github.com/flightd/flightd/internal/base"
)

// TestMalformedText streams JSON and CSV with a malformed row in the three modes:
// PERMISSIVE keeps it with its text in _corrupt_record, DROPMALFORMED leaves it
// out, FAILFAST stops the query with an error that names the file.
func TestMalformedText(t *testing.T) {
	texts := map[string]string{
		"json": "{\"n\":1,\"s\":\"a\"}\n{\"n\":2,\"s\":\n{\"n\":3,\"s\":\"c\"}\n",
		"csv":  "1,a\nx,b\n3,c\n",
	}
	bad := map[string]string{"json": `{"n":2,"s":`, "csv": "x,b"}
	for format, text := range texts {
		for _, mode := range []string{"PERMISSIVE", "DROPMALFORMED", "FAILFAST"} {
			t.Run(format+" "+mode, func(t *testing.T) {
				w := newWorld(t)
				w.open()
				if err := os.WriteFile(filepath.Join(w.dir("in"), "part."+format), []byte(text), 0o644); err != nil {
					t.Fatal(err)
				}
				ddl := "n INT, s STRING"
				if mode == "PERMISSIVE" {
					ddl += ", _corrupt_record STRING"
				}
				d := w.s.ReadStream().Format(format).Schema(ddl).Option("mode", mode).Load(w.dir("in"))
				q, err := d.WriteStream().QueryName("q").Format("ledger").Trigger(availableNow).
					Option("checkpointLocation", filepath.Join(w.home, "checkpoint")).Start(context.Background())
				if err != nil {
					t.Fatal(err)
				}
				err = finish(q)
				rows, _ := w.sink.rows(t)
				switch mode {
				case "PERMISSIVE":
					second := "NULL|NULL|" + bad[format]
					if format == "csv" {
						second = "NULL|b|" + bad[format]
					}
					want := []string{"1|a|NULL", second, "3|c|NULL"}
					if err != nil || !slices.Equal(rows, want) {
						t.Errorf("%v\n%q, want\n%q", err, rows, want)
					}
				case "DROPMALFORMED":
					if want := []string{"1|a", "3|c"}; err != nil || !slices.Equal(rows, want) {
						t.Errorf("%v\n%q, want\n%q", err, rows, want)
					}
				case "FAILFAST":
					wantError(t, err, "MALFORMED_RECORD_IN_PARSING.WITHOUT_SUGGESTION", "22023", "part."+format+", line 2", "FAILFAST", "epoch 0")
					if len(rows) > 0 {
						t.Errorf("the failed epoch has committed %q", rows)
					}
				}
			})
		}
	}
}

// parquetFile writes the rows of a query as one Parquet file and returns its
// bytes.
func parquetFile(t *testing.T, sql string) []byte {
	t.Helper()
	w := newWorld(t)
	w.file("e", 0, `{"k":"a"}`)
	w.open()
	w.stream("e", "k STRING", 0)
	q, err := w.s.SQL(sql).WriteStream().QueryName("q").Format("parquet").Trigger(availableNow).
		Option("checkpointLocation", filepath.Join(w.home, "checkpoint")).Start(context.Background(), filepath.Join(w.home, "out"))
	if err != nil {
		t.Fatal(err)
	}
	if err := finish(q); err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob(filepath.Join(w.home, "out", "*.parquet"))
	if err != nil || len(files) != 1 {
		t.Fatalf("%d files, %v", len(files), err)
	}
	b, err := os.ReadFile(files[0])
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// TestDamagedParquet streams a Parquet file that was cut, is no Parquet at all, or
// has other columns than were declared.
func TestDamagedParquet(t *testing.T) {
	whole := parquetFile(t, "SELECT id, cast(id AS STRING) AS s FROM e LATERAL VIEW explode(sequence(1, 5000)) x AS id")
	for _, c := range []struct {
		name, ddl, condition, state string
		bytes                       []byte
		parts                       []string
	}{
		{"cut in half", "id INT, s STRING", "", "", whole[:len(whole)/2], []string{"truncated"}},
		{"without its end", "id INT, s STRING", "", "", whole[:len(whole)-3], []string{"truncated"}},
		{"empty", "id INT, s STRING", "", "", nil, []string{"0 bytes are no Parquet file"}},
		{"text", "id INT, s STRING", "", "", []byte("id,s\n1,a\n"), []string{"no Parquet file"}},
		{"other type", "id TIMESTAMP, s STRING", "FAILED_READ_FILE.PARQUET_COLUMN_DATA_TYPE_MISMATCH", "KD001", whole, []string{"column id", "int32", "timestamp"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t)
			w.open()
			if err := os.WriteFile(filepath.Join(w.dir("in"), "part.parquet"), c.bytes, 0o644); err != nil {
				t.Fatal(err)
			}
			q, err := w.s.ReadStream().Schema(c.ddl).Parquet(w.dir("in")).WriteStream().QueryName("q").Format("ledger").Trigger(availableNow).
				Option("checkpointLocation", filepath.Join(w.home, "checkpoint")).Start(context.Background())
			if err != nil {
				t.Fatal(err)
			}
			err = finish(q)
			wantError(t, err, c.condition, c.state, append(c.parts, "part.parquet", "epoch 0")...)
			if code := base.CodeOf(err); code != base.CodeCorrupt && code != base.CodeInvalid {
				t.Errorf("the code is %v: %v", code, err)
			}
			if n := len(w.sink.all()); n > 0 {
				t.Errorf("%d epochs were committed", n)
			}
		})
	}
	// A flipped byte within the pages is found, or harmless.
	t.Run("flipped", func(t *testing.T) {
		for at := 4; at < len(whole); at += len(whole)/40 + 1 {
			w := newWorld(t)
			w.open()
			damaged := slices.Clone(whole)
			damaged[at] ^= 0x5a
			if err := os.WriteFile(filepath.Join(w.dir("in"), "part.parquet"), damaged, 0o644); err != nil {
				t.Fatal(err)
			}
			q, err := w.s.ReadStream().Schema("id INT, s STRING").Parquet(w.dir("in")).WriteStream().QueryName("q").Format("ledger").Trigger(availableNow).
				Option("checkpointLocation", filepath.Join(w.home, "checkpoint")).Start(context.Background())
			if err != nil {
				t.Fatal(err)
			}
			if err := finish(q); err != nil && base.CodeOf(err) == base.CodeInternal {
				t.Errorf("byte %d flipped is a bug of ours: %v", at, err)
			}
			w.close()
		}
	})
}

// statements runs SQL one statement after another and returns the error of the
// last.
func statements(t *testing.T, s *flightd.Session, texts ...string) error {
	t.Helper()
	for i, text := range texts {
		_, err := s.Execute(context.Background(), text)
		if i == len(texts)-1 {
			return err
		}
		if err != nil {
			t.Fatalf("%s: %v", text, err)
		}
	}
	return nil
}

// TestMistakesInStatements: one clear error for each mistake, with condition,
// SQLSTATE, and a hint that helps.
func TestMistakesInStatements(t *testing.T) {
	w := newWorld(t)
	s := w.open()
	w.file("in", 0, `{"k":"a"}`)
	in := w.dir("in")
	table := func(options string) string { return "CREATE TABLE bad (k STRING) USING json OPTIONS (" + options + ")" }
	if err := statements(t, s, "CREATE TABLE clicks (k STRING, v INT) USING json OPTIONS ('path' = '"+in+"')"); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name, sql, condition, state string
		parts                       []string
	}{
		{"option with suggestion", table("'path' = '" + in + "', 'maxFilePerTrigger' = '1'"), "", "", []string{"maxFilePerTrigger", "maxFilesPerTrigger"}},
		{"sink option with suggestion", "CREATE STREAMING QUERY q INTO console OPTIONS ('numRow' = '5') AS SELECT k FROM STREAM clicks", "", "",
			[]string{"numRow", "numRows"}},
		{"format with suggestion", "CREATE TABLE bad (k STRING) USING jsn OPTIONS ('path' = '/in')", "DATA_SOURCE_NOT_FOUND", "42K02", []string{"json"}},
		{"sink with suggestion", "CREATE STREAMING QUERY q INTO parqet OPTIONS ('path' = '/x') AS SELECT k FROM STREAM clicks", "DATA_SOURCE_NOT_FOUND", "42K02", []string{"parquet"}},
		{"setting with suggestion", "SET spark.sql.streaming.noDataMicroBatch.enabled = false", "INVALID_CONF_KEY", "42704",
			[]string{"did you mean spark.sql.streaming.noDataMicroBatches.enabled?"}},
		{"setting without prefix", "SET shuffle.partitions = 4", "INVALID_CONF_KEY", "42704", []string{"did you mean spark.sql.shuffle.partitions?"}},
		{"value of a setting", "SET spark.sql.shuffle.partitions = many", "INVALID_CONF_VALUE.TYPE_MISMATCH", "22022", []string{"many", "int"}},
		{"sub-tables", "SET flightd.subTables = 3", "INVALID_CONF_VALUE.REQUIREMENT", "22022", []string{"power of two"}},
		{"stream as a batch", "SELECT k FROM STREAM clicks", "STREAMING_QUERY_AS_BATCH", "0A000", []string{"CREATE STREAMING QUERY", "SUBSCRIBE"}},
		{"batch as a stream", "CREATE STREAMING QUERY q INTO memory AS SELECT k FROM clicks", "WRITE_STREAM_NOT_ALLOWED", "42601", []string{"FROM STREAM"}},
		{"trigger interval", "CREATE STREAMING QUERY q TRIGGER PROCESSING TIME 'often' INTO memory AS SELECT k FROM STREAM clicks", "CANNOT_PARSE_INTERVAL", "22006", []string{"often", "^"}},
		{"negative trigger", "CREATE STREAMING QUERY q TRIGGER PROCESSING TIME '-5 seconds' INTO memory AS SELECT k FROM STREAM clicks", "", "", []string{"-5 seconds", "^", "positive"}},
		{"trigger of months", "CREATE STREAMING QUERY q TRIGGER PROCESSING TIME '1 month' INTO memory AS SELECT k FROM STREAM clicks", "", "", []string{"1 month", "^", "without months"}},
		{"unknown trigger", "CREATE STREAMING QUERY q TRIGGER SOMETIMES INTO memory AS SELECT k FROM STREAM clicks", "PARSE_SYNTAX_ERROR", "42601", []string{"SOMETIMES", "^"}},
		{"continuous", "CREATE STREAMING QUERY q TRIGGER CONTINUOUS '1 second' INTO memory AS SELECT k FROM STREAM clicks", "UNSUPPORTED_FEATURE", "0A000",
			[]string{"continuous", "PROCESSING TIME"}},
		{"real time", "CREATE STREAMING QUERY q TRIGGER REAL TIME '5 minutes' INTO memory AS SELECT k FROM STREAM clicks", "UNSUPPORTED_FEATURE", "0A000",
			[]string{"real-time", "PROCESSING TIME"}},
		{"output mode", "CREATE STREAMING QUERY q OUTPUT MODE upsert INTO memory AS SELECT k FROM STREAM clicks", "STREAMING_OUTPUT_MODE.INVALID", "42KDE", []string{"upsert"}},
		{"orc", "CREATE TABLE bad (k STRING) USING orc OPTIONS ('path' = '/in')", "UNSUPPORTED_FEATURE", "0A000", []string{"orc", "parquet"}},
		{"kinesis", "CREATE TABLE bad (k STRING) USING kinesis", "UNSUPPORTED_FEATURE", "0A000", []string{"kinesis", "Kafka"}},
		{"no such table", "SELECT * FROM click", "TABLE_OR_VIEW_NOT_FOUND", "42P01", []string{"clicks", "^^^^^"}},
		{"no such query", "STOP QUERY nothing", "STREAMING_QUERY_NOT_FOUND", "42704", []string{"nothing"}},
		{"value of an option", table("'path' = '" + in + "', 'maxFilesPerTrigger' = 'some'"), "", "", []string{"maxFilesPerTrigger", "some"}},
		{"malformed DDL", "CREATE TABLE bad (k STRNG) USING json OPTIONS ('path' = '/in')", "UNSUPPORTED_DATATYPE", "0A000", []string{"STRNG", "^"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			err := statements(t, s, c.sql)
			if err == nil && strings.HasPrefix(c.sql, "CREATE TABLE bad") {
				// What a connector finds wrong may show when the table is used.
				err = statements(t, s, "CREATE STREAMING QUERY q INTO noop AS SELECT k FROM STREAM bad")
				if err == nil {
					_ = statements(t, s, "DROP QUERY q")
				}
				_ = statements(t, s, "DROP TABLE bad")
			}
			wantError(t, err, c.condition, c.state, c.parts...)
			if code := base.CodeOf(err); err != nil && code == base.CodeInternal {
				t.Errorf("the error is a bug of ours: %v", err)
			}
			if q := w.eng.Query("q"); q != nil && q.IsActive() {
				t.Error("the query runs")
				_ = statements(t, s, "DROP QUERY q")
			}
		})
	}
}

// TestMissingDirectory: a directory that is not there is an error at the start,
// and one that goes away stops the query.
func TestMissingDirectory(t *testing.T) {
	w := newWorld(t)
	s := w.open()
	missing := filepath.Join(w.home, "missing")
	_, err := s.ReadStream().Schema("k STRING").JSON(missing).WriteStream().QueryName("q").Format("ledger").
		Option("checkpointLocation", filepath.Join(w.home, "checkpoint")).Start(context.Background())
	wantError(t, err, "PATH_NOT_FOUND", "42K03", missing)
	_, err = s.Read().Schema("k STRING").JSON(missing).Collect(context.Background())
	wantError(t, err, "PATH_NOT_FOUND", "42K03", missing)
	_, err = s.ReadStream().JSON(w.dir("in")).Schema()
	if err == nil || !strings.Contains(base.AsError(err).Display(), "spark.sql.streaming.schemaInference") {
		t.Errorf("a stream without a schema: %v", err)
	}
	_, err = s.ReadStream().Schema("k STRING").Format("json").Load().Schema()
	if err == nil || !strings.Contains(base.AsError(err).Display(), "path") {
		t.Errorf("a stream without a path: %v", err)
	}
}

// TestVanishedFile: a file that was planned and is gone at the replay is an error
// that names it.
func TestVanishedFile(t *testing.T) {
	w := newWorld(t)
	w.file("e", 0, `{"k":"a"}`)
	w.open()
	w.stream("e", "k STRING", 0)
	w.before = func(step string, _ base.Epoch) error {
		if step == "write" {
			return errPlanned
		}
		return nil
	}
	_ = finish(w.mustStart("SELECT k FROM e", "append", availableNow))
	w.before = nil
	if err := os.Remove(filepath.Join(w.dir("e"), "00000.json")); err != nil {
		t.Fatal(err)
	}
	w.open()
	w.stream("e", "k STRING", 0)
	err := finish(w.mustStart("SELECT k FROM e", "append", availableNow))
	wantError(t, err, "", "", "00000.json", "has gone since it was planned", "epoch 0")
	if base.CodeOf(err) != base.CodeCorrupt {
		t.Errorf("the code is %v", base.CodeOf(err))
	}
}

// TestUnwritableSink: a sink that cannot write stops the query, and the rows
// come once it can.
func TestUnwritableSink(t *testing.T) {
	if os.Getuid() == 0 {
		t.Log("running as root: a file stands where the directory should be")
	}
	w := newWorld(t)
	w.file("e", 0, `{"k":"a"}`)
	out := filepath.Join(w.home, "out")
	if err := os.WriteFile(out, []byte("in the way"), 0o644); err != nil {
		t.Fatal(err)
	}
	w.open()
	w.stream("e", "k STRING", 0)
	start := func() error {
		q, err := w.s.Table("e").WriteStream().QueryName("q").Format("parquet").Trigger(availableNow).
			Option("checkpointLocation", filepath.Join(w.home, "checkpoint")).Start(context.Background(), out)
		if err != nil {
			return err
		}
		return finish(q)
	}
	err := start()
	if err == nil || !strings.Contains(err.Error(), out) {
		t.Errorf("writing where a file is: %v", err)
	}
	if err := os.Remove(out); err != nil {
		t.Fatal(err)
	}
	if err := start(); err != nil {
		t.Fatal(err)
	}
	files, _ := filepath.Glob(filepath.Join(out, "*.parquet"))
	if len(files) != 1 {
		t.Errorf("%d files", len(files))
	}
}
