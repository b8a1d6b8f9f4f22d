package flightd_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// formRows are the rows of the table "Forms" of docs/types.md, without its head.
func formRows(t *testing.T) [][]string {
	t.Helper()
	text, err := os.ReadFile("docs/types.md")
	if err != nil {
		t.Fatal(err)
	}
	_, after, ok := strings.Cut(string(text), "## Forms")
	if !ok {
		t.Fatal("docs/types.md has no Forms")
	}
	var out [][]string
	for line := range strings.SplitSeq(after, "\n") {
		if strings.HasPrefix(line, "## ") {
			break
		}
		if !strings.HasPrefix(line, "| `") {
			continue
		}
		var cells []string
		for cell := range strings.SplitSeq(strings.Trim(line, "| "), " | ") {
			cells = append(cells, strings.Trim(strings.TrimSpace(cell), "`"))
		}
		out = append(out, cells)
	}
	return out
}

// TestTypeForms holds the table of forms in docs/types.md to what is written and read:
// a value and a NULL of each type go through Parquet, JSON and CSV and come back, with
// the text that the table says, or are refused where it says no; a type that it calls
// ordered can be sorted.
func TestTypeForms(t *testing.T) {
	rows := formRows(t)
	if len(rows) < 20 {
		t.Fatalf("%d types", len(rows))
	}
	for _, row := range rows {
		if len(row) != 6 {
			t.Errorf("a row of %d cells: %q", len(row), row)
			continue
		}
		typ, example, forms, order := row[0], row[1], map[string]string{"parquet": row[2], "json": row[3], "csv": row[4]}, row[5]
		s := openWithTable(t)
		if err := statements(t, s, "SET spark.sql.timeType.enabled = true"); err != nil {
			t.Fatal(err)
		}
		want, err := answer(t, s, "SELECT "+example)
		if err != nil {
			t.Errorf("%s: %v", typ, err)
			continue
		}
		for format, form := range forms {
			dir := t.TempDir()
			// A second column, since CSV reads no empty line.
			_, err := answer(t, s, fmt.Sprintf("CREATE TABLE x_%s (n INT, c %s) USING %s OPTIONS (path '%s')", format, typ, format, dir))
			if err == nil {
				_, err = answer(t, s, fmt.Sprintf("INSERT INTO x_%s SELECT 1, %s UNION ALL SELECT 2, NULL", format, example))
			}
			got := ""
			if err == nil {
				got, err = answer(t, s, "SELECT c FROM x_"+format+" WHERE c IS NOT NULL")
			}
			if form == "no" {
				if err == nil {
					t.Errorf("%s in %s: %q, %v; the table says no", typ, format, got, err)
				}
				continue
			}
			if whole := typ != "VARIANT"; err != nil || whole && got != want {
				t.Errorf("%s in %s: %q, %v; want %q", typ, format, got, err, want)
			}
			if n, err := answer(t, s, "SELECT count(*) FROM x_"+format+" WHERE c IS NULL"); n != "1" || err != nil {
				t.Errorf("%s in %s: %s NULLs, %v", typ, format, n, err)
			}
			if written := textIn(t, dir); format != "parquet" && !strings.Contains(written, form) {
				t.Errorf("%s in %s is written as %q, the table says %q", typ, format, written, form)
			}
		}
		_, err = answer(t, s, "SELECT c FROM (SELECT "+example+" AS c) ORDER BY c")
		if ordered := err == nil; ordered != (order == "yes") {
			t.Errorf("%s is ordered: %v (%v); the table says %q", typ, ordered, err, order)
		}
	}
}

// textIn is the text of all files below dir.
func textIn(t *testing.T, dir string) string {
	t.Helper()
	var b strings.Builder
	filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			text, _ := os.ReadFile(path)
			b.Write(text)
		}
		return err
	})
	return b.String()
}
