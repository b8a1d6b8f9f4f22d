package metamorphic

import (
	"fmt"
	"math/rand/v2"
	"strings"
)

// query is a random streaming query, and the batch query that says what it must
// put out.
type query struct {
	name string
	// stream is over the streams s and t, batch over the tables p and q: the rows of
	// s and t that the model has kept, with the columns ws and we of their windows and
	// the number grp of their session.
	stream, batch string
	// keep is what is kept of s, and of t in a join.
	keep func(s, t [][]row, lag bool) (p, q []pair)
	// joins says that t is read as well. Such a query is only cut by restarts: while
	// data is waiting its late filter is behind its eviction, and then Spark itself
	// loses matches of rows that are not late.
	joins bool
}

// aggregates whose value depends on nothing but the set of rows.
var aggregates = []string{"count(*)", "count(v)", "sum(v)", "min(v)", "max(v)", "avg(v)", "sum(id)", "max_by(v, id)", "min(k)", "max(k)", "bool_or(v > 3)",
	"count_if(v % 2 = 0)", "array_sort(collect_list(v))", "array_sort(collect_set(k))", "approx_count_distinct(v)", "min(ts)", "max(ts)",
	"sum(CAST(v AS DECIMAL(9, 2)))", "bit_xor(id)", "max(struct(v, id))", "count(*) FILTER (WHERE v > 2)"}

// keys of many types.
var keys = []string{"k", "v", "k, v", "v % 3", "concat(k, v)", "CAST(v AS DECIMAL(6, 1))", "k = 'k1'", "date_add(DATE '2026-01-01', v)",
	"CAST(v AS DOUBLE) / 2", "CAST(v AS TINYINT), k", "struct(k, v)", "k, v, id % 2"}

func pick[T any](r *rand.Rand, list []T) T { return list[r.IntN(len(list))] }

func some(r *rand.Rand, list []string, n int) []string {
	var out []string
	for _, i := range r.Perm(len(list))[:n] {
		out = append(out, list[i])
	}
	return out
}

// named gives the columns of a select list names, so that both queries have the
// same ones.
func named(list []string) string {
	var b strings.Builder
	for i, e := range list {
		fmt.Fprintf(&b, ", %s AS c%d", e, i)
	}
	return b.String()
}

// split cuts a list of keys at its outer commas.
func split(list string) []string {
	var out []string
	depth, from := 0, 0
	for i, c := range list {
		switch c {
		case '(':
			depth++
		case ')':
			depth--
		case ',':
			if depth == 0 {
				out = append(out, strings.TrimSpace(list[from:i]))
				from = i + 1
			}
		}
	}
	return append(out, strings.TrimSpace(list[from:]))
}

var delays = []int{0, 1, 5, 20, 60}

// drawQuery makes the i-th query: kinds come in turn, everything else at random.
func drawQuery(r *rand.Rand, i int) *query {
	kinds := []func(*rand.Rand) *query{windowed, sessions, joined, deduplicated, rolledUp, joinedThenWindowed, dynamicSessions, chained, byTime, within, asOf}
	return kinds[i%len(kinds)](r)
}

// span draws a window's size, slide and offset in seconds.
func span(r *rand.Rand) (size, slide, offset int) {
	size = pick(r, []int{1, 5, 10, 17, 60})
	slide = size
	if r.IntN(2) == 0 {
		slide = 1 + r.IntN(size)
	}
	if r.IntN(3) == 0 && slide > 1 {
		offset = r.IntN(slide)
	}
	return size, slide, offset
}

func windowText(size, slide, offset int) string {
	return fmt.Sprintf("window(ts, '%d seconds', '%d seconds', '%d seconds')", size, slide, offset)
}

func from(delay int) string {
	return fmt.Sprintf("FROM s WATERMARK ts DELAY OF INTERVAL %d SECONDS", delay)
}

func windowed(r *rand.Rand) *query {
	size, slide, offset := span(r)
	delay, key, aggs := pick(r, delays), pick(r, keys), named(some(r, aggregates, 1+r.IntN(4)))
	where := ""
	if r.IntN(3) == 0 {
		where = " WHERE ts > TIMESTAMP '2026-01-01 00:00:10'"
	}
	cols := named(split(key))
	cols = strings.ReplaceAll(cols, " AS c", " AS g")
	return &query{
		name: "windowed",
		stream: fmt.Sprintf("SELECT window.start AS a, window.end AS z%s%s %s%s GROUP BY %s, %s", cols, aggs, from(delay), where,
			windowText(size, slide, offset), key),
		batch: fmt.Sprintf("SELECT ws AS a, we AS z%s%s FROM p%s GROUP BY ws, we, %s", cols, aggs, where, key),
		keep: func(s, _ [][]row, lag bool) ([]pair, []pair) {
			m := &model{delay: int64(delay) * 1000, lag: lag}
			return m.windows(s, int64(size)*1e6, int64(slide)*1e6, int64(offset)*1e6), nil
		},
	}
}

// rolledUp groups by sets: groups without the window never come out.
func rolledUp(r *rand.Rand) *query {
	size, slide, offset := span(r)
	delay, aggs := pick(r, delays), named(some(r, aggregates, 2))
	sets := pick(r, []string{"CUBE(%s, k, v)", "ROLLUP(%s, k)", "GROUPING SETS ((%[1]s, k), (%[1]s), (k))", "CUBE(%s, k), ROLLUP(v)"})
	k := "k, "
	v := ""
	if strings.Contains(sets, "v") {
		v = "v AS gv, "
	}
	return &query{
		name: "rolled up",
		stream: fmt.Sprintf("SELECT window.start AS a, window.end AS z, %s%sgrouping_id() AS g%s %s GROUP BY %s", k, v, aggs, from(delay),
			fmt.Sprintf(sets, windowText(size, slide, offset))),
		batch: fmt.Sprintf("SELECT w.s AS a, w.e AS z, %s%sgrouping_id() AS g%s FROM (SELECT *, struct(ws AS s, we AS e) AS w FROM p) GROUP BY %s HAVING w IS NOT NULL",
			k, v, aggs, fmt.Sprintf(sets, "w")),
		keep: func(s, _ [][]row, lag bool) ([]pair, []pair) {
			m := &model{delay: int64(delay) * 1000, lag: lag}
			return m.windows(s, int64(size)*1e6, int64(slide)*1e6, int64(offset)*1e6), nil
		},
	}
}

// chained puts windows over windows.
func chained(r *rand.Rand) *query {
	size := pick(r, []int{1, 5, 10})
	outer := size * (1 + r.IntN(4))
	delay := pick(r, delays)
	const upper = "SELECT %s, count(*) AS groups, sum(n) AS n, max(n) AS most, min(lo) AS lo FROM (%s) GROUP BY %s"
	in := fmt.Sprintf("SELECT window AS w, k, count(*) AS n, min(v) AS lo %s GROUP BY window(ts, '%d seconds'), k", from(delay), size)
	over := fmt.Sprintf("window(w, '%d seconds')", outer)
	return &query{
		name:   "chained",
		stream: fmt.Sprintf(upper, "window.start AS a, window.end AS z", in, over),
		batch: fmt.Sprintf(upper, "window.start AS a, window.end AS z", "SELECT struct(ws AS start, we AS end) AS w, k, count(*) AS n, min(v) AS lo FROM p GROUP BY ws, we, k",
			fmt.Sprintf("window(w.end - INTERVAL 1 MICROSECOND, '%d seconds')", outer)),
		keep: func(s, _ [][]row, lag bool) ([]pair, []pair) {
			m := &model{delay: int64(delay) * 1000, lag: lag}
			return m.windows(s, int64(size)*1e6, int64(size)*1e6, 0), nil
		},
	}
}

// byTime groups by the event time itself.
func byTime(r *rand.Rand) *query {
	delay, aggs := pick(r, delays), named(some(r, aggregates, 2))
	text := "SELECT ts AS a, k AS g%s %s GROUP BY ts, k"
	return &query{
		name:   "by time",
		stream: fmt.Sprintf(text, aggs, from(delay)),
		batch:  fmt.Sprintf(text, aggs, "FROM p"),
		keep: func(s, _ [][]row, lag bool) ([]pair, []pair) {
			m := &model{delay: int64(delay) * 1000, lag: lag}
			return m.punctual(s, false), nil
		},
	}
}

func deduplicated(r *rand.Rand) *query {
	delay := pick(r, delays)
	keep := func(s, _ [][]row, lag bool) ([]pair, []pair) {
		m := &model{delay: int64(delay) * 1000, lag: lag}
		return m.first(s, func(x row) string {
			if x.TS == nil {
				return x.key()
			}
			return x.key() + *x.TS
		}, false), nil
	}
	if r.IntN(2) == 0 {
		return &query{name: "distinct", stream: "SELECT DISTINCT k, ts " + from(delay), batch: "SELECT k, ts FROM p WHERE ts IS NOT NULL", keep: keep}
	}
	return &query{name: "deduplicated", stream: "SELECT id, k, v, ts " + from(delay) + " DEDUPLICATE ON (k, ts)", batch: "SELECT id, k, v, ts FROM p", keep: keep}
}

func within(r *rand.Rand) *query {
	delay := pick(r, delays)
	return &query{name: "deduplicated within the watermark", stream: "SELECT id, k, ts " + from(delay) + " DEDUPLICATE WITHIN WATERMARK ON (k)", batch: "SELECT id, k, ts FROM p",
		keep: func(s, _ [][]row, lag bool) ([]pair, []pair) {
			m := &model{delay: int64(delay) * 1000, lag: lag}
			return m.first(s, row.key, true), nil
		}}
}

func sessions(r *rand.Rand) *query {
	gap := pick(r, []int{1, 2, 5, 10})
	return sessionQuery(r, "sessions", fmt.Sprintf("'%d seconds'", gap), func(row) int64 { return int64(gap) * 1e6 })
}

func dynamicSessions(r *rand.Rand) *query {
	return sessionQuery(r, "sessions of dynamic gap", "make_interval(0, 0, 0, 0, 0, 0, gap)", func(x row) int64 { return int64(x.Gap) * 1e6 })
}

func sessionQuery(r *rand.Rand, name, gapText string, gap func(row) int64) *query {
	delay, aggs := pick(r, delays), named(some(r, aggregates, 1+r.IntN(4)))
	return &query{
		name:   name,
		stream: fmt.Sprintf("SELECT session_window.start AS a, session_window.end AS z, k%s %s GROUP BY session_window(ts, %s), k", aggs, from(delay), gapText),
		batch:  fmt.Sprintf("SELECT ws AS a, we AS z, k%s FROM p GROUP BY ws, we, grp, k", aggs),
		keep: func(s, _ [][]row, lag bool) ([]pair, []pair) {
			m := &model{delay: int64(delay) * 1000, lag: lag}
			return m.sessions(s, gap), nil
		},
	}
}
