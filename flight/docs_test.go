package flight

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// Every test that docs/flight-sql.md names is there, and each row names one.
func TestFlightSQLTable(t *testing.T) {
	doc, err := os.ReadFile("../docs/flight-sql.md")
	if err != nil {
		t.Fatal(err)
	}
	known := map[string]bool{}
	defined := regexp.MustCompile(`(?m)^(?:func (Test\w+)\(|    def (test_\w+)\()`)
	for _, pattern := range []string{"*_test.go", "*/*_test.go", "../*_test.go", "testdata/python/*.py"} {
		files, err := filepath.Glob(pattern)
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range files {
			text, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			for _, m := range defined.FindAllStringSubmatch(string(text), -1) {
				known[m[1]+m[2]] = true
			}
		}
	}
	named := regexp.MustCompile("`(Test\\w+|test_\\w+)`")
	for _, line := range strings.Split(string(doc), "\n") {
		found := named.FindAllStringSubmatch(line, -1)
		for _, m := range found {
			if !known[m[1]] {
				t.Errorf("there is no %s", m[1])
			}
		}
		if strings.HasPrefix(line, "| ") && !strings.HasSuffix(line, "| test |") && len(found) == 0 {
			t.Errorf("no test holds: %s", line)
		}
	}
}
