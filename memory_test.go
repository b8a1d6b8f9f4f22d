package flightd_test

import (
	"strings"
	"testing"
)

// TestMemoryLimit: what holds more than flightd.memoryLimit fails with a class that
// names what held it, how much, and the setting; with room it answers.
func TestMemoryLimit(t *testing.T) {
	s := pushedSession(t, 3, 1000)
	for query, who := range map[string]string{
		"SELECT a.row, r.id FROM t a CROSS JOIN range(400) r ORDER BY r.id, a.row":                                "a sort",
		"SELECT a.row, r.id, sum(r.id) OVER (PARTITION BY a.row) FROM t a CROSS JOIN range(400) r":                "window functions",
		"SELECT a.row * 1000 + r.id AS k, count(*) FROM t a CROSS JOIN range(400) r GROUP BY a.row * 1000 + r.id": "an aggregation",
		"SELECT DISTINCT a.row * 1000 + r.id FROM t a CROSS JOIN range(400) r":                                    "an aggregation",
		"SELECT collect_list(a.row * 1000 + r.id) FROM t a CROSS JOIN range(400) r":                               "an aggregation",
		"SELECT count(*) FROM range(400000) a JOIN range(400000) b ON a.id = b.id":                                "the built side of a join",
		"SELECT length(repeat('x', 2000000000))":                                                                  "the function repeat",
		"SELECT length(lpad('x', 2000000000, 'y'))":                                                               "the function lpad",
		"SELECT length(space(2000000000))":                                                                        "the function space",
		"SELECT size(array_repeat(1, 2000000000))":                                                                "the function array_repeat",
		"SELECT size(sequence(1, 2000000000))":                                                                    "the function sequence",
	} {
		mustRun(t, s, "SET flightd.memoryLimit = 2m")
		got := mustRun(t, s, query)
		for _, part := range []string{"UNABLE_TO_ACQUIRE_MEMORY", "53200", who, "flightd.memoryLimit"} {
			if !strings.Contains(got, part) {
				t.Errorf("%s does not say %q: %.300s", query, part, got)
			}
		}
		if strings.Contains(query, "2000000000") {
			continue
		}
		mustRun(t, s, "RESET flightd.memoryLimit")
		if got := mustRun(t, s, query); strings.Contains(got, "UNABLE_TO_ACQUIRE_MEMORY") {
			t.Errorf("%s without a limit: %.300s", query, got)
		}
	}
}
