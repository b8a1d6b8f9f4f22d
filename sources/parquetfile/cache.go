package parquetfile

import (
	"container/list"
	"os"
	"sync"

	"github.com/flightd/flightd/internal/roots"
)

// maxFooters is the most bytes that remembered footers may have in their files.
const maxFooters = 8 << 20

// A Cache remembers the footers of files that were open, and the memory of readers
// that were closed, for the next ones. The connectors of a process or of a table
// share one; nil is a cache that remembers nothing.
type Cache struct {
	mu      sync.Mutex
	footers map[string]*list.Element // of *remembered
	order   list.List                // the last one used first
	size    int
	scratch sync.Pool // of *scratch
	pruned  Pruned
}

// Pruned counts what its readers with predicates have read and skipped.
func (c *Cache) Pruned() *Pruned { return &c.pruned }

// count counts a row group.
func (c *Cache) count(read bool) {
	switch {
	case c == nil:
	case read:
		c.pruned.Groups.Add(1)
	default:
		c.pruned.GroupsSkipped.Add(1)
	}
}

func (c *Cache) skipped(rows int64) {
	if c != nil {
		c.pruned.RowsSkipped.Add(rows)
	}
}

// remembered is the footer of a file as it was.
type remembered struct {
	path   string
	was    os.FileInfo
	footer *footer
}

// NewCache returns an empty cache.
func NewCache() *Cache { return &Cache{footers: map[string]*list.Element{}} }

// Open is the function Open, without decoding the footer of a file that was open before and has
// the same identity, size and modification time still. The file lies within disk.
func (c *Cache) Open(disk *roots.Set, path string) (*File, error) {
	return open(disk, path, func(st os.FileInfo) *footer { return c.lookup(path, st) }, c)
}

// OpenWith is the function OpenWith with the memory of c.
func (c *Cache) OpenWith(disk *roots.Set, path string, known Footer) (*File, error) {
	return open(disk, path, func(os.FileInfo) *footer { return known.footer }, c)
}

func (c *Cache) lookup(path string, st os.FileInfo) *footer {
	c.mu.Lock()
	defer c.mu.Unlock()
	e := c.footers[path]
	if e == nil {
		return nil
	}
	r := e.Value.(*remembered)
	if !os.SameFile(r.was, st) || r.was.Size() != st.Size() || !r.was.ModTime().Equal(st.ModTime()) {
		c.drop(e)
		return nil
	}
	c.order.MoveToFront(e)
	return r.footer
}

// keep remembers the footer of a file.
func (c *Cache) keep(path string, st os.FileInfo, f *footer) {
	if c == nil || f.meta.Size() > maxFooters {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if e := c.footers[path]; e != nil { // someone else was faster
		c.drop(e)
	}
	c.footers[path] = c.order.PushFront(&remembered{path, st, f})
	for c.size += f.meta.Size(); c.size > maxFooters; {
		c.drop(c.order.Back())
	}
}

func (c *Cache) drop(e *list.Element) {
	r := c.order.Remove(e).(*remembered)
	delete(c.footers, r.path)
	c.size -= r.footer.meta.Size()
}

// take returns scratch that nobody uses.
func (c *Cache) take() *scratch {
	if c != nil {
		if s, ok := c.scratch.Get().(*scratch); ok {
			return s
		}
	}
	return new(scratch)
}

// give takes back scratch that is not used any more.
func (c *Cache) give(s *scratch) {
	if c != nil && s != nil {
		c.scratch.Put(s)
	}
}
