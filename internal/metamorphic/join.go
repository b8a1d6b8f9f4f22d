package metamorphic

import (
	"fmt"
	"math/rand/v2"
	"strings"
)

// joinKind is a kind of join, and on which sides the key's IS NOT NULL sinks below
// the watermark, so that rows without a key do not move it.
type joinKind struct {
	text        string
	left, right bool
	onlyLeft    bool // the right side's columns are not there
}

var joinKinds = []joinKind{{"JOIN", true, true, false}, {"LEFT JOIN", false, true, false}, {"RIGHT JOIN", true, false, false},
	{"FULL JOIN", false, false, false}, {"LEFT SEMI JOIN", true, true, true}}

// joinCondition is a condition that bounds both sides.
func joinCondition(r *rand.Rand, kinds int) string {
	switch a, b := 1+r.IntN(20), r.IntN(20); r.IntN(kinds) {
	case 0:
		return "l.k = r.k AND l.ts = r.ts"
	case 1:
		return fmt.Sprintf("l.k = r.k AND r.ts BETWEEN l.ts AND l.ts + INTERVAL %d SECONDS", a)
	case 2:
		return fmt.Sprintf("l.k = r.k AND l.ts > r.ts - INTERVAL %d SECONDS AND l.ts < r.ts + INTERVAL %d SECONDS", a, b)
	case 3:
		return fmt.Sprintf("l.k = r.k AND l.ts >= r.ts + INTERVAL %d SECONDS AND l.ts - INTERVAL %d SECONDS <= r.ts AND l.v <> r.v", b, a+b)
	default:
		return byWindow
	}
}

// byWindow joins by equal windows; the sides then have no other column with a
// watermark, which Spark refuses.
const byWindow = "l.k = r.k AND l.w = r.w"

// joined joins the two streams. Rows without a time are left out of both: the
// state keeps them for ever. A full join matches NULL keys, as Spark's does and a
// batch does not, so it gets none.
func joined(r *rand.Rand) *query { return joinQuery(r, pick(r, joinKinds), false) }

// joinedThenWindowed counts matches by window of the left time.
func joinedThenWindowed(r *rand.Rand) *query { return joinQuery(r, joinKinds[0], true) }

func joinQuery(r *rand.Rand, kind joinKind, windows bool) *query {
	kinds := 5
	if windows {
		kinds = 4
	}
	cond := joinCondition(r, kinds)
	delays := [2]int{pick(r, delays), pick(r, delays)}
	size := pick(r, []int{5, 10})
	side := func(name string, delay int) string {
		where := ""
		if kind.text == "FULL JOIN" {
			where = " WHERE k IS NOT NULL AND ts IS NOT NULL"
		}
		mark := ""
		if delay >= 0 {
			mark = fmt.Sprintf(" WATERMARK ts DELAY OF INTERVAL %d SECONDS", delay)
		}
		time := "ts"
		if cond == byWindow {
			time = fmt.Sprintf("window(ts, '%d seconds') AS w", size)
		}
		return fmt.Sprintf("(SELECT id, k, v, %s FROM %s%s%s)", time, name, mark, where)
	}
	time := "ts"
	if cond == byWindow {
		time = "w"
	}
	list := fmt.Sprintf("l.id, l.k, l.v, l.%s, r.id AS rid, r.v AS rv, r.%s AS rts", time, time)
	if kind.onlyLeft {
		list = "l.id, l.k, l.v, l." + time
	}
	text := func(s, t string) string {
		if windows {
			return fmt.Sprintf("SELECT window.start AS a, count(*) AS n, sum(id) AS l, sum(rid) AS r FROM (SELECT l.id, l.ts, r.id AS rid FROM %s l %s %s r ON %s) GROUP BY window(ts, '%d seconds')",
				s, kind.text, t, cond, size)
		}
		return fmt.Sprintf("SELECT %s FROM %s l %s %s r ON %s", list, s, kind.text, t, cond)
	}
	return &query{
		name:   kind.text,
		stream: text(side("s", delays[0]), side("t", delays[1])),
		batch:  text(side("p", -1), side("q", -1)),
		joins:  true,
		keep: func(s, t [][]row, _ bool) ([]pair, []pair) {
			return joinSides(s, t, delays, kind, cond, int64(size)*1e6)
		},
	}
}

// joinSides keeps the rows of both sides that were not late. The query is
// restarted at every cut, and forgets what each watermark node had seen.
func joinSides(s, t [][]row, delays [2]int, kind joinKind, cond string, size int64) (p, q []pair) {
	global := int64(0)
	mark := func(rows []row, delay int, filtered bool) int64 {
		at := int64(0)
		for _, r := range rows {
			if (filtered || kind.text == "FULL JOIN") && r.K == nil || filtered && r.V == nil && strings.Contains(cond, "l.v") {
				continue
			}
			if r.time != nil {
				at = max(at, floor(*r.time, 1000)-int64(delay)*1000)
			}
		}
		return at
	}
	keep := func(rows []row) (out []pair) {
		for _, r := range rows {
			if r.time == nil {
				continue
			}
			judged := *r.time
			if cond == byWindow {
				judged = floor(*r.time, size)*size + size
			}
			if judged > global*1000 {
				out = append(out, pair{row: r})
			}
		}
		return out
	}
	for i := range s {
		p, q = append(p, keep(s[i])...), append(q, keep(t[i])...)
		global = max(global, min(mark(s[i], delays[0], kind.left), mark(t[i], delays[1], kind.right)))
	}
	return p, q
}
