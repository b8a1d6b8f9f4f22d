package flightd_test

import (
	"context"
	"testing"

	"github.com/flightd/flightd"
)

// TestDifferences holds what random queries once were answered differently from
// DuckDB (module difftest).
func TestDifferences(t *testing.T) {
	eng, err := flightd.Open(context.Background(), flightd.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer eng.Close()
	s := eng.NewSession()
	const with = "WITH l AS (SELECT * FROM VALUES (1, 'a'), (2, NULL), (NULL, 'c') AS v(k, s)), r AS (SELECT * FROM VALUES (1, 'b'), (3, NULL), (NULL, 'c') AS v(k, s)) "
	for _, c := range []struct{ sql, want string }{
		// NOT IN with a constant is NOT IN.
		{"SELECT count(*) FROM l WHERE 5 NOT IN (SELECT k FROM r WHERE k IS NOT NULL)", "3"},
		{"SELECT count(*) FROM l WHERE 3 NOT IN (SELECT k FROM r WHERE k IS NOT NULL)", "0"},
		{"SELECT count(*) FROM l WHERE 5 NOT IN (SELECT k FROM r)", "0"},
		{"SELECT count(*) FROM l WHERE CAST(NULL AS INT) NOT IN (SELECT k FROM r)", "0"},
		{"SELECT count(*) FROM (SELECT 7 AS n, k FROM l) WHERE n NOT IN (SELECT k FROM r WHERE k > 1)", "3"},
		{"SELECT k FROM l WHERE k NOT IN (SELECT 2 FROM r)", "1"},
		// A correlation that is NULL leaves nothing to be in.
		{"SELECT k FROM l WHERE 5 NOT IN (SELECT r.k FROM r WHERE r.s = l.s) ORDER BY k", "1 2"},
		{"SELECT s FROM l WHERE k NOT IN (SELECT r.k FROM r WHERE r.s = l.s) ORDER BY s", "NULL a"},
		// A pair is not in a list if one of its values surely is not.
		{"SELECT k FROM l WHERE (k, s) NOT IN (SELECT k, s FROM r) ORDER BY k", "1"},
		{"SELECT k FROM l WHERE (k, s) NOT IN (SELECT k, s FROM r WHERE k = 3) ORDER BY k", "1 2"},
		// Window functions over window functions.
		{"SELECT sum(sum(k) OVER ()) OVER () FROM l", "9 9 9"},
		{"SELECT k, sum(k) OVER (ORDER BY s) + max(sum(k) OVER ()) OVER (ORDER BY s) FROM l ORDER BY k", "NULL|6 1|6 2|5"},
		// NOT moves to the subquery.
		{"SELECT k FROM l WHERE NOT (k NOT IN (SELECT r.k FROM r)) ORDER BY k", "1"},
		{"SELECT k FROM l WHERE NOT (k > 1 AND k NOT IN (SELECT r.k FROM r)) ORDER BY k", "1"},
		{"SELECT k FROM l WHERE NOT (k > 1 OR k IN (SELECT r.k FROM r)) ORDER BY k", ""},
		{"SELECT k FROM l WHERE NOT (k > 1 OR k NOT IN (SELECT r.k FROM r)) ORDER BY k", "1"},
		{"SELECT k FROM l WHERE NOT (k IN (SELECT r.k FROM r)) IS TRUE ORDER BY k", "NULL 2"},
		// What an aggregate of nothing gives goes into the expression around it.
		{"SELECT k, (SELECT coalesce(sum(r.k), 0) FROM r WHERE r.s = l.s) FROM l ORDER BY k", "NULL|0 1|0 2|0"},
		{"SELECT k, (SELECT coalesce(sum(DISTINCT 4) FILTER (WHERE r.k > 100), 0) + 1 FROM r WHERE r.s = l.s) FROM l ORDER BY k", "NULL|1 1|1 2|1"},
		{"SELECT k, (SELECT collect_list(r.k) FROM r WHERE r.k = l.k) FROM l ORDER BY k", "NULL|[] 1|[1] 2|[]"},
		{"SELECT k, (SELECT sum(r.k) + 1 FROM r WHERE r.k = l.k) FROM l ORDER BY k", "NULL|NULL 1|2 2|NULL"},
	} {
		got, err := answer(t, s, with+c.sql)
		if err != nil || got != c.want {
			t.Errorf("%s: %q, %v; want %q", c.sql, got, err, c.want)
		}
	}
}
