//go:build unix

package state

import (
	"fmt"
	"runtime"
	"syscall"
	"testing"
	"time"
)

// sumValues are the columns of a count, a sum, a mean and two extremes.
var sumValues = []Field{{Name: "n", Type: "BIGINT", Kind: Int64}, {Name: "sum", Type: "BIGINT", Kind: Int64, Nullable: true},
	{Name: "mean", Type: "DOUBLE", Kind: Float64}, {Name: "low", Type: "INT", Kind: Int32, Nullable: true}, {Name: "high", Type: "INT", Kind: Int32, Nullable: true}}

// filledTable returns a kept table of n keys: numbers, or texts too long for
// words.
func filledTable(tb testing.TB, n int, texts bool) *Sharded {
	tb.Helper()
	key := Field{Name: "k", Type: "BIGINT", Kind: Int64}
	if texts {
		key = Field{Name: "k", Type: "STRING", Kind: Bytes}
	}
	store, err := NewMemory(Config{Seed: 1})
	if err != nil {
		tb.Fatal(err)
	}
	table, err := store.Table(ID{Name: DefaultName}, Schema{Keys: []Field{key}, Values: sumValues})
	if err != nil {
		tb.Fatal(err)
	}
	keys := table.NewKeys()
	sequence(tb, n, func(v Vector) {
		if texts {
			long := Vector{Kind: Bytes, Len: v.Len, Off: make([]int32, 1, v.Len+1)}
			for _, x := range Values[int64](&v) {
				long.Data = fmt.Appendf(long.Data, "a key of some length %d", x)
				long.Off = append(long.Off, int32(len(long.Data)))
			}
			v = long
		}
		if err := keys.Normalise([]Vector{v}, v.Len, nil); err != nil {
			tb.Fatal(err)
		}
		if err := table.Upsert(keys, nil, func(*Table, []int32, []int32) error { return nil }); err != nil {
			tb.Fatal(err)
		}
	})
	if table.Len() != n {
		tb.Fatalf("%d keys, want %d", table.Len(), n)
	}
	return table
}

// heap is the memory that is alive.
func heap() int64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

// TestMemBytesIsTheHeaps: what a table says it holds is what the heap grows by.
func TestMemBytesIsTheHeaps(t *testing.T) {
	sizes := []int{1000, 100_000, 1_000_000}
	if testing.Short() {
		sizes = sizes[1:2]
	}
	for _, n := range sizes {
		for _, texts := range []bool{false, true} {
			before := heap()
			table := filledTable(t, n, texts)
			// What is counted is what the table holds, not the objects themselves.
			grown := heap() - before - int64(table.Subs())*2048
			says := table.MemBytes()
			t.Logf("%d keys, texts %v: %d bytes, the heap has grown by %d", n, texts, says, grown)
			if d := float64(says)/float64(grown) - 1; n >= 100_000 && (d < -0.02 || d > 0.02) {
				t.Errorf("%d keys, texts %v: MemBytes is off by %.1f %%", n, texts, 100*d)
			}
			runtime.KeepAlive(table)
		}
	}
}

// processor returns the time that this process has used.
func processor() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// TestCollectionDoesNotSeeGroups: the garbage collector finds no pointers in a
// table of ten million groups, so that a collection costs next to nothing.
func TestCollectionDoesNotSeeGroups(t *testing.T) {
	if testing.Short() {
		t.Skip("ten million groups")
	}
	table := filledTable(t, 10_000_000, false)
	runtime.GC()
	least := time.Hour
	for range 8 {
		from := processor()
		runtime.GC()
		least = min(least, processor()-from)
	}
	t.Logf("a collection beside %d MB of state costs %v", table.MemBytes()>>20, least)
	if least > 10*time.Millisecond {
		t.Errorf("a collection costs %v of processor time", least)
	}
	runtime.KeepAlive(table)
}
