package state

import (
	"bytes"
	"io"

	"github.com/klauspost/compress/zstd"

	"github.com/flightd/flightd/internal/base"
)

// A Pinned is the state as it was after an epoch. Its methods may be called
// beside the epochs that follow, by one goroutine.
type Pinned struct {
	epoch  base.Epoch
	tables []pinnedTable
	enc    *zstd.Encoder
}

type pinnedTable struct {
	head   tableHeader
	layout *layout
	subs   []*pin
}

// Pin keeps the state as the last Commit left it.
func (m *MemoryStore) Pin() *Pinned {
	p := &Pinned{epoch: m.epoch, enc: m.enc}
	for _, s := range m.tables {
		t := pinnedTable{head: headOf(s), layout: s.layout}
		for _, sub := range s.subs {
			t.subs = append(t.subs, sub.pin())
		}
		p.tables = append(p.tables, t)
	}
	return p
}

// Epoch is the epoch whose state it is.
func (p *Pinned) Epoch() base.Epoch { return p.epoch }

// Encode writes the state as a snapshot, page by page of each sub-table, and lets go of
// each page as soon as it is written. It can be called once.
func (p *Pinned) Encode(w io.Writer) error {
	defer p.Release()
	f, err := newFrameWriter(w, p.enc)
	if err != nil {
		return err
	}
	h := header{Kind: kindSnapshot, Epoch: p.epoch, Tables: []tableHeader{}}
	for _, t := range p.tables {
		h.Tables = append(h.Tables, t.head)
	}
	if err := f.writeJSON(frameHead, h); err != nil {
		return err
	}
	for i, t := range p.tables {
		for _, sub := range t.subs {
			if err := sub.each(t.layout.words, func(r *rows) error { return f.writeRows(i, t, r) }); err != nil {
				return base.Wrap(err, "writing snapshot of epoch %d: %s", p.epoch, t.head.ID)
			}
		}
	}
	return f.close()
}

// Release lets go of what Encode has not written.
func (p *Pinned) Release() {
	for _, t := range p.tables {
		for _, sub := range t.subs {
			sub.release()
		}
	}
}

// writeRows writes the live rows of a page.
func (f *frameWriter) writeRows(table int, t pinnedTable, r *rows) error {
	var buf bytes.Buffer
	return r.blocks(&buf, t.layout, t.head.Schema, r.live(), func(block []byte, rows int) error {
		return f.write(frameUpserts, table, rows, block)
	})
}

// blocks encodes rows of in blocks of bounded size, and hands each to f, with its
// number of rows. The bytes, which are those of buf, are good until f returns.
func (r *rows) blocks(buf *bytes.Buffer, l *layout, schema Schema, of []int32, f func(block []byte, rows int) error) error {
	fields, fixed := blockFields(schema, true), r.rowSize(l)
	for len(of) > 0 {
		n := cutBlock(len(of), fixed, func(i int) int { return r.rowBytes(l, of[i]) })
		block := of[:n]
		of = of[n:]
		cols := []Vector{{Kind: Int64, Len: n, Data: bytesOf(r.numbersOf(block))}}
		for i := range l.fields {
			v, err := r.keyView(l, i, block)
			if err != nil {
				return err
			}
			cols = append(cols, v)
		}
		for _, c := range r.values {
			cols = append(cols, c.view(block))
		}
		buf.Reset()
		if err := encodeBlock(buf, fields, cols); err != nil {
			return err
		}
		if err := f(buf.Bytes(), n); err != nil {
			return err
		}
	}
	return nil
}

// Snapshot encodes the state as the last Commit left it: Pin and Encode at once.
func Snapshot(s Store) ([]byte, error) {
	var buf bytes.Buffer
	if err := s.Pin().Encode(&buf); err != nil {
		return nil, err
	}
	return buf.Bytes(), nil
}
