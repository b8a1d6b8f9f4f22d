package state

// A Block is rows of value columns without keys, numbered from 0: what a table of
// groups would keep, for groups that are found in another way.
type Block struct {
	n      int
	values []Column
}

// NewBlock returns an empty block of these columns.
func NewBlock(fields []Field) *Block {
	b := &Block{}
	for _, f := range fields {
		b.values = append(b.values, newColumn(f))
	}
	return b
}

// Rows returns the number of rows.
func (b *Block) Rows() int { return b.n }

// Value returns column i: a *Fixed[T], or a *BytesColumn. It is the same one as long
// as the block lives.
func (b *Block) Value(i int) Column { return b.values[i] }

// Grow adds rows, NULL or 0, until there are n. Slices of columns that were taken
// before are stale.
func (b *Block) Grow(n int) {
	for _, v := range b.values {
		v.grow(n - b.n)
	}
	b.n = n
}
