package state

// Number is the set of Go types that columns of a fixed width are made of. Bool
// columns are uint8: 0 or 1.
type Number interface {
	uint8 | int8 | int16 | int32 | int64 | float32 | float64 | Word16
}

// Fixed is a column of values of a fixed width.
type Fixed[T Number] struct {
	validity
	kind Kind
	data []T
}

var _ Column = (*Fixed[int64])(nil)

func newFixed[T Number](f Field) *Fixed[T] {
	return &Fixed[T]{kind: f.Kind, validity: validity{nullable: f.Nullable}}
}

// Kind returns the column's kind.
func (c *Fixed[T]) Kind() Kind { return c.kind }

// Len returns the number of rows.
func (c *Fixed[T]) Len() int { return len(c.data) }

// Data returns the values by row, to read and write. It is good until the table
// grows. The value of a NULL row is 0 until somebody writes it.
func (c *Fixed[T]) Data() []T { return c.data }

// Set makes the value of row x, and present.
func (c *Fixed[T]) Set(row int32, x T) {
	c.data[row] = x
	c.SetValid(row)
}

// SetNull makes the value of row NULL, and 0.
func (c *Fixed[T]) SetNull(row int32) {
	var zero T
	c.data[row] = zero
	if c.bits != nil {
		clearBit(c.bits, int(row))
	}
}

// Gather returns the values of rows.
func (c *Fixed[T]) Gather(rows []int32) Vector {
	v := Vector{Kind: c.kind, Len: len(rows), Valid: c.gather(rows)}
	if c.kind == Bool {
		v.Data = make([]byte, (len(rows)+7)/8)
		flags := bytesOf(c.data)
		for i, r := range rows {
			v.Data[i>>3] |= flags[r] << (i & 7)
		}
		return v
	}
	out := make([]T, len(rows))
	for i, r := range rows {
		out[i] = c.data[r]
	}
	v.Data = bytesOf(out)
	return v
}

// Load sets row rows[i] to value sel[i] of v.
func (c *Fixed[T]) Load(rows []int32, v *Vector, sel []int32) {
	c.load(rows, v, sel)
	if c.kind == Bool {
		flags := bytesOf(c.data)
		for i, r := range rows {
			j := at(sel, i)
			flags[r] = v.Data[j>>3] >> (j & 7) & 1
		}
		return
	}
	vals := Values[T](v)
	if from, ok := spanOf(rows); ok {
		c.loadSpan(c.data[from:int(from)+len(rows)], vals, sel)
		return
	}
	if sel == nil {
		for i, r := range rows {
			c.data[r] = vals[i]
		}
		return
	}
	for i, r := range rows {
		c.data[r] = vals[sel[i]]
	}
}

// loadSpan sets rows that follow one another.
func (c *Fixed[T]) loadSpan(rows, vals []T, sel []int32) {
	if sel == nil {
		copy(rows, vals)
		return
	}
	if from, ok := spanOf(sel); ok {
		copy(rows, vals[from:])
		return
	}
	for i := range rows {
		rows[i] = vals[sel[i]]
	}
}

// MemBytes returns the memory of values and validity.
func (c *Fixed[T]) MemBytes() int64 { return memOf(c.data) + memOf(c.bits) }

func (c *Fixed[T]) grow(n int) {
	c.data = grown(c.data, n)
	c.validity.grow(n)
}

func (c *Fixed[T]) reorder(rows []int32, inPlace bool) {
	c.data = kept(c.data, rows, inPlace)
	c.validity.reorder(rows)
}

func (c *Fixed[T]) header() Column {
	h := *c
	return &h
}

func (c *Fixed[T]) page(lo, hi int) Column {
	return &Fixed[T]{kind: c.kind, validity: c.validity.page(lo, hi), data: append([]T(nil), c.data[lo:hi]...)}
}

func (c *Fixed[T]) empty() {
	c.data = c.data[:0]
	c.validity.empty()
}
