package memory

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/flightd/flightd/internal/base"
	"github.com/flightd/flightd/sinks"
	"github.com/flightd/flightd/sinks/sinktest"
)

// texts returns the rows of the last committed epoch.
func texts(s *Sink) []string {
	_, recs := s.Snapshot()
	defer releaseAll(recs)
	var out []string
	for _, rec := range recs {
		for i := range int(rec.NumRows()) {
			var cells []string
			for _, c := range rec.Columns() {
				cells = append(cells, c.ValueStr(i))
			}
			out = append(out, strings.Join(cells, "|"))
		}
	}
	return out
}

func TestContract(t *testing.T) {
	for _, mode := range []sinks.Mode{{}, {Kind: base.Complete}, {Kind: base.Update, Keys: []int{0}}, {Kind: base.Update}} {
		t.Run(fmt.Sprint(mode), func(t *testing.T) {
			var s *Sink
			sinktest.Run(t, sinktest.Harness{
				Fresh:   func(*testing.T) { s = New(sinktest.Schema()) },
				Open:    func(*testing.T) sinks.Sink { return s },
				Visible: func(*testing.T) []string { return texts(s) },
				Mode:    mode,
			})
		})
	}
}

func run(t *testing.T, s *Sink, epoch base.Epoch, mode sinks.Mode, recs ...arrow.RecordBatch) {
	t.Helper()
	for _, rec := range recs {
		if err := s.Write(t.Context(), epoch, mode, rec); err != nil {
			t.Fatal(err)
		}
		rec.Release()
	}
	if err := s.Commit(t.Context(), epoch, mode, base.Digest{byte(epoch)}); err != nil {
		t.Fatal(err)
	}
}

// versions returns rows (k, "k version n").
func versions(mem memory.Allocator, n int, keys ...int) arrow.RecordBatch {
	b := array.NewRecordBuilder(mem, sinktest.Schema())
	defer b.Release()
	for _, k := range keys {
		b.Field(0).(*array.Int64Builder).Append(int64(k))
		b.Field(1).(*array.StringBuilder).Append(fmt.Sprintf("%d version %d", k, n))
	}
	return b.NewRecordBatch()
}

// Whatever is replaced when, the result is what a map would hold, a snapshot
// never changes (M1), and no reference is left.
func TestUpdateLikeAMap(t *testing.T) {
	mem := memory.NewCheckedAllocator(memory.DefaultAllocator)
	defer mem.AssertSize(t, 0)
	rnd := rand.New(rand.NewPCG(1, 2))
	for _, keys := range []int{3, 50, 2000} {
		s, want := New(sinktest.Schema()), map[int]string{}
		mode := sinks.Mode{Kind: base.Update, Keys: []int{0}}
		for e := range 200 {
			var recs []arrow.RecordBatch
			for range rnd.IntN(3) {
				var ks []int
				for range rnd.IntN(40) {
					ks = append(ks, rnd.IntN(keys))
				}
				recs = append(recs, versions(mem, e, ks...))
				for _, k := range ks {
					want[k] = fmt.Sprintf("%d|%d version %d", k, k, e)
				}
			}
			run(t, s, base.Epoch(e), mode, recs...)
			if rnd.IntN(4) > 0 {
				continue
			}
			_, before := s.Snapshot()
			got := slices.Sorted(slices.Values(texts(s)))
			if all := slices.Sorted(maps.Values(want)); !slices.Equal(got, all) {
				t.Fatalf("%d keys, epoch %d:\n got %v\nwant %v", keys, e, got, all)
			}
			releaseAll(before)
			if s.result.live != len(want) || s.result.dead > s.result.live {
				t.Fatalf("epoch %d: %d live and %d dead rows, %d keys", e, s.result.live, s.result.dead, len(want))
			}
		}
		if n := len(s.result.chunks); n > 40 {
			t.Errorf("%d keys are in %d record batches", keys, n)
		}
		s.Release()
	}
}

func TestSnapshotsNeverChange(t *testing.T) {
	s := New(sinktest.Schema())
	mode := sinks.Mode{Kind: base.Update, Keys: []int{0}}
	run(t, s, 0, mode, versions(memory.DefaultAllocator, 0, 1, 2, 3))
	epoch, recs := s.Snapshot()
	old := recs[0].Column(1).String()
	run(t, s, 1, mode, versions(memory.DefaultAllocator, 1, 2))
	run(t, s, 2, sinks.Mode{Kind: base.Complete}, versions(memory.DefaultAllocator, 2, 9))
	s.Release()
	if epoch != 0 || recs[0].Column(1).String() != old {
		t.Errorf("epoch %d became %v, was %s", epoch, recs[0].Column(1), old)
	}
	releaseAll(recs)
}

// A row without key columns is the only one; rows without keys are additions.
func TestUpdateWithoutKeyColumns(t *testing.T) {
	s := New(sinktest.Schema())
	run(t, s, 0, sinks.Mode{Kind: base.Update, Keys: []int{}}, versions(memory.DefaultAllocator, 0, 1))
	run(t, s, 1, sinks.Mode{Kind: base.Update, Keys: []int{}}, versions(memory.DefaultAllocator, 1, 2))
	if got := texts(s); !slices.Equal(got, []string{"2|2 version 1"}) {
		t.Errorf("got %v", got)
	}
	run(t, s, 2, sinks.Mode{Kind: base.Update}, versions(memory.DefaultAllocator, 2, 2))
	run(t, s, 3, sinks.Mode{Kind: base.Update, Keys: []int{0}}, versions(memory.DefaultAllocator, 3, 5))
	if got := texts(s); !slices.Equal(got, []string{"2|2 version 2", "5|5 version 3"}) {
		t.Errorf("got %v", got)
	}
}

// Keys of every type find their row again, with NULLs, in slices, under NULL
// structs; and rows of every type survive that others of their record batch die.
func TestEveryType(t *testing.T) {
	window := arrow.StructOf(arrow.Field{Name: "start", Type: arrow.FixedWidthTypes.Timestamp_us, Nullable: true}, arrow.Field{Name: "name", Type: arrow.BinaryTypes.String, Nullable: true})
	for _, c := range []struct {
		typ  arrow.DataType
		vals string
	}{
		{arrow.FixedWidthTypes.Boolean, `[true, null, false]`}, {arrow.PrimitiveTypes.Int8, `[1, null, -1, 3]`}, {arrow.PrimitiveTypes.Int64, `[1, null, 256, 65536]`},
		{arrow.PrimitiveTypes.Float64, `[1.5, null, -2]`}, {&arrow.Decimal128Type{Precision: 20, Scale: 2}, `["1.20", null, "-7.00"]`},
		{arrow.BinaryTypes.String, `["", null, "a", "ab"]`}, {arrow.BinaryTypes.Binary, `["", null, "YQ=="]`}, {arrow.FixedWidthTypes.Date32, `["2024-01-01", null, "2024-01-02"]`},
		{arrow.FixedWidthTypes.Timestamp_us, `["2024-01-01T00:00:01Z", null, "2024-01-01T00:00:02Z"]`}, {arrow.FixedWidthTypes.Time64us, `["01:02:03", null, "01:02:04"]`},
		{arrow.FixedWidthTypes.MonthInterval, `[{"months": 1}, null, {"months": 2}]`}, {arrow.FixedWidthTypes.Duration_us, `[1, null, 2]`},
		{arrow.FixedWidthTypes.MonthDayNanoInterval, `[{"months": 1, "days": 2, "nanoseconds": 3}, null, {"months": 1, "days": 2, "nanoseconds": 4}]`},
		{arrow.ListOf(arrow.PrimitiveTypes.Int64), `[[], null, [1], [1, null]]`}, {arrow.MapOf(arrow.BinaryTypes.String, arrow.PrimitiveTypes.Int64), `[[], null, [{"key": "a", "value": 1}]]`},
		{window, `[{"start": "2024-01-01T00:00:01Z", "name": "x"}, null, {"start": null, "name": "x"}, {"start": "2024-01-01T00:00:01Z", "name": null}]`},
		{arrow.StructOf(arrow.Field{Name: "w", Type: window, Nullable: true}, arrow.Field{Name: "n", Type: arrow.Null, Nullable: true}), `[{"w": {"start": null, "name": "x"}, "n": null}, null, {"w": null, "n": null}]`},
	} {
		col, _, err := array.FromJSON(memory.DefaultAllocator, c.typ, strings.NewReader(c.vals))
		if err != nil {
			t.Fatalf("%s: %v", c.typ, err)
		}
		n := int64(col.Len())
		schema := arrow.NewSchema([]arrow.Field{{Name: "k", Type: c.typ, Nullable: true}}, nil)
		rec := array.NewRecordBatch(schema, []arrow.Array{col}, n)
		var want []string
		for i := range col.Len() {
			want = append(want, col.ValueStr(i))
		}
		slices.Sort(want)
		s := New(schema)
		mode := sinks.Mode{Kind: base.Update, Keys: []int{0}}
		rec.Retain()
		run(t, s, 0, mode, rec)
		for i := range n { // each row replaces itself
			run(t, s, base.Epoch(i+1), mode, rec.NewSlice(i, i+1))
			if got := slices.Sorted(slices.Values(texts(s))); !slices.Equal(got, want) {
				t.Errorf("%s, row %d:\n got %v\nwant %v", c.typ, i, got, want)
			}
		}
	}
}

// Readers see whole epochs while the query goes on.
func TestReadersSeeWholeEpochs(t *testing.T) {
	s := New(sinktest.Schema())
	mode := sinks.Mode{Kind: base.Update, Keys: []int{0}}
	stop := make(chan struct{})
	var wg sync.WaitGroup
	for range 3 {
		wg.Add(1)
		go func() {
			defer wg.Done()
			for {
				epoch, recs := s.Snapshot()
				var rows int64
				for _, rec := range recs {
					rows += rec.NumRows()
					for i := range int(rec.NumRows()) {
						if v := rec.Column(1).(*array.String).Value(i); !strings.HasSuffix(v, fmt.Sprint("version ", epoch)) {
							t.Errorf("epoch %d shows %s", epoch, v)
						}
					}
				}
				releaseAll(recs)
				if epoch >= 0 && rows != 100 || s.MemBytes() < 0 {
					t.Errorf("epoch %d has %d rows", epoch, rows)
				}
				select {
				case <-stop:
					return
				default:
				}
			}
		}()
	}
	keys := rand.New(rand.NewPCG(3, 4)).Perm(100)
	for e := range 100 {
		run(t, s, base.Epoch(e), mode, versions(memory.DefaultAllocator, e, keys[:30]...), versions(memory.DefaultAllocator, e, keys[30:]...))
	}
	close(stop)
	wg.Wait()
}

// Many small epochs end in few record batches, in the order they came.
func TestAppendMerges(t *testing.T) {
	s := New(sinktest.Schema())
	for e := range 1000 {
		run(t, s, base.Epoch(e), sinks.Mode{}, sinktest.Record(3*e, 3))
	}
	if n := len(s.result.chunks); n > 20 {
		t.Errorf("%d record batches", n)
	}
	if got := texts(s); !slices.Equal(got, sinktest.Rows(0, 3000)) {
		t.Errorf("got %d rows, %v …", len(got), got[:5])
	}
}

func TestProvider(t *testing.T) {
	var published *Sink
	p := Provider(func(_ sinks.Config, s *Sink) error { published = s; return nil })
	cfg := sinks.Config{Query: "q", QueryID: "id", Schema: sinktest.Schema(), Options: base.Options{"maxbytes": "3000"}}
	s, err := p.Open(t.Context(), cfg)
	if err != nil || s != published || !p.Volatile {
		t.Fatalf("got %v, %v", s, err)
	}
	run(t, published, 0, sinks.Mode{}, sinktest.Record(0, 2))
	if got := texts(published); got != nil {
		t.Errorf("before it is published: %v", got)
	}
	published.Publish()
	big := sinktest.Record(2, 10000)
	defer big.Release()
	if err := s.Write(t.Context(), 1, sinks.Mode{}, big); err != nil {
		t.Fatal(err)
	}
	if err := s.Commit(t.Context(), 1, sinks.Mode{}, base.Digest{1}); base.CodeOf(err) != base.CodeExhausted {
		t.Errorf("beyond maxBytes: got %v", err)
	}
	if got := texts(published); !slices.Equal(got, sinktest.Rows(0, 2)) {
		t.Errorf("after it: %v", got)
	}
	for _, bad := range []sinks.Config{{Query: "id", QueryID: "id"}, {Query: "q", Options: base.Options{"maxBytes": "-1"}}, {Query: "q", Options: base.Options{"maxBytes": "1k"}}} {
		if _, err := p.Open(t.Context(), bad); base.CodeOf(err) != base.CodeInvalid {
			t.Errorf("%v: got %v", bad, err)
		}
	}
}

func BenchmarkUpdate(b *testing.B) {
	s := New(sinktest.Schema())
	mode := sinks.Mode{Kind: base.Update, Keys: []int{0}}
	rnd := rand.New(rand.NewPCG(5, 6))
	e := base.Epoch(0)
	for b.Loop() {
		keys := make([]int, 1000)
		for i := range keys {
			keys[i] = rnd.IntN(100_000)
		}
		rec := versions(memory.DefaultAllocator, int(e), keys...)
		_ = s.Write(b.Context(), e, mode, rec)
		rec.Release()
		if err := s.Commit(b.Context(), e, mode, base.Digest{byte(e)}); err != nil {
			b.Fatal(err)
		}
		e++
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/1000, "ns/row")
}
