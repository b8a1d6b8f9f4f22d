package rowlog

import (
	"cmp"
	"errors"
	"fmt"
	"slices"

	"github.com/flightd/flightd/internal/base"
	"github.com/flightd/flightd/internal/seglog"
)

// maxRefs is how many places of frames are remembered of finished segments: 24 MiB.
const maxRefs = 1 << 20

// indexCache remembers where the frames of finished segments are. It is guarded by
// the log's mu.
type indexCache struct {
	refs  map[name][]ref
	order []name // least recently used first
	total int
}

func (c *indexCache) put(n name, refs []ref) {
	if c.refs == nil {
		c.refs = map[name][]ref{}
	}
	c.drop(n)
	c.refs[n], c.order, c.total = refs, append(c.order, n), c.total+len(refs)
	for c.total > maxRefs && len(c.order) > 1 {
		c.drop(c.order[0])
	}
}

func (c *indexCache) drop(n name) {
	if refs, ok := c.refs[n]; ok {
		delete(c.refs, n)
		c.total -= len(refs)
		c.order = slices.DeleteFunc(c.order, func(o name) bool { return o == n })
	}
}

func (c *indexCache) get(n name) ([]ref, bool) {
	refs, ok := c.refs[n]
	if ok && c.order[len(c.order)-1] != n {
		c.order = append(slices.DeleteFunc(c.order, func(o name) bool { return o == n }), n)
	}
	return refs, ok
}

// index returns where the frames of a segment are.
func (l *Log) index(s *segment) ([]ref, error) {
	l.mu.Lock()
	if s == l.active {
		defer l.mu.Unlock()
		return s.refs[:len(s.refs):len(s.refs)], nil
	}
	refs, ok := l.cache.get(s.name)
	end := s.end
	l.mu.Unlock()
	if ok {
		return refs, nil
	}
	row := s.row
	err := seglog.Walk(s.path, bodies(), fixedLen, func(at, size int64, start []byte) error {
		h, _, _, err := parseFixed(start)
		if err != nil {
			return err
		}
		if s.row+h.row != row {
			return fmt.Errorf("row %d follows row %d", s.row+h.row, row)
		}
		if h.rows > 0 {
			refs = append(refs, ref{row: row, at: at, size: uint32(size), rows: uint32(h.rows)})
		}
		row += h.rows
		return nil
	})
	if err == nil && row != end {
		err = seglog.Damaged(s.path, s.bytes, fmt.Sprintf("the segment ends with row %d, the next one begins with %d", row, end))
	}
	if err != nil {
		return nil, err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.cache.put(s.name, refs)
	return refs, nil
}

// ErrDropped is the error of rows that are not kept any more.
var ErrDropped = errors.New("the rows are not kept any more")

// find returns the segments that have rows of [from, to). The error is ErrDropped if
// some of them are gone.
func (l *Log) find(from, to int64) ([]*segment, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if to > l.end {
		return nil, base.Errorf(base.CodeCorrupt, "table %s has no row %d, it ends before %d", l.opt.Name, to-1, l.end)
	}
	if from >= to {
		return nil, nil
	}
	var out []*segment
	for _, s := range l.all() {
		if s.end > from && s.row < to {
			out = append(out, s)
		}
	}
	if len(out) == 0 || out[0].row > from {
		return nil, ErrDropped
	}
	return out, nil
}

// A Piece is rows of one segment.
type Piece struct {
	// From is the number of its first row, To that after its last one.
	From, To int64
	segment  *segment
}

// String returns "rows [3, 17) of /data/tables/t/….rows".
func (p Piece) String() string {
	return fmt.Sprintf("rows [%d, %d) of %s", p.From, p.To, p.segment.path)
}

// Pieces cuts the rows [from, to) at frames into pieces of at least so many rows or
// bytes, the last ones of segments perhaps smaller. The cuts depend on nothing but
// the range. The error is ErrDropped if not all of the rows are there.
func (l *Log) Pieces(from, to, rows, bytes int64) ([]Piece, error) {
	segments, err := l.find(from, to)
	if err != nil {
		return nil, err
	}
	var out []Piece
	for _, s := range segments {
		refs, err := l.within(s, from, to)
		if err != nil {
			return nil, err
		}
		begin, n, size := int64(-1), int64(0), int64(0)
		for i, r := range refs {
			if begin < 0 {
				begin = max(from, r.row)
			}
			end := min(to, r.row+int64(r.rows))
			n, size = end-begin, size+int64(r.size)
			if n >= rows || size >= bytes || i == len(refs)-1 {
				out = append(out, Piece{begin, end, s})
				begin, size = -1, 0
			}
		}
	}
	return out, nil
}

// within returns the frames of a segment that have rows of [from, to).
func (l *Log) within(s *segment, from, to int64) ([]ref, error) {
	refs, err := l.index(s)
	if err != nil {
		return nil, dropped(err)
	}
	lo, found := slices.BinarySearchFunc(refs, from, func(r ref, row int64) int { return cmp.Compare(r.row, row) })
	if !found && lo > 0 {
		lo--
	}
	hi, _ := slices.BinarySearchFunc(refs, to, func(r ref, row int64) int { return cmp.Compare(r.row, row) })
	return refs[lo:hi], nil
}

// Bound returns the row after the last one that lets the rows from from on, up to to,
// have at most so many rows and bytes, but at least one frame's; 0 is no limit.
func (l *Log) Bound(from, to, rows, bytes int64) (int64, error) {
	if rows > 0 {
		to = min(to, from+rows)
	}
	if bytes <= 0 {
		return to, nil
	}
	segments, err := l.find(from, to)
	if err != nil {
		return 0, err
	}
	at, size := from, int64(0)
	for _, s := range segments {
		refs, err := l.within(s, from, to)
		if err != nil {
			return 0, err
		}
		for _, r := range refs {
			if size += int64(r.size); size > bytes && at > from {
				return at, nil
			}
			at = min(to, r.row+int64(r.rows))
		}
	}
	return at, nil
}
