package metamorphic

import (
	"math"
	"slices"
)

// pair is a row and a window that it is in: what the model has kept.
type pair struct {
	row
	start, end int64 // microseconds
	// group tells sessions of the same key and start apart.
	group int
}

// model goes through the epochs of a query as semantics.md says: the watermark
// moves at the end of an epoch, the next one uses it, and rows are judged by that of
// the epoch before.
type model struct {
	delay int64 // milliseconds
	// lag says that data is always waiting: no epoch without data comes between, and
	// the late filter is one epoch behind.
	lag bool

	global, late, evict int64
}

// begin is the watermarks of an epoch with data.
func (m *model) begin() {
	if m.lag {
		m.late, m.evict = m.evict, m.global
	} else {
		m.late, m.evict = m.global, m.global
	}
}

// finish moves the watermark by the rows of the epoch.
func (m *model) finish(rows []row) {
	for _, r := range rows {
		ms := int64(0)
		if r.time != nil {
			ms = floor(*r.time, 1000)
		}
		m.global = max(m.global, ms-m.delay)
	}
}

// epochs are the batches with rows: without any there is no epoch.
func epochs(batches [][]row) [][]row {
	return slices.DeleteFunc(slices.Clone(batches), func(b []row) bool { return len(b) == 0 })
}

func floor(a, b int64) int64 {
	q := a / b
	if a%b < 0 {
		q--
	}
	return q
}

// windows keeps the windows [start, end) of rows that are not closed.
func (m *model) windows(batches [][]row, size, slide, offset int64) []pair {
	var out []pair
	for _, b := range epochs(batches) {
		m.begin()
		for _, r := range b {
			if r.time == nil {
				continue
			}
			last := floor(*r.time-offset, slide)*slide + offset
			for start := last; start+size > *r.time; start -= slide {
				if start+size > m.late*1000 {
					out = append(out, pair{row: r, start: start, end: start + size})
				}
			}
		}
		m.finish(b)
	}
	return out
}

// punctual keeps the rows that are not late by themselves. A row without a time is
// never late; withNull keeps it.
func (m *model) punctual(batches [][]row, withNull bool) []pair {
	var out []pair
	for _, b := range epochs(batches) {
		m.begin()
		for _, r := range b {
			if r.time == nil && withNull || r.time != nil && *r.time > m.late*1000 {
				out = append(out, pair{row: r})
			}
		}
		m.finish(b)
	}
	return out
}

// first keeps the first row of each key among the punctual ones. With within a key
// is forgotten when the watermark reaches its first row's time plus the delay.
func (m *model) first(batches [][]row, key func(row) string, within bool) []pair {
	var out []pair
	seen := map[string]int64{}
	for _, b := range epochs(batches) {
		m.begin()
		for _, r := range b {
			if r.time != nil && *r.time <= m.late*1000 {
				continue
			}
			k := key(r)
			if _, ok := seen[k]; ok {
				continue
			}
			expires := int64(math.MaxInt64)
			if within {
				expires = m.delay * 1000
				if r.time != nil {
					expires += *r.time
				}
			}
			seen[k] = expires
			out = append(out, pair{row: r})
		}
		m.forget(seen, m.evict)
		m.finish(b)
		if !m.lag {
			m.forget(seen, m.global)
		}
	}
	return out
}

func (m *model) forget(seen map[string]int64, mark int64) {
	for k, expires := range seen {
		if expires <= mark*1000 {
			delete(seen, k)
		}
	}
}

// session is one of the model's open sessions.
type session struct {
	start, end int64
	rows       []row
}

// sessions keeps, with their sessions, the rows that were not late. gap is in
// microseconds.
func (m *model) sessions(batches [][]row, gap func(row) int64) []pair {
	var out []pair
	open, closed := map[string][]*session{}, 0
	end := func(mark int64) {
		for k, list := range open {
			var live []*session
			for _, s := range list {
				if s.end > mark*1000 {
					live = append(live, s)
					continue
				}
				closed++
				for _, r := range s.rows {
					out = append(out, pair{r, s.start, s.end, closed})
				}
			}
			open[k] = live
		}
	}
	for _, b := range epochs(batches) {
		m.begin()
		for _, r := range b {
			if r.time == nil || gap(r) <= 0 || *r.time+gap(r) <= m.late*1000 {
				continue
			}
			open[r.key()] = append(open[r.key()], &session{*r.time, *r.time + gap(r), []row{r}})
		}
		for k, list := range open {
			open[k] = fuse(list)
		}
		end(m.evict)
		m.finish(b)
		if !m.lag {
			end(m.global)
		}
	}
	end(math.MaxInt64 / 1000)
	return out
}

// fuse puts sessions together that overlap or touch, until none do.
func fuse(list []*session) []*session {
	for again := true; again; {
		again = false
		for i := 0; i < len(list) && !again; i++ {
			for j := i + 1; j < len(list); j++ {
				a, b := list[i], list[j]
				if a.start > b.end || b.start > a.end {
					continue
				}
				a.start, a.end, a.rows = min(a.start, b.start), max(a.end, b.end), append(a.rows, b.rows...)
				list = append(list[:j], list[j+1:]...)
				again = true
				break
			}
		}
	}
	return list
}
