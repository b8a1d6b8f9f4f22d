package parquetfile

import (
	"context"
	"io"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/flightd/flightd/internal/invariants"
	"github.com/flightd/flightd/sources"
	"github.com/flightd/flightd/sources/parquetfile/encoding"
)

// chosen is what a reader asks before it decodes all columns of a record batch.
type chosen struct {
	ask sources.Choose
	// columns are the places of those that are decoded first, and first says so of each
	// wanted one.
	columns []int
	first   []bool
	// cols are what ask is shown.
	cols []arrow.Array
}

// Choose is that of sources.Chooser. A reader whose columns are not all decoded here
// does not ask.
func (r *Reader) Choose(columns []int, choose sources.Choose) bool {
	if r.nested != nil || r.choice != nil || len(columns) == 0 || len(columns) >= len(r.columns) {
		return false
	}
	c := &chosen{ask: choose, columns: columns, first: make([]bool, len(r.columns)), cols: make([]arrow.Array, len(r.columns))}
	for _, i := range columns {
		c.first[i] = true
		if k := r.columns[i]; k != nil {
			k.lend = true
		}
	}
	r.choice = c
	return true
}

// nextChosen returns the next record batch of which rows are wanted, or io.EOF.
func (r *Reader) nextChosen(ctx context.Context) (arrow.RecordBatch, error) {
	for r.left > 0 {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		n := 0
		err := r.file.guard(func() error { return r.decodeFirst(&n) })
		if err != nil {
			r.scratch = nil
			return nil, err
		}
		if n == 0 {
			break
		}
		// Not within guard: what goes wrong in an expression is not the file's fault.
		rows, taken, err := r.choice.ask(r.choice.cols, n)
		if err != nil {
			r.letGo()
			return nil, err
		}
		r.at, r.left = r.at+int64(n), r.left-int64(n)
		if len(rows) == 0 {
			r.letGo()
			r.passOthers(n)
			continue
		}
		var rec arrow.RecordBatch
		err = r.file.guard(func() (err error) { rec, err = r.decodeOthers(n, rows, taken); return err })
		if err != nil {
			r.scratch = nil
			return nil, err
		}
		return rec, nil
	}
	return nil, io.EOF
}

// decodeFirst decodes the columns that say which rows are wanted. n becomes how many
// rows that are; 0 at the end.
func (r *Reader) decodeFirst(n *int) error {
	rows, err := r.forward()
	if rows == 0 || err != nil {
		return err
	}
	for _, i := range r.choice.columns {
		f := r.want.Schema.Field(i)
		if r.choice.cols[i], err = r.cell(i, f.Type, nil, int(rows)); err != nil {
			r.letGo()
			return r.where(f.Name, err)
		}
	}
	*n = int(rows)
	return nil
}

// letGo releases the columns that were decoded first.
func (r *Reader) letGo() {
	for i, c := range r.choice.cols {
		if c != nil {
			c.Release()
			r.choice.cols[i] = nil
		}
	}
}

func (r *Reader) passOthers(n int) {
	for i, c := range r.columns {
		if c != nil && !r.choice.first[i] {
			c.behind += n
		}
	}
}

// decodeOthers decodes the other columns of n rows, and puts together those that are
// wanted, or all if taken is nil. It takes over taken.
func (r *Reader) decodeOthers(n int, rows []int32, taken []arrow.Array) (arrow.RecordBatch, error) {
	cols := make([]arrow.Array, len(r.columns))
	defer func() {
		for _, c := range cols {
			if c != nil {
				c.Release()
			}
		}
	}()
	if taken == nil {
		for _, i := range r.choice.columns {
			cols[i], r.choice.cols[i] = r.choice.cols[i], nil
			if c := r.columns[i]; c != nil && c.lend && !r.want.Borrowed {
				c.keep()
				c.lend = false // the next ones are likely to be kept as well
			}
		}
		rows = nil
	} else {
		r.letGo()
		for k, i := range r.choice.columns {
			cols[i] = taken[k]
			if c := r.columns[i]; c != nil {
				c.lend = true
			}
		}
	}
	for i, f := range r.want.Schema.Fields() {
		if r.choice.first[i] {
			continue
		}
		var err error
		if rows == nil {
			cols[i], err = r.cell(i, f.Type, nil, n)
		} else {
			cols[i], err = r.picked(i, f.Type, n, rows)
		}
		if err != nil {
			return nil, r.where(f.Name, err)
		}
	}
	if rows != nil {
		n = len(rows)
	}
	return array.NewRecordBatch(r.schemaOf(cols), cols, int64(n)), nil
}

// picked returns of the next n rows of wanted column i those that are named.
func (r *Reader) picked(i int, t arrow.DataType, n int, rows []int32) (arrow.Array, error) {
	if r.columns[i] == nil {
		return array.MakeArrayOfNull(memory.DefaultAllocator, t, len(rows)), nil
	}
	a, err := r.columns[i].pick(n, rows)
	if err != nil {
		return nil, err
	}
	return asWanted(a, t)
}

// pick decodes of the next rows rows those at places, which are ascending; there is
// at least one.
func (c *column) pick(rows int, places []int32) (arrow.Array, error) {
	if err := c.catchUp(); err != nil {
		return nil, err
	}
	if invariants.Enabled && c.lend {
		c.poison()
	}
	c.cells.begin(len(places))
	var valid []byte
	if c.optional {
		valid = c.newBits(&c.valid, len(places))
	}
	nulls, to := 0, 0
	for at := 0; to < len(places); {
		if c.values == 0 {
			n, err := c.nextOrPass(int(places[to]) - at)
			if err != nil {
				return nil, err
			}
			at += n
			continue
		}
		n := min(c.values, rows-at)
		k := before(places[to:], at+n)
		if to+k == len(places) { // the rows behind the last one may be of pages that nobody needs
			n = int(places[len(places)-1]) + 1 - at
		}
		present, among, err := c.among(at, n, places[to:to+k], valid, to)
		if err != nil {
			return nil, err
		}
		if err := c.cells.pick(to, k, present, among, valid); err != nil {
			return nil, err
		}
		nulls += k - len(among)
		c.values -= n
		at += n
		to += k
	}
	c.behind = rows - int(places[len(places)-1]) - 1
	if nulls == 0 {
		return c.cells.array(len(places), 0, nil)
	}
	return c.cells.array(len(places), nulls, memory.NewBufferBytes(valid[:(len(places)+7)/8]))
}

// before returns how many of places, which are ascending, are below end.
func before(places []int32, end int) int {
	if n := len(places); n == 0 || int(places[n-1]) < end {
		return n
	}
	lo, hi := 0, len(places)
	for lo < hi {
		if mid := (lo + hi) / 2; int(places[mid]) < end {
			lo = mid + 1
		} else {
			hi = mid
		}
	}
	return lo
}

// among passes over the definition levels of the next n rows, which begin with row
// at. It returns how many of them are present, and which of these are rows at places:
// the numbers of those that are, and in valid, from bit to on, whether each is.
func (c *column) among(at, n int, places []int32, valid []byte, to int) (present int, out []int32, err error) {
	out = grown(c.tmpPlaces, len(places))
	c.tmpPlaces = out
	if c.optional {
		bits := grown(c.levelBits, (n+7)/8+encoding.Slack)
		c.levelBits = bits
		clear(bits)
		if present, err = c.levels.Bits(bits, 0, n); err != nil {
			return 0, nil, errLevels(err)
		}
		if present < n {
			var k int
			k, c.sums = encoding.Among(out, places, at, bits, n, valid, to, c.sums)
			return present, out[:k], nil
		}
		encoding.SetBits(valid, to, len(places))
	}
	for i, p := range places {
		out[i] = p - int32(at)
	}
	return n, out, nil
}

// nextOrPass begins with the next page, or passes over one that has at most rows
// rows, and returns how many; 0 if it did not.
func (c *column) nextOrPass(rows int) (int, error) {
	if rows > 0 {
		if n, err := c.chunk.pass(rows); n > 0 || err != nil {
			return n, err
		}
	}
	return 0, c.nextPage()
}

// catchUp passes over the rows that were left behind.
func (c *column) catchUp() error {
	n := c.behind
	c.behind = 0
	return c.skip(n)
}

// skip passes over the next rows rows; pages of which none is left are not decompressed.
func (c *column) skip(rows int) error {
	const most = 8192 // at a time, for what is decoded on the way
	for rows > 0 {
		if c.values == 0 {
			n, err := c.nextOrPass(rows)
			if err != nil {
				return err
			}
			rows -= n
			continue
		}
		n := min(rows, c.values, most)
		present, _, err := c.among(0, n, nil, nil, 0)
		if err != nil {
			return err
		}
		if err := c.cells.skip(present); err != nil {
			return err
		}
		c.values -= n
		rows -= n
	}
	return nil
}
