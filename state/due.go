package state

import (
	"math"
	"math/bits"
	"slices"
)

// A timeIndex finds the rows of a table whose time has come: rows hang in buckets by
// time, so that a look at what is due touches little else. It is empty at first, and
// after a restore, and learns rows when it is asked.
//
// A row stays in its bucket while its time grows; when the bucket comes due the row is
// asked for its time again, and moves. Rows that are removed are dropped when they are
// met. Buckets are 2^grid µs wide where rows are new; where there are more than
// maxBuckets the grid doubles and neighbours merge. What is not due yet of a bucket
// that was looked at goes to finer ones: so a row is asked a few times, whatever times
// there are.
type timeIndex struct {
	// next leads from each row to the next one of its bucket, or to -1.
	next    []int32
	buckets []bucket
	grid    uint
	// last is the bucket that the last row was put into: the next one often is too.
	last int
	// seen is how many of the first rows have been learned.
	seen int
	// told are rows that were said to be due: those that are not removed are due again.
	told list
	// asked counts the rows that were asked for their time.
	asked int64
	rows  []int32 // scratch
}

// A list is some rows, linked by next.
type list struct{ head, tail int32 }

// A bucket holds rows whose times are, or were, from start to last, and were never
// before start; the first of them had the time start when it came. Buckets ascend and
// do not overlap.
type bucket struct {
	start, last int64
	list
}

const (
	// maxBuckets is how many buckets a table has at most, and finer by how many bits
	// narrower those are that the rows of one go to.
	maxBuckets = 1 << 10
	finer      = 5
	// firstGrid is 2^10 µs, about a millisecond: watermarks have milliseconds.
	firstGrid = 10
	// askRows is how many rows are asked for their time at once.
	askRows = 1 << 12
)

func newTimeIndex() timeIndex { return timeIndex{grid: firstGrid, told: list{-1, -1}} }

// Due returns the live rows whose time is at or before limit, ascending, and looks
// at few others. times returns the times of rows, Int64; they may grow as long as a row
// lives, but not fall, and NULL is never due. A row that is due stays due until it is
// removed.
func (t *Table) Due(limit int64, times func(rows []int32) (Vector, error)) ([]int32, error) {
	return t.dueRows(limit, times, false)
}

// dueRows is Due; fixed says that times do not change as long as a row lives, which
// leaves fewer rows to be asked.
func (t *Table) dueRows(limit int64, times func(rows []int32) (Vector, error), fixed bool) ([]int32, error) {
	x := &t.times
	rows, err := x.due(t, limit, times, fixed)
	if err != nil {
		*x = newTimeIndex() // it may have lost rows
		return nil, err
	}
	if slices.IsSorted(rows) {
		return rows, nil
	}
	if len(rows) < t.n/64 {
		slices.Sort(rows)
		return rows, nil
	}
	is := make([]byte, (t.n+7)/8)
	for _, r := range rows {
		setBit(is, int(r))
	}
	rows = rows[:0]
	for i, b := range is {
		for ; b != 0; b &= b - 1 {
			rows = append(rows, int32(i*8+bits.TrailingZeros8(b)))
		}
	}
	return rows, nil
}

// Oldest returns the least time of all live rows, and false if there is none. times
// is that of Due.
func (t *Table) Oldest(times func(rows []int32) (Vector, error)) (oldest int64, found bool, err error) {
	x := &t.times
	if err = x.learn(t, times); err == nil {
		oldest, found, err = x.oldest(t, times)
	}
	if err != nil {
		*x = newTimeIndex()
	}
	return oldest, found, err
}

// oldest looks at the row that the first bucket begins with. Only where that was
// removed, or its time has grown, are the others of the bucket asked.
func (x *timeIndex) oldest(t *Table, times func(rows []int32) (Vector, error)) (least int64, found bool, err error) {
	see := func(_ int32, at int64, valid bool) {
		if valid && (!found || at < least) {
			least, found = at, true
		}
	}
	if err := x.ask(x.live(t, nil, x.told), times, see); err != nil {
		return 0, false, err
	}
	for len(x.buckets) > 0 && !(found && least < x.buckets[0].start) {
		b := x.buckets[0]
		if head := b.head; t.alive(head) {
			same := false
			x.rows = append(x.rows[:0], head)
			err := x.ask(x.rows, times, func(_ int32, at int64, valid bool) { same = valid && at == b.start })
			if err != nil {
				return 0, false, err
			}
			if same {
				return b.start, true, nil
			}
		}
		if err := x.tidy(t, times); err != nil {
			return 0, false, err
		}
	}
	return least, found, nil
}

// tidy asks all rows of the first bucket. Those whose time has grown beyond it move;
// of the others the one with the least time becomes its beginning.
func (x *timeIndex) tidy(t *Table, times func(rows []int32) (Vector, error)) error {
	b := x.buckets[0]
	x.rows = x.live(t, x.rows[:0], b.list)
	x.buckets = slices.Delete(x.buckets, 0, 1)
	first, least := int32(-1), int64(math.MaxInt64)
	rows, at := make([]int32, 0, len(x.rows)), make([]int64, 0, len(x.rows))
	err := x.ask(x.rows, times, func(row int32, us int64, valid bool) {
		if !valid {
			return
		}
		rows, at = append(rows, row), append(at, us)
		if us <= b.last && (first < 0 || us < least) {
			first, least = row, us
		}
	})
	if err != nil {
		return err
	}
	if first >= 0 {
		b.start, b.list = least, list{-1, -1}
		x.push(&b.list, first)
		for i, r := range rows {
			if r != first && at[i] <= b.last {
				x.push(&b.list, r)
			}
		}
		x.buckets = slices.Insert(x.buckets, 0, b)
	}
	for i, r := range rows {
		if at[i] > b.last {
			x.put(r, at[i], x.grid)
		}
	}
	return nil
}

func (x *timeIndex) due(t *Table, limit int64, times func(rows []int32) (Vector, error), fixed bool) ([]int32, error) {
	if err := x.learn(t, times); err != nil {
		return nil, err
	}
	x.rows = x.live(t, x.rows[:0], x.told)
	x.told = list{-1, -1}
	n := 0
	widest := uint(0)
	for ; n < len(x.buckets) && x.buckets[n].start <= limit; n++ {
		b := &x.buckets[n]
		if !fixed || b.last > limit {
			x.rows = x.live(t, x.rows, b.list)
			widest = max(widest, width(b))
		}
	}
	due := make([]int32, 0, len(x.rows))
	for _, b := range x.buckets[:n] {
		if fixed && b.last <= limit { // so are all of its rows
			due = x.live(t, due, b.list)
			x.join(&x.told, b.list)
		}
	}
	x.buckets = slices.Delete(x.buckets, 0, n)
	grid := widest - min(widest, finer)
	err := x.ask(x.rows, times, func(row int32, at int64, valid bool) {
		switch {
		case !valid:
		case at <= limit:
			due = append(due, row)
			x.push(&x.told, row)
		default:
			x.put(row, at, grid)
		}
	})
	return due, err
}

// width returns the bits of b's span.
func width(b *bucket) uint {
	return uint(bits.Len64(uint64(b.last) - uint64(b.start)))
}

// learn puts the rows that came since the last time into their buckets.
func (x *timeIndex) learn(t *Table, times func(rows []int32) (Vector, error)) error {
	if x.seen == t.n {
		return nil
	}
	x.next = grown(x.next, t.n-len(x.next))
	x.rows = x.rows[:0]
	for r := x.seen; r < t.n; r++ {
		if t.alive(int32(r)) {
			x.rows = append(x.rows, int32(r))
		}
	}
	x.seen = t.n
	return x.ask(x.rows, times, func(row int32, at int64, valid bool) {
		if valid {
			x.put(row, at, x.grid)
		}
	})
}

// ask calls f with the time of each of rows.
func (x *timeIndex) ask(rows []int32, times func(rows []int32) (Vector, error), f func(row int32, at int64, valid bool)) error {
	x.asked += int64(len(rows))
	for len(rows) > 0 {
		some := rows[:min(askRows, len(rows))]
		rows = rows[len(some):]
		v, err := times(some)
		if err != nil {
			return err
		}
		at := Values[int64](&v)
		for i, r := range some {
			f(r, at[i], v.IsValid(i))
		}
	}
	return nil
}

// live appends the rows of l that are not removed.
func (x *timeIndex) live(t *Table, to []int32, l list) []int32 {
	for r := l.head; r >= 0; r = x.next[r] {
		if t.alive(r) {
			to = append(to, r)
		}
	}
	return to
}

// put adds row to the bucket of its time. A new one reaches to the end of the cell of
// 2^grid µs, or to the next bucket; one that begins later in the cell begins earlier
// from now on.
func (x *timeIndex) put(row int32, at int64, grid uint) {
	i := x.find(at)
	if i >= 0 && at <= x.buckets[i].last {
		x.last = i
		x.push(&x.buckets[i].list, row)
		return
	}
	i++
	if i < len(x.buckets) && x.buckets[i].start>>grid == at>>grid {
		b := &x.buckets[i]
		x.next[row] = b.head
		b.start, b.head = at, row
		return
	}
	b := bucket{start: at, last: at | (1<<grid - 1), list: list{row, row}}
	if i < len(x.buckets) {
		b.last = min(b.last, x.buckets[i].start-1)
	}
	x.next[row] = -1
	x.buckets = slices.Insert(x.buckets, i, b)
	for len(x.buckets) > maxBuckets {
		x.coarsen()
	}
}

// find returns the last bucket that begins at or before at, or -1. Where buckets have
// no gaps the first guess is right.
func (x *timeIndex) find(at int64) int {
	n := len(x.buckets)
	if n == 0 || at < x.buckets[0].start {
		return -1
	}
	if x.last < n {
		if b := &x.buckets[x.last]; b.start <= at && at <= b.last {
			return x.last
		}
	}
	if guess := uint64(at>>x.grid) - uint64(x.buckets[0].start>>x.grid); guess < uint64(n) {
		if b := &x.buckets[guess]; b.start <= at && at <= b.last {
			return int(guess)
		}
	}
	lo, hi := 0, n // the first lo begin at or before at, those from hi on do not
	for lo < hi {
		if mid := int(uint(lo+hi) >> 1); x.buckets[mid].start <= at {
			lo = mid + 1
		} else {
			hi = mid
		}
	}
	return lo - 1
}

// push adds row to the end of l.
func (x *timeIndex) push(l *list, row int32) {
	if l.head < 0 {
		l.head = row
	} else {
		x.next[l.tail] = row
	}
	l.tail = row
	x.next[row] = -1
}

// join adds the rows of o to the end of l.
func (x *timeIndex) join(l *list, o list) {
	switch {
	case o.head < 0:
	case l.head < 0:
		*l = o
	default:
		x.next[l.tail] = o.head
		l.tail = o.tail
	}
}

// coarsen doubles the grid and merges the buckets that are one on it.
func (x *timeIndex) coarsen() {
	x.grid++
	kept := x.buckets[:1]
	for _, b := range x.buckets[1:] {
		to := &kept[len(kept)-1]
		if to.start>>x.grid != b.start>>x.grid {
			kept = append(kept, b)
			continue
		}
		to.last = b.last
		x.join(&to.list, b.list)
	}
	x.buckets = kept
}

// remap follows the table to new rows: remap says which those of live rows are, that
// are as many as kept, in their old order.
func (x *timeIndex) remap(t *Table, remap []int32, kept int) {
	if x.seen == 0 {
		return
	}
	old := x.next
	x.next = make([]int32, kept)
	move := func(l list) list {
		to := list{-1, -1}
		for r := l.head; r >= 0; r = old[r] {
			if t.alive(r) {
				x.push(&to, remap[r])
			}
		}
		return to
	}
	x.told = move(x.told)
	full := x.buckets[:0]
	for _, b := range x.buckets {
		if b.list = move(b.list); b.head >= 0 {
			full = append(full, b)
		}
	}
	x.buckets = full
	seen := 0
	for r := range int32(x.seen) {
		if t.alive(r) {
			seen++
		}
	}
	x.seen = seen
}

func (x *timeIndex) memBytes() int64 { return memOf(x.next) + memOf(x.buckets) + memOf(x.rows) }
