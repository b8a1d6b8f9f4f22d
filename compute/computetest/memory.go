package computetest

import (
	"sync"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"
)

// poisoned is an allocator that counts what is alive and overwrites what is freed.
type poisoned struct {
	mu    sync.Mutex
	alive int
}

func (p *poisoned) Allocate(n int) []byte {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.alive++
	return make([]byte, n)
}

func (p *poisoned) Reallocate(n int, b []byte) []byte {
	return append(b[:len(b):len(b)], make([]byte, n-len(b))...)
}

func (p *poisoned) Free(b []byte) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.alive--
	for i := range b {
		b[i] = 0xdb
	}
}

// own returns a copy of arr in p's memory.
func (p *poisoned) own(arr arrow.Array) arrow.Array {
	d := p.data(arr.Data())
	defer d.Release()
	return array.MakeFromData(d)
}

func (p *poisoned) data(d arrow.ArrayData) arrow.ArrayData {
	bufs := make([]*memory.Buffer, len(d.Buffers()))
	for i, b := range d.Buffers() {
		if b == nil {
			continue
		}
		mem := p.Allocate(b.Len())
		copy(mem, b.Bytes())
		bufs[i] = memory.NewBufferWithAllocator(mem, p)
		defer bufs[i].Release()
	}
	kids := make([]arrow.ArrayData, len(d.Children()))
	for i, c := range d.Children() {
		kids[i] = p.data(c)
		defer kids[i].Release()
	}
	if dict, ok := d.Dictionary().(*array.Data); ok && dict != nil {
		return array.NewDataWithDictionary(d.DataType(), d.Len(), bufs, d.NullN(), d.Offset(), dict)
	}
	return array.NewData(d.DataType(), d.Len(), bufs, kids, d.NullN(), d.Offset())
}
