package state

import "math"

// zones says of the rows of a table, zoneRows at a time, what the least time among
// them is: a search for what has expired passes over those that have nothing. It is
// for times that never change; rows come about in the order of their times, so that
// few zones have rows that have expired and others. It is empty at first, and after
// rows have moved.
type zones struct {
	// least has a lower bound for each zone: the least time, until the row that has it is
	// removed by itself.
	least []int64
	// seen is how many of the first rows the zones cover.
	seen int
	rows []int32
}

const (
	zoneBits = 9
	zoneRows = 1 << zoneBits
)

func (z *zones) reset() { z.least, z.seen = z.least[:0], 0 }

// timeReader reads the times of consecutive rows.
type timeReader struct {
	// data has a time every step words; valid and nulls, where set, say which are NULL.
	data  []int64
	step  int
	valid []byte
	nulls []uint8
	mask  uint8
}

// timeReader returns a reader of column Schema.Time, or false if it must be gathered.
func (t *Table) timeReader() (timeReader, bool) {
	c := t.schema.Time
	if !c.Key {
		f, ok := t.values[c.At].(*Fixed[int64])
		if !ok {
			return timeReader{}, false
		}
		return timeReader{data: f.data, step: 1, valid: f.bits}, true
	}
	if t.layout.encoded() || t.layout.fields[c.At].Kind != Int64 {
		return timeReader{}, false
	}
	word := t.layout.places[c.At].word
	words := t.words[min(word, len(t.words)):]
	return timeReader{data: valuesOf[int64](bytesOf(words), len(words)), step: t.layout.words, nulls: t.nulls, mask: 1 << c.At}, true
}

// null reports whether row has no time.
func (r *timeReader) null(row int32) bool {
	return r.valid != nil && !bit(r.valid, int(row)) || r.nulls != nil && r.nulls[row]&r.mask != 0
}

// Expired returns the rows that Expire would remove, ascending, in memory that is used
// again the next time. It may be called for several sub-tables at the same time.
func (t *Table) Expired(limit int64) ([]int32, error) {
	r, ok := t.timeReader()
	if !ok {
		return t.dueRows(limit, t.Times, true)
	}
	z := &t.zones
	z.learn(&r, t.n)
	out := z.rows[:0]
	for i, least := range z.least {
		if least > limit {
			continue
		}
		from, to := int32(i)<<zoneBits, min(int32(i+1)<<zoneBits, int32(t.n))
		next := int64(math.MaxInt64)
		for row := from; row < to; row++ {
			at := r.data[int(row)*r.step]
			if at > limit {
				next = min(next, at)
			} else if t.alive(row) && !r.null(row) {
				out = append(out, row)
			}
		}
		z.least[i] = next
	}
	z.rows = out
	return out, nil
}

// learn takes in the rows up to n. A NULL may make a zone look older than it is.
func (z *zones) learn(r *timeReader, n int) {
	for z.seen < n {
		i := z.seen >> zoneBits
		to := min((i+1)<<zoneBits, n)
		least := int64(math.MaxInt64)
		if i < len(z.least) {
			least = z.least[i]
		} else {
			z.least = append(z.least, least)
		}
		for row := z.seen; row < to; row++ {
			least = min(least, r.data[row*r.step])
		}
		z.least[i], z.seen = least, to
	}
}

// OldestTime returns the least time of the live rows, and false if there is none. It may
// be called for several sub-tables at the same time.
func (t *Table) OldestTime() (oldest int64, found bool, err error) {
	r, ok := t.timeReader()
	if !ok {
		return t.Oldest(t.Times)
	}
	z := &t.zones
	z.learn(&r, t.n)
	for i, least := range z.least {
		if found && least >= oldest {
			continue
		}
		from, to := int32(i)<<zoneBits, min(int32(i+1)<<zoneBits, int32(t.n))
		for row := from; row < to; row++ {
			if at := r.data[int(row)*r.step]; (!found || at < oldest) && t.alive(row) && !r.null(row) {
				oldest, found = at, true
			}
		}
	}
	return oldest, found, nil
}
