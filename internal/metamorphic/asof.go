package metamorphic

import (
	"fmt"
	"math/rand/v2"
)

// asOf joins the two streams by their nearest rows. Left rows without a match come out
// in the end only if they look back, or not further than the watermark may wait.
func asOf(r *rand.Rand) *query {
	delays := [2]int{pick(r, delays), pick(r, delays)}
	op := pick(r, []string{">=", ">", "<=", "<"})
	forward := op[0] == '<'
	on := []string{"l.k = r.k", "l.k <=> r.k", "l.k = r.k AND l.v % 2 = r.v % 2", "l.k = r.k AND r.v > 1", "l.k = r.k AND l.v < 5"}
	if !forward {
		on = append(on, "r.id > 0")
	}
	cond := pick(r, on)
	bounded := r.IntN(2) == 0
	if bounded {
		distance := fmt.Sprintf(" AND r.ts >= l.ts - INTERVAL %d SECONDS", 1+r.IntN(30))
		if forward {
			distance = fmt.Sprintf(" AND r.ts < l.ts + INTERVAL %d SECONDS", 1+r.IntN(30))
		}
		cond += distance
	}
	kind := ""
	if (bounded || !forward) && r.IntN(2) == 0 {
		kind = "LEFT "
	}
	text := func(s, t string) string {
		return fmt.Sprintf("SELECT l.id, l.k, l.v, l.ts, r.id AS rid, r.k AS rk, r.v AS rv, r.ts AS rts FROM %s l %sASOF JOIN %s r MATCH_CONDITION (l.ts %s r.ts) ON %s",
			s, kind, t, op, cond)
	}
	side := func(name string, delay int) string {
		return fmt.Sprintf("(SELECT id, k, v, ts FROM %s WATERMARK ts DELAY OF INTERVAL %d SECONDS)", name, delay)
	}
	return &query{
		name:   kind + "ASOF JOIN " + op,
		stream: text(side("s", delays[0]), side("t", delays[1])),
		batch:  text("p", "q"),
		joins:  true,
		keep: func(s, t [][]row, _ bool) (p, q []pair) {
			var m model
			for i := range s {
				m.begin()
				p, q = append(p, m.unlate(s[i])...), append(q, m.unlate(t[i])...)
				m.global = max(m.global, min(highest(s[i], delays[0]), highest(t[i], delays[1])))
			}
			return p, q
		},
	}
}

// unlate keeps the rows that are not late, those without a time among them.
func (m *model) unlate(rows []row) (out []pair) {
	for _, r := range rows {
		if r.time == nil || *r.time > m.late*1000 {
			out = append(out, pair{row: r})
		}
	}
	return out
}

// highest is the watermark that rows alone make: the query is restarted at every cut,
// and forgets what each watermark node had seen.
func highest(rows []row, delay int) int64 {
	at := int64(0)
	for _, r := range rows {
		if r.time != nil {
			at = max(at, floor(*r.time, 1000)-int64(delay)*1000)
		}
	}
	return at
}
