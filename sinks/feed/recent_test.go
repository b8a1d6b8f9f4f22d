package feed

import (
	"errors"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/flightd/flightd/internal/base"
)

// Readers at the same place share one reading, those behind do not push the newest
// out, what failed is tried again, and all memory is given back.
func TestRecent(t *testing.T) {
	alloc := memory.NewCheckedAllocator(memory.DefaultAllocator)
	defer alloc.AssertSize(t, 0)
	var reads atomic.Int64
	read := func(e *entry) (*Epoch, error) {
		reads.Add(1)
		b := array.NewInt64Builder(alloc)
		defer b.Release()
		b.Append(int64(e.epoch))
		col := b.NewArray()
		defer col.Release()
		return &Epoch{Number: e.epoch, Rows: []arrow.RecordBatch{array.NewRecordBatch(arrow.NewSchema([]arrow.Field{{Name: "n", Type: arrow.PrimitiveTypes.Int64}}, nil), []arrow.Array{col}, 1)}}, nil
	}
	r := &recent{limit: 100}
	get := func(epoch base.Epoch, bytes int64) {
		t.Helper()
		out, err := r.get(&entry{head: head{epoch: epoch, unpacked: bytes}}, read)
		if err != nil {
			t.Error(err)
			return
		}
		if got := out.Rows[0].Column(0).(*array.Int64).Value(0); got != int64(epoch) || out.Number != epoch {
			t.Errorf("epoch %d has the rows of %d", epoch, got)
		}
		out.Release()
	}
	wants := func(what string, n int64) {
		t.Helper()
		if got := reads.Swap(0); got != n {
			t.Errorf("%s: %d were read, not %d", what, got, n)
		}
	}
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for n := range base.Epoch(10) {
				get(10+n, 10)
			}
		})
	}
	wg.Wait()
	wants("ten epochs by eight readers", 10)
	get(3, 10)
	get(3, 10)
	wants("twice what is far behind", 2)
	get(15, 10)
	wants("what is kept", 0)
	get(20, 45)
	get(15, 10)
	wants("one that makes others go", 1)
	get(14, 10)
	wants("one that went", 1)
	get(30, 101)
	get(30, 101)
	wants("one that is larger than all", 2)
	if r.bytes != 0 || len(r.list) != 0 {
		t.Errorf("%d bytes in %d epochs", r.bytes, len(r.list))
	}
	broken := errors.New("broken")
	if _, err := r.get(&entry{head: head{epoch: 40}}, func(*entry) (*Epoch, error) { return nil, broken }); !errors.Is(err, broken) {
		t.Error(err)
	}
	get(40, 10)
	wants("after an error", 1)
	for range 8 { // eviction while others read
		wg.Go(func() {
			for n := range base.Epoch(300) {
				get(50+n/3, 60)
			}
		})
	}
	wg.Wait()
	r.clear()
}
