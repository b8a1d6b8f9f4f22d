package difftest

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"testing"
)

// number is a number of the environment, or what is said.
func number(t *testing.T, name string, otherwise uint64) uint64 {
	text := os.Getenv(name)
	if text == "" {
		return otherwise
	}
	n, err := strconv.ParseUint(text, 10, 64)
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return n
}

// perData is how many queries are asked of the same tables.
const perData = 500

// TestQueries compares random queries; 200 of them, or FLIGHTD_DIFF_QUERIES.
func TestQueries(t *testing.T) {
	count, seed := number(t, "FLIGHTD_DIFF_QUERIES", 200), number(t, "FLIGHTD_DIFF_SEED", 1)
	only := number(t, "FLIGHTD_DIFF_ONLY", 0)
	tried, empty, failed, broken, different := 0, 0, 0, 0, 0
	for from := uint64(0); from < count; from += perData {
		if only > 0 && only/perData != from/perData {
			continue
		}
		e := tables(t, seed, from)
		for n := from; n < min(count, from+perData); n++ {
			if only > 0 && n != only {
				continue
			}
			q, ordered := draw(seed, n)
			if n%20 == 19 {
				q, ordered = drawFailing(seed, n), false
			}
			a, b := e.ours(t.Context(), q.sql(ours)), e.ducks(t.Context(), q.sql(duck))
			tried++
			switch {
			case b.broken:
				broken++
			case a.err != nil:
				failed++
			case len(a.rows) == 0:
				empty++
			}
			if d := difference(a, b, ordered); d != "" {
				different++
				report(t, e, q, n)
			}
		}
		e.close()
		if different > 25 {
			t.Fatal("too many differences")
		}
	}
	t.Logf("%d queries, %d differences; %d with no rows, %d with an error, %d that break DuckDB", tried, different, empty, failed, broken)
	if broken*1000 > tried {
		t.Errorf("%d of %d queries break DuckDB: do not draw what does", broken, tried)
	}
}

func tables(t *testing.T, seed, n uint64) *engines {
	t.Helper()
	dir := t.TempDir()
	if err := makeTables(dir, rand.New(rand.NewPCG(seed, 1<<32+n))); err != nil {
		t.Fatal(err)
	}
	var names []string
	for i := range sizes() {
		names = append(names, fmt.Sprint("t", i))
	}
	// In UTC, Spark's timestamp has no other meaning than DuckDB's TIMESTAMP, whose
	// functions are the same.
	e, err := open(context.Background(), dir, "* REPLACE (CAST(ts AS TIMESTAMP) AS ts)", names)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// report cuts a query down as long as the answers differ and shows what is left.
func report(t *testing.T, e *engines, q *query, n uint64) {
	ask := func(q *query) (a, b answer, d string) {
		a, b = e.ours(t.Context(), q.sql(ours)), e.ducks(t.Context(), q.sql(duck))
		return a, b, difference(a, b, len(q.sorted) > 0)
	}
	first, second, was := ask(q)
	refused := func(a answer) bool { return a.err != nil && !ofValue(a.err) }
	wasRefused := [2]bool{refused(first), refused(second)}
	if wasRefused != [2]bool{true, true} {
		shrink(q, func(q *query) bool {
			a, b, d := ask(q)
			// It must stay the same sort of difference: not become a query that one refuses.
			return d != "" && refused(a) == wasRefused[0] && refused(b) == wasRefused[1]
		}, 400)
	}
	a, b, d := ask(q)
	if d == "" {
		d = was
	}
	t.Errorf("query %d: %s\nflightd: %s\nDuckDB:  %s\nflightd: %v\nDuckDB:  %v", n, d, q.sql(ours), q.sql(duck), a, b)
}
