package state

import (
	"bytes"
	"slices"
	"sync"

	"github.com/klauspost/compress/zstd"

	"github.com/flightd/flightd/internal/base"
)

// manyChanges is from how many changed rows on they are written in parts, by
// several workers.
const manyChanges = 1 << 14

func headOf(s *Sharded) tableHeader {
	return tableHeader{ID: s.id, Schema: s.schema, Next: s.next}
}

// encodeChanges writes what epoch did to tables: for each, the numbers of the removed
// rows, ascending, then the touched rows in the order of first touch; or, if there are
// more than manyChanges, sub-table by sub-table.
func encodeChanges(enc *zstd.Encoder, epoch base.Epoch, tables []*Sharded, workers int) ([]byte, error) {
	var out bytes.Buffer
	f, err := newFrameWriter(&out, enc)
	if err != nil {
		return nil, err
	}
	h := header{Kind: kindChanges, Epoch: epoch, Tables: []tableHeader{}}
	for _, s := range tables {
		head := headOf(s)
		head.Expired = s.expired
		h.Tables = append(h.Tables, head)
	}
	if err := f.writeJSON(frameHead, h); err != nil {
		return nil, err
	}
	for i, s := range tables {
		if err := f.writeAll(frameGone, i, s, s.RemovedLen() > manyChanges, workers); err != nil {
			return nil, base.Wrap(err, "%s", s.id)
		}
		if err := f.writeAll(frameUpserts, i, s, s.ChangedLen() > manyChanges, workers); err != nil {
			return nil, base.Wrap(err, "%s", s.id)
		}
	}
	if err := f.close(); err != nil {
		return nil, err
	}
	return out.Bytes(), nil
}

// writeAll writes the changed rows of a table, or those that were removed; if they
// are many, several workers make the blocks.
func (f *frameWriter) writeAll(typ uint8, table int, s *Sharded, many bool, workers int) error {
	write := func(block []byte, rows int) error { return f.write(typ, table, rows, block) }
	switch {
	case many:
		if done, err := f.writeDense(typ, table, s, workers); done || err != nil {
			return err
		}
		blocks := (*Table).changedBlocks
		if typ == frameGone {
			blocks = (*Table).goneBlocks
		}
		return f.writeMade(typ, table, workers, len(s.subs), func(i int, buf *bytes.Buffer, each func(block []byte, rows int) error) error {
			return blocks(s.subs[i], buf, each)
		})
	case typ == frameGone:
		return s.goneBlocks(write)
	}
	return s.refBlocks(new(bytes.Buffer), s.Changed(), write)
}

// writeMade writes the blocks that parts 0 to n−1 make, in their order; those of
// several are made at a time.
func (f *frameWriter) writeMade(typ uint8, table, workers, n int, part func(i int, buf *bytes.Buffer, each func(block []byte, rows int) error) error) error {
	type made struct {
		frames [][]byte
		rows   []int
		err    error
	}
	out := make([]made, n)
	buffers := sync.Pool{New: func() any { return new(bytes.Buffer) }}
	inTurn(workers, n, func(i int) {
		m, buf := &out[i], buffers.Get().(*bytes.Buffer)
		defer buffers.Put(buf)
		m.err = part(i, buf, func(block []byte, rows int) error {
			frame, err := f.compress(block, rows)
			m.frames, m.rows = append(m.frames, frame), append(m.rows, rows)
			return err
		})
	})
	for _, m := range out {
		if m.err != nil {
			return m.err
		}
		for j, frame := range m.frames {
			if err := f.finish(frame, typ, table, m.rows[j]); err != nil {
				return err
			}
		}
	}
	return nil
}

func (t *Table) changedBlocks(buf *bytes.Buffer, each func(block []byte, rows int) error) error {
	return t.blocks(buf, t.layout, t.schema, t.Changed(), each)
}

// goneBlocks makes blocks of the numbers of the rows that the last epoch had and this
// one removed.
func (t *Table) goneBlocks(buf *bytes.Buffer, each func(block []byte, rows int) error) error {
	return numberBlocks(buf, t.goneNumbers(), each)
}

func (s *Sharded) goneBlocks(each func(block []byte, rows int) error) error {
	var numbers []int64
	for _, t := range s.subs {
		numbers = append(numbers, t.goneNumbers()...)
	}
	slices.Sort(numbers)
	return numberBlocks(new(bytes.Buffer), numbers, each)
}

func (t *Table) goneNumbers() []int64 {
	numbers := taken(t.numbers, t.removed)
	if !slices.IsSorted(numbers) {
		slices.Sort(numbers)
	}
	return numbers
}

func numberBlocks(buf *bytes.Buffer, numbers []int64, each func(block []byte, rows int) error) error {
	for len(numbers) > 0 {
		n := min(len(numbers), blockRows)
		buf.Reset()
		cols := []Vector{{Kind: Int64, Len: n, Data: bytesOf(numbers[:n])}}
		if err := encodeBlock(buf, blockFields(Schema{}, false), cols); err != nil {
			return err
		}
		if err := each(buf.Bytes(), n); err != nil {
			return err
		}
		numbers = numbers[n:]
	}
	return nil
}

// cutBlock returns how many of n rows go into the next block: each has fixed bytes,
// or what size says if that is 0.
func cutBlock(n, fixed int, size func(int) int) int {
	n, sum := min(n, blockRows), 0
	if fixed > 0 {
		return min(n, max(1, blockBytes/fixed))
	}
	for i := range n {
		if sum += size(i); sum > blockBytes && i > 0 {
			return i
		}
	}
	return n
}

// rowSize is about the size of a row in a block if all have the same, else 0.
func (s *Sharded) rowSize() int {
	size := s.subs[0].rowSize(s.layout)
	for _, t := range s.subs[1:] {
		if t.rowSize(s.layout) != size {
			return 0
		}
	}
	return size
}

func (r *rows) rowSize(l *layout) int {
	n := 8 + 8*l.words
	for _, t := range r.texts {
		if t != nil {
			return 0
		}
	}
	for _, v := range r.values {
		if v.Kind() == Bytes {
			return 0
		}
		n += v.Kind().width()
	}
	return n
}

// rowBytes is about the size of a row in a block.
func (r *rows) rowBytes(l *layout, row int32) int {
	n := 8 + 8*l.words
	for _, t := range r.texts {
		if t != nil {
			n += int(t.refs[row].n)
		}
	}
	for _, v := range r.values {
		if b, ok := v.(*BytesColumn); ok {
			n += 4 + int(b.refs[row].n)
		} else {
			n += v.Kind().width()
		}
	}
	return n
}

// replay brings the store to what the frames of d say; their header must be of
// the kind and epoch given.
func (m *MemoryStore) replay(d *frameReader, kind string, epoch base.Epoch) error {
	h, err := d.header(kind)
	if err == nil && h.Epoch != epoch {
		err = base.Errorf(base.CodeCorrupt, "changes are of epoch %d", h.Epoch)
	}
	if err == nil {
		err = m.replayFrames(d, h)
	}
	if err != nil {
		m.Rollback()
	}
	return err
}

func (m *MemoryStore) replayFrames(d *frameReader, h header) error {
	defer d.release()
	tables, keys := make([]*Sharded, len(h.Tables)), make([]*Keys, len(h.Tables))
	for i, t := range h.Tables {
		s, err := m.Table(t.ID, t.Schema)
		if err != nil {
			return err
		}
		tables[i], keys[i] = s, s.NewKeys()
	}
	for {
		fr, err := d.next()
		if err != nil {
			return err
		}
		if fr.typ == frameEnd {
			if err := d.close(fr); err != nil {
				return err
			}
			break
		}
		if fr.typ != frameUpserts && fr.typ != frameRemovals && fr.typ != frameGone {
			return d.corrupt("type is %d", fr.typ)
		}
		if fr.table >= len(tables) {
			return d.corrupt("table %d of %d", fr.table, len(tables))
		}
		n, err := tables[fr.table].replay(fr, keys[fr.table])
		if err != nil {
			return base.Wrap(err, "frame %d: %s", d.seq-1, tables[fr.table].id)
		}
		d.total.Blocks++
		d.total.Rows += int64(n)
	}
	for i, s := range tables {
		s.next = h.Tables[i].Next
		if limit := h.Tables[i].Expired; limit != nil {
			if err := s.replayExpired(*limit, m.cfg.Workers); err != nil {
				return base.Wrap(err, "%s", s.id)
			}
		}
		s.endEpoch(m.cfg.Workers)
		for _, t := range s.subs {
			if t.twice && s.schema.Many {
				return base.Errorf(base.CodeCorrupt, "%s: two rows have one number", s.id)
			}
		}
	}
	return nil
}

// replay applies one block and returns its number of rows.
func (s *Sharded) replay(fr frame, k *Keys) (int, error) {
	schema := s.schema
	if fr.typ == frameGone {
		schema = Schema{}
	}
	cols, err := decodeBlock(fr.payload, blockFields(schema, fr.typ == frameUpserts))
	if err != nil {
		return 0, err
	}
	n := cols[0].Len
	numbers, keys := Values[int64](&cols[0]), cols[1:1+len(schema.Keys)]
	refs := make([]Ref, n)
	if fr.typ == frameGone {
		s.findNumbers(numbers, refs)
	} else {
		if err := k.Normalise(keys, n, nil); err != nil {
			return 0, err
		}
		if fr.typ == frameUpserts {
			return n, s.load(k, numbers, cols[1+len(keys):])
		}
		if err := s.Find(k, nil, refs); err != nil {
			return 0, err
		}
	}
	for i, r := range refs {
		if r.Row < 0 || s.subs[r.Sub].numbers[r.Row] != numbers[i] {
			return 0, base.Errorf(base.CodeCorrupt, "the row that was removed, number %d, is not there", numbers[i])
		}
	}
	return n, s.Remove(refs)
}
