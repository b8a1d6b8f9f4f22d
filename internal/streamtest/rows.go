package streamtest

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/cockroachdb/datadriven"

	"github.com/flightd/flightd"
)

// source declares a stream. Arguments besides name are options of the source.
func (s *script) source(d *datadriven.TestData) (string, error) {
	name := arg(d, "name", "s")
	in := stream{ddl: strings.TrimSpace(d.Input)}
	for _, a := range d.CmdArgs {
		if a.Key != "name" && len(a.Vals) > 0 {
			in.options = append(in.options, [2]string{a.Key, a.Vals[0]})
		}
	}
	if s.first == "" {
		s.first = name
	}
	s.streams[name] = in
	if err := os.MkdirAll(filepath.Join(s.home, "in", name), 0o755); err != nil {
		return "", err
	}
	if s.session != nil {
		return "ok\n", s.viewStream(name)
	}
	return "ok\n", nil
}

// push appends rows to a stream as one file of JSON lines.
func (s *script) push(source, input string) (string, error) {
	in, ok := s.streams[source]
	if !ok {
		return "", fmt.Errorf("no source %s", source)
	}
	lines, n, err := jsonLines(in.ddl, input)
	if err != nil {
		return "", err
	}
	s.files++
	name := filepath.Join(s.home, "in", source, fmt.Sprintf("%05d.json", s.files))
	staged := name + ".part"
	if err := os.WriteFile(staged, lines, 0o644); err != nil {
		return "", err
	}
	at := time.Unix(1_700_000_000+int64(s.files)*10, 0)
	if err := os.Chtimes(staged, at, at); err != nil {
		return "", err
	}
	return rowsText(n), os.Rename(staged, name)
}

// table writes a static table: its first line is the DDL, the others are rows.
func (s *script) table(d *datadriven.TestData) (string, error) {
	ddl, rows, _ := strings.Cut(d.Input, "\n")
	lines, n, err := jsonLines(ddl, rows)
	if err != nil {
		return "", err
	}
	name := arg(d, "name", "t")
	s.tables[name] = ddl
	dir := filepath.Join(s.home, "tables", name)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return "", err
	}
	if err := os.WriteFile(filepath.Join(dir, "rows.json"), lines, 0o644); err != nil {
		return "", err
	}
	s.files++
	at := time.Unix(1_700_000_000+int64(s.files)*10, 0)
	if err := os.Chtimes(filepath.Join(dir, "rows.json"), at, at); err != nil {
		return "", err
	}
	if s.session != nil {
		return rowsText(n), s.viewTable(name)
	}
	return rowsText(n), nil
}

func rowsText(n int) string {
	if n == 1 {
		return "1 row\n"
	}
	return fmt.Sprintf("%d rows\n", n)
}

// jsonLines turns the rows of a script into JSON lines.
func jsonLines(ddl, input string) ([]byte, int, error) {
	schema, err := flightd.ParseSchema(ddl)
	if err != nil {
		return nil, 0, err
	}
	var rows [][]string
	for _, line := range strings.Split(strings.TrimSpace(input), "\n") {
		if strings.TrimSpace(line) == "" {
			continue
		}
		if schema.NumFields() == 1 {
			for _, v := range strings.Fields(line) {
				rows = append(rows, []string{v})
			}
			continue
		}
		rows = append(rows, strings.Split(line, ","))
	}
	var out []byte
	for _, row := range rows {
		if len(row) != schema.NumFields() {
			return nil, 0, fmt.Errorf("the row %q has %d values for %d columns", row, len(row), schema.NumFields())
		}
		obj := map[string]any{}
		for i, v := range row {
			obj[schema.Field(i).Name] = value(strings.TrimSpace(v), schema.Field(i).Type)
		}
		line, err := json.Marshal(obj)
		if err != nil {
			return nil, 0, err
		}
		out = append(append(out, line...), '\n')
	}
	return out, len(rows), nil
}

// value is a cell as JSON: NULL, a number, a time given as seconds, or text.
func value(text string, t arrow.DataType) any {
	if text == "NULL" {
		return nil
	}
	switch t.ID() {
	case arrow.TIMESTAMP:
		if f, err := strconv.ParseFloat(text, 64); err == nil {
			return time.UnixMicro(int64(f * 1e6)).UTC().Format("2006-01-02 15:04:05.999999")
		}
	case arrow.INT8, arrow.INT16, arrow.INT32, arrow.INT64, arrow.FLOAT32, arrow.FLOAT64, arrow.BOOL:
		return json.RawMessage(text)
	}
	return text
}
